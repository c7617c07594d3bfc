"""A verification report as people read it, like a good compiler's: each finding at its place, then one table. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import Finding, NotRun, Place, VerificationReport
from schedops.report.merged import Merged, kernels_of, merged
from schedops.report.progress import visible
from schedops.report.rulebook import RuleWords, in_short
from schedops.report.stage_table import Paint, plain_paint, stage_table, stage_texts
from schedops.report.table import WIDTH

_TAB = 8
_MAX_TEXT = 2000
_MAX_EXCERPT = 160  # columns; a line of the source may be as long as the source
_MAX_SHOWN = 60  # of each level
_MAX_RELATED = 5
_GUTTER = 6
_BEFORE_GUESTS = ("source", "compile", "object", "simulate")
_SENTENCE_END = re.compile(r"(?<=[\w)\]][.!?])\s+")


@dataclass(slots=True)
class _Page:
    texts: Mapping[str, str]
    rules: Mapping[str, RuleWords]
    paint: Paint
    kernels: tuple[str, ...]
    explained: set[str] = field(default_factory=set)


def render(
    report: VerificationReport,
    subject: PolicySource | PrebuiltPolicy,
    rules: Mapping[str, RuleWords],
    *,
    paint: Callable[[str, str], str] = plain_paint,
    notes: Sequence[str] = (),
    verbose: bool = False,
) -> str:
    """Everything a person needs; no final newline. Texts of the report are untrusted and lose control characters.

    :param rules: by id; a finding of a rule that is not among them is shown without its why.
    :param paint: (style, text) -> text with the terminal's codes.
    :param notes: said before the verdict.
    :param verbose: also what each stage came to.
    """
    found = merged(report)
    page = _Page(texts_of(subject), rules, paint, kernels_of(report))
    parts = [*_findings(found, page), *_silent(report, paint)]
    parts.append(stage_table(report, paint=paint) if report.checks else "no kernel at hand, so nothing was verified")
    if verbose and report.checks:
        parts.append(stage_texts(report))
    parts += [_not_run(one, report) for one in report.not_run]
    if report.kernels_missing:
        missing = ", ".join(visible(name) for name in report.kernels_missing)
        parts.append(f"not verified, since not at hand: {missing}; `schedops kernel list` shows what is")
    parts += [*notes, _verdict(report, found, paint)]
    return "\n\n".join(parts)


def _not_run(one: NotRun, report: VerificationReport) -> str:
    guests = "; what runs in guests decides" if set(report.stages) - set(_BEFORE_GUESTS) else ""
    return f"{visible(one.stage)} was not run: {visible(one.text)[:_MAX_TEXT]}{guests}"


def texts_of(subject: PolicySource | PrebuiltPolicy) -> dict[str, str]:
    """The sources that places can point into, by the name the report has for them."""
    if isinstance(subject, PrebuiltPolicy):
        return {}
    return {**dict(subject.headers), subject.path: subject.text}


def line_at(place: Place | None, texts: Mapping[str, str]) -> str | None:
    """The line of the source that a place names; None when it is elsewhere."""
    # Not splitlines(): compilers end lines at newlines only.
    lines = texts.get(place.file, "").split("\n") if place else []
    return lines[place.line - 1] if place and 1 <= place.line <= len(lines) else None


def _findings(found: tuple[Merged, ...], page: _Page) -> list[str]:
    parts, shown = [], dict.fromkeys(("error", "warning", "note"), 0)
    for one in found:
        level = one.finding.level
        shown[level] = shown.get(level, 0) + 1
        if shown[level] <= _MAX_SHOWN:
            parts.append(_finding(one, page))
    return parts + [
        f"{count - _MAX_SHOWN} more of level {level}; --output json has all" for level, count in shown.items()
        if count > _MAX_SHOWN
    ]  # fmt: skip


def _finding(one: Merged, page: _Page) -> str:
    finding = one.finding
    where = str(finding.place) if finding.place else one.stage
    level = page.paint(finding.level, f"{finding.level}:")
    text, more = _divided(visible(finding.text)[:_MAX_TEXT])
    rule = visible(finding.rule)
    lines = [f"{page.paint('place', visible(where))}: {level} {page.paint('message', text)} [{rule}]"]
    lines += _excerpt(finding.place, page)
    lines += [f"{' ' * _GUTTER}{_inert(line)}" for line in textwrap.wrap(more, WIDTH - _GUTTER)]
    words = page.rules.get(finding.rule)
    if words is not None and finding.level != "note" and finding.rule not in page.explained:
        page.explained.add(finding.rule)
        lines += _aside("why", in_short(words.why), page.paint)
    advice = finding.advice or (in_short(words.fix) if words is not None else "")
    if advice:
        lines += _aside("help", advice[:_MAX_TEXT], page.paint)
    lines += _where_else(one, page)
    for note in one.related[:_MAX_RELATED]:
        lines += _related(note, page)
    return "\n".join(lines)


def _related(note: Finding, page: _Page) -> list[str]:
    """Another place that the finding is about."""
    where, level = page.paint("place", visible(str(note.place))), page.paint("note", "note:")
    return [f"{where}: {level} {visible(note.text)[:_MAX_TEXT]}", *_excerpt(note.place, page)]


def _divided(text: str) -> tuple[str, str]:
    """The first sentence and the others, when together they are too long for a line."""
    parts = _SENTENCE_END.split(text, maxsplit=1)
    return (parts[0].removesuffix("."), parts[1]) if len(parts) > 1 and len(text) > WIDTH else (text, "")


def _where_else(one: Merged, page: _Page) -> list[str]:
    """The kernels it showed on, and their own words where these differ; nothing when there is only one."""
    if len(page.kernels) < 2 or not one.kernels:
        return []
    lines = _aside("on", ", ".join(one.kernels), page.paint)
    for kernel, text in one.texts:
        lines += _aside("on", f"{kernel}: {_divided(visible(text)[:_MAX_TEXT])[0]}", page.paint)
    return lines


def _aside(word: str, text: str, paint: Paint) -> list[str]:
    pad = " " * _GUTTER
    head = f"= {word}: "
    wrapped = textwrap.wrap(visible(text), WIDTH - _GUTTER - len(head), break_on_hyphens=False) or [""]
    first = f"{pad}{paint('aside', f'= {word}:')} {wrapped[0]}"
    return [first, *(f"{pad}{' ' * len(head)}{_inert(line)}" for line in wrapped[1:])]


def _inert(line: str) -> str:
    """A line that begins with two colons would be a command to GitHub's runner."""
    return f": {line[1:]}" if line.startswith("::") else line


def _excerpt(place: Place | None, page: _Page) -> list[str]:
    """The line of the source and a caret below the column; nothing when the place is elsewhere."""
    line = line_at(place, page.texts)
    if place is None or line is None:
        return []
    whole = line.rstrip("\r").expandtabs(_TAB)
    at = len(line[: max(place.column - 1, 0)].expandtabs(_TAB))
    since = max(0, at - _MAX_EXCERPT // 2) if len(whole) > _MAX_EXCERPT else 0
    text = "".join(c if c.isprintable() else " " for c in whole[since : since + _MAX_EXCERPT])
    caret = page.paint("caret", "^")
    bar = page.paint("aside", "|")
    return [f"{place.line:5} {bar} {text}".rstrip(), f"{' ' * 5} {bar} {' ' * (at - since)}{caret}"]


def _silent(report: VerificationReport, paint: Paint) -> list[str]:
    """Checks that did not pass and have no finding: their one line is all there is."""
    found = []
    for check in report.checks:
        if check.verdict is not Verdict.PASS and not check.findings:
            where = f"{check.stage} on {check.kernel}" if check.kernel else check.stage
            found.append(f"{visible(where)}: {paint(check.verdict.value, check.verdict.value)}: {visible(check.text)}")
    return found


def _verdict(report: VerificationReport, found: tuple[Merged, ...], paint: Paint) -> str:
    kernels = kernels_of(report)
    where = f" on {len(kernels)} kernel{'s' * (len(kernels) != 1)}" if kernels or not report.checks else ""
    said = f"{paint(report.verdict.value, report.verdict.value)}: {visible(report.policy)}{where}"
    counts = [_count(found, level) for level in ("error", "warning")]
    if any(counts):
        said += f", {', '.join(count for count in counts if count)}"
    return f"{said}; {hint}" if (hint := _hint(report, found)) else said


def _count(found: tuple[Merged, ...], level: str) -> str:
    number = sum(one.finding.level == level for one in found)
    return f"{number} {level}{'s' * (number != 1)}" if number else ""


def _hint(report: VerificationReport, found: tuple[Merged, ...]) -> str:
    """What to type next."""
    if report.verdict is Verdict.ERROR:
        return "nothing is known of what did not run: `schedops doctor` says what is missing"
    if report.verdict is Verdict.INCONCLUSIVE and report.not_run:
        return "what cannot be simulated needs a guest: `--quick` or `--full`"
    if report.verdict is Verdict.INCONCLUSIVE:
        return "measured without an answer: run it again on a quiet host"
    rule = next((one.finding.rule for one in found if one.finding.level != "note"), "")
    return f"`schedops verify --explain {visible(rule)}`" if rule else ""
