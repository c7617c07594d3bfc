from __future__ import annotations

import math

import pytest

from benchmarks.fidelity.judging import cells_of, noise_of, orders_of, summary_of, worst_of
from schedops.stats.ranks import Agreement
from tests.fakes.fidelity import runs, simulated


def cell(ours: float, theirs: float, **more):
    return cells_of(simulated(fifo=ours), runs(fifo=theirs, **more), ["fifo"])[0]


def test_a_change_is_against_both_runs_of_eevdf_of_its_round():
    found = cell(1.2, 1.2)
    # The second EEVDF is 1 % above the first; the simulator has only one.
    assert found.measured.estimate == pytest.approx(1.2 / math.sqrt(1.01) - 1)
    assert found.simulated.estimate == pytest.approx(0.2)
    assert found.measured.pairs == 8
    assert found.said is Agreement.SAME
    assert found.error == pytest.approx(1.2 - 1.2 / math.sqrt(1.01))


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        (1.2, 0.8, Agreement.WRONG),
        (1.0, 1.2, Agreement.MISSED),
        (1.2, 1.0, Agreement.INVENTED),
        (1.0, 1.02, Agreement.NEITHER),
    ],
)
def test_what_is_said(ours, theirs, said):
    assert cell(ours, theirs).said is said


def test_too_noisy():
    found = cell(1.2, 1.0, noise=0.3)
    assert found.said is Agreement.UNSURE
    assert not found.told


def test_few_rounds_have_no_interval():
    found = cell(1.2, 1.2, rounds=5)
    assert found.said is None
    assert found.measured.pairs == 5
    assert found.measured.estimate is not None


def test_a_policy_that_was_never_measured():
    found = cells_of(simulated(fifo=1.2), runs(), ["fifo"])[0]
    assert found.measured.estimate is None
    assert found.error is None
    assert found.said is None
    assert summary_of("all", [found]).counts == {None: 1}
    assert summary_of("all", [found]).worst is None


def test_rounds_of_both_sides_are_the_same_ones():
    ours = simulated(fifo=1.2)
    ours["nice-hogs"][7]["fifo"]["share@heavy"] = 99.0
    theirs = runs(fifo=1.2)
    del theirs["nice-hogs"][7]["fifo"]
    found = cells_of(ours, theirs, ["fifo"])[0]
    assert found.simulated.pairs == found.measured.pairs == 7
    assert found.simulated.high == pytest.approx(0.2)


def test_eevdf_against_itself_is_noise():
    (found,) = noise_of(runs(fifo=1.2))
    assert found.measured.estimate == pytest.approx(0.01)


def test_together():
    ours = simulated(**{"fifo": 0.7, "interactive": 1.3, "warm-cores": 1.0})
    theirs = runs(**{"fifo": 0.8, "interactive": 1.2, "warm-cores": 0.9})
    cells = cells_of(ours, theirs, ["fifo", "interactive", "warm-cores"])
    found = summary_of("all", cells)
    assert found.counts == {Agreement.SAME: 2, Agreement.MISSED: 1}
    assert found.foretold == pytest.approx(2 / 3)
    assert found.rho == pytest.approx(1)
    assert found.worst is not None
    assert abs(found.worst.error) == pytest.approx(0.1, abs=0.02)
    assert found.median_error == pytest.approx(0.1, abs=0.01)
    assert [abs(c.error) for c in worst_of(cells)] == sorted((abs(c.error) for c in cells), reverse=True)
    (order,) = orders_of(cells)
    assert order.effects == 3
    # EEVDF is one of the four; the simulator has it level with warm-cores.
    assert order.tau == pytest.approx(5 / math.sqrt(5 * 6))
