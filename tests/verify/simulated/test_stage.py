"""The simulated stage among the others: what it stops, what it leaves to the guests, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.verdict import Verdict
from schedops.verify.kept import MARK
from schedops.verify.stages import FULL, QUICK, SIMULATE, up_to
from tests.fakes.guest import IMAGE
from tests.verify.fakes import Simulator, Toolchain
from tests.verify.readings import SOURCE
from tests.verify.rules_fakes import Rules
from tests.verify.test_order import OBJECT, REFUSED, World, check, ran

DONE = SimEnd(verdict=SimVerdict.DONE)
EJECTED = SimEnd(verdict=SimVerdict.EJECTED, kind=1024, message="runtime error: invalid CPU 9 from ops.select_cpu()")
FAULT = SimEnd(verdict=SimVerdict.FAULT, message="it does not end in f", place="ours.bpf.c:4")
UNSUPPORTED = SimEnd(verdict=SimVerdict.UNSUPPORTED, message="the simulator does not have it: it calls f")


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    found = Rules()
    found.install(monkeypatch)
    return found


def test_a_failure_starts_no_guest_and_says_where_and_how_to_see_it() -> None:
    world = World(simulator=Simulator([FAULT]))
    report = world.verify()
    assert (report.verdict, world.boots, len(world.simulator.asked)) == (Verdict.FAIL, 0, 1)
    found = check(report, SIMULATE).findings[0]
    assert (found.rule, found.level, str(found.place)) == ("FAULT", "error", f"{SOURCE.path}:4:2")
    assert found.text == "the mix on 2 CPUs (flat-2, seed 1): it does not end in f"
    assert f"`schedops simulate {SOURCE.path} --case mix/flat-2/1100ms/1 " in found.advice
    kept_going = world.verify(keep_going=True)
    assert (kept_going.verdict, world.boots) == (Verdict.FAIL, 2)


def test_an_ejection_is_reported_once_in_the_kernels_words() -> None:
    report = World(simulator=Simulator([DONE, EJECTED])).verify()
    (found,) = check(report, SIMULATE).findings
    assert found.rule == "EJECTED"
    assert "invalid CPU 9" in found.text
    assert found.text.endswith("(in 4 of 5 runs)")


@pytest.mark.parametrize("ends", [[UNSUPPORTED], [DONE, UNSUPPORTED]])
def test_what_cannot_be_simulated_is_left_to_the_guests(ends: list[SimEnd]) -> None:
    world = World(simulator=Simulator([*ends]))
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.PASS, 2)
    assert [(one.stage, one.text) for one in report.not_run] == [(SIMULATE, UNSUPPORTED.message)]
    assert SIMULATE not in {name for name, _ in ran(report)}
    assert SIMULATE in report.stages
    asked = len(world.simulator.asked)
    assert world.verify().not_run == report.not_run
    assert len(world.simulator.asked) == asked
    refused = World([REFUSED], simulator=Simulator([*ends])).verify()
    assert (refused.verdict, refused.checks[-1].stage) == (Verdict.FAIL, "load")


def test_without_guests_that_is_no_pass() -> None:
    report = World(simulator=Simulator([UNSUPPORTED])).verify(stages=up_to(SIMULATE))
    assert report.verdict is Verdict.INCONCLUSIVE
    assert World().verify(stages=up_to(SIMULATE)).verdict is Verdict.PASS


def test_a_failure_beside_something_that_is_not_simulated_is_a_failure() -> None:
    world = World(simulator=Simulator([DONE, UNSUPPORTED, EJECTED]))
    assert (world.verify().verdict, world.boots) == (Verdict.FAIL, 0)


@pytest.mark.parametrize("subject", [SOURCE, OBJECT])
def test_no_simulator_or_no_source_is_said(subject) -> None:
    report = World(simulator=None).verify(subject)
    assert (report.verdict, len(report.not_run)) == (Verdict.PASS, 1)
    assert report.not_run[0].text in ("no simulator is at hand", "an object has no source that could be simulated")


def test_a_missing_tool_is_an_error_with_a_way_out() -> None:
    world = World(simulator=Simulator(missing=True))
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.ERROR, 0)
    assert check(report, SIMULATE).findings[0].advice == "it is in the package lld-19"


def test_a_pass_outlives_a_comment_and_a_failure_does_not(rules: Rules) -> None:
    rules.same_behaviour = True
    commented = replace(SOURCE, text=f"/* more */{SOURCE.text}")
    world = World()
    world.verify()
    asked = len(world.simulator.asked)
    assert check(world.verify(commented), SIMULATE).text.endswith(MARK)
    assert len(world.simulator.asked) == asked
    failing = World(simulator=Simulator([FAULT]))
    assert [failing.verify().verdict for _ in range(2)] == [Verdict.FAIL] * 2
    assert len(failing.simulator.asked) == 1
    failing.verify(commented)
    failing.verify(commented, cached=False)
    assert len(failing.simulator.asked) == 3


def test_the_full_depth_asks_more_and_is_kept_apart(rules: Rules) -> None:
    rules.same_behaviour = True
    world = World()
    world.verify(stages=QUICK)
    brief = len(world.simulator.asked)
    world.verify(stages=up_to(SIMULATE))
    thorough = len(world.simulator.asked) - brief
    world.verify(stages=FULL[: FULL.index("liveness")])
    assert 3 * brief < thorough
    assert len(world.simulator.asked) == brief + thorough
    machines = {len(machine.cpus) for _, machine, _ in world.simulator.asked}
    assert {1, 2, 3, 8, 64, 172} <= machines


def test_who_does_not_start_on_many_cpus_may_have_reasons() -> None:
    class Picky(Simulator):
        def run(self, plan, machine, scheduler, *, trace):
            found = super().run(plan, machine, scheduler, trace=trace)
            ejected = replace(EJECTED, message="runtime error: ops.init() failed (-7)")
            return replace(found, end=ejected, end_ns=0) if len(machine.cpus) == self.bad else found

    three, two = Picky(), Picky()
    three.bad, two.bad = 3, 2
    report = World(simulator=three).verify()
    assert report.verdict is Verdict.PASS
    assert [(one.rule, one.level) for one in check(report, SIMULATE).findings] == [("EJECTED", "note")]
    assert World(simulator=two).verify().verdict is Verdict.FAIL


def test_parameters_go_with_it() -> None:
    world = World()
    world.verify(stages=up_to(SIMULATE), images=(IMAGE,))
    assert {scheduler.source for _, _, scheduler in world.simulator.asked} == {SOURCE}
    assert {scheduler.params for _, _, scheduler in world.simulator.asked} == {()}
    assert World(toolchain=Toolchain(missing=True)).verify(stages=up_to(SIMULATE)).verdict is Verdict.ERROR
