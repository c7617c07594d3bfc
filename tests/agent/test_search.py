import math

import pytest

from schedops.agent.compose.space import RecipeSpace
from schedops.agent.lab import Candidate
from schedops.agent.search import AT_ONCE, create, search
from schedops.agent.space import grid, is_searched, with_values
from schedops.agent.trials import Bench
from schedops.agent.value import value_of
from schedops.model.policy import PolicySource
from schedops.model.search import Search
from schedops.model.workload import Guard, Objective, Slo
from schedops.schema.canonical import canonical_bytes
from schedops.schema.read import load
from schedops.schema.write import yaml_bytes
from tests.fakes.lab import Lab, is_default, terms
from tests.fakes.workloads import builds, param, policy

TIME = Objective(metric="time", unit="ms", direction="lower", min_effect=0.05)
RATE = Objective(metric="rate", unit="1/s", direction="higher", min_effect=0.05)
WORK = Guard(metric="work", unit="ms", direction="lower", max_harm=0.1, hard=True)
WORKLOAD = builds(objectives=(TIME,), guards=(WORK,))


def source(name="ours", **changes):
    found = policy(name, params=(param("slice_us", 5000, 500, 20_000), param("idle_us", 100, 1, 10_000)), **changes)
    return PolicySource(policy=found, path=name, text="")


OURS = Candidate("ours", source())


def bowl(best_us):
    """The nearer slice_us is to *best_us*, the shorter; idle_us does nothing."""

    def formula(name, values, seed):
        if is_default(name):
            return {"time": 100.0 + seed, "work": 10.0}
        away = abs(math.log(values["slice_us"] / best_us))
        return {"time": (100.0 + seed) * (0.6 + 0.1 * away), "work": 10.0}

    return formula


def found_by(formula, workload=WORKLOAD, begins=((OURS, "default"),), lab=None, **changes):
    told = []
    lab = lab or Lab(formula)
    return search(terms(workload, **changes), begins, lab=lab, told=lambda tried, words: told.append((tried, words)))


def values(trial):
    return {one.name: one.value for one in trial.params}


def test_the_best_value_is_found_and_what_does_nothing_goes_back():
    found = found_by(bowl(1250))
    chosen = values(found.trial(found.chosen))
    assert found.chosen == found.winner != found.planned
    assert 1000 <= chosen["slice_us"] <= 1500
    assert "idle_us" not in chosen
    assert "clearly better" in found.because


def test_who_is_best_already_stands():
    found = found_by(bowl(5000))
    assert found.chosen == found.planned
    assert found.trials[found.chosen].origin == "default"


def test_a_winner_by_luck_on_the_training_seeds_is_not_taken():
    def formula(name, values, seed):
        lucky = not is_default(name) and values["slice_us"] == 500 and seed < 100
        return {"time": 50.0 if lucky else 100.0, "work": 1.0}

    found = found_by(formula, trials=60)
    assert values(found.trial(found.winner))["slice_us"] == 500
    assert found.chosen == found.planned
    assert "not clearly better" in found.because


def test_same_seed_same_bytes_and_the_document_is_valid():
    one, two, other = (found_by(bowl(1250), seed=seed) for seed in (1, 1, 2))
    assert canonical_bytes(one) == canonical_bytes(two) != canonical_bytes(other)


def test_all_that_was_tried_is_listed_once_and_within_the_budget():
    found = found_by(bowl(1250), trials=30)
    assert [one.number for one in found.trials] == list(range(len(found.trials)))
    tried = [(one.candidate, one.params) for one in found.trials]
    assert len(tried) == len(set(tried)) <= 30
    assert found.ended == "trials"
    assert {one.state for one in found.trials} == {"complete", "pruned"}
    assert all(one.seeds < 8 for one in found.trials if one.state == "pruned")


def test_no_candidate_was_chosen_by_a_fresh_seed():
    lab = Lab(bowl(1250))
    found = found_by(None, lab=lab)
    fresh = {label for label, seed in lab.asked if seed >= 100}
    assert len(fresh) <= 4  # two defaults, the winner and the planned one
    last_training = max(at for at, (_, seed) in enumerate(lab.asked) if seed < 100)
    assert min(at for at, (_, seed) in enumerate(lab.asked) if seed >= 100) > last_training
    assert not set(found.training_seeds) & set(found.fresh_seeds)


def test_the_budget_in_seconds_ends_it_and_says_so():
    found = found_by(None, lab=Lab(bowl(1250), seconds_a_run=1.0), seconds=60.0)
    assert found.ended == "time"
    assert len(found.trials) < 40
    assert found.chosen >= 0


def test_a_small_space_ends_it():
    only = PolicySource(policy=policy("ours", params=(param("on", 0, 0, 1, "switch"),)), path="ours", text="")
    found = found_by(
        lambda name, values, seed: {"time": 1.0 + values.get("on", 0), "work": 1.0},
        begins=((Candidate("ours", only), "default"),),
    )
    assert found.ended == "space"
    assert len(found.trials) == 3  # settings, off, on


def test_a_broken_guard_outweighs_any_gain():
    def formula(name, values, seed):
        heavy = not is_default(name) and values["slice_us"] < 3000
        return {"time": 100.0 if is_default(name) else values["slice_us"] / 100, "work": 2.0 if heavy else 1.0}

    found = found_by(formula)
    assert values(found.trial(found.chosen))["slice_us"] >= 3000


def test_the_better_policy_wins_the_race_and_the_planned_one_is_named():
    def formula(name, values, seed):
        return {"time": {"ours": 100.0, "theirs": 60.0}.get(name, 110.0), "work": 1.0}

    theirs = Candidate("theirs", source("theirs"))
    found = found_by(formula, begins=((OURS, "planner"), (theirs, "planner")))
    assert found.trials[found.planned].candidate == "ours"
    assert found.trials[found.chosen].candidate == "theirs"


@pytest.mark.parametrize("broken", ["eevdf", "ours"])
def test_what_cannot_be_run_chooses_nothing_and_says_why(broken):
    found = found_by(lambda name, values, seed: "fault: null pointer" if name == broken else {"time": 1.0, "work": 1.0})
    assert (found.ended, found.chosen) == ("failed", -1)
    assert "null pointer" in found.because


def test_a_planned_one_that_fails_gives_way():
    def formula(name, values, seed):
        return "ejected" if name == "ours" else {"time": 50.0 if name == "theirs" else 100.0, "work": 1.0}

    found = found_by(formula, begins=((OURS, "planner"), (Candidate("theirs", source("theirs")), "planner")))
    assert found.trials[found.chosen].candidate == "theirs"
    assert found.trials[found.planned].state == "failed"


def test_a_missing_figure_is_a_failure_and_never_good():
    def formula(name, values, seed):
        return {"time": 100.0, "work": 1.0} if is_default(name) or values["slice_us"] == 5000 else {"work": 1.0}

    found = found_by(formula)
    assert found.chosen == found.planned
    assert any(one.state == "failed" and "no figure" in one.note for one in found.trials)


def test_the_document_can_be_read_back():
    found = found_by(bowl(1250))
    assert load(yaml_bytes(found), Search) == found


def test_value_is_what_the_gate_asks():
    both = builds(objectives=(TIME, RATE), guards=(WORK,), slos=(slo(bound=150),))
    base = [{"time": 100.0, "rate": 10.0, "work": 1.0}]
    better = [{"time": 80.0, "rate": 12.5, "work": 1.0}]
    assert value_of(both, base, base, better).value == pytest.approx(math.log(0.8))
    assert value_of(both, base, better, base).broken == pytest.approx(2 * (math.log(1.25) - math.log(1.05)))
    heavy = [{"time": 80.0, "rate": 12.5, "work": 1.2}]
    assert value_of(both, base, base, heavy).broken == pytest.approx(math.log(1.2 / 1.1))
    late = [{"time": 200.0, "rate": 10.0, "work": 1.0}]
    assert value_of(both, base, [], late).broken == pytest.approx(math.log(2 / 1.05) + math.log(200 / 150))
    assert value_of(both, base, base, [{"time": 80.0}]).value is None


def slo(bound):
    return Slo(metric="time", unit="ms", direction="lower", bound=bound, hard=True)


def test_grid_holds_the_default_and_both_ends():
    found = grid(param("slice_us", 1000, 500, 20_000))
    assert {500, 1000, 20_000} <= set(found)
    assert found == tuple(sorted(found))
    assert all(500 <= value <= 20_000 for value in found)
    assert grid(param("on", 0, 0, 1)) == (0, 1)


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (param("slice_us", 1000, 500, 20_000), True),
        (param("on", 0, 0, 1, "switch"), True),
        (param("long_ms", 0, 0, 1000, "ms"), False),
        (param("build_level", 1, 1, 16, "levels"), False),
        (param("fixed", 7, 7, 7), False),
    ],
)
def test_what_is_no_matter_of_choice_is_not_searched(one, wanted):
    assert is_searched(one) is wanted


def test_defaults_are_left_out_of_the_values():
    assert with_values(source(), {"slice_us": 5000, "idle_us": 7}).params[0].name == "idle_us"


def test_a_batch_is_the_same_on_every_machine():
    bench = Bench(terms(WORKLOAD), Lab(bowl(1250)), lambda tried, words: None)
    assert AT_ONCE == 4, "another size draws other candidates: committed answers change"
    assert bench.left() == 40


def created_by(formula, **changes):
    space = RecipeSpace({"fair.h": "", "schedops.h": ""}, ("mixed",), hinted=True)
    return create(terms(WORKLOAD, **changes), space, lab=Lab(formula), told=lambda tried, words: None)


def test_a_policy_is_created_that_says_what_it_is_and_has_no_rule_too_many():
    def formula(name, values, seed):
        return {"time": 60.0 if name.startswith("groups-by-remaining") else 100.0, "work": 1.0}

    found = created_by(formula)
    chosen = found.trial(found.chosen)
    assert chosen.recipe == "order=groups-by-remaining inside=turns plain=fair place=any-idle kick=none"
    assert chosen.params == ()


def test_nothing_is_created_that_is_no_better_than_the_default():
    found = created_by(lambda name, values, seed: {"time": 100.0 + seed % 2, "work": 1.0}, trials=16)
    assert found.chosen == -1
    assert "not clearly better" in found.because


def test_nothing_is_created_that_breaks_a_guard():
    def formula(name, values, seed):
        return {"time": 100.0, "work": 1.0} if is_default(name) else {"time": 50.0, "work": 1.5}

    found = created_by(formula, trials=16)
    assert found.chosen == -1
    assert "breaks what must hold" in found.because


def test_settings_ahead_of_every_policy_leave_a_policy_to_compare_with():
    def formula(name, values, seed):
        return {"time": {"eevdf": 100.0, "informed-default": 50.0}.get(name, 90.0), "work": 1.0}

    found = found_by(formula)
    assert found.trial(found.chosen).candidate == "ours"
