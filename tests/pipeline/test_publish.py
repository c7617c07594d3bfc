"""Evidence is made again when anything that it names has changed, and only then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from schedops.evidence.bundle import attachments
from schedops.model.fleet import Fleet, HostGroup
from schedops.model.policy import PolicySource
from schedops.pipeline.measure import Inputs, Request, Results
from schedops.pipeline.publish import _documents, dossier_of
from schedops.ports import KernelImage
from schedops.propose.dossier import Dossier
from tests.fakes.dossier import BASE, KERNEL, TOOLS, dossier
from tests.fakes.guest import Clock, Progress
from tests.pipeline.test_line import Memory, line

MADE = dossier()
REQUEST = Request(workload="w", group=None, kernel=None, cpus=2, scale=1.0, rounds=None, seed=1)
INPUTS = Inputs(
    workload=MADE.workload,
    fleet=Fleet(kernels=(), groups=(HostGroup(name="runners", workloads=("w",)),)),
    policies=(),
    hints=None,
)
IMAGE = KernelImage(KERNEL, Path("/nowhere"))
RESULTS = Results(
    profile=MADE.profile,
    hints=MADE.hints,
    plan=MADE.plan,
    source=PolicySource(policy=MADE.policy, path="p.bpf.c", text=""),
    images=(IMAGE,),
    image=IMAGE,
    verification=MADE.verification,
    measurements=MADE.measurements,
    decision=MADE.decision,
)


def written(results: Results, run: Memory) -> tuple[Dossier, list[str]]:
    one, told = line(run)
    made = dossier_of(
        REQUEST, INPUTS, results, line=one, clock=Clock(), base_commit=BASE, tools=lambda: TOOLS, desired=None
    )
    assert isinstance(told, Progress)
    return made, [event.kind for event in told.events]


def test_the_same_documents_have_the_same_evidence() -> None:
    run = Memory()
    first, _ = written(RESULTS, run)
    second, kinds = written(RESULTS, run)
    assert (second.evidence, kinds) == (first.evidence, ["reused"])


def test_another_verification_with_the_same_decision_is_other_evidence() -> None:
    run = Memory()
    written(RESULTS, run)
    # As after `schedops kernel fetch`: one kernel more was verified, and the gate says the same as before.
    later = replace(RESULTS, verification=replace(RESULTS.verification, kernels_missing=()))
    made, kinds = written(later, run)
    assert kinds == ["started", "finished"]
    assert attachments(_documents(INPUTS, later), made.evidence)
