from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.outcome import EXPERIMENTAL, PROVEN, RETIRED, VERIFIED, History, Outcome, OutcomeMachine, Standing
from schedops.model.verdict import Verdict
from schedops.repository.standing import MACHINES, PASSES, judged, next_state, places_of

SHA, OLD = "a" * 64, "b" * 64


def outcome(day: int, verdict: Verdict = Verdict.PASS, *, on: str = "w", machine: str = "1", **more: object) -> Outcome:
    made = Outcome(
        policy="p", policy_sha256=SHA, workload=on, classes=(), kernel="7.3", rung="micro-vm", verdict=verdict,
        machine=OutcomeMachine(fingerprint=machine * 64, cpus=2, accelerator="kvm", cpu_model="X"),
        effects=(), evidence_sha256=f"{day:064x}", created=f"2026-11-{day:02}T00:00:00Z",
    )  # fmt: skip
    return replace(made, **more)


def given(day: int, state: str, sha: str = SHA) -> Standing:
    return Standing(policy="p", policy_sha256=sha, state=state, because="so", created=f"2026-11-{day:02}T12:00:00Z")


ENOUGH = (outcome(1), outcome(2, on="v"), outcome(3, machine="2"))


def state(*outcomes: Outcome, standings: tuple[Standing, ...] = ()) -> str:
    return judged(History(outcomes, standings), SHA).state


def test_nothing_is_trusted_before_somebody_said_so():
    found = judged(History(ENOUGH), SHA)
    assert (found.state, found.supported, next_state(found)) == (EXPERIMENTAL, PROVEN, VERIFIED)


def test_states_are_earned_one_after_the_other():
    assert len(ENOUGH) == PASSES
    assert len({one.machine.fingerprint for one in ENOUGH}) == MACHINES
    found = judged(History(ENOUGH, (given(4, VERIFIED),)), SHA)
    assert (found.state, next_state(found)) == (VERIFIED, PROVEN)
    found = judged(History(ENOUGH, (given(4, VERIFIED), given(5, PROVEN))), SHA)
    assert (found.state, next_state(found)) == (PROVEN, None)


@pytest.mark.parametrize(
    "outcomes",
    [
        ENOUGH[:2],
        (*ENOUGH[:2], outcome(3, on="u")),  # all on one machine
        (*ENOUGH[:2], outcome(3, machine="2", rung="simulated")),
        (*ENOUGH[:2], outcome(3, machine="2", policy_sha256=OLD)),
        (*ENOUGH[:2], outcome(3, Verdict.INCONCLUSIVE, machine="2")),
        (*ENOUGH[:2], outcome(3, Verdict.ERROR, machine="2")),
        (*ENOUGH[:2], ENOUGH[1], replace(ENOUGH[1], kernel="6.16")),  # the same place twice
    ],
)
def test_a_state_that_outcomes_do_not_support_is_not_held(outcomes):
    assert state(*outcomes, standings=(given(9, PROVEN),)) == VERIFIED


def test_without_a_measured_pass_it_stays_experimental():
    for one in (outcome(1, Verdict.FAIL), outcome(1, rung="simulated"), outcome(1, Verdict.INCONCLUSIVE)):
        assert state(one, standings=(given(9, VERIFIED),)) == EXPERIMENTAL
    assert state(standings=(given(9, PROVEN),)) == EXPERIMENTAL


def test_a_regression_takes_a_step_back_and_asks_for_a_new_promotion():
    worse = outcome(10, Verdict.FAIL)
    more = (outcome(4, on="u", machine="2"), outcome(5, on="t"))
    found = judged(History((*ENOUGH, *more, worse), (given(6, PROVEN),)), SHA)
    assert (found.state, found.supported) == (VERIFIED, VERIFIED)
    assert "w, which got worse since" in found.because
    mended = (*ENOUGH, *more, worse, outcome(11))
    assert state(*mended, standings=(given(6, PROVEN),)) == PROVEN
    assert state(*mended, standings=(given(6, PROVEN), given(12, PROVEN))) == PROVEN


def test_more_regressions_than_passes_leave_nothing():
    failing = tuple(
        replace(one, verdict=Verdict.FAIL, created=f"2026-11-2{at}T00:00:00Z") for at, one in enumerate(ENOUGH)
    )
    assert state(*ENOUGH, *failing[:2], standings=(given(9, VERIFIED),)) == EXPERIMENTAL
    assert state(*ENOUGH, *failing, standings=(given(9, PROVEN),)) == EXPERIMENTAL


def test_a_failure_where_it_never_passed_is_no_regression():
    (place,) = places_of(History((outcome(1, Verdict.FAIL),)), SHA)
    assert not place.regressed
    assert state(*ENOUGH, outcome(9, Verdict.FAIL, on="other"), standings=(given(8, PROVEN),)) == PROVEN


def test_another_source_has_to_earn_its_state_again():
    assert state(*ENOUGH, standings=(given(9, PROVEN, OLD),)) == EXPERIMENTAL


def test_retired_stays_retired_until_it_is_promoted_whatever_it_does():
    out = given(9, RETIRED, OLD)
    found = judged(History((*ENOUGH, outcome(20)), (given(4, PROVEN), out)), SHA)
    assert (found.state, next_state(found)) == (RETIRED, EXPERIMENTAL)
    assert "so" in found.because
    assert state(*ENOUGH, standings=(out, given(21, EXPERIMENTAL))) == EXPERIMENTAL
