"""Sentences of the grammar: every one is a policy, says what it does, and breaks no rule of the verifier."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.agent.compose.recipe import Recipe, recipe_of, recipes, words
from schedops.agent.compose.source import compose
from schedops.agent.compose.space import RecipeSpace
from schedops.agent.created import headers_of, source_from
from schedops.model.machine import flat_machine
from schedops.model.policy import Policy
from schedops.model.simulation import SimVerdict
from schedops.pipeline.simulation import Load, one_run
from schedops.ports import SimScheduler
from schedops.repository import load_policies, load_workload
from schedops.schema.read import load
from schedops.schema.write import yaml_bytes
from schedops.verify.source.check import check_source

ROOT = Path(__file__).parents[3]
ALL = tuple(recipes())
LIBRARY = load_policies(ROOT)
HEADERS = headers_of(LIBRARY)
# Each rule at least once, and those that the bars ask for.
SAMPLE = (
    Recipe(),
    Recipe(plain="turns", place="previous-idle"),
    Recipe(plain="short-bursts", kick="latency", place="whoever-is-first"),
    Recipe("groups-by-arrival", "shortest-first", "turns", kick="latency"),
    Recipe("groups-by-arrival", "begun-first"),
    Recipe("groups-by-remaining", "longest-first"),
    Recipe("groups-by-remaining", "turns", "short-bursts", "whoever-is-first"),
    Recipe("long-first", "in-order"),
    Recipe("long-first", "turns", "turns", "previous-idle", "latency"),
    Recipe("in-order", place="whoever-is-first"),
    Recipe("longest-first", plain="short-bursts"),
    Recipe("shortest-first", kick="latency"),
)


def made(recipe):
    return compose(recipe, HEADERS, classes=("mixed",))


def test_a_sentence_is_read_back_and_has_a_name_of_its_own():
    assert all(recipe_of(str(one)) == one for one in ALL)
    assert len({one.name for one in ALL}) == len(ALL) > 200


@pytest.mark.parametrize("text", ["", "order=none", "order=up inside=turns plain=fair place=any-idle kick=none x=1"])
def test_what_is_no_sentence_is_refused(text):
    with pytest.raises(ValueError, match="no recipe"):
        recipe_of(text)


def test_rules_that_do_not_go_together_are_refused():
    with pytest.raises(ValueError, match="inside is 'longest-first'"):
        Recipe("in-order", "longest-first")


def test_words_say_what_comes_first():
    assert words(Recipe("groups-by-remaining", "longest-first")) == (
        "groups of tasks, known by their cgroup, one after the other: by hints the one with the least work left first; "
        "inside of a group the longest job first; all other tasks by weighted virtual time"
    )
    assert words(Recipe("long-first", "in-order")).startswith(
        "of the jobs that hints know the long ones first; the others"
    )
    assert len({words(one) for one in ALL}) == len(ALL)


def test_descriptions_are_documents_and_declare_what_the_source_does():
    for recipe in ALL:
        source = made(recipe)
        assert load(yaml_bytes(source.policy), Policy) == source.policy
        assert ("HINTS_MAP" in source.text) is source.policy.capabilities.hints
        assert ("cgroup" in source.text.split("*/", 1)[1]) is source.policy.capabilities.cgroups
        declared = re.findall(r"^const volatile u64 (\w+) = (\d+);$", source.text, flags=re.MULTILINE)
        assert declared == [(one.name, str(one.default)) for one in source.policy.params]
        body = source.text.split("struct exit_record", 1)[1]
        assert [one.name for one in source.policy.params if body.count(one.name) < 2] == []


def test_nothing_leaks_of_who_a_task_is():
    leaks = re.compile(r"\b(comm|pid|tgid|uid|cred|parent|exe_file|bpf_get_current\w*)\b")
    assert [str(one) for one in ALL if leaks.search(made(one).text.split("*/", 1)[1])] == []


def test_same_sentence_same_bytes():
    assert [made(one).text for one in SAMPLE] == [made(one).text for one in SAMPLE]
    assert source_from(str(SAMPLE[0]), LIBRARY, ("mixed",)) == made(SAMPLE[0])


@pytest.mark.parametrize("recipe", SAMPLE, ids=str)
def test_no_rule_of_the_verifier_is_broken(recipe):
    assert check_source(made(recipe)) == ()


@pytest.mark.parametrize("recipe", SAMPLE[3:9:2], ids=str)
def test_it_runs(recipe, sim_modules):
    load = Load(workload=load_workload(ROOT, "ci-builds"), machine=flat_machine(2), scale=0.5)
    run = one_run(load, SimScheduler("made", made(recipe)), "candidate", 1, simulator=WasmSimulator(sim_modules))
    assert run.result.end.verdict == SimVerdict.DONE, run.result.end


def test_without_hints_nothing_asks_for_them():
    space = RecipeSpace(HEADERS, ("mixed",), hinted=False)
    assert {one["order"] for one in space.begins()} == {"none", "groups-by-arrival"}


class First:
    """Takes the first of everything."""

    def whole(self, name, low, high):
        return low

    def choice(self, name, options):
        return options[0]


def test_what_is_put_back_is_the_plainest_sentence():
    space = RecipeSpace(HEADERS, ("mixed",), hinted=True)
    candidate = space.draw(First())
    assert candidate.params
    for aspect in space.aspects(candidate):
        candidate = space.reset(candidate, aspect)
    assert (candidate.params, candidate.recipe) == ((), str(Recipe()))
    assert list(space.aspects(candidate)) == []


def test_a_parameter_that_went_with_its_rule_can_be_put_back():
    space = RecipeSpace(HEADERS, ("mixed",), hinted=True)
    candidate = space.draw(First())
    assert space.reset(candidate, "no_such_parameter") == candidate
