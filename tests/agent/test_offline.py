from dataclasses import replace
from pathlib import Path

import pytest

from schedops.agent.created import source_from
from schedops.agent.offline import OfflinePlanner
from schedops.agent.planner import Brief, Workbench
from schedops.analyze import stage as analyze
from schedops.errors import InputError, Refused, Undecided
from schedops.model.jobs import Hint, Hints
from schedops.model.plan import Plan
from schedops.model.policy import Capabilities, ParamValue, PolicySource
from schedops.model.profile import ClassFinding, Profile
from schedops.model.verdict import Verdict
from schedops.model.workload import Guard, Objective
from schedops.repository import load_workload
from tests.fakes.guest import IMAGE, Clock, Machines, Progress, Script
from tests.fakes.lab import Lab, terms
from tests.fakes.learnt import OUTCOME
from tests.fakes.workloads import batch, builds, param, policy


def lower(metric):
    return Objective(metric=metric, unit="ratio", direction="lower", min_effect=0.05)


BUILDS = builds(
    objectives=(lower("mean_build_time_per_floor"),),
    guards=(Guard(metric="all_done_per_floor", unit="ratio", direction="lower", max_harm=0.1, hard=True),),
)
BATCH = batch(objectives=(lower("makespan_per_floor"), lower("mean_completion_per_floor")))
SLICE = param("slice_us", 5000, 500, 20_000)
LIBRARY = tuple(
    PolicySource(policy=one, path=f"policies/library/{one.name}", text="")
    for one in (
        policy(
            "build-order",
            classes=("saturating-groups",),
            tags=("builds", "fifo-by-group", "ci"),
            params=(SLICE,),
            loses_when="A small build waits\nbehind a big one.",
        ),
        policy("fifo", classes=("cpu-bound",), tags=("fifo",), capabilities=Capabilities()),
        policy(
            "long-first",
            classes=("uneven-batch",),
            tags=("longest-first", "makespan"),
            capabilities=Capabilities(hints=True),
            params=(SLICE, param("long_ms", 0, 0, 86_400_000, "ms")),
        ),
        policy("weighted-vtime", classes=("cpu-bound", "mixed"), tags=("vtime",), capabilities=Capabilities()),
    )
)


def plan(workload, profile, hints, library, history=()):
    brief = Brief(workload=workload, profile=profile, hints=hints, library=tuple(library), history=tuple(history))
    return OfflinePlanner().propose(brief, None).plan


def profiled(workload):
    return analyze.run(
        workload,
        IMAGE,
        cpus=2,
        seed=3,
        scale=1.0,
        machines=Machines(Script()),
        clock=Clock(),
        progress=Progress(),
    )


@pytest.fixture(scope="module")
def of_builds():
    return profiled(BUILDS)


@pytest.fixture(scope="module")
def of_batch():
    return profiled(BATCH)


def test_saturating_groups_get_build_order(of_builds):
    found = plan(BUILDS, *of_builds, LIBRARY)
    assert (found.policy, found.planner, found.uses_hints, found.cost_usd) == ("build-order", "offline", True, 0.0)
    assert found.predicted_metric == "mean_build_time_per_floor"
    assert -0.5 < found.predicted_change < -0.2


def test_hypothesis_says_effect_and_where_the_number_comes_from(of_builds):
    found = plan(BUILDS, *of_builds, LIBRARY)
    assert found.hypothesis.startswith(
        "b is saturating-groups: serving groups in order of arrival, each to its end instead of by fair sharing "
        f"changes mean build time per floor by about {100 * found.predicted_change:+.0f} % against the default "
    )
    assert "quantum model, 6 runs" in found.hypothesis
    assert "loses when: A small build waits behind a big one." in found.reasons


def test_uneven_batch_gets_long_first_with_hints(of_batch):
    found = plan(BATCH, *of_batch, LIBRARY)
    assert (found.policy, found.uses_hints, found.predicted_metric) == ("long-first", True, "makespan_per_floor")
    assert -0.35 < found.predicted_change < -0.15


def test_uneven_batch_without_hints_does_not_claim_them(of_batch):
    found = plan(BATCH, of_batch[0], None, LIBRARY)
    assert not found.uses_hints
    assert not any(value.name == "long_ms" for value in found.params)
    assert (found.policy, found.predicted_change) == ("long-first", 0.0)
    assert "reads hints, and none are at hand" in found.reasons


def test_long_threshold_is_in_the_gap_of_the_hints(of_batch):
    lengths = [100_000, 110_000, 90_000, 105_000, 400_000]
    known = Hints(
        workload="w",
        hints=tuple(
            Hint(key=str(n), cpu_us=us, n=1, spread=None, measured="2026-11-21") for n, us in enumerate(lengths)
        ),
    )
    found = plan(BATCH, of_batch[0], known, LIBRARY)
    assert ParamValue(name="long_ms", value=210) in found.params


def test_level_hints_choose_no_threshold(of_batch):
    level = Hints(workload="w", hints=tuple(replace(hint, cpu_us=100_000) for hint in of_batch[1].hints))
    assert [value.name for value in plan(BATCH, of_batch[0], level, LIBRARY).params if value.name == "long_ms"] == []


@pytest.mark.parametrize(
    ("median_ms", "expected"),
    [(32.0, 2000), (46.0, 3000), (1.0, 500), (10_000.0, 20_000), (80.0, None)],
)
def test_slice_follows_the_median_job_within_the_range(of_builds, median_ms, expected):
    profile = replace(of_builds[0], cpu_ms_quantiles=(0.0, 0.0, median_ms, 0.0, 0.0, 0.0))
    found = {value.name: value.value for value in plan(BUILDS, profile, of_builds[1], LIBRARY).params}
    assert found.get("slice_us") == expected


def test_every_other_policy_is_an_alternative_with_a_reason(of_builds):
    found = plan(BUILDS, *of_builds, LIBRARY)
    assert sorted(one.policy for one in found.alternatives) == ["fifo", "long-first", "weighted-vtime"]
    assert all(one.why for one in found.alternatives)
    assert [one.score for one in found.alternatives] == sorted((o.score for o in found.alternatives), reverse=True)


def test_policy_that_failed_before_goes_to_the_end(of_builds):
    failed = replace(OUTCOME, workload=BUILDS.name, verdict=Verdict.FAIL)
    found: Plan = plan(BUILDS, *of_builds, LIBRARY, [failed])
    assert found.policy in {"fifo", "weighted-vtime"}
    assert found.alternatives[-1].policy == "build-order"
    assert (
        "failed here before, 2026-11-21: mean build time per floor -29.2% against eevdf" in found.alternatives[-1].why
    )
    passed = replace(failed, verdict=Verdict.PASS, created="2026-11-22T00:00:00Z")
    assert plan(BUILDS, *of_builds, LIBRARY, [failed, passed]).policy == "build-order"
    assert plan(BUILDS, *of_builds, LIBRARY, [replace(failed, rung="simulated")]).policy == "build-order"


def test_policy_without_a_model_is_tried_without_a_prediction(of_builds):
    found = plan(BUILDS, *of_builds, (LIBRARY[1],))
    assert (found.policy, found.predicted_change) == ("fifo", 0.0)
    assert found.hypothesis.endswith("nothing is predicted, only tried.")


def test_library_order_does_not_matter(of_builds):
    assert plan(BUILDS, *of_builds, LIBRARY) == plan(BUILDS, *of_builds, LIBRARY[::-1])


def test_empty_library_is_refused(of_builds):
    with pytest.raises(InputError) as empty:
        plan(BUILDS, *of_builds, ())
    assert empty.value.code == "library-empty"


@pytest.mark.parametrize("name", ["idle", "unheard-of"])
def test_class_that_no_policy_is_meant_for_is_refused(of_builds, name):
    profile = replace(of_builds[0], classes=(ClassFinding(name=name, because=""),))
    with pytest.raises(Refused) as nothing:
        plan(BUILDS, profile, of_builds[1], LIBRARY)
    assert nothing.value.code == "nothing-to-try"


def tried(workload, profile, hints, formula, **changes):
    bench = Workbench(lab=Lab(formula), terms=terms(workload, **changes), told=lambda tried, words: None)
    brief = Brief(workload=workload, profile=profile, hints=hints, library=LIBRARY)
    return OfflinePlanner().propose(brief, bench)


def times(**per_policy):
    """Metrics of BATCH: of each arm or policy what the two objectives come to, 100 where nothing is said."""

    def formula(name, values, seed):
        makespan, mean = per_policy.get(name.replace("-", "_"), (100.0, 100.0))
        return {"makespan_per_floor": makespan + seed % 3, "mean_completion_per_floor": mean + seed % 3}

    return formula


def test_the_search_decides_between_policies_and_its_figures_are_predicted(of_batch):
    found = tried(BATCH, *of_batch, times(weighted_vtime=(70.0, 90.0), informed_default=(101.0, 101.0)))
    assert (found.plan.policy, found.candidate.name) == ("weighted-vtime", "weighted-vtime")
    assert found.plan.predicted_metric == "makespan_per_floor"
    assert found.plan.predicted_change == pytest.approx(-0.3, abs=0.01)
    assert "10 fresh seeds of the simulator (flat-2)" in found.plan.hypothesis
    assert not found.plan.settings_only
    assert any("long-first" in why and "clearly better" in why for why in found.plan.reasons)


def test_settings_are_proposed_when_no_policy_adds_to_them(of_batch):
    found = tried(BATCH, *of_batch, times(informed_default=(70.0, 98.0), long_first=(69.0, 97.0)))
    assert found.plan.settings_only
    assert found.plan.hypothesis.startswith("No policy is needed: settings of the default scheduler alone")
    assert "makespan per floor -2" in found.plan.hypothesis


def test_settings_that_harm_another_objective_are_not_enough(of_batch):
    found = tried(BATCH, *of_batch, times(informed_default=(70.0, 140.0), long_first=(69.0, 97.0)))
    assert (found.plan.policy, found.plan.settings_only) == ("long-first", False)


def test_what_the_simulator_cannot_run_leaves_the_rules_to_decide(of_batch):
    found = tried(BATCH, *of_batch, lambda name, values, seed: "unsupported: no such kfunc")
    assert found.search.ended == "failed"
    assert found.plan.policy == "long-first"
    assert any("no such kfunc" in why for why in found.plan.reasons)
    assert "quantum model" in found.plan.hypothesis


def test_what_passed_before_is_tried_first_with_its_values(of_batch):
    values = (ParamValue(name="slice_us", value=700),)
    known = replace(OUTCOME, policy="long-first", workload=BATCH.name, params=values)
    brief = Brief(workload=BATCH, profile=of_batch[0], hints=of_batch[1], library=LIBRARY, history=(known,))
    bench = Workbench(lab=Lab(times(long_first=(70.0, 80.0))), terms=terms(BATCH), told=lambda tried, words: None)
    found = OfflinePlanner().propose(brief, bench).search
    learnt = [(one.number, one.candidate, one.params) for one in found.trials if one.origin == "learnt"]
    assert learnt == [(2, "long-first", values)]
    strange = replace(known, params=(ParamValue(name="gone", value=1),))
    again = OfflinePlanner().propose(replace(brief, history=(strange,)), bench).search
    assert all(one.origin != "learnt" for one in again.trials)


def test_a_policy_is_created_where_the_library_has_none_that_is_good_enough(of_batch):
    def formula(name, values, seed):
        makespan = 60.0 if name.startswith("long-first-") else 100.0
        return {"makespan_per_floor": makespan + seed % 3, "mean_completion_per_floor": 100.0 + seed % 3}

    found = tried(BATCH, *of_batch, formula)
    assert found.plan.pathway == "create"
    assert found.plan.recipe.startswith("order=long-first")
    assert "of the jobs that hints know the long ones first" in found.plan.hypothesis
    assert found.plan.reasons[0].startswith("nothing in the library is good enough")
    names = [one.candidate for one in found.search.trials]
    assert "long-first" in names
    assert found.search.trials[found.search.chosen].candidate == found.candidate.name == found.plan.policy
    assert [one.number for one in found.search.trials] == list(range(len(names)))
    again = source_from(found.plan.recipe, LIBRARY, [one.name for one in of_batch[0].classes])
    assert again == found.candidate.source


def test_nothing_is_created_when_the_library_was_asked_for(of_batch):
    formula = times(long_first=(99.0, 100.0))
    bench = Workbench(lab=Lab(formula), terms=terms(BATCH, trials=16), told=lambda tried, words: None)
    brief = Brief(workload=BATCH, profile=of_batch[0], hints=of_batch[1], library=LIBRARY)
    assert OfflinePlanner().propose(replace(brief, pathway="configure"), bench).plan.pathway == "configure"
    either = OfflinePlanner().propose(brief, bench).plan
    assert either.pathway == "configure"
    assert either.reasons[-1].startswith("no new policy instead: no policy was composed")


def test_creating_without_trying_is_refused(of_batch):
    brief = Brief(workload=BATCH, profile=of_batch[0], hints=of_batch[1], library=LIBRARY, pathway="create")
    with pytest.raises(Undecided) as nothing:
        OfflinePlanner().propose(brief, None)
    assert nothing.value.code == "nothing-created"


def test_a_workload_without_jobs_is_planned_by_what_it_is_and_by_trying():
    served = load_workload(Path(__file__).parents[2], "nginx-like")
    profile = Profile(
        workload=served.name,
        kernel="none",
        cpus=2,
        seed=1,
        accelerator="none",
        figures=(),
        classes=(ClassFinding(name="mixed", because="requests"),),
        cpu_ms_quantiles=(),
        tier="summary",
    )

    def formula(name, values, seed):
        return {"request_p99_us": 50.0 if name == "fifo" else 100.0 + seed % 3, "requests_per_s": 100.0}

    without = plan(served, profile, None, LIBRARY)
    assert (without.policy, without.predicted_change) == ("weighted-vtime", 0.0)
    assert tried(served, profile, None, formula, trials=12).plan.policy == "fifo"
