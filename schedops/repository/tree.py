"""Where ``policies/`` is, and how one file of it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from schedops.errors import InputError
from schedops.schema.files import data_dir, read_bounded
from schedops.schema.problem import invalid, line_of
from schedops.schema.read import load_all

T = TypeVar("T")
POLICIES = "policies"
_MARKS = ("library", "workloads", "fleet.yaml")


@dataclass(frozen=True, slots=True)
class Tree:
    """:param root: directory that holds ``policies/``.

    :param starter: it is the read-only one that came with schedops, not the user's own.
    """

    root: Path
    starter: bool


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A value, or None with the reasons, one line each as ``file::$.path: message``."""

    value: T | None
    problems: tuple[str, ...] = ()


def open_tree(start: Path) -> Tree:
    """The nearest ``policies/`` at or above *start*, inside its git repository; else the starter library."""
    start = start.resolve()
    for place in (start, *start.parents):
        if any((place / POLICIES / mark).exists() for mark in _MARKS):
            return Tree(place, starter=False)
        if (place / ".git").exists():
            break
    return Tree(data_dir(POLICIES).parent, starter=True)


def names_in(root: Path, folder: str, suffix: str = "") -> tuple[str, ...]:
    """Names below ``policies/<folder>`` that end in *suffix*, sorted; hidden ones do not count.

    :raises InputError: ``file-unreadable``.
    """
    directory = root / POLICIES / folder
    try:
        names = [entry.name for entry in directory.iterdir()]
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise InputError("file-unreadable", f"{directory}: {error.strerror}", where=str(directory)) from None
    return tuple(sorted(name for name in names if name.endswith(suffix) and not name.startswith(".")))


def document(root: Path, path: str, type_: type[T], *, below: str = POLICIES) -> Found[T]:
    """The document at ``<below>/<path>``, symlinks inside *below*; a file that cannot be read is a problem like any."""
    name = _joined(below, path)
    try:
        value, problems = load_all(root / name, type_, root=root / below)
    except InputError as error:
        return Found(None, (f"{name}::$: {error.message}",))
    return Found(value, tuple(line_of(name, problem) for problem in problems))


def text(root: Path, path: str, *, below: str) -> Found[str]:
    """The UTF-8 text at ``<below>/<path>``. Symlinks may not leave *below*."""
    name = _joined(below, path)
    try:
        data = read_bounded(root / name, root=root / below)
        found = data.decode("utf-8")
    except InputError as error:
        return Found(None, (f"{name}::$: {error.message}",))
    except UnicodeDecodeError as error:
        return Found(None, (f"{name}::$: not UTF-8: byte {error.start} is 0x{data[error.start]:02x}",))
    return Found(None, (f"{name}::$: NUL byte",)) if "\0" in found else Found(found)


def _joined(below: str, path: str) -> str:
    return f"{below}/{path}" if below else path


def settled(found: Iterable[Found[T]], *, where: str) -> tuple[T, ...]:
    """The values, if there is no problem at all. :raises InputError: ``invalid-document`` with all problems."""
    parts = tuple(found)
    problems = [line for part in parts for line in part.problems]
    if problems:
        raise invalid(problems, where=where)
    return tuple(part.value for part in parts if part.value is not None)


def unknown(what: str, name: str, known: Iterable[str], *, command: str) -> InputError:
    """A name that nothing has, with the nearest ones."""
    import difflib  # noqa: PLC0415 - only when somebody mistyped

    close = difflib.get_close_matches(name, tuple(known), n=3)
    hint = f"did you mean {' or '.join(close)}? " if close else ""
    return InputError(f"unknown-{what}", f"there is no {what} {name[:100]!r}", hint=f"{hint}`{command}` names them all")
