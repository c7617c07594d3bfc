"""Machines to simulate: ready ones by name, a user's own by path."""

from __future__ import annotations

import re
from pathlib import Path

import schedops
from schedops.errors import InputError
from schedops.model.machine import MAX_CPUS, Machine, flat_machine
from schedops.schema.read import load

_FLAT = re.compile(r"flat-([1-9][0-9]{0,3})\Z")


def load_machine(wanted: str, *, cwd: Path) -> Machine:
    """:param wanted: ``flat-N`` (N equal CPUs), a name of :func:`ready_machines`, or a path.

    :raises InputError: ``unknown-machine``, ``invalid-document`` with every problem as ``file::$.path: message``, or
        what :func:`schedops.schema.files.read_bounded` raises.
    """
    if (flat := _FLAT.match(wanted)) and int(flat[1]) <= MAX_CPUS:
        return flat_machine(int(flat[1]))
    if wanted in ready_machines():
        return load(_directory() / f"{wanted}.yaml", Machine, where=f"machine {wanted}")
    if "/" in wanted or wanted.endswith((".yaml", ".yml", ".json")):
        return load(cwd / wanted, Machine, where=wanted)
    names = ", ".join(ready_machines())
    raise InputError(
        "unknown-machine",
        f"there is no machine {wanted[:100]!r}",
        hint=f"a path, flat-1 to flat-{MAX_CPUS}, or one of {names}; `schedops simulate --describe-host` writes a file",
    )


def ready_machines() -> tuple[str, ...]:
    """Names of the machine files that come with schedops, sorted; ``flat-N`` needs none."""
    return tuple(sorted(path.stem for path in _directory().glob("*.yaml")))


def _directory() -> Path:
    return Path(schedops.__file__).resolve().parent / "sim" / "machines"
