"""One run of one arm in a guest: the right scheduler proved before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schedops.bench.design import Round, Turn
from schedops.bench.validity import lost, why_invalid, why_unread
from schedops.errors import Refused, Unavailable
from schedops.model.jobs import Hints, JobPlan, RunReading
from schedops.model.measurements import FRESH, MetricValue, Sample
from schedops.model.policy import Policy
from schedops.model.verification import BuiltObject
from schedops.model.workload import Workload
from schedops.ports import Guest
from schedops.workloads.arms import setup_of
from schedops.workloads.metrics import metrics_of

ATTACH_S = 30.0
DETACH_S = 30.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """The policy under test. *built* None: the default scheduler is compared with itself, in all three arms."""

    policy: Policy
    built: BuiltObject | None
    hints: Hints | None


def run_turn(
    guest: Guest,
    workload: Workload,
    candidate: Candidate,
    round_: Round,
    turn: Turn,
    *,
    deadline_s: float,
    origin: str = FRESH,
) -> Sample:
    """Run one arm; anything wrong with it makes the sample invalid and is said in it.

    :raises Refused: the policy does not attach.
    :raises GuestLost: the guest is gone.
    """
    ours = turn.arm == "candidate" and candidate.built is not None
    setup = setup_of(
        turn.arm if candidate.built else "eevdf",
        round_.plan,
        hints=candidate.hints,
        policy_takes_hints=ours and candidate.policy.capabilities.hints,
        policy_takes_group_hints=ours and candidate.policy.capabilities.group_hints and workload.builds is not None,
        name_seed=turn.name_seed,
    )
    with _in_charge(guest, candidate, attach=ours):
        before = guest.state()
        reading = guest.run_jobs(round_.plan, setup, deadline_s=deadline_s)
        after = guest.state()
    ops = candidate.policy.ops_name if ours else ""
    metrics, unread = _metrics(workload, round_.plan, reading)
    trouble = why_invalid(ops, before, after) or why_unread(round_.plan, setup, reading) or unread
    if lost(before, after):
        trouble = f"{trouble}; {_last_words(guest.kernel_log())}"
    return Sample(
        round=round_.number,
        order=turn.order,
        arm=turn.arm,
        seed=round_.plan.seed,
        setup=setup,
        before=before,
        after=after,
        reading=reading,
        metrics=metrics,
        valid=not trouble,
        why_invalid=trouble,
        origin=origin,
    )


def _metrics(workload: Workload, plan: JobPlan, reading: RunReading) -> tuple[tuple[MetricValue, ...], str]:
    # An impossible reading costs this sample, not the comparison.
    try:
        return metrics_of(workload, plan, reading), ""
    except Unavailable as error:
        return (), error.message


@contextmanager
def _in_charge(guest: Guest, candidate: Candidate, *, attach: bool) -> Iterator[None]:
    if not attach or candidate.built is None:
        yield
        return
    reading = guest.attach(candidate.built.elf, deadline_s=ATTACH_S)
    if reading.outcome != "attached":
        raise Refused(
            "policy-not-attached",
            f"{candidate.policy.name} did not attach ({reading.outcome}, errno {reading.errno})",
            where=f"bench {candidate.policy.name} on {candidate.built.kernel}",
            hint=f"schedops verify {candidate.policy.name}",
            detail=reading.log[-2000:],
        )
    yield
    guest.detach(deadline_s=DETACH_S)  # not on the way out of an error: the guest itself goes then


def _last_words(log: str) -> str:
    # The kernel says "sched_ext: BPF scheduler "x" disabled (reason)", then the reason in full; the rest is noise.
    lines = [line.strip() for line in log.splitlines() if "sched_ext" in line]
    return " / ".join(lines[-3:])[:500] or "the kernel log does not say why"
