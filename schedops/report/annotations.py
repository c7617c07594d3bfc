"""Findings as the workflow commands by which GitHub Actions shows them beside the code. Pure."""

from __future__ import annotations

from schedops.model.verification import VerificationReport
from schedops.report.merged import Merged, merged
from schedops.report.progress import visible

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}
_MAX_TEXT = 2000
_MAX_SHOWN = 50  # GitHub shows ten of each level of a step


def render_annotations(report: VerificationReport, *, path: str, root: str = "") -> str:
    """One command a line, errors first; no final newline; empty when nothing was found.

    :param path: of the policy, for findings without a place.
    :param root: checkout's directory; absolute paths below it are made relative, as GitHub wants them.
    """
    return "\n".join(_command(one, path, root) for one in merged(report)[:_MAX_SHOWN])


def _command(one: Merged, path: str, root: str) -> str:
    finding, place = one.finding, one.finding.place
    properties = {"file": _relative(place.file if place else path, root)}
    if place and place.line:
        properties |= {"line": str(place.line), "col": str(max(place.column, 1))}
    properties["title"] = finding.rule
    said = ",".join(f"{key}={_property(visible(value))}" for key, value in properties.items())
    text = visible(finding.text)[:_MAX_TEXT]
    if one.kernels:
        text += f" (on {', '.join(visible(kernel) for kernel in one.kernels)})"
    if finding.advice:
        text += f"\nhelp: {visible(finding.advice)[:_MAX_TEXT]}"
    return f"::{_COMMANDS.get(finding.level, 'notice')} {said}::{_data(text)}"


def _relative(file: str, root: str) -> str:
    below = f"{root.rstrip('/')}/"
    return file.removeprefix(below) if root else file


def _data(text: str) -> str:
    """As the toolkit's ``escapeData`` does."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """As the toolkit's ``escapeProperty`` does."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
