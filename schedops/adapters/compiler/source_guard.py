"""What the text of a policy may not ask of the compiler: to read files that are none of its business.

A policy's source is untrusted. Compiling it must not carry other files of this machine into the object or into an
error message, nor tell whether they exist. Whatever slips through here is caught by what the compiler opened.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from schedops.model.verification import SourceProblem

MAX_SOURCE_BYTES = 256 << 10
_REMOVED = "\x01"  # a newline that is none for the compiler: spliced away, or inside a comment
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SPLICE = re.compile(r"(?:\\|\?\?/)[ \t]*\r?\n")
_TOKEN = re.compile(
    r"(?P<comment>/\x01*/[^\n]*|/\x01*\*(?:.*?\*\x01*/|.*))"
    r"""|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?""",
    re.DOTALL,
)
_DIRECTIVE = re.compile(
    r"^[ \t\r\f\v]*(?:\#|%:|\?\?=)[ \t\f\v]*(include_next|include|import|embed)\b([^\n]*)", re.MULTILINE
)
_HARMLESS = re.compile(r"""\s*(?:"([A-Za-z0-9_.][\w./-]*)"|<([A-Za-z0-9_.][\w./-]*)>)\s*""", re.ASCII)
_WORD = re.compile(r"\b(__has_include|__has_include_next|__has_embed|incbin)\b")


@dataclass(frozen=True, slots=True)
class _Logical:
    """The text as the compiler's directives see it, without comments and splices."""

    text: str
    removed: tuple[int, ...]  # offsets in *text* before which a newline of the file was removed

    def line(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + bisect_right(self.removed, offset) + 1


def source_problems(text: str, file: str, folder: str = "") -> tuple[SourceProblem, ...]:
    """Every include that leads out of the include path, and every other way to a file.

    :param file: as the user knows it, for the problems.
    :param folder: where the file lies below the include path; ``..`` may not lead out of that.
    """
    if len(text.encode("utf-8", errors="replace")) > MAX_SOURCE_BYTES:
        return (_problem(file, 1, f"the source is larger than {MAX_SOURCE_BYTES >> 10} KiB"),)
    if match := _CONTROL.search(text):
        return (_problem(file, text.count("\n", 0, match.start()) + 1, "the source has a control character"),)
    logical = _logical(text)
    return tuple(sorted({*_includes(logical, file, folder), *_words(logical, file)}, key=lambda problem: problem.line))


def asm_problems(ir: str, file: str) -> tuple[SourceProblem, ...]:
    """Assembler directives in the module's intermediate code, where strings are joined and macros expanded.

    A directive (``.incbin``, ``.include``, or ``.macro`` to build one) begins with a dot; BPF instructions have none.
    """
    texts = re.findall(r'\basm (?:[a-z]+ )*"([^"]*)"', ir)
    if any("." in text for text in texts):
        return (_problem(file, 1, "inline assembly may not hold assembler directives: they can read files"),)
    return ()


def _logical(text: str) -> _Logical:
    marked = _TOKEN.sub(_without_comment, _SPLICE.sub(_REMOVED, text))
    pieces = marked.split(_REMOVED)
    removed, offset = [], 0
    for piece in pieces[:-1]:
        offset += len(piece)
        removed.append(offset)
    return _Logical("".join(pieces), tuple(removed))


def _without_comment(match: re.Match[str]) -> str:
    comment = match["comment"]
    if comment is None:
        return match[0]
    return " " + _REMOVED * (comment.count("\n") + comment.count(_REMOVED))


def _includes(logical: _Logical, file: str, folder: str) -> Iterator[SourceProblem]:
    for match in _DIRECTIVE.finditer(logical.text):
        name, rest = match[1], match[2]
        line = logical.line(match.start(1))
        plain = _HARMLESS.fullmatch(rest)
        if name == "embed":
            yield _problem(file, line, "#embed reads a file into the object; it is not allowed")
        elif plain is None or posixpath.normpath(posixpath.join(folder, plain[1] or plain[2])).startswith(".."):
            why = "only plain names below the include path are allowed: no absolute path, no way out by `..`, no macro"
            yield _problem(file, line, f"#{name} {rest.strip()[:60]}: {why}")


def _words(logical: _Logical, file: str) -> Iterator[SourceProblem]:
    for match in _WORD.finditer(logical.text):
        yield _problem(file, logical.line(match.start()), f"{match[1]}: looking for or reading files is not allowed")


def _problem(file: str, line: int, text: str) -> SourceProblem:
    printable = "".join(c for c in text if c.isprintable())
    return SourceProblem(file=file, line=line, column=1, severity="error", text=printable)
