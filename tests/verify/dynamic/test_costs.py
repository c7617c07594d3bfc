"""What callbacks may cost, how often tasks may be switched, and how many calls are enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.guest import ProgramRuns
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import costs, loads
from schedops.verify.dynamic.look import Look
from tests.verify.readings import ENABLED, POLICY, SEQ, reading_of

CALLBACKS = {"enqueue": "f_enqueue", "dispatch": "f_dispatch", "init_task": "f_new"}


def storm(*programs: ProgramRuns) -> Look:
    plan = loads.storm(2, "f_enqueue")
    reading = reading_of(plan)
    reading = replace(reading, programs=programs or reading.programs)
    return Look(plan=plan, before=ENABLED, reading=reading, after=ENABLED, policy=POLICY, seq=SEQ, log="")


def hogs(switches: int, iterations: int = 100) -> Look:
    plan = loads.bunched(2)
    reading = reading_of(plan)
    groups = tuple(replace(seen, iterations=iterations) for seen in reading.groups)
    reading = replace(reading, context_switches=switches, groups=groups)
    return Look(plan=plan, before=ENABLED, reading=reading, after=ENABLED, policy=POLICY, seq=SEQ, log="")


def runs(name: str, ns: float, count: int = 5000) -> ProgramRuns:
    return ProgramRuns(name=name, runs=count, ns_per_run=ns)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (runs("f_enqueue", 21_000), "enqueue (f_enqueue) takes 21 us a call, at most 20 us are allowed"),
        (runs("f_dispatch", 81_000), "dispatch (f_dispatch) takes 81 us a call, at most 80 us are allowed"),
        (runs("f_new", 81_000), "init_task (f_new) takes 81 us a call, at most 80 us are allowed"),
        (runs("helper", 81_000), "helper takes 81 us a call, at most 80 us are allowed"),
    ],
)
def test_what_takes_too_long_does_not_pass(program: ProgramRuns, text: str) -> None:
    found = costs.callbacks_cost((storm(program),), CALLBACKS)
    assert found is not None
    assert (found.verdict, found.rule, found.text, found.final) == (Verdict.FAIL, "OVERHEAD", text, False)


@pytest.mark.parametrize(
    "program",
    [runs("f_enqueue", 20_000), runs("f_dispatch", 79_000), runs("f_new", 79_000), runs("f_enqueue", 90_000, 199)],
)
def test_what_is_short_or_seldom_passes(program: ProgramRuns) -> None:
    assert costs.callbacks_cost((storm(program),), CALLBACKS) is None


def test_the_load_in_which_it_was_cheapest_counts() -> None:
    disturbed, quiet = storm(runs("f_dispatch", 300_000)), storm(runs("f_dispatch", 9_000))
    seldom = storm(runs("f_dispatch", 9_000, 20))
    assert costs.callbacks_cost((disturbed, quiet), CALLBACKS) is None
    assert costs.callbacks_cost((disturbed, disturbed), CALLBACKS) is not None
    assert costs.callbacks_cost((disturbed, seldom), CALLBACKS) is not None


def test_switches_without_need_do_not_pass() -> None:
    assert costs.switches(hogs(2 * 2000 + 800, iterations=400)) is None  # 2 s, and 400 wake-ups' worth
    found = costs.switches(hogs(2 * 2001 + 200, iterations=100))
    assert found is not None
    assert found.rule == "SWITCH-STORM"


def test_too_few_calls_are_no_pass() -> None:
    assert costs.enough(storm(runs("f_enqueue", 1000, 100_000))) is None
    few = costs.enough(storm(runs("f_enqueue", 1000, 99_999)))
    none = costs.enough(storm(runs("other", 1000, 100_000)))
    assert few is not None
    assert (few.verdict, few.rule) == (Verdict.INCONCLUSIVE, "TOO-FEW-ENQUEUES")
    assert none is not None
    assert none.text.startswith("enqueue ran 0 times")


def test_the_summary_names_the_dearest() -> None:
    text = costs.summary((storm(runs("f_enqueue", 2500), runs("f_dispatch", 9000)),), hogs(1600, 0)).text
    assert text == "dearest callback f_dispatch 9.0 us, 800 switches/s among hogs"
    assert costs.summary((storm(runs("f_enqueue", 1, 3)),), hogs(1600, 0)).text.startswith("no callback")


def test_no_count_is_not_a_low_one() -> None:
    uncounted = costs.counted((storm(runs("f_enqueue", 0, 0)),), CALLBACKS)
    assert uncounted is not None
    assert (uncounted.verdict, "enqueue" in uncounted.text) == (Verdict.INCONCLUSIVE, True)
    assert costs.counted((storm(runs("f_enqueue", 0, 1)),), CALLBACKS) is None
    assert costs.counted((hogs(1600),), {"init": "f_init"}) is None
