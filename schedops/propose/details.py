"""The sections of a body that let a reviewer check the figures."""

from __future__ import annotations

from schedops.model.rung import SIMULATED
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import Check
from schedops.propose.dossier import Dossier
from schedops.propose.figures import change, find, metric_name, percent
from schedops.propose.text import code, fenced, inline

_MAX_ROWS = 60
_ELSEWHERE = "other CPU counts, other kernels and the speed on real hardware are not known."
_RUNGS = {
    "micro-vm": "a real kernel in a micro-VM",
    "simulated": "the simulator",
    "virtual-host": "the kernel of a virtual machine",
    "bare-metal": "the runner's own hardware",
}


def verification(dossier: Dossier) -> str:
    """One row per kernel; which stages were asked for; the text of whatever did not pass; kernels not at hand."""
    report = dossier.verification
    kernels = sorted({check.kernel for check in report.checks})
    lines = ["| kernel | verdict | stages |", "|---|---|---|"]
    for kernel in kernels[:_MAX_ROWS]:
        checks = [check for check in report.checks if check.kernel == kernel]
        verdict = worst(check.verdict for check in checks).value
        stages = ", ".join(f"{inline(check.stage)} {check.verdict.value}" for check in checks[:_MAX_ROWS])
        lines.append(f"| {code(kernel) if kernel else 'for all'} | {verdict} | {stages} |")
    asked = ", ".join(inline(stage) for stage in report.stages[:_MAX_ROWS])
    lines += ["", f"Asked for: {asked}. In full: `schedops verify {inline(report.policy)} --full`."]
    trouble = [check for check in report.checks if check.verdict is not Verdict.PASS]
    lines += ["", *(_trouble(check) for check in trouble[:_MAX_ROWS])] if trouble else []
    if report.kernels_missing:
        names = ", ".join(code(kernel) for kernel in report.kernels_missing[:_MAX_ROWS])
        lines += ["", f"**Not verified** (wanted by the fleet file, not at hand): {names}."]
    return f"\n## Verification: {report.verdict.value}\n\n" + "\n".join(lines) + "\n"


def _trouble(check: Check) -> str:
    finding = check.findings[0] if check.findings else None
    where = f" at {code(str(finding.place))}" if finding and finding.place else ""
    advice = f" {inline(finding.advice, limit=600)}" if finding and finding.advice else ""
    return f"- {check.verdict.value} {inline(check.stage)}{where}: {inline(check.text, limit=600)}{advice}"


def hypothesis(dossier: Dossier) -> str:
    """What was predicted, and what came out."""
    plan = dossier.plan
    reason = find(dossier.decision, plan.predicted_metric, arm="candidate", baseline="eevdf")
    author = "the offline planner (rules, no language model)" if plan.planner == "offline" else inline(plan.planner)
    lines = [
        f"> {inline(plan.hypothesis, limit=1200)}",
        "",
        *([f"- observed: {inline(plan.observed, limit=1200)}"] if plan.observed else []),
        *(f"- wanted: {inline(target, limit=300)}" for target in plan.targets[:_MAX_ROWS]),
        *([f"- composed of: {code(plan.recipe, limit=400)}"] if plan.recipe else []),
        f"- written by: {author}",
        f"- predicted: {inline(metric_name(plan.predicted_metric))} {percent(plan.predicted_change)} against EEVDF",
        f"- measured: {change(reason)}",
        *(f"- because: {inline(why, limit=400)}" for why in plan.reasons[:_MAX_ROWS]),
    ]
    return "\n## Hypothesis and outcome\n\n" + "\n".join(lines) + "\n"


def reproduce(dossier: Dossier) -> str:
    """Exact commands, and what they ran on."""
    measured, tools = dossier.measurements, dossier.evidence.tools
    versions = {"schedops": tools.schedops, "clang": tools.clang, "bpftool": tools.bpftool, "QEMU": tools.qemu}
    named = ", ".join(f"{name} {code(version, limit=60)}" for name, version in versions.items())
    setup = (
        f"Commit {code(dossier.evidence.base_commit)}, kernel {code(measured.kernel)}, {measured.cpus} CPUs, "
        f"accelerator {code(measured.accelerator)}, {len(measured.rounds)} rounds of three arms after "
        f"{measured.warmup_rounds} warm-up rounds; {named}."
    )
    return f"\n## How to reproduce\n\n{fenced(dossier.commands, language='sh')}\n\n{setup}\n"


def cost(dossier: Dossier) -> str:
    """Seconds and dollars per stage."""
    costs = dossier.evidence.costs
    lines = ["| stage | seconds | $ | |", "|---|--:|--:|---|"]
    for stage in costs[:_MAX_ROWS]:
        reused = "reused from an earlier run" if stage.reused else ""
        lines.append(f"| {inline(stage.stage)} | {stage.seconds:.1f} | {stage.usd:.2f} | {reused} |")
    seconds, usd = sum(stage.seconds for stage in costs), sum(stage.usd for stage in costs)
    lines.append(f"| **all** | **{seconds:.1f}** | **{usd:.2f}** | |")
    return "\n## What it cost\n\n" + "\n".join(lines) + "\n"


def unknown(dossier: Dossier) -> str:
    """What the figures do not say."""
    measured, missing = dossier.measurements, dossier.verification.kernels_missing
    invalid = sum(not sample.valid for sample in measured.samples)
    rung = _RUNGS.get(measured.rung, inline(measured.rung))
    how = "Simulated, not measured," if measured.rung == SIMULATED else "Measured"
    lines = [
        f"- {how} on {rung}, {measured.cpus} CPUs, one boot, one kernel ({code(measured.kernel)}); {_ELSEWHERE}",
        f"- {len(measured.rounds)} rounds; {invalid} of {len(measured.samples)} samples were not valid.",
        f"- The workload is a model of {code(dossier.workload.name)}, not the thing itself.",
    ]
    if "tcg" in measured.accelerator:
        lines.insert(1, "- The CPUs were emulated (TCG): times relate to each other, not to a clock on the wall.")
    if missing:
        lines.append(f"- {len(missing)} kernel(s) of the fleet were not at hand and are not verified.")
    if not dossier.settings_only:
        lines.append(f"- The policy says of itself that it loses when: {inline(dossier.policy.loses_when, limit=500)}")
    return "\n## What is not known\n\n" + "\n".join(lines) + "\n"


def alternatives(dossier: Dossier) -> str:
    """Policies the planner looked at."""
    if not dossier.plan.alternatives:
        return ""
    lines = [
        f"- {code(other.policy)}: {inline(other.why, limit=400)}" for other in dossier.plan.alternatives[:_MAX_ROWS]
    ]
    return _folded("Considered and not chosen", "\n".join(lines))


def evidence(dossier: Dossier) -> str:
    """Digests of all documents and objects."""
    found = dossier.evidence
    lines = ["| document | sha256 |", "|---|---|"]
    lines += [f"| {code(ref.file)} | {code(ref.sha256)} |" for ref in found.documents[:_MAX_ROWS]]
    lines += [f"| object for {code(ref.kernel)} | {code(ref.sha256)} |" for ref in found.objects[:_MAX_ROWS]]
    lines += [f"| BTF of {code(kernel.name)} | {code(kernel.btf_sha256)} |" for kernel in found.kernels[:_MAX_ROWS]]
    lines += [
        f"| workload {code(found.workload)} | {code(found.workload_sha256)} |",
        f"| source of {code(found.policy)} | {code(found.policy_sha256)} |",
        f"| schedops {code(found.tools.schedops, limit=60)} | {code(found.tools.schedops_sha256)} |",
    ]
    return _folded("Evidence: the documents are attached, these are their digests", "\n".join(lines))


def _folded(summary: str, text: str) -> str:
    return f"\n<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>\n"
