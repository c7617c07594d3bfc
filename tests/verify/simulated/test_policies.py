"""Real policies on the real simulator: good ones pass, flawed ones are found under the right rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.crew import Threads
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.policy import Capabilities, PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, NotRun
from schedops.repository import resolve_policy
from schedops.repository.library import load_policies
from schedops.verify.kernel import Bench
from schedops.verify.simulated.stage import simulate
from tests.fakes.guest import Clock, Progress
from tests.verify.fakes import Machines, Toolchain

ROOT = Path(__file__).parents[3]


def simulated(simulator: WasmSimulator, source: PolicySource, *, deep: bool = False) -> Check | NotRun:
    bench = Bench(source, (), 2, Toolchain(), Machines([]), Clock(), Progress())
    return simulate(bench, simulator, Threads(), deep=deep, custody=True)


def labelled(name: str, **promised: bool) -> PolicySource:
    found = resolve_policy(ROOT, str(ROOT / f"tests/data/{name}.bpf.c"), cwd=ROOT)
    return replace(found, policy=replace(found.policy, capabilities=Capabilities(**promised)))


@pytest.mark.parametrize("source", load_policies(ROOT), ids=lambda source: source.policy.name)
def test_the_library_passes(simulator: WasmSimulator, source: PolicySource) -> None:
    check = simulated(simulator, source, deep=source.policy.name == "build-order")
    assert isinstance(check, Check)
    assert check.verdict is Verdict.PASS, check.findings
    assert check.text.startswith("simulated, not measured: ")


def test_a_good_one_with_a_queue_for_each_cpu_passes_in_full(simulator: WasmSimulator) -> None:
    check = simulated(simulator, labelled("corpus/good/hotplug", hotplug=True), deep=True)
    assert isinstance(check, Check)
    assert check.verdict is Verdict.PASS, check.findings


def test_a_good_one_with_an_idle_mask_of_its_own_passes(simulator: WasmSimulator) -> None:
    check = simulated(simulator, labelled("corpus2/good/own_idle"))
    assert isinstance(check, Check)
    assert check.verdict is Verdict.PASS, check.findings


@pytest.mark.parametrize(
    ("name", "rule", "line"),
    [
        ("corpus/bad/s_ignores_affinity", "NEVER-RAN", 0),
        ("corpus/bad/t_slice_inf", "NEVER-RAN", 0),
        ("corpus/bad/e_invalid_cpu", "EJECTED", 0),
        ("corpus2/bad/u_inverted", "UNFAIR-WEIGHT", 0),
        ("corpus/bad/u_not_work_conserving", "NOT-WORK-CONSERVING", 0),
        ("corpus/bad/v_null_map", "FAULT", 37),
        ("corpus/bad/v_unbounded_loop", "FAULT", 34),
    ],
)
def test_flaws_are_found_at_once(simulator: WasmSimulator, name: str, rule: str, line: int) -> None:
    check = simulated(simulator, labelled(name))
    assert isinstance(check, Check)
    assert check.verdict is Verdict.FAIL
    assert check.findings[0].rule == rule
    place = check.findings[0].place
    assert (place is not None) == bool(line)
    assert place is None or abs(place.line - line) <= 1  # where in a loop it was stopped is nobody's promise


def test_promises_are_held_against_it_in_full(simulator: WasmSimulator) -> None:
    check = simulated(simulator, labelled("corpus/bad/u_prev_ignored", weights=True), deep=True)
    assert isinstance(check, Check)
    assert "UNFAIR-WEIGHT" in {finding.rule for finding in check.findings}


def test_what_is_not_simulated_is_named(simulator: WasmSimulator) -> None:
    found = simulated(simulator, labelled("corpus/bad/x_partial"))
    assert isinstance(found, NotRun)
    assert found.text == "no task asks for SCHED_EXT, and the policy has no others"


@pytest.mark.parametrize("deep", [False, True])
def test_a_policy_for_those_who_ask_passes(simulator: WasmSimulator, *, deep: bool) -> None:
    check = simulated(simulator, labelled("corpus/bad/x_partial", partial=True), deep=deep)
    assert isinstance(check, Check)
    assert check.verdict is Verdict.PASS, check.findings


def test_who_asks_is_starved_by_it(simulator: WasmSimulator) -> None:
    text = labelled("corpus/bad/s_ignores_affinity", partial=True)
    flagged = replace(text, text=text.text.replace(".timeout_ms", ".flags = SCX_OPS_SWITCH_PARTIAL, .timeout_ms"))
    check = simulated(simulator, flagged)
    assert isinstance(check, Check)
    assert check.verdict is Verdict.FAIL
    assert check.findings[0].rule in ("NEVER-RAN", "STARVED", "EJECTED")


@pytest.mark.parametrize("name", ["corpus/bad/o_offline_local_on", "corpus2/bad/s_offline_queue"])
def test_tasks_of_a_cpu_that_went_are_left_behind(simulator: WasmSimulator, name: str) -> None:
    check = simulated(simulator, labelled(name, hotplug=True))
    assert isinstance(check, Check)
    assert check.verdict is Verdict.FAIL
    assert any("a CPU that goes and comes back" in finding.text for finding in check.findings), check.findings


def test_two_runs_say_the_same(simulator: WasmSimulator) -> None:
    first, second = (simulated(simulator, labelled("corpus/good/fifo")) for _ in range(2))
    assert isinstance(first, Check)
    assert isinstance(second, Check)
    assert (first.text, first.findings) == (second.text, second.findings)
