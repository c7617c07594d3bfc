"""``schedops library import --program``: a scheduler binary as a document, with the options that its help names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schedops.errors import InputError
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.repository import Tree


def imported(tree: Tree, path: Path, *, name: str | None, description: str) -> Answer:
    """Write ``policies/programs/<name>.yaml``, or write it anew when the program has changed.

    :raises InputError: it cannot be read, or its help names no options. :raises Unavailable: it cannot be run confined.
    """
    import re

    from schedops.adapters.disk.cachedir import write_whole
    from schedops.adapters.program_help import ask_program
    from schedops.cli.library_tree import place_data
    from schedops.model.program_policy import ProgramPolicy
    from schedops.report.table import table
    from schedops.repository.help_text import about, options_of
    from schedops.schema.decode import encode
    from schedops.schema.read import load
    from schedops.schema.write import yaml_bytes

    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,100}", path.name) is None:
        raise InputError("not-a-program", f"{path.name[:100]!r} is no name of a program")
    says = ask_program(path)
    chosen = name or re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")[:63]
    policy = ProgramPolicy(
        name=chosen,
        description=description or about(says.help) or f"The scheduler {path.name}; its help does not say more.",
        program=path.name,
        version=says.version,
        sha256=says.sha256,
        options=options_of(says.help),
    )
    data = yaml_bytes(policy, comment="Read by schedops from the program's own --help and --version; not by hand.")
    load(data, ProgramPolicy, where=path.name)  # what a stranger's help says has to be a valid document
    file = f"policies/programs/{chosen}.yaml"
    changed = not (tree.root / file).exists() or (tree.root / file).read_bytes() != data
    write_whole(tree.root / file, data)
    rows = [(", ".join(one.names), one.value or "-", one.default or "-", one.help[:200]) for one in policy.options]
    said = f"{chosen}: {policy.version or 'version unknown'}, {len(policy.options)} options; "
    said += f"{'written to' if changed else 'nothing new in'} {file}"
    text = f"{said}\n\n{table(('OPTION', 'VALUE', 'DEFAULT', 'WHAT IT SAYS'), rows)}"
    return Answer({**place_data(tree), "program": encode(policy), "file": file, "changed": changed}, text)
