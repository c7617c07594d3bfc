"""Waits and losses: what is sound passes, and nothing that is lost, late or unknown does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.guest import LoadGroup, LoadPlan, LoadReading, SchedState
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import limits, waits
from schedops.verify.dynamic.look import Look
from schedops.verify.judge import Outcome
from tests.verify.readings import ENABLED, GROUPS, POLICY, SEQ, group_reading, load_reading

PLAN = LoadPlan(groups=GROUPS, duration_ms=2600)
EJECTED = 'sched_ext: BPF scheduler "ours" disabled (runtime error)\nsched_ext: ours: invalid DSQ ID 0x4d\n'
EJECTED_WORDS = "it did something the kernel does not allow (runtime error): ours: invalid DSQ ID 0x4d"
STALLED = 'sched_ext: BPF scheduler "ours" disabled (runnable task stall)\n'
INT3 = "Oops: int3: 0000 [#1] SMP\n"
GONE = replace(ENABLED, state="disabled", ops="", task_on_ext=False)


def look(reading: LoadReading | None = None, after: SchedState = ENABLED, log: str = "") -> Look:
    return Look(
        plan=PLAN, before=ENABLED, reading=reading or load_reading(), after=after, policy=POLICY, seq=SEQ, log=log
    )


def lived(reading: LoadReading | None = None, after: SchedState = ENABLED, log: str = "") -> Outcome:
    return waits.lived(look(reading, after, log), limits.FEW)


def said(outcome: Outcome) -> tuple[str, str, str]:
    return outcome.verdict.value, outcome.rule, outcome.text


def test_all_well() -> None:
    assert said(lived()) == ("PASS", "", "3 tasks, 3.0 s, longest wait 50 ms (hogs)")


@pytest.mark.parametrize(
    ("groups", "rule", "text"),
    [
        (
            (group_reading("hogs", 2001.0), group_reading("very niced hogs")),
            "STARVED",
            "hogs waited 2.0 s for a CPU, at most 2 s are allowed",
        ),
        (
            (group_reading("hogs"), group_reading("very niced hogs", 3501.0)),
            "STARVED",
            "very niced hogs (nice 15) waited 3.5 s for a CPU, at most 3.5 s are allowed",
        ),
        (
            (group_reading("hogs", 3000.0, never=1), group_reading("very niced hogs")),
            "NEVER-RAN",
            "1 of 2 hogs never ran",
        ),
        (
            (group_reading("hogs", violations=2), group_reading("very niced hogs")),
            "AFFINITY",
            "hogs ran on a CPU it may not use",
        ),
    ],
)
def test_a_late_task_does_not_pass(groups: tuple[LoadGroup, ...], rule: str, text: str) -> None:
    assert said(lived(load_reading(*groups))) == ("FAIL", rule, text)  # type: ignore[arg-type]


def test_waits_within_the_limits_pass() -> None:
    assert lived(load_reading(group_reading("hogs", 2000.0), group_reading("very niced hogs", 3500.0))).rule == ""
    crowded = look(load_reading(group_reading("hogs", 2900.0), group_reading("very niced hogs")))
    assert waits.lived(crowded, limits.CROWDED).verdict is Verdict.PASS


def test_a_task_that_ran_and_did_not_get_through_its_turn_has_not_never_run() -> None:
    assert lived(load_reading(group_reading("hogs", 900.0, never=1), group_reading("very niced hogs"))).rule == ""


def test_what_a_stopped_cpu_of_the_host_may_do_is_looked_at_again() -> None:
    waited = load_reading(group_reading("hogs", 2500.0), group_reading("very niced hogs"))
    never = load_reading(group_reading("hogs", 3000.0, never=1), group_reading("very niced hogs"))
    assert (lived(waited).final, lived(never).final) == (False, False)


def test_on_a_starved_host_a_late_task_proves_nothing_and_does_not_pass() -> None:
    reading = load_reading(group_reading("hogs", 3000.0, never=1), group_reading("very niced hogs"), jitter_ms=251.0)
    outcome = lived(reading)
    assert (outcome.verdict, outcome.rule, outcome.final) == (Verdict.INCONCLUSIVE, "NOT-MEASURED", False)


def test_a_policy_that_is_gone_after_the_load_does_not_pass() -> None:
    reading = load_reading(after="disabled", lost_ms=1500.0)
    assert said(lived(reading, GONE, EJECTED)) == ("FAIL", "EJECTED", f"lost after 1.5 s of load: {EJECTED_WORDS}")
    assert said(lived(after=GONE)) == (
        "FAIL",
        "NOT-IN-CHARGE",
        "lost at the end of the load: it is not in charge: the kernel says disabled",
    )
    assert lived(reading, GONE, STALLED).rule == "STALL"


def test_a_policy_that_was_gone_before_the_load_does_not_pass() -> None:
    outcome = waits.lived(replace(look(log=EJECTED), before=GONE), limits.FEW)
    assert said(outcome) == ("FAIL", "EJECTED", f"lost before the load began: {EJECTED_WORDS}")


def test_a_policy_put_out_while_its_stuck_tasks_were_cleared_away_still_names_them() -> None:
    reading = load_reading(group_reading("hogs"), group_reading("very niced hogs", 2900.0, never=1), lost_ms=2900.0)
    text = f"1 of 1 very niced hogs (nice 15) never ran; lost after 2.9 s of load: {EJECTED_WORDS}"
    assert lived(reading, GONE, EJECTED).text == text


def test_of_a_policy_that_was_put_out_soon_nobody_says_whom_it_starved() -> None:
    reading = replace(load_reading(group_reading("hogs", 600.0, never=2), lost_ms=600.0), duration_ms=600.0)
    one = replace(look(reading, GONE, EJECTED), plan=replace(PLAN, groups=GROUPS[:1]))
    assert waits.lived(one, limits.FEW).text == f"lost after 0.6 s of load: {EJECTED_WORDS}"


def test_a_policy_lost_at_once_says_so() -> None:
    assert lived(load_reading(after="disabled"), log=EJECTED).text == f"lost as soon as tasks came: {EJECTED_WORDS}"


@pytest.mark.parametrize(
    "after",
    [replace(ENABLED, enable_seq=SEQ + 1), replace(ENABLED, ops="other"), replace(ENABLED, task_on_ext=False)],
)
def test_a_policy_that_was_replaced_does_not_pass(after: SchedState) -> None:
    assert lived(after=after).verdict is Verdict.FAIL
    assert waits.lived(replace(look(), before=after), limits.FEW).verdict is Verdict.FAIL


def test_a_state_that_could_not_be_read_does_not_pass() -> None:
    assert lived(after=replace(ENABLED, task_on_ext=None)).verdict is Verdict.INCONCLUSIVE


def test_put_out_because_the_host_starved_the_guest_is_no_verdict() -> None:
    log = STALLED + "sched_ext: ours: watchdog failed to check in for 5.1s\n"
    assert lived(load_reading(jitter_ms=4100.0), GONE, log).verdict is Verdict.INCONCLUSIVE


def test_a_watchdog_that_starved_while_the_host_did_not_has_to_show_twice() -> None:
    outcome = lived(after=GONE, log=STALLED + "sched_ext: ours: watchdog failed to check in for 5.1s\n")
    assert (outcome.verdict, outcome.rule, outcome.final) == (Verdict.FAIL, "STALL", False)
    assert lived(after=GONE, log=STALLED).final


def test_the_emulators_fault_is_an_error_and_no_verdict() -> None:
    assert lived(log=INT3).verdict is Verdict.ERROR


def test_figures_that_cannot_be_true_do_not_pass() -> None:
    idle = tuple(group_reading(group.name, cpu_ms=(0.0,)) for group in GROUPS)
    assert lived(load_reading(*idle)).verdict is Verdict.ERROR
    assert lived(replace(load_reading(), duration_ms=1000.0)).verdict is Verdict.ERROR


def test_a_stall_on_a_cpu_that_stood_still_proves_nothing() -> None:
    lost = load_reading(after="disabled", lost_ms=1500.0)
    for starved in (replace(lost, harness_jitter_ms=251.0), replace(lost, stolen_ms=700.0)):
        outcome = lived(starved, GONE, STALLED)
        assert (outcome.verdict, outcome.final, outcome.starved) == (Verdict.INCONCLUSIVE, False, True)
        assert said(lived(starved, GONE, EJECTED))[:2] == ("FAIL", "EJECTED")
    assert lived(lost, GONE, STALLED).final


def test_a_wait_that_what_was_stolen_explains_proves_nothing() -> None:
    waited = load_reading(group_reading("hogs", 2300.0), group_reading("very niced hogs"))
    assert lived(replace(waited, stolen_ms=200.0)).verdict is Verdict.FAIL
    explained = lived(replace(waited, stolen_ms=301.0))
    assert (explained.verdict, explained.starved) == (Verdict.INCONCLUSIVE, True)
