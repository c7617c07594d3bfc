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
# What clang takes for space between tokens, some of Unicode's included.
_SPACE = r"[^\S\n]|\u180e"
_DIRECTIVE = re.compile(
    rf"^(?:{_SPACE})*(?:\#|%:|\?\?=)(?:{_SPACE})*(include_next|include|import|embed|line|[0-9]+)\b([^\n]*)",
    re.MULTILINE,
)
_HARMLESS = re.compile(r"""\s*(?:"([A-Za-z0-9_.][\w./-]*)"|<([A-Za-z0-9_.][\w./-]*)>)\s*""", re.ASCII)
_WORD = re.compile(
    r"\b(__has_include|__has_include_next|__has_embed|include_alias|incbin|(?:GCC|clang)\s+dependency)\b"
)
_ASM = re.compile(r"asm|%:%:|\?\?=\?\?=|(?<!,)##")
# Of intermediate code: a symbol, and one that no C name gives (clang calls string literals .str).
_SYMBOL = re.compile(r'@("[^"\n]*"|[-\w$.]+)')
_MADE_UP = re.compile(r'"?\.(?!str(?:\.\d+)*"?$).*|".*[^-\w$.:"].*"')
# Directives of the assembler that only lay down numbers, as code for old compilers writes new instructions.
_NUMBERS = re.compile(r"\.(?:byte|short|long|int|quad|2byte|4byte|8byte|if|ifc|else|elseif|endif)(?=[\s;\\]|$)")


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
    logical = _logical(_plain(text))
    return tuple(sorted({*_includes(logical, file, folder), *_words(logical, file)}, key=lambda problem: problem.line))


def asm_problems(ir: str, file: str) -> tuple[SourceProblem, ...]:
    """Assembler directives in the module's intermediate code, where strings are joined and macros expanded.

    A directive (``.incbin``, ``.include``, or ``.macro`` to build one) begins with a dot; BPF instructions have none.
    The dot may also come from a symbol that was given another name, and is put in for an operand.
    """
    texts = re.findall(r'\basm (?:[a-z]+ )*"([^"]*)"', ir)
    if any("." in _NUMBERS.sub("", text) for text in texts):
        return (_problem(file, 1, "inline assembly may not hold assembler directives: they can read files"),)
    if any(_MADE_UP.fullmatch(name) for name in set(_SYMBOL.findall(ir))):
        return (_problem(file, 1, "a symbol's assembler name may only be a plain name"),)
    return ()


def may_hold_asm(text: str) -> bool:
    """Could this text become inline assembly? Only then need its intermediate code be looked at.

    The word may also be put together by the preprocessor; ``, ## args`` puts nothing together but a comma.
    """
    return _ASM.search(re.sub(r",\s*##", ",", _logical(_plain(text)).text)) is not None


def _plain(text: str) -> str:
    """As clang reads it: the byte order mark is nothing, and a lone carriage return ends a line too."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


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
        if name == "line" or name.isdigit():
            yield _problem(file, line, "#line is not allowed: a message has to name the line that it is about")
        elif name == "embed":
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
