"""``schedops doctor``: what works on this machine, what is missing, what mends it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import answers, output_option
from schedops.errors import EXIT_DONE, EXIT_UNAVAILABLE
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.adapters.toolbox.examine import Finding


_NO_WRAP = 1000  # paths are copied: they stay in one piece


@click.command()
@output_option
@answers("doctor")
def doctor() -> Answer:
    """What works on this machine, what is missing, and the command that mends it.

    KVM is proved by booting a guest, not by looking at /dev/kvm; the answer is remembered until the next reboot.
    Exits with 0 when `schedops propose` can run here, else with 69.

    \b
    Example:
      schedops doctor
      schedops doctor --output json
    """
    from dataclasses import asdict

    from schedops.adapters.console import console_progress
    from schedops.adapters.toolbox.examine import can_run_demo, examine
    from schedops.cli.kernel import fleet_kernels
    from schedops.wiring import world

    fleet = fleet_kernels()
    with console_progress() as progress:
        findings = tuple(examine(fleet, world(progress).machines))
    ready = can_run_demo(findings, fleet)
    data = {"ready": ready, "findings": [asdict(finding) for finding in findings]}
    return Answer(data, _page(findings, ready=ready), EXIT_DONE if ready else EXIT_UNAVAILABLE)


def _page(findings: tuple[Finding, ...], *, ready: bool) -> str:
    from schedops.report.table import table

    rows = [(finding.status, finding.name, _version(finding), _where(finding)) for finding in findings]
    head, *entries = table(("", "what", "version", "where found"), rows, width=_NO_WRAP).splitlines()
    lines = [head]
    for entry, finding in zip(entries, findings, strict=True):
        lines += [entry, *_advice(finding)]
    lines += ["", "ready: `schedops propose --workload ci-builds`" if ready else "not ready: `schedops setup`"]
    return "\n".join(lines)


def _version(finding: Finding) -> str:
    return f"{finding.found} (needs {finding.needed})" if finding.found and finding.needed else finding.found


def _where(finding: Finding) -> str:
    home = str(Path.home())
    return finding.where.replace(f"{home}/", "~/") or (f"needed: {finding.needed}" if finding.needed else "")


def _advice(finding: Finding) -> list[str]:
    what = "" if finding.status == "less" else "without it: "
    without = [f"        {what}{finding.without}"] if finding.without else []
    mend = [f"        mend: {finding.mend}"] if finding.mend and finding.status != "ok" else []
    return [*without, *mend]
