from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import pytest

from benchmarks.fidelity.cells import (
    DIMENSIONS,
    MEASURES,
    POLICIES,
    WORKLOADS,
    Arm,
    bare,
    inputs_digest,
    load,
    order_of,
    run_of,
)
from benchmarks.fidelity.costs import lab, machine_of, simulated
from benchmarks.fidelity.measures import values_of
from benchmarks.fidelity.samples import Hops
from benchmarks.fidelity.simulated import simulate
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.errors import InputError
from schedops.model.policy import PolicySource
from schedops.ports import SimScheduler
from schedops.repository import find_policy
from tests.fakes.simulations import Default

EEVDF = Arm("eevdf")


@pytest.fixture
def policy_source() -> PolicySource:
    return find_policy(WORKLOADS.parents[2], "fifo")


@pytest.fixture(scope="module")
def simulated_eevdf(sim_modules):
    return Default(sim_modules)


def test_eight_rounds_of_eight_are_balanced():
    rounds = [order_of(number, 8) for number in range(8)]
    assert all(sorted(one) == list(range(8)) for one in rounds)
    assert all(sorted(one[place] for one in rounds) == list(range(8)) for place in range(8))
    assert len({pair for one in rounds for pair in pairwise(one)}) == 8 * 7


def test_every_file_is_a_workload_and_there_are_twelve_at_least():
    assert {path.stem for path in WORKLOADS.glob("*.yaml")} == set(MEASURES)
    assert len(MEASURES) >= 12
    assert len(POLICIES) >= 5
    assert {one.dimension for measures in MEASURES.values() for one in measures} == set(DIMENSIONS)


def test_an_unknown_workload_is_refused():
    with pytest.raises(InputError, match="no workload is called"):
        load("../../secret")


@pytest.mark.parametrize("name", MEASURES)
def test_a_run_shows_what_is_compared(name, simulated_eevdf):
    run = run_of(load(name), EEVDF, number=0, machine=lab())
    values = values_of(run, simulated_eevdf(run.plan, lab()))
    assert {one.name for one in MEASURES[name]} <= set(values)
    assert 150 < values["length_ms"] < 2000
    assert 0 < values["utilisation"] <= 1


def digest(name: str = "small-batch", arm: Arm = EEVDF, number: int = 0) -> str:
    return inputs_digest(load(name), arm, number=number, machine=lab())


def test_a_digest_is_of_the_plan_and_the_policy_and_of_nothing_that_is_not_said(policy_source):
    assert digest() == digest()
    assert len({digest(), digest(number=1), digest("few-builds"), digest(arm=Arm("eevdf again"))}) == 4
    policy = Arm("fifo", policy_source)
    changed = Arm("fifo", replace(policy_source, text=policy_source.text + "\n"))
    assert len({digest("nice-hogs"), digest("nice-hogs", policy), digest("nice-hogs", changed)}) == 3

    # A field that plans have got since, with its default, makes no other plan.
    @dataclass
    class Old:
        seed: int = 0

    @dataclass
    class New(Old):
        since: int = 7

    assert bare(Old(1)) == bare(New(1)) != bare(New(1, 8))


def test_a_simulated_token_takes_what_it_took_in_the_guest(sim_modules):
    simulator = WasmSimulator(sim_modules)
    measured = Hops(same_ns=30_000.0, other_ns=60_000.0, asleep_ns=95_000.0, work=1.0, both=1.0)
    machine = machine_of(measured, simulator)
    assert (machine.tick_ns, machine.switch_ns) == (4_000_000, 30_000)
    found = simulated(machine, simulator, SimScheduler("eevdf"))
    assert found.same_ns == pytest.approx(30_000, rel=0.04)  # a bucket of the histogram
    assert found.other_ns == pytest.approx(60_000, rel=0.04)
    assert found.asleep_ns == pytest.approx(95_000, rel=0.04)
    assert found.work == pytest.approx(1, rel=0.01)
    quick = machine_of(replace(measured, other_ns=20_000.0, asleep_ns=1_000.0), simulator)
    assert [one.exit_ns for one in quick.idle_states] == [0, 0]


def test_classes_have_figures_of_their_own(simulated_eevdf):
    run = run_of(load("nice-hogs"), EEVDF, number=0, machine=lab())
    values = values_of(run, simulated_eevdf(run.plan, lab()))
    assert values["share@heavy"] + values["share@light"] == pytest.approx(1)
    assert values["share@heavy"] == pytest.approx(0.75, abs=0.03)  # weights 1024 and 335
    assert "makespan_by_cpu" not in values  # nobody ends


def test_what_has_the_machine_takes_its_time_by_the_cpu_time(simulated_eevdf):
    run = run_of(load("bound"), EEVDF, number=0, machine=lab())
    result = simulated_eevdf(run.plan, lab())
    values = values_of(run, result)
    assert values["makespan_by_cpu"] == pytest.approx(1 / values["utilisation"], rel=0.01)


def test_a_simulated_wake_up_has_the_switch_in_it(sim_modules):
    simulator = WasmSimulator(sim_modules)
    slow = replace(lab(), switch_ns=50_000)
    (found,) = simulate(["workers-2"], [EEVDF], [0], machine=slow, simulator=simulator)["workers-2"][0].values()
    run = run_of(load("workers-2"), EEVDF, number=0, machine=slow)
    plain = values_of(run, simulator.run(run.plan, slow, SimScheduler("eevdf"), trace=False))
    assert found["wakeup_p50_us@worker"] == pytest.approx(plain["wakeup_p50_us@worker"] + 50)
    assert found["requests_per_s"] == plain["requests_per_s"]
