"""The rounds that ``benchmarks/sim_rounds.py`` measured on a kernel that the host did not disturb, simulated."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from statistics import geometric_mean

import pytest

from schedops.model.machine import flat_machine

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MACHINE = replace(flat_machine(2), tick_ns=4_000_000)
METRICS = ("makespan_per_floor", "mean_completion_per_floor", "slowest_short_per_floor")


@pytest.fixture
def rounds(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("sim_rounds")


def test_a_batch_and_nice_values_do_on_two_cpus_what_they_do_on_a_kernel(simulated, rounds):
    means = {}
    for arm in ("eevdf", "nice"):
        runs = [rounds.batch(number, arm) for number in rounds.ROUNDS]
        found = [
            rounds.batch_values(plan, setup, simulated(rounds.batch_plan(plan, setup), MACHINE)) for plan, setup in runs
        ]
        measured = rounds.measured("counted", arm)
        for metric in METRICS:
            pair = [geometric_mean(values[metric] for values in side) for side in (found, measured)]
            assert pair[0] == pytest.approx(pair[1], rel=0.02), (arm, metric)
            means[arm, metric] = pair
    for metric in METRICS:
        here, there = (means["nice", metric][side] / means["eevdf", metric][side] for side in (0, 1))
        assert here == pytest.approx(there, abs=0.05), metric
