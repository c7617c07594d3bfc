"""What is said before anything is measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.gate.foresight import PRIOR_SPREAD, foresee, in_words, seconds_a_round
from tests.fakes.measurements import measurements, objective, scaled, three_arms, workload

LOOKS = (10, 20, 30)
QUIET = measurements(three_arms())
LOUD = measurements(
    {
        "eevdf": {"makespan": scaled(100)},
        "informed": {"makespan": scaled(100, (0.8, 1.25) * 5)},
        "candidate": {"makespan": scaled(80, (1.25, 0.8) * 5)},
    }
)


def test_without_history_a_prior_is_assumed_and_said() -> None:
    (found,) = foresee(workload(), LOOKS, ())
    assert (found.spread, found.runs) == (PRIOR_SPREAD, 0)
    assert found.pairs > LOOKS[-1]
    assert in_words(found, None) == (
        f"an effect of 5 % on makespan is told from none after 10 rounds {100 * found.chances[0]:.0f} %, "
        f"20 rounds {100 * found.chances[1]:.0f} %, 30 rounds {100 * found.chances[2]:.0f} %; "
        f"{found.pairs} pairs for 80%, more than the 30 that are planned (noise 9.0 % a pair, assumed)"
    )


def test_noise_is_what_earlier_runs_had() -> None:
    (quiet,), (loud,), (both,) = (foresee(workload(), LOOKS, runs) for runs in ((QUIET,), (LOUD,), (QUIET, LOUD)))
    assert (quiet.runs, loud.runs, both.runs) == (1, 1, 2)
    assert quiet.spread < 0.03 < both.spread < loud.spread
    assert quiet.pairs <= 10 < both.pairs < loud.pairs
    assert quiet.chances[0] > 0.95 > loud.chances[0]


def test_a_run_that_did_not_read_the_metric_says_nothing() -> None:
    (found,) = foresee(workload(objectives=(objective("latency"),)), LOOKS, (QUIET,))
    assert (found.runs, found.spread) == (0, PRIOR_SPREAD)


def test_time_follows_from_earlier_runs() -> None:
    assert seconds_a_round(()) is None
    assert seconds_a_round((replace(QUIET, seconds=50.0),)) == pytest.approx(5.0)
    (found,) = foresee(workload(), LOOKS, (QUIET,))
    assert f"about {5 * found.pairs} s (noise" in in_words(found, 5.0)
    assert f"about {found.pairs * 2} min" in in_words(found, 120.0)


def test_equal_figures_promise_no_miracle() -> None:
    same = measurements({arm: {"makespan": [100.0] * 10} for arm in ("eevdf", "informed", "candidate")})
    (found,) = foresee(workload(), LOOKS, (same,))
    assert found.pairs == 7  # what an interval takes at this level
