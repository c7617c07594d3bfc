"""The table at the end of a verification: stage by kernel, verdict and seconds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schedops.model.verdict import worst
from schedops.model.verification import Check, VerificationReport
from schedops.report.merged import kernels_of
from schedops.report.progress import visible
from schedops.report.table import WIDTH, table

Paint = Callable[[str, str], str]
NOT_RUN = "-"
IMPOSSIBLE = "not run"
NEED_NONE = ("source", "simulate")
_GAP = 3
_MAX_NAME = 40


def plain_paint(style: str, text: str) -> str:  # noqa: ARG001 - it is a Paint
    """For where there are no colours."""
    return text


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    style: str = ""


def stage_table(report: VerificationReport, *, paint: Paint = plain_paint) -> str:
    """A row for each stage that was asked for, a column for each kernel; no final newline.

    A stage that did not run is ``-``, one that cannot be run on this policy is ``not run``; one that needs no kernel
    has a column of its own and is blank in the others.
    """
    stages = tuple(dict.fromkeys((*report.stages, *(check.stage for check in report.checks))))
    columns = _columns(report)
    rows = [[_Cell("STAGE"), *(_Cell(visible(name)[:_MAX_NAME] or "NO KERNEL") for name in columns)]]
    rows += [[_Cell(visible(stage)), *(_cell(report, stage, kernel) for kernel in columns)] for stage in stages]
    return "\n".join(_line(row, _widths(rows), paint) for row in rows)


def stage_texts(report: VerificationReport) -> str:
    """What each stage came to, a line for each; no final newline."""
    rows = [
        (visible(check.stage), visible(check.kernel), visible(check.text).replace("::", ": :"))
        for check in report.checks
    ]
    return table(("STAGE", "KERNEL", "FOUND"), rows, width=WIDTH + 20)


def _columns(report: VerificationReport) -> tuple[str, ...]:
    """The kernels, and before them the column of what needs none."""
    without = report.not_run or any(not check.kernel for check in report.checks)
    return (*([""] if without else []), *kernels_of(report))


def _cell(report: VerificationReport, stage: str, kernel: str) -> _Cell:
    of_stage = [check for check in report.checks if check.stage == stage]
    here = [check for check in of_stage if check.kernel == kernel]
    if here:
        return _of_checks(here)
    if not kernel and any(one.stage == stage for one in report.not_run):
        return _Cell(IMPOSSIBLE, "aside")
    needs_a_kernel = bool(kernels_of(report)) and stage not in NEED_NONE
    without_one = any(not check.kernel for check in of_stage)
    alone = stage in NEED_NONE or (without_one and not any(check.kernel for check in of_stage))
    elsewhere = needs_a_kernel if not kernel else alone and "" in _columns(report)
    return _Cell("") if elsewhere else _Cell(NOT_RUN, "aside")


def _of_checks(checks: Sequence[Check]) -> _Cell:
    verdict = worst(check.verdict for check in checks)
    seconds = sum(check.seconds for check in checks)
    return _Cell(f"{verdict.value:<12} {seconds:6.2f} s", verdict.value)


def _widths(rows: Sequence[Sequence[_Cell]]) -> tuple[int, ...]:
    return tuple(max(len(row[at].text) for row in rows) for at in range(len(rows[0])))


def _line(row: Sequence[_Cell], widths: Sequence[int], paint: Paint) -> str:
    padded = [
        (paint(cell.style, cell.text) if cell.style else cell.text) + " " * (width - len(cell.text) + _GAP)
        for cell, width in zip(row, widths, strict=True)
    ]
    return "".join(padded).rstrip()
