"""What ``schedops verify`` leaves: text, JSON or SARIF on stdout, JUnit in a file, annotations for GitHub on stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from schedops import __version__
from schedops.errors import InputError, SchedopsError
from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verdict import worst
from schedops.model.verification import VerificationReport
from schedops.report.envelope import Answer, failure_of

Verified = tuple[VerificationReport, PolicySource | PrebuiltPolicy]


def answer(
    verified: Sequence[Verified], *, output: str, junit: Path | None, sarif: Path | None, verbose: bool = False
) -> Answer:
    """The command's answer; writes the files and the annotations on the way."""
    from schedops.report.junit import render_junit
    from schedops.schema.decode import encode

    reports = [report for report, _ in verified]
    if junit is not None:
        junit.write_text(render_junit(reports), encoding="utf-8")
    if sarif is not None:
        sarif.write_text(_sarif(verified), encoding="utf-8")
    if os.environ.get("GITHUB_ACTIONS") == "true":
        _annotate(verified)
    code = worst(report.verdict for report in reports).exit_code
    if output == "sarif":
        return Answer(None, _sarif(verified), code)
    data: Any = encode(reports[0]) if len(reports) == 1 else {"reports": [encode(report) for report in reports]}
    return Answer(data, _text(verified, verbose=verbose) if output == "text" else "", code)


def writable(file: Path | None) -> None:
    """Found out before the work rather than after it. :raises InputError: it cannot be written there."""
    if file is not None and (not file.parent.is_dir() or file.is_dir()):
        raise InputError("no-such-directory", f"{file} cannot be written", hint=f"mkdir -p {file.parent}")


def say_failure(error: SchedopsError) -> None:
    """Readers of SARIF get a document whatever happens."""
    from schedops.report.sarif import render_failure_sarif

    click.echo(render_failure_sarif(failure_of(error), exit_code=error.exit_code, version=__version__))


def _sarif(verified: Sequence[Verified]) -> str:
    from schedops.report.sarif import render_sarif
    from schedops.verify.rules import all_rules

    return render_sarif(verified, all_rules(), version=__version__)


def _text(verified: Sequence[Verified], *, verbose: bool) -> str:
    from schedops.cli.colours import painter
    from schedops.report.verification import render
    from schedops.verify.kept import MARK
    from schedops.verify.rules import all_rules

    paint, rules, parts = painter(sys.stdout), all_rules(), []
    for report, subject in verified:
        kept = any(check.text.endswith(MARK) for check in report.checks)
        notes = ("answers of an earlier run, nothing changed since; --no-cache asks again",) if kept else ()
        parts.append(render(report, subject, rules, paint=paint, notes=notes, verbose=verbose))
    return "\n\n".join(parts)


def _annotate(verified: Sequence[Verified]) -> None:
    from schedops.report.annotations import render_annotations

    root = os.environ.get("GITHUB_WORKSPACE", "")
    for report, subject in verified:
        if lines := render_annotations(report, path=subject.path, root=root):
            click.echo(lines, err=True)
