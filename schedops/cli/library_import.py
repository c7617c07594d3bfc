"""``schedops library import``: a policy of others into the library, a scheduler binary by what its ``--help`` says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedops.cli.common import answers, output_option
from schedops.cli.library_tree import place_data, tree_here
from schedops.errors import InputError
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.policy import PolicySource
    from schedops.model.verification import VerificationReport
    from schedops.repository import Tree
    from schedops.repository.derive import Derived


@click.command("import")
@click.argument("policy", metavar="[DIR|FILE.bpf.c]", required=False)
@click.option("--program", metavar="PATH", help="instead: a scheduler that exists as a binary, by its --help")
@click.option("--name", metavar="NAME", help="in the library  [default: of the file]")
@click.option("--description", metavar="TEXT", help="what it does  [default: what source or help say]")
@click.option("--licence", metavar="SPDX", help="[default: the SPDX line of the source]")
@click.option("--include", "includes", multiple=True, type=click.Path(file_okay=False, exists=True, path_type=Path),
              metavar="DIR", help="headers that its own includes are found in; may be repeated")  # fmt: skip
@click.option(
    "--depth",
    type=click.Choice(["static", "quick", "full"]),
    default="quick",
    show_default=True,
    help="how far it is verified before it is written",
)
@output_option
@answers("library import")
def import_(
    *,
    policy: str | None,
    program: str | None,
    name: str | None,
    description: str | None,
    licence: str | None,
    includes: tuple[Path, ...],
    depth: str,
    output: str,
) -> Answer:
    """Take a policy of others into policies/library/, or a scheduler binary into policies/programs/.

    A source is verified first; one that does not pass is not written. Its policy.yaml says what could be derived from
    the source: name, licence, kfuncs that it needs, what its callbacks honour, constants with their values. A directory
    with a policy.yaml keeps its own. A program is run for --help and --version only, confined, without network; its
    options are read from there. Nothing is committed.

    \b
    Example:
      schedops library import ./scx_simple.bpf.c --include scx/scheds/include
      schedops library import --program /usr/sbin/scx_lavd
    """
    if (policy is None) == (program is None):
        raise click.UsageError("exactly one of DIR|FILE.bpf.c and --program is needed")
    tree = tree_here()
    if tree.starter:
        raise InputError("no-repository", "there is no policies/ here to import into", hint="mkdir -p policies/library")
    if program is not None:
        from schedops.cli.library_program import imported

        return imported(tree, Path(program), name=name, description=description or "")
    assert policy is not None
    found = _derived(tree, policy, includes, name=name, description=description or "", licence=licence or "")
    report = _verified(tree, found.source, depth)
    if report.verdict.exit_code != 0:
        return _refused(found.source, report, output)
    files = _files(tree, found.source)
    _write(tree, files)
    return _answer(tree, found, report, sorted(files), depth)


def _derived(
    tree: Tree, wanted: str, includes: tuple[Path, ...], *, name: str | None, description: str, licence: str
) -> Derived:
    from dataclasses import replace

    from schedops.model.policy import PrebuiltPolicy
    from schedops.repository import is_bare, read_includes, resolve_subject, with_includes
    from schedops.repository.derive import Derived, derived

    subject = resolve_subject(tree.root, _only_source(wanted), cwd=Path.cwd())
    if isinstance(subject, PrebuiltPolicy):
        raise InputError("not-a-source", f"{wanted[:200]!r} is an object; a library keeps sources")
    if includes:
        subject = with_includes(subject, read_includes(includes))
    chosen = name or subject.policy.name
    if is_bare(subject.policy):
        found = derived(subject, name=chosen, description=description, licence=licence)
    else:
        own = replace(subject.policy, name=chosen, description=description or subject.policy.description)
        found = Derived(replace(subject, policy=replace(own, licence=licence or own.licence)), ())
    _refuse_taken(tree, found.source)
    path = f"policies/library/{chosen}/{found.source.policy.source}"
    return Derived(replace(found.source, path=path), found.notes)


def _only_source(wanted: str) -> str:
    """The one source of a directory that has no ``policy.yaml``."""
    place = Path.cwd() / wanted
    if "/" not in wanted and place.exists():
        wanted = f"./{wanted}"
    if not place.is_dir() or (place / "policy.yaml").exists():
        return wanted
    sources = sorted(path.name for path in place.glob("*.bpf.c"))
    if len(sources) != 1:
        raise InputError("not-a-policy", f"{wanted[:200]!r} has {len(sources)} .bpf.c files and no policy.yaml")
    return f"{wanted.rstrip('/')}/{sources[0]}"


def _refuse_taken(tree: Tree, source: PolicySource) -> None:
    from schedops.repository import load_policies

    for other in load_policies(tree.root):
        if other.policy.name == source.policy.name:
            raise InputError("name-taken", f"the library has a {other.policy.name}", hint="--name another one")
        if other.policy.ops_name == source.policy.ops_name:
            text = f"{other.policy.name} registers as {other.policy.ops_name} too, and the kernel tells them by that"
            raise InputError("ops-name-taken", text, hint="change .name in the source")


def _verified(tree: Tree, source: PolicySource, depth: str) -> VerificationReport:
    from schedops.adapters.console import console_progress
    from schedops.cli.verify import images_for
    from schedops.pipeline.verification import verify_policy
    from schedops.verify.stages import FULL, QUICK, STATIC
    from schedops.wiring import world

    stages = {"full": FULL, "quick": QUICK, "static": STATIC}[depth]
    with console_progress() as progress:
        joined = world(progress)
        images, missing, stages = images_for((), stages, joined, tree.root, can_do_less=depth == "static")
        return verify_policy(joined, source, images=images, missing=missing, stages=stages)


def _refused(source: PolicySource, report: VerificationReport, output: str) -> Answer:
    from schedops.cli.verify_output import answer

    said = answer([(report, source)], output=output, junit=None, sarif=None)
    text = f"{said.text}\n\nnot imported: it has to pass first"
    data: dict[str, Any] = {"imported": False, "verification": said.data, "files": []}
    return Answer(data, text, report.verdict.exit_code)


def _files(tree: Tree, source: PolicySource) -> dict[str, bytes]:
    """Path below the repository -> bytes: description, source, and the headers that lie beside it or were given."""
    from schedops.repository.library import read_headers
    from schedops.schema.files import data_dir
    from schedops.schema.write import yaml_bytes

    folder = f"policies/library/{source.policy.name}"
    theirs = dict(read_headers(tree.root).value or ())
    own = {
        name: text
        for name, text in source.headers
        if theirs.get(name) != text and not (data_dir("policies") / "include" / name).is_file()
    }
    comment = "Imported by schedops; what is said here was derived from the source."
    return {
        f"{folder}/policy.yaml": yaml_bytes(source.policy, comment=comment),
        f"{folder}/{source.policy.source}": source.text.encode("utf-8"),
        **{f"{folder}/{name}": text.encode("utf-8") for name, text in own.items()},
    }


def _write(tree: Tree, files: dict[str, bytes]) -> None:
    from schedops.adapters.disk.cachedir import write_whole

    for path in files:
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise InputError("file-outside", f"{path[:200]!r} would be written outside of the policy's directory")
    for path, data in files.items():
        write_whole(tree.root / path, data)


def _answer(tree: Tree, found: Derived, report: VerificationReport, files: list[str], depth: str) -> Answer:
    from schedops.report.table import paragraph
    from schedops.schema.decode import encode

    policy = found.source.policy
    lines = [f"{policy.name}: {report.verdict.value} ({depth}), imported", *(f"  {path}" for path in files)]
    lines += [paragraph(f"note: {note}", indent=2) for note in found.notes]
    lines += ["", "Look at what was derived, give it tags, classes and what it loses on, and commit it:"]
    lines += [f"  schedops library show {policy.name}", f"  git add policies/library/{policy.name} && git commit"]
    data = {
        **place_data(tree),
        "imported": True,
        "policy": encode(policy),
        "verification": encode(report),
        "files": files,
        "notes": list(found.notes),
    }
    return Answer(data, "\n".join(lines))
