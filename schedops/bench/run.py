"""One run in a guest: the right scheduler proved before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from schedops.bench.design import Round, Turn
from schedops.bench.load import Load, Ran
from schedops.bench.validity import lost, why_invalid
from schedops.errors import Refused
from schedops.model.guest import SchedState
from schedops.model.jobs import Hints, RunSetup
from schedops.model.measurements import FRESH, Sample
from schedops.model.policy import Capabilities, Policy
from schedops.model.verification import BuiltObject
from schedops.ports import Guest

ATTACH_S = 30.0
DETACH_S = 30.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """The policy under test. *built* None: the default scheduler is compared with itself, in all three arms."""

    policy: Policy
    built: BuiltObject | None
    hints: Hints | None


@dataclass(frozen=True, slots=True)
class InCharge:
    """A policy that schedules a run."""

    policy: Policy
    built: BuiltObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run. :param trouble: why it does not count; empty: it is valid."""

    setup: RunSetup
    before: SchedState
    after: SchedState
    ran: Ran
    trouble: str

    @property
    def lost(self) -> bool:
        """The kernel dropped the policy meanwhile."""
        return lost(self.before, self.after)


def run_once(
    guest: Guest, load: Load, seed: int, setup: RunSetup, *, charge: InCharge | None, deadline_s: float
) -> Run:
    """One run of a prepared guest.

    :param charge: None: the default scheduler.
    :raises Refused: the policy does not attach. :raises GuestLost: the guest is gone.
    :raises Unavailable: ``program-failed``: what comes before a run failed.
    """
    load.before(guest)
    with _in_charge(guest, charge):
        before = guest.state()
        ran = load.run(guest, seed, setup, deadline_s=deadline_s)
        after = guest.state()
    trouble = why_invalid(charge.policy.ops_name if charge else "", before, after) or ran.trouble or load.after(guest)
    if lost(before, after):
        trouble = f"{trouble}; {_last_words(guest.kernel_log())}"
    return Run(setup=setup, before=before, after=after, ran=ran, trouble=trouble)


def run_turn(
    guest: Guest, load: Load, candidate: Candidate, round_: Round, turn: Turn, *, deadline_s: float, origin: str = FRESH
) -> Sample:
    """Run one arm; anything wrong with it makes the sample invalid and is said in it. Raises as :func:`run_once`."""
    built = candidate.built
    ours = turn.arm == "candidate" and built is not None
    setup = load.setup(
        turn.arm if built else "eevdf",
        round_.seed,
        hints=candidate.hints,
        capabilities=candidate.policy.capabilities if ours else Capabilities(),
        name_seed=turn.name_seed,
    )
    charge = InCharge(candidate.policy, built) if ours and built is not None else None
    run = run_once(guest, load, round_.seed, setup, charge=charge, deadline_s=deadline_s)
    return Sample(
        round=round_.number,
        order=turn.order,
        arm=turn.arm,
        seed=round_.seed,
        setup=setup,
        before=run.before,
        after=run.after,
        reading=run.ran.jobs,
        programs=run.ran.programs,
        metrics=run.ran.metrics,
        valid=not run.trouble,
        why_invalid=run.trouble,
        origin=origin,
    )


@contextmanager
def _in_charge(guest: Guest, charge: InCharge | None) -> Iterator[None]:
    if charge is None:
        yield
        return
    reading = guest.attach(charge.built.elf, deadline_s=ATTACH_S)
    if reading.outcome != "attached":
        raise Refused(
            "policy-not-attached",
            f"{charge.policy.name} did not attach ({reading.outcome}, errno {reading.errno})",
            where=f"bench {charge.policy.name} on {charge.built.kernel}",
            hint=f"schedops verify {charge.policy.name}",
            detail=reading.log[-2000:],
        )
    yield
    guest.detach(deadline_s=DETACH_S)  # not on the way out of an error: the guest itself goes then


def _last_words(log: str) -> str:
    # The kernel says "sched_ext: BPF scheduler "x" disabled (reason)", then the reason in full; the rest is noise.
    lines = [line.strip() for line in log.splitlines() if "sched_ext" in line]
    return " / ".join(lines[-3:])[:500] or "the kernel log does not say why"
