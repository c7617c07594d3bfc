"""Headers: those beside a source, those that came with schedops for foreign code, and those of ``--include``.

A policy carries the text of every header it can include, so that digests cover them and the compiler needs no
directory of this machine.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from schedops.errors import InputError
from schedops.model.policy import PolicySource
from schedops.repository.tree import POLICIES, Found, text
from schedops.schema.files import data_dir, read_bounded

_MAX_FILES = 2000
_MAX_BYTES = 8 << 20
_MAX_REACHED = 200
_FOREIGN = "scx/"
_DIRECTIVE = re.compile(
    r"""^[ \t]{0,40}(?:\#|%:)[ \t]{0,40}(?:include|import)\b[ \t]{0,40}["<]([^">\n]{1,200})[">]""", re.MULTILINE
)
_KERNEL_TYPES = re.compile(r"(?:.*/)?vmlinux[^/]*\.h", re.DOTALL)
_LIBBPF = "bpf/"
Headers = tuple[tuple[str, str], ...]
_Lookup = Callable[[str], str | None]


def read_includes(dirs: Sequence[Path]) -> Headers:
    """(name below the directory, text) of every ``*.h`` below *dirs*, by name; the first directory with a name wins.

    The kernel's types and libbpf's headers are left out, see :func:`ignored_includes`.

    :raises InputError: ``include-missing``, ``includes-too-many``, ``file-outside`` and those of reading a file.
    """
    found: dict[str, str] = {}
    size = 0
    for directory in dirs:
        for name in _names(directory):
            if name in found or _ignored(name):
                continue
            data = read_bounded(directory / name, root=directory)
            size += len(data)
            if len(found) == _MAX_FILES or size > _MAX_BYTES:
                raise _too_many(directory)
            # Old headers have Latin-1 names in their comments; elsewhere the compiler points at the character.
            found[name] = data.decode("utf-8", errors="replace")
    return tuple(sorted(found.items()))


def ignored_includes(dirs: Sequence[Path]) -> tuple[str, ...]:
    """Headers below *dirs* that are not used: each kernel's own types and the installed libbpf take their place."""
    return tuple(str(directory / name) for directory in dirs for name in _names(directory) if _ignored(name))


def with_includes(source: PolicySource, includes: Headers) -> PolicySource:
    """The source with those headers of *includes* that it reaches; its own headers come first.

    What schedops brings for code written for sched-ext/scx's headers steps back when *includes* has them.
    """
    given = dict(includes)
    theirs = any(name.startswith(_FOREIGN) for name in given)
    own = {name: text for name, text in source.headers if not (theirs and name.startswith(_FOREIGN))}
    fallback = _Folder(data_dir(POLICIES) / "include")
    reached = reachable(
        source.text, lambda name: own.get(name, given.get(name)) or _rest(fallback, name, theirs=theirs)
    )
    return replace(source, headers=tuple(sorted({**reached, **own}.items())))


def headers_of(root: Path, folder: str, source: str, library: Headers) -> Found[Headers]:
    """All of *library*, and what *source* reaches beside itself, below ``policies/include`` and in schedops' own.

    :param folder: where the source lies, relative to *root*.
    """
    own = dict(library)
    places = (_Folder(root / folder), _Folder(root / POLICIES / "include"), _Folder(data_dir(POLICIES) / "include"))

    def look(name: str) -> str | None:
        beside = places[0](name)
        return own.get(name) if beside is None else beside

    reached = reachable(source, lambda name: next((one for one in _each(look, *places[1:], name=name)), None))
    problems = tuple(dict.fromkeys(line for place in places for line in place.problems))
    return Found(tuple(sorted({**own, **reached}.items())), problems)


def reachable(source: str, lookup: _Lookup) -> dict[str, str]:
    """Name -> text of every header that *source* includes, and what those include, as far as *lookup* knows them."""
    found: dict[str, str] = {}
    left = [("", source)]
    while left:
        includer, words = left.pop()
        for name in _candidates(words, posixpath.dirname(includer)):
            if name in found or len(found) == _MAX_REACHED:
                continue
            header = lookup(name)
            if header is not None:
                found[name] = header
                left.append((name, header))
    return found


class _Folder:
    """Looks names up below one directory, and keeps the problems of those that are there and cannot be read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.problems: list[str] = []

    def __call__(self, name: str) -> str | None:
        if _ignored(name) or not (self._directory / name).exists():
            return None
        part = text(self._directory, name, below="")
        self.problems += part.problems
        return part.value


def _each(*lookups: _Lookup, name: str) -> Iterator[str]:
    return (value for lookup in lookups if (value := lookup(name)) is not None)


def _rest(fallback: _Folder, name: str, *, theirs: bool) -> str | None:
    return None if theirs and name.startswith(_FOREIGN) else fallback(name)


def _candidates(words: str, directory: str) -> Iterator[str]:
    """What an include may mean: a file beside the includer, or one below the include path."""
    for match in _DIRECTIVE.finditer(words):
        for name in dict.fromkeys((posixpath.normpath(posixpath.join(directory, match[1])), match[1])):
            if not name.startswith(("/", "..")) and posixpath.normpath(name) == name:
                yield name


def _names(directory: Path) -> tuple[str, ...]:
    if not directory.is_dir():
        raise InputError("include-missing", f"--include {directory}: there is no such directory", where=str(directory))
    found = []
    for place, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.relpath(os.path.join(place, name), directory) for name in files if name.endswith(".h")]  # noqa: PTH118
        if len(found) > 2 * _MAX_FILES:
            raise _too_many(directory)
    return tuple(sorted(found))


def _ignored(name: str) -> bool:
    return name.startswith(_LIBBPF) or _KERNEL_TYPES.fullmatch(name) is not None


def _too_many(directory: Path) -> InputError:
    limit = f"more than {_MAX_FILES} headers or {_MAX_BYTES >> 20} MiB"
    hint = "name the directory that holds scx/, not one above it"
    return InputError("includes-too-many", f"--include {directory} brings {limit}", where=str(directory), hint=hint)
