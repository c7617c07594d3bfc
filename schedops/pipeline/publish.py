"""From the decision to the pull request: evidence, dossier, forge."""

from __future__ import annotations

from collections.abc import Callable

from schedops.evidence.bundle import attachments, bundle
from schedops.forge_ports import Checkout, Forge
from schedops.model.evidence import Evidence, Tools
from schedops.model.fleet import Assignment
from schedops.model.pull import Published
from schedops.pipeline.learning import outcome, remembered
from schedops.pipeline.line import Line
from schedops.pipeline.measure import Inputs, Request, Results
from schedops.ports import Clock
from schedops.propose import stage as propose
from schedops.propose.dossier import Dossier, group_for
from schedops.report import found
from schedops.schema.canonical import digest_of


def reads(request: Request, group: str) -> tuple[str, ...]:
    """What of the repository a proposal is made from."""
    return (
        "policies/library",
        "policies/include",
        f"policies/workloads/{request.workload}.yaml",
        "policies/fleet.yaml",
        f"policies/hints/{request.workload}.yaml",
        f"policies/desired/{group}.{request.workload}.yaml",
        "policies/LESSONS.md",
    )


def group_of(request: Request, inputs: Inputs) -> str:
    """The host group that is to run it. :raises InputError: none, or several and none was named."""
    return group_for(inputs.fleet, request.workload, request.group)


def dossier_of(
    request: Request,
    inputs: Inputs,
    results: Results,
    *,
    line: Line,
    clock: Clock,
    base_commit: str,
    tools: Callable[[], Tools],
    desired: Assignment | None,
) -> Dossier:
    """Everything a pull request is written from, evidence included."""
    documents = _documents(inputs, results)
    depends = {"base": base_commit, "documents": [digest_of(document) for document in documents]}

    def make() -> Evidence:
        return bundle(
            inputs.workload,
            results.verification,
            documents,
            base_commit=base_commit,
            tools=tools(),
            kernels=[image.kernel for image in results.images],
            costs=tuple(line.costs),
            created=clock.now_utc(),
        )

    evidence = line.stage("evidence", "evidence", depends, Evidence, make, found.evidence)
    measured = outcome(inputs.workload, results.profile, results.plan, results.decision, results.measurements, evidence)
    return Dossier(
        workload=inputs.workload,
        group=group_of(request, inputs),
        policy=results.source.policy,
        profile=results.profile,
        hints=results.hints,
        plan=results.plan,
        verification=results.verification,
        measurements=results.measurements,
        decision=results.decision,
        evidence=evidence,
        commands=_commands(request, results, base_commit),
        desired=desired,
        search=results.search,
        created=results.source if results.source not in inputs.policies else None,
        learnt=remembered(inputs.memory, measured),
    )


def publish(
    request: Request, inputs: Inputs, results: Results, dossier: Dossier, *, forge: Forge, checkout: Checkout
) -> Published:
    """Open, update or leave alone the pull request.

    :raises Refused: measured, and not good enough to propose.
    """
    documents = attachments(_documents(inputs, results), dossier.evidence)
    return propose.run(dossier, documents, reads=reads(request, dossier.group), forge=forge, checkout=checkout)


def _documents(inputs: Inputs, results: Results) -> list[object]:
    # All that the evidence names: what is left out here could change without the evidence being made again.
    measured = [results.profile, results.hints, results.plan, results.measurements, results.decision]
    searched = [] if results.search is None else [results.search]
    return [inputs.workload, results.verification, *measured, *searched]


def _commands(request: Request, results: Results, base_commit: str) -> tuple[str, ...]:
    measured = results.measurements
    rounds = measured.looks[-1] if measured.looks else len(measured.rounds)
    kernel = results.image.kernel
    group = f" --group {request.group}" if request.group else ""
    propose_again = (
        f"schedops propose --workload {request.workload}{group} --kernel {kernel.release} --cpus {request.cpus} "
        f"--scale {request.scale:g} --rounds {rounds} --seed {request.seed} --trials {request.trials} "
        f"{f'--pathway {request.pathway} ' if request.pathway else ''}--fresh --dry-run"
    )
    fetch = f"schedops kernel fetch {kernel.release}   # BTF {kernel.btf_sha256[:16]}"
    return (f"git checkout {base_commit}", fetch, propose_again)
