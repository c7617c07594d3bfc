"""Classes by figures: each rule by the figures of a run that was really measured (or nearly), and its edges."""

from __future__ import annotations

import pytest

from schedops.analyze.judge import CLEAR, judge, weigh
from schedops.analyze.rules import RULES, UNKNOWN, Needs
from schedops.model.profile import Figure

BATCH = {
    "tasks": 12, "groups": 1, "starters": 1, "parallelism": 0.89, "runnable_share": 0.37, "blocked_share": 0.11,
    "ended_share": 1.0, "wakeups_per_s": 1.5, "cpu_ms_per_wakeup": 780, "longest_to_median": 7.2,
    "saturating_groups": 1, "job_cpu_share": 0.99, "starter_cpu_share": 0.01, "hog_cpu_share": 0,
    "work_cpu_share": 1.0, "roles": 1,
    "io_pressure": 0.0,
}  # fmt: skip
BUILDS = BATCH | {"groups": 4, "starters": 4, "tasks": 96}
GRAPH = BATCH | {"starters": 62, "tasks": 457, "blocked_share": 0.76, "longest_to_median": 16}
STAGES = BATCH | {
    "starters": 0, "job_cpu_share": 0.15, "work_cpu_share": 0.15, "cpu_ms_per_wakeup": 20, "blocked_share": 0.5,
    "sleeper_cpu_share": 0.85,
}  # fmt: skip
PROBED_STAGES = STAGES | {"served_cpu_share": 0.85, "typical_burst_ms": 9, "timer_wakeup_share": 0.0}
MESSAGES = PROBED_STAGES | {"typical_burst_ms": 0.3, "cpu_ms_per_wakeup": 0.3, "work_cpu_share": 0, "job_cpu_share": 0}
SERVICE = MESSAGES | {
    "ended_share": 0.05, "requests_per_s": 900, "request_cpu_share": 0.16, "request_handed_over": 0.97,
    "hog_cpu_share": 0.6, "timer_wakeup_share": 0.03, "roles": 2,
}  # fmt: skip
TIMERS = SERVICE | {"timer_wakeup_share": 0.9, "timed_burst_ms": 0.1, "hog_cpu_share": 0.87}
for name in ("requests_per_s", "request_cpu_share", "request_handed_over"):
    del TIMERS[name]
DESKTOP = SERVICE | {
    "request_handed_over": 0.0, "request_cpu_share": 0.1, "job_cpu_share": 0.7, "work_cpu_share": 0.7,
    "ended_share": 0.4, "timer_wakeup_share": 0.7, "timed_burst_ms": 1.0, "hog_cpu_share": 0.05,
}  # fmt: skip


def judged(figures):
    return judge([Figure(name=name, value=value, unit="", how="") for name, value in figures.items()])


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (BATCH, "uneven-batch"),
        (BATCH | {"longest_to_median": 1.3}, "even-batch"),
        (BUILDS, "saturating-groups"),
        (GRAPH, "build-graph"),
        (PROBED_STAGES, "pipeline"),
        (MESSAGES, "message-passing"),
        (SERVICE, "request-response"),
        (TIMERS, "latency-critical"),
        (DESKTOP, "mixed"),
        (TIMERS | {"timer_wakeup_share": 0, "hog_cpu_share": 1.0}, "cpu-bound"),
        (BATCH | {"io_pressure": 0.8, "iowait_share": 0.5, "parallelism": 0.2, "work_cpu_share": 0.3}, "io-bound"),
        (DESKTOP | {"io_pressure": 0.8, "iowait_share": 0.0, "parallelism": 0.4}, "mixed"),
        (BATCH | {"parallelism": 0.01, "work_cpu_share": 0.3}, "idle"),
    ],
)
def test_the_class_of_figures_that_are_far_from_every_threshold_is_clear(figures, expected):
    first = judged(figures)[0]
    assert first.name == expected
    assert first.confidence is not None
    assert first.confidence >= (CLEAR if expected != "mixed" else 0.5)
    assert first.because


def test_on_a_threshold_nobody_is_sure():
    first = judged(BATCH | {"longest_to_median": 2.0})[0]
    assert first.name in {"uneven-batch", "even-batch"}
    assert first.confidence == 0.5


def test_without_probes_what_only_they_tell_is_not_clear():
    first = judged(STAGES)[0]
    assert first.confidence == UNKNOWN < CLEAR
    beside = judged(DESKTOP | {"sleeper_cpu_share": 0.3, "job_cpu_share": 0.4, "work_cpu_share": 0.4})[0]
    assert (beside.name, beside.confidence <= UNKNOWN) == ("mixed", True)


def test_requests_make_a_service_only_where_somebody_hands_them_over_and_jobs_do_not_outweigh_it():
    outweighed = SERVICE | {"job_cpu_share": 0.7, "work_cpu_share": 0.7, "hog_cpu_share": 0.05}
    assert judged(outweighed)[0].name == "mixed"
    frames = DESKTOP | {"request_cpu_share": 0.37, "job_cpu_share": 0.43, "work_cpu_share": 0.43}
    assert judged(frames)[0].name == "mixed"
    assert judged(frames | {"request_cpu_share": 0.9, "job_cpu_share": 0.0})[0].name == "request-response"
    unknown = {name: value for name, value in SERVICE.items() if name != "request_handed_over"}
    first = judged(unknown)[0]
    assert (first.name, first.confidence) == ("request-response", UNKNOWN)


def test_what_holds_besides_is_said_after_the_class():
    assert [one.name for one in judged(BATCH)] == ["uneven-batch", "cpu-bound"]
    assert [one.name for one in judged(MESSAGES)][-1] == "wakeup-heavy"


def test_every_rule_is_weighed_with_the_figures_that_it_needs():
    weighed = weigh([Figure(name=name, value=value, unit="", how="") for name, value in BATCH.items()])
    assert {one.name for one in weighed} == {rule.name for rule in RULES}
    best = weighed[0]
    assert best.name == "uneven-batch"
    assert best.needs[0] == (1.0, "the longest job takes 7.2 times the median one", "longest_to_median > 2")
    assert [one.score for one in weighed] == sorted((one.score for one in weighed), reverse=True)


@pytest.mark.parametrize(("value", "fulfilled"), [(0.5, 0.0), (1, 0.0), (2, 0.5), (4, 1.0), (9, 1.0)])
def test_a_need_goes_from_no_to_yes(value, fulfilled):
    need = Needs("burst", 1, 4, "{}", log=True)
    assert need.fulfilled({"burst": value}) == pytest.approx(fulfilled)
    assert Needs("burst", 4, 1, "{}", log=True).fulfilled({"burst": value}) == pytest.approx(1 - fulfilled)
    assert need.threshold == 2
    assert need.fulfilled({}) == 0.0
    assert need.said({}) == "burst is not known"
