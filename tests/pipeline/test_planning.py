"""What the simulator runs is what was profiled."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.profile import Figure
from schedops.pipeline.planning import as_profiled
from tests.fakes.dossier import PROFILE
from tests.fakes.workloads import batch, builds


def profiled(us_per_work):
    return replace(PROFILE, figures=(Figure(name="us_per_work", value=us_per_work, unit="us", how="measured"),))


def test_jobs_take_what_they_took_in_the_profiled_run():
    twice = profiled(0.010)  # the simulator's is 5 ns
    assert as_profiled(batch(), twice).batch.job_work == 2 * batch().batch.job_work
    assert as_profiled(builds(), twice).builds.job_work == 2 * builds().builds.job_work
    assert as_profiled(batch(), profiled(0.005)) == batch()


def test_a_profile_without_a_run_changes_nothing():
    assert as_profiled(batch(), replace(PROFILE, figures=())) == batch()
