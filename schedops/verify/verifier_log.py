"""What libbpf and the kernel's verifier say about an object they refuse, as words, a place and advice. Pure.

The log is untrusted: it quotes the policy's source.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from schedops.verify.advice import advice_for, known

_MAX_TEXT = 300
_SOURCE = re.compile(r"^;.* @ (?P<file>[^ :@]+):(?P<line>\d+)\s*$")
_STORY = "Verification failed:"
_STORY_PLACE = re.compile(r"^\w{1,100} @ (?P<file>[^ :@]+):(?P<line>\d{1,9})\b")
_PROGRAM = re.compile(r"libbpf: prog '(?P<name>\w+)': BPF program load failed: (?P<why>.+)")
_DRAWN = re.compile(r"^[|\s]*\^[-\s]*(?:error: )?")  # Linux 7.3 draws an arrow from the instruction to the message
_BEGIN = "-- BEGIN PROG LOAD LOG --"
_END = "-- END PROG LOAD LOG --"
_INSTRUCTION = re.compile(
    r"^(?:\d+: |processed \d+ insns|from \d+ to \d+|R\d+[_=]|arg#|mark_|regs=|func#|Func#|verification time)"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """:param file: as the object's line information names it, empty when the log has no place; *line* from 1."""

    text: str
    file: str
    line: int
    advice: str


_OTHER_ERROR = re.compile(
    r"is not allowed$|must be a rcu|trusted or|must point|^arg#\d|^R\d+ |invalid|failed|cannot|must"
)
_LIBBPF_ERROR = re.compile(
    r"^libbpf: .*(?:not found in kernel|Cannot find member|can't register struct_ops|incompatible with|wasn't resolved)"
)


def read_refusal(log: str) -> Refusal:
    """The line that says why, the source line it is about, and what to do."""
    raw = log.splitlines()
    lines = [line.strip() for line in raw]
    body, told = _without_story(_verifier_part(raw))
    at = _error_index(body)
    if at is not None:
        text = _DRAWN.sub("", body[at])[:_MAX_TEXT]
        file, line = _place(body[:at])
        return Refusal(text, file, line, advice_for(text))
    if told is not None:
        return told
    text = _libbpf_words(lines)[:_MAX_TEXT]
    return Refusal(text, "", 0, advice_for(text))


def symbol_in(text: str) -> str:
    """The name in quotes that a message of libbpf is about, such as a kfunc this kernel does not have; or empty."""
    match = re.search(r"'([A-Za-z_]\w*)': not found|kernel function ([A-Za-z_]\w*)|member '?([A-Za-z_]\w*)", text)
    return next((group for group in match.groups() if group), "") if match else ""


def _verifier_part(lines: Sequence[str]) -> list[str]:
    """The last program log: libbpf tries again with a talkative verifier, and only then the source lines are there."""
    begins = [at for at, line in enumerate(lines) if _BEGIN in line]
    if not begins:
        return []
    body = list(lines[begins[-1] + 1 :])
    ends = [at for at, line in enumerate(body) if _END in line]
    return body[: ends[0]] if ends else body


def _without_story(body: Sequence[str]) -> tuple[list[str], Refusal | None]:
    """The log without the story that Linux 7.3 tells after its message, and what is to be had from that story.

    It begins with "Verification failed:" and goes on with headings and indented text. It speaks of many lines of the
    source; the message before it is the one that all kernels have.
    """
    begin = next((at for at, line in enumerate(body) if line.startswith(_STORY)), None)
    if begin is None:
        return [line.strip() for line in body], None
    end = begin + 1
    while end < len(body) and (not body[end].strip() or body[end][0].isspace() or body[end].endswith(":")):
        end += 1
    story = body[begin:end]
    title = story[0].removeprefix(_STORY).strip()
    text = (_section(story, "Reason:") or title)[:_MAX_TEXT]
    place = _STORY_PLACE.search(_section(story, "At:"))
    file, line = (place["file"], int(place["line"])) if place else ("", 0)
    advice = advice_for(text) or advice_for(title) or _section(story, "Suggestion:")[:_MAX_TEXT]
    return [line.strip() for line in (*body[:begin], *body[end:])], Refusal(text, file, line, advice)


def _section(story: Sequence[str], heading: str) -> str:
    """The indented text below a heading, as one line."""
    begin = next((at for at, line in enumerate(story) if line.strip() == heading), len(story))
    words = itertools.takewhile(lambda line: not line.strip() or line[0].isspace(), story[begin + 1 :])
    return " ".join(" ".join(words).split())


def _error_index(body: Sequence[str]) -> int | None:
    messages = [at for at, line in enumerate(body) if line and _is_message(line)]
    for telling in (known, _OTHER_ERROR.search):
        if found := [at for at in messages if telling(body[at])]:
            return found[-1]
    return None


def _is_message(line: str) -> bool:
    return not line.startswith(";") and (not _INSTRUCTION.match(line) or bool(re.match(r"R\d+ |arg#", line)))


def _place(before: Sequence[str]) -> tuple[str, int]:
    for line in reversed(before):
        if match := _SOURCE.match(line):
            return match["file"], int(match["line"])
    return "", 0


def _libbpf_words(lines: Sequence[str]) -> str:
    """What libbpf itself complains of, when no program was given to the verifier."""
    for pattern in (_LIBBPF_ERROR, _PROGRAM, re.compile(r"^libbpf: ")):
        if found := next((line for line in lines if pattern.search(line)), None):
            return found.removeprefix("libbpf: ")
    return next((line for line in reversed(lines) if line), "the kernel gave no reason")
