"""Host or policy: who keeps the guest's CPUs standing still?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from schedops.model.guest import LoadPlan, LoadReading
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import limits, loads, waits
from schedops.verify.dynamic.blame import settled
from schedops.verify.dynamic.look import Session
from schedops.verify.judge import Outcome
from tests.verify.fakes import Guest
from tests.verify.readings import ENABLED, POLICY, SEQ, reading_of

LATE_MS, FINE_MS = 900.0, 20.0


class Late(Guest):
    """All tasks wait for long with the policy; *jitters*: of every load, in order, the last for ever."""

    def __init__(self, *jitters: float) -> None:
        super().__init__()
        self._jitters: Iterator[float] = iter((*jitters, *[jitters[-1]] * 20))

    def mixed_load(self, plan: LoadPlan, *, deadline_s: float) -> LoadReading:
        super().mixed_load(plan, deadline_s=deadline_s)
        reading = replace(reading_of(plan), harness_jitter_ms=next(self._jitters))
        late = tuple(replace(group, max_wait_ms=2600.0) for group in reading.groups)
        return replace(reading, groups=late) if self.calls[-2] != "detach" else reading


def outcome(guest: Guest) -> Outcome:
    session = Session(guest=guest, policy=POLICY, elf=b"", cpus=2, note=lambda _: None, seq=SEQ)
    session.attach()
    plan = loads.mixed(2)
    return settled(session, lambda: waits.lived(session.look(plan), limits.FEW))


WITH, WITHOUT = LATE_MS, FINE_MS


@pytest.mark.parametrize(
    ("jitters", "verdict", "rule", "taken"),
    [
        ((WITH, WITH, WITH, LATE_MS), Verdict.INCONCLUSIVE, "NOT-MEASURED", 4),
        ((WITH, WITH, WITH, WITHOUT, WITH, WITHOUT, WITH, LATE_MS), Verdict.INCONCLUSIVE, "NOT-MEASURED", 8),
        ((WITH, WITH, WITH, *(WITHOUT, WITH) * 3), Verdict.FAIL, "HOLDS-CPUS", 9),
        ((WITH, FINE_MS, FINE_MS), Verdict.FAIL, "STARVED", 3),
        ((WITH, WITH, FINE_MS, FINE_MS), Verdict.FAIL, "STARVED", 4),
        # It is late on a quiet host too, but nobody has seen that twice.
        ((WITH, WITH, WITH, WITHOUT, FINE_MS), Verdict.INCONCLUSIVE, "NOT-MEASURED", 5),
    ],
)
def test_turns(jitters: tuple[float, ...], verdict: Verdict, rule: str, taken: int) -> None:
    guest = Late(*jitters)
    found = outcome(guest)
    assert (found.verdict, found.rule, guest.calls.count("load")) == (verdict, rule, taken)


def test_without_the_policy_it_is_the_same_load_and_nothing_more() -> None:
    guest = Guest(state_after=ENABLED)
    session = Session(guest=guest, policy=POLICY, elf=b"", cpus=2, note=print, seq=SEQ)
    session.attach()
    session.without_policy(loads.hotplug(2, stays=True))
    session.without_policy(loads.storm(2, "f_enqueue"))
    assert [(plan.hotplug, plan.until_runs, plan.of_program, plan.program_stats) for plan in guest.plans] == [
        ((), 0, "", False)
    ] * 2
    assert guest.plans[0].groups == loads.hotplug(2, stays=True).groups
    assert session.look(loads.mixed(2)).seq == SEQ + 1
    assert guest.calls == ["attach", "detach", "load", "detach", "load", "attach", "load"]
