"""A scheduler that exists as a binary: ``policies/programs/<name>.yaml``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramOption:
    """An option as the program's own help has it.

    :param names: ``-s``, ``--slice-us``.
    :param value: what its help calls its value; empty: it is a switch.
    :param default: as the help says it; None: it does not say.
    """

    names: tuple[str, ...]
    value: str = ""
    default: str | None = None
    choices: tuple[str, ...] = ()
    repeated: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPolicy:
    """:param program: file name that it is started by.

    :param version: its own words; empty: it does not say.
    :param sha256: of the file whose help was read; another file may have other options.
    """

    name: str
    description: str
    program: str
    version: str
    sha256: str
    options: tuple[ProgramOption, ...]
    tags: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
