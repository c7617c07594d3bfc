from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.analyze.probed import busiest, merged, probed_figures, quantile_ns, wake_graph
from schedops.model.probe import ProbedClass, ProbedSlot, ProbeReading, probe_bucket_bounds

MS = 1_000_000
NONE = ProbedClass(
    name="worker",
    run_ns=600 * MS,
    wait_ns=200 * MS,
    sleep_ns=100 * MS,
    blocked_ns=100 * MS,
    switches=100,
    preemptions=10,
    wakeups=80,
    migrations=25,
    forks=0,
    execs=0,
    exits=0,
    latency=((40, 98), (80, 2)),
    burst=((60, 80),),
    wakes=((1, 10),),
)
WAKER = replace(NONE, name="messenger", run_ns=100 * MS, wait_ns=0, wakeups=20, wakes=((0, 60), (1, 5)), latency=())
READING = ProbeReading(
    duration_ns=1000 * MS,
    slot_ns=10 * MS,
    timer_wakeups=25,
    lost=0,
    classes=(NONE, WAKER),
    slots=(ProbedSlot(run_ns=1, wait_ns=1, latency_max_ns=1),),
)


def figures(found: ProbeReading) -> dict[str, float]:
    return {one.name: one.value for one in probed_figures(found, cpus=2)}


def test_the_figures_of_all_classes() -> None:
    found = figures(READING)
    assert found["probed_parallelism"] == pytest.approx(0.35)
    assert found["queue_length_mean"] == pytest.approx(0.2)
    life = 700 + 200 + 200 + 200
    assert found["wait_share"] == pytest.approx(200 / life, rel=1e-5)
    assert found["sleep_share"] == pytest.approx(200 / life, rel=1e-5)
    assert found["probed_wakeups_per_s"] == 100
    assert found["timer_wakeup_share"] == 0.25
    assert found["migrations_per_switch"] == 0.25
    assert all(one.how.startswith("probes: ") for one in probed_figures(READING, cpus=2))


def test_what_nothing_was_counted_for_is_left_out() -> None:
    found = figures(replace(READING, classes=()))
    assert found == dict.fromkeys(
        ("probed_parallelism", "queue_length_mean", "switches_per_s", "forks_per_s", "execs_per_s"), 0.0
    )


def test_a_quantile_is_within_its_bucket() -> None:
    counts = merged([((40, 50),), ((40, 48), (80, 2))])
    assert counts == ((40, 98), (80, 2))
    for share, bucket in ((0.0, 40), (0.5, 40), (0.98, 40), (0.99, 80), (1.0, 80)):
        low, high = probe_bucket_bounds(bucket)
        found = quantile_ns(counts, share)
        assert found is not None
        assert low <= found < high
    assert quantile_ns((), 0.5) is None


def test_who_wakes_whom_most_often_first() -> None:
    edges = wake_graph(READING)
    assert [(one.waker, one.woken, one.times) for one in edges] == [
        ("messenger", "worker", 60),
        ("worker", "messenger", 10),
        ("messenger", "messenger", 5),
    ]
    assert edges[0].share == 0.6
    assert wake_graph(READING, most=1) == edges[:1]


def test_the_busiest_first() -> None:
    assert [one.name for one in busiest(READING)] == ["worker", "messenger"]
    assert [one.name for one in busiest(READING, most=1)] == ["worker"]
