"""Text of others made safe to stand in a pull request: no markup, no mention, no closing keyword, no live link."""

from __future__ import annotations

import re

_BREAK = "\u200b"  # zero-width space: reads the same, means nothing to a forge
_SPECIAL = re.compile(r"([\\`*|~$#]|\](?=[(\[:]))")  # a "]" alone is no link: "[-8 %, -2 %]" stays readable
_EDGE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START = re.compile(r"^(?:[-+=\[]|\d{1,9}[.)](?=\s|$))")


def plain(text: str, *, limit: int = 300) -> str:
    """One bounded line of printable text that mentions nobody and refers to no issue; for titles and commits."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    short = one_line if len(one_line) <= limit else f"{one_line[: limit - 1]}…"
    quiet = short.replace("@", f"@{_BREAK}").replace("#", f"#{_BREAK}")
    quiet = re.sub(r"\b(gh)-(?=\d)", rf"\1-{_BREAK}", quiet, flags=re.IGNORECASE)
    # Links: neither a scheme nor "www." stays in one piece, so nothing is made clickable or counted as a reference.
    return re.sub(r"(?i)\bwww\.", f"www{_BREAK}.", quiet.replace("://", f":{_BREAK}//"))


def inline(text: str, *, limit: int = 300) -> str:
    """As :func:`plain`, for Markdown: nothing in it is markup, also in a table cell or at the start of a line."""
    quiet = plain(text, limit=limit)
    escaped = _EDGE_UNDERSCORE.sub(r"\\_", _SPECIAL.sub(r"\\\1", quiet))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINE_START.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", escaped)


def code(text: str, *, limit: int = 300) -> str:
    """Text in a code span, safe in a table cell too."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
    safe = one_line.replace("`", "'").replace("|", "¦")
    return f"`{safe}`" if safe else "-"


def fenced(lines: tuple[str, ...], *, language: str = "") -> str:
    """A code block that its content cannot leave."""
    safe = ["".join(c for c in line if c.isprintable()) for line in lines]
    longest = max((len(run) for line in safe for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *safe, fence])
