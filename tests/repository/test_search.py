from __future__ import annotations

import pytest

from schedops.model.policy import Policy, Provenance
from schedops.repository.search import search


def policy(name: str, description: str = "", tags: str = "", classes: str = "", loses_when: str = "never") -> Policy:
    return Policy(
        name=name, description=description, tags=tuple(tags.split()), classes=tuple(classes.split()),
        source="x.bpf.c", ops_name="x", loses_when=loses_when, provenance=Provenance(author="human", pathway="create"),
    )  # fmt: skip


BUILDS = policy("build-order", "Builds in order of arrival.", "builds ci", "saturating-groups")
FIFO = policy("fifo", "One queue for all tasks of all builds.", "batch", "cpu-bound", loses_when="latency matters")
DESK = policy("interactive", "Head start for tasks that wake up often.", "desktop latency", "wakeup-heavy mixed")
ALL = (BUILDS, FIFO, DESK)


def names(*words: str) -> list[str]:
    return [hit.policy.name for hit in search(ALL, words)]


def test_a_name_and_a_tag_beat_a_description():
    assert names("builds") == ["build-order", "fifo"]


@pytest.mark.parametrize("word", ["build", "Builds", "BUILDING", "build-"])
def test_forms_of_a_word_meet(word):
    assert names(word)[0] == "build-order"


def test_the_reasons_are_said():
    (hit,) = search(ALL, ["latency", "wakeup"])
    assert hit.why == ("tag latency", "class wakeup-heavy")


def test_what_a_policy_loses_on_does_not_recommend_it():
    assert names("latency") == ["interactive"]


def test_several_words_in_one_argument():
    assert names("ci builds") == names("ci", "builds")


@pytest.mark.parametrize("words", [["zzz"], ["the", "of"], [""], ["!?"]])
def test_nothing_found(words):
    assert names(*words) == []


def test_no_policies():
    assert search((), ["builds"]) == ()


def test_equal_scores_go_by_name_and_the_limit_holds():
    many = [policy(f"p{number}", tags="same") for number in (3, 1, 2)]
    assert [hit.policy.name for hit in search(many, ["same"], limit=2)] == ["p1", "p2"]


def test_a_rare_word_counts_more_than_a_common_one():
    assert names("tasks", "desktop")[0] == "interactive"
