"""A proposal's documents with chosen figures, judged by the real gate."""

from __future__ import annotations

from dataclasses import replace

from schedops.evidence.bundle import attachments, bundle
from schedops.gate.decide import decide
from schedops.model.evidence import StageCost, Tools
from schedops.model.jobs import Hint, Hints
from schedops.model.kernel import Kernel
from schedops.model.plan import Alternative, Plan
from schedops.model.policy import ParamValue, Policy, Provenance
from schedops.model.profile import ClassFinding, Figure, Profile
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, ObjectRef, Place, VerificationReport
from schedops.propose.dossier import Dossier
from tests.fakes.measurements import guard, measurements, objective, three_arms, workload

BASE = "0123456789abcdef0123456789abcdef01234567"
DIGEST = f"sha256:{'a' * 64}"
KERNEL = Kernel(name="6.18", release="6.18.0-1-cloud", btf_sha256=DIGEST, vmlinux_sha256=DIGEST, source="debian")
TOOLS = Tools(
    schedops="0.1.0", schedops_sha256=DIGEST, clang="19.1.7", bpftool="7.5.0", qemu="10.0.2", accelerator="tcg-multi"
)
POLICY = Policy(
    name="p",
    description="A policy of the tests.",
    tags=("test",),
    classes=("batch",),
    source="p.bpf.c",
    ops_name="ours",
    loses_when="the test says so",
    provenance=Provenance(author="human", pathway="create"),
)
PLAN = Plan(
    workload="w",
    planner="offline",
    policy="p",
    params=(ParamValue(name="slice_us", value=5000), ParamValue(name="age_ms", value=300)),
    uses_hints=True,
    hypothesis="Builds in order of arrival finish sooner on average, because none waits for all others.",
    predicted_metric="makespan",
    predicted_change=-0.15,
    reasons=("several groups saturate the host",),
    alternatives=(Alternative(policy="fifo", score=0.4, why="keeps no groups apart"),),
    cost_usd=0.0,
)
PROFILE = Profile(
    workload="w",
    kernel="6.18",
    cpus=2,
    seed=1,
    accelerator="tcg-multi",
    figures=(Figure(name="parallelism", value=1.9, unit="CPUs", how="CPU time by wall time"),),
    classes=(ClassFinding(name="batch", because="all jobs are CPU-bound"),),
    cpu_ms_quantiles=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
)
HINTS = Hints(
    workload="w",
    hints=tuple(Hint(key=key, cpu_us=1000, n=1, spread=None, measured="2026-01-01") for key in ("b" * 16, "a" * 16)),
)


def _finding(text: str) -> Finding:
    return Finding(rule="NOT-IN-CHARGE", level="error", text=text, place=Place(file="p.bpf.c", line=1))


def verification(verdict: Verdict = Verdict.PASS, text: str = "enabled and in charge") -> VerificationReport:
    return VerificationReport(
        policy="p",
        source_sha256=DIGEST,
        stages=("compile", "enable"),
        verdict=verdict,
        checks=(
            Check(stage="compile", kernel="6.18", verdict=Verdict.PASS, text="no warning", seconds=1.0),
            Check(stage="enable", kernel="6.18", verdict=verdict, text=text, seconds=1.0, findings=(_finding(text),)),
        ),
        objects=(ObjectRef(kernel="6.18", btf_sha256=DIGEST, sha256=DIGEST),),
        kernels_missing=("7.3",),
    )


def dossier(
    *, informed: float = 0.97, candidate: float = 0.8, cost: float = 1.0, rounds: int | None = None, **other
) -> Dossier:
    """EEVDF takes 100; the others that share. 0.8 passes, 1.1 fails; *rounds* 4 is too few for a verdict."""
    wanted = workload((objective("makespan"),), (guard("cost"), guard("worst", max_harm=0.25, hard=False)))
    arms = three_arms(informed=informed, candidate=candidate, cost=cost)
    for figures in arms.values():
        figures["worst"] = [3 * value for value in figures["cost"]]
        for metric, column in figures.items():
            figures[metric] = column[:rounds]
    measured = measurements(arms)
    report = other.pop("verification", verification())
    decision = other.pop("decision", None) or decide(wanted, "p", measured, report)
    documents = (POLICY, PROFILE, HINTS, other.get("plan", PLAN), measured, decision)
    evidence = bundle(
        wanted,
        report,
        documents,
        base_commit=other.pop("base_commit", BASE),
        tools=TOOLS,
        kernels=(KERNEL,),
        costs=(StageCost(stage="profile", seconds=8.1, usd=0.0, reused=False),),
        created="2026-01-01T00:00:00Z",
    )
    made = Dossier(
        workload=wanted,
        group="runners",
        policy=POLICY,
        profile=PROFILE,
        hints=HINTS,
        plan=PLAN,
        verification=report,
        measurements=measured,
        decision=decision,
        evidence=evidence,
        commands=("git checkout " + BASE, "schedops propose --workload w --seed 1"),
    )
    return replace(made, **other)


def documents_of(made: Dossier):
    return attachments(
        (
            made.workload,
            made.verification,
            POLICY,
            made.profile,
            made.hints,
            made.plan,
            made.measurements,
            made.decision,
        ),
        made.evidence,
    )
