from __future__ import annotations

import pytest

from schedops.sim.programs.lengths import length_table
from schedops.workloads.tables import metric_table
from tests.sim.programs.kinds import ran, requests, values


def test_a_closed_loop_by_hand():
    # Four workers, two CPUs, no pauses: two requests each take 1 ms and 2 CPUs are always busy.
    run, result = ran(requests(dispatch_us=0.0))
    found = values(run, result)
    assert found["requests_per_s"] == pytest.approx(2000, rel=0.02)
    assert found["request_p50_us"] == pytest.approx(1000, rel=0.07)
    assert found["wakeup_p99_us"] == pytest.approx(1000, rel=0.07)
    assert found["utilisation"] == pytest.approx(1, abs=0.01)


def test_think_time_leaves_cpus_idle():
    run, result = ran(requests(workers=1, think_us=3000.0, dispatch_us=0.0), cpus=1)
    assert values(run, result)["utilisation"] == pytest.approx(0.25, abs=0.02)
    assert values(run, result)["request_p50_us"] == pytest.approx(4000, rel=0.07)


def test_an_open_loop_keeps_its_rate_and_counts_the_queue():
    calm = values(*ran(requests(workers=16, rate_per_s=500.0, duration_ms=2000.0), cpus=2))
    busy = values(*ran(requests(workers=16, rate_per_s=1900.0, duration_ms=2000.0), cpus=2))
    assert calm["requests_per_s"] == pytest.approx(500, rel=0.1)
    assert busy["requests_per_s"] == pytest.approx(1900, rel=0.1)
    assert busy["request_p99_us"] > 2 * calm["request_p99_us"]


def test_open_arrivals_depend_on_the_seed_and_closed_plans_do_not_but_for_draws():
    one, two = (ran(requests(rate_per_s=500.0, messengers=2), scale=scale)[0].plan for scale in (1, 2))
    assert one.programs == two.programs
    assert (len(one.tasks), len(two.tasks)) == (10, 18)


def test_workers_grow_with_the_cpus():
    counts = [len(ran(requests(workers_per_cpu=2.0, messengers=2), cpus=cpus)[0].plan.tasks) for cpus in (2, 8)]
    assert counts == [2 + 2 * 4, 2 + 2 * 8]


def test_metrics_are_those_of_the_table():
    run, result = ran(requests())
    assert list(values(run, result)) == list(metric_table(run.workload))


@pytest.mark.parametrize(("draw", "sigma"), [("lognormal", 0.5), ("lognormal", 2.0), ("exponential", 0.0)])
def test_a_table_has_the_mean_that_was_asked_for(draw, sigma):
    table = length_table(draw, 1_000_000, sigma)
    assert sum(table) / len(table) == pytest.approx(1_000_000, rel=1e-3)
    assert sorted(table) == list(table)
    assert table[0] >= 1
