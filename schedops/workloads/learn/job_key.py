"""What a job is known by: 16 hex digits of a command's arguments or of a name. They carry no meaning.

``schedops/host/hint_key.c`` computes the same. A key must be the same in every checkout of a project, so what differs
from one to the next is taken out of the arguments first:

- the program is known by its file name;
- where an argument, or what follows a delimiter or a short option in it, begins with the working directory or one of
  its parents, it is written relative to the working directory: ``-I/home/a/p/include`` in ``/home/a/p/build`` is
  ``-I../include``;
- what lies below /tmp or /var/tmp otherwise has no name: ``/tmp/ccXyz.o`` is ``/tmp/*``;
- the working directory itself counts by its place in the project only, for recursive makes compile a ``main.c`` in more
  than one directory.

Everything else stays, outputs as well: they tell jobs apart that differ in nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

DIGITS = 16
_DELIMITERS = frozenset(b",:;=\"'()@ ")
_TEMPORARY = (b"/tmp", b"/var/tmp")
_TEMPORARY_NAME = b"/tmp/*"


def key_of_name(name: str) -> str:
    """Of a name that somebody gave: ``--key``, a test of a report."""
    return _digits(b"name\0", name.encode("utf-8", "surrogateescape"))


def key_of_output(path: str) -> str:
    """Of a file that a build makes, for logs that do not say how it is made."""
    return _digits(b"output\0", path.encode("utf-8", "surrogateescape"))


def key_of_command(words: Sequence[str], *, cwd: str, root: str | None = None) -> str:
    """Of a command as a process gets it.

    :param words: the program first; at least one.
    :param cwd: absolute, without a slash at its end.
    :param root: top of the project; None or not above *cwd*: nothing is said about the place.
    """
    raw_cwd = cwd.encode("utf-8", "surrogateescape")
    program, *others = (word.encode("utf-8", "surrogateescape") for word in words)
    parts = [_place(cwd, root).encode("utf-8", "surrogateescape"), program.rpartition(b"/")[2]]
    parts += [plain_word(word, raw_cwd) for word in others]
    return _digits(b"command\0", *(part + b"\0" for part in parts))


def plain_word(word: bytes, cwd: bytes) -> bytes:
    """An argument without what differs from one checkout to the next."""
    out = bytearray()
    at = 0
    while at < len(word):
        found = _replaced(word, at, cwd) if word[at] == _SLASH and _begins_path(word, at) else None
        if found is None:
            out.append(word[at])
            at += 1
        else:
            text, at = found
            out += text
    return bytes(out)


_SLASH, _DASH = b"/-"


def _begins_path(word: bytes, at: int) -> bool:
    return _begins(word, at) or (at > 1 and word[at - 2] == _DASH and _begins(word, at - 2))


def _begins(word: bytes, at: int) -> bool:
    return at == 0 or word[at - 1] in _DELIMITERS


def _replaced(word: bytes, at: int, cwd: bytes) -> tuple[bytes, int] | None:
    # The longest of the working directory and its parents that the path begins with, else a temporary directory.
    parent, ups = cwd, 0
    while len(parent) > 1 and parent not in _TEMPORARY:
        if word.startswith(parent, at) and _ends_name(word, at + len(parent)):
            return b"/".join([b".."] * ups) or b".", at + len(parent)
        parent, ups = parent.rpartition(b"/")[0], ups + 1
    for temporary in _TEMPORARY:
        if word.startswith(temporary + b"/", at):
            end = at + len(temporary)
            while end < len(word) and word[end] not in _DELIMITERS:
                end += 1
            return _TEMPORARY_NAME, end
    return None


def _ends_name(word: bytes, at: int) -> bool:
    return at == len(word) or word[at] == _SLASH or word[at] in _DELIMITERS


def _place(cwd: str, root: str | None) -> str:
    top = (root or "").rstrip("/")
    return cwd[len(top) + 1 :] if top and cwd.startswith(top + "/") else ""


def _digits(kind: bytes, *parts: bytes) -> str:
    return hashlib.sha256(b"schedops-hint-1 " + kind + b"".join(parts)).hexdigest()[:DIGITS]
