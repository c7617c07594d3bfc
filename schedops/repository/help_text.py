"""Options of a program out of the text of its ``--help``, in the styles of clap, getopt and argparse.

The text is a stranger's: bounded, read line by line, and what is not understood is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from schedops.model.program_policy import ProgramOption

MAX_TEXT = 256 << 10
MAX_OPTIONS = 500
_MOST_HELP, _MOST_VALUE, _MOST_LINE = 2000, 100, 2000
_MOST_INDENT = 8  # of an option; deeper lines are the text of the one before
_ENTRY = re.compile(r"(?P<indent>[ ]{1,8})(?P<rest>-{1,2}[A-Za-z0-9?].*)")
_NAME = re.compile(r"--?[A-Za-z0-9?][A-Za-z0-9_-]{0,80}(?:\.[A-Za-z0-9_-]{1,20})?")
_VALUE = re.compile(
    r"(?:\[=|=| |)(?P<value><[^<>]{1,100}>|\[[^\[\]]{1,100}\]|\{[^{}]{1,400}\}|[A-Z][A-Z0-9_.:/|-]{0,60}(?![a-z]))\]?"
)
_DEFAULT = re.compile(
    r"\[default:\s*([^\]]{0,200})\]|\(default(?::|\s+is|\s*=)?\s*([^()]{1,200})\)"
    r"|\bdefault(?:s to| is|:)\s+(\S{1,100})",
    re.IGNORECASE,
)
_POSSIBLE = re.compile(r"\[possible values:\s*([^\]]{1,2000})\]")
_POSSIBLE_LIST = re.compile(r"Possible values:\s*(-\s.*)", re.DOTALL)
_ABOUT_ITSELF = {"--help", "--version", "-h", "-V", "-?"}


@dataclass(slots=True)
class _Entry:
    spec: str
    text: list[str] = field(default_factory=list)


def options_of(text: str) -> tuple[ProgramOption, ...]:
    """The options, in the order of the text, each once; without those for help and version."""
    found: dict[tuple[str, ...], ProgramOption] = {}
    for entry in _entries(text[:MAX_TEXT]):
        option = _option(entry)
        if option is not None and not _ABOUT_ITSELF & set(option.names) and len(found) < MAX_OPTIONS:
            found.setdefault(option.names, option)
    return tuple(found.values())


def about(text: str) -> str:
    """The first paragraph that is no usage line: what the program says it is; empty when it does not."""
    paragraphs = re.split(r"\n\s*\n", text[:MAX_TEXT])
    for paragraph in paragraphs[:5]:
        words = " ".join(paragraph.split())
        if len(words) >= 10 and not re.match(r"(usage|options|arguments|positional)\b|-", words, re.IGNORECASE):
            return words[:1000]
    return ""


def _entries(text: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for raw in text.splitlines():
        line = raw[:_MOST_LINE].expandtabs(8)
        started = _ENTRY.fullmatch(line)
        if started is not None:
            if entry is not None:
                yield entry
            spec, *rest = re.split(r"[ ]{2,}", started["rest"], maxsplit=1)
            entry = _Entry(spec, [part for part in rest if part])
        elif entry is not None and line.strip() and len(line) - len(line.lstrip()) <= _MOST_INDENT // 4:
            yield entry  # a heading, or running text at the margin
            entry = None
        elif entry is not None and line.strip():
            entry.text.append(line.strip())
    if entry is not None:
        yield entry


def _option(entry: _Entry) -> ProgramOption | None:
    names: list[str] = []
    values: list[str] = []
    repeated, spec = False, entry.spec.strip()
    while (name := _NAME.match(spec)) is not None and len(names) < 8:
        names.append(name.group())
        spec = spec[name.end() :]
        if (value := _VALUE.match(spec)) is not None:
            values.append(value["value"])
            spec = spec[value.end() :]
        if spec.startswith("..."):
            repeated, spec = True, spec[3:]
        separated = re.match(r"\s*[,|/]\s*(?=-)", spec)
        if separated is None:
            break
        spec = spec[separated.end() :]
    if not names:
        return None
    text = " ".join([spec.strip(), *entry.text]).strip()
    metavar = values[-1] if values else ""
    return ProgramOption(
        names=tuple(dict.fromkeys(names)),
        value=metavar.strip("<>[]{}=")[:_MOST_VALUE],
        default=_default(text),
        choices=_choices(metavar, text),
        repeated=repeated or "multiple times" in text or "repeated" in text.lower(),
        help=" ".join(text.split())[:_MOST_HELP],
    )


def _default(text: str) -> str | None:
    found = _DEFAULT.search(text)
    if found is None:
        return None
    said = next(part for part in found.groups() if part is not None)
    return said.strip().rstrip(".,;)")[:200]


def _choices(metavar: str, text: str) -> tuple[str, ...]:
    if metavar.startswith("{"):
        parts = metavar.strip("{}").split(",")
    elif (found := _POSSIBLE.search(text)) is not None:
        parts = found.group(1).split(",")
    elif (listed := _POSSIBLE_LIST.search(text)) is not None:
        parts = re.findall(r"-\s([A-Za-z0-9_.-]{1,60}):", listed.group(1))
    else:
        parts = []
    return tuple(dict.fromkeys(part.strip()[:100] for part in parts if part.strip()))[:100]
