from __future__ import annotations

import math
import re

import pytest

from schedops.model.policy import Policy
from schedops.repository.embed import HashedEmbedder
from schedops.repository.words import gloss_of, stem, thesaurus_bytes, words_of
from schedops.schema.files import data_dir
from schedops.schema.read import load


def concepts(text: str) -> set[str]:
    return {concept for word in words_of(text) for concept in word.concepts}


def cosine(first: str, second: str) -> float:
    one, other = HashedEmbedder().embed([first, second])
    return sum(a * b for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("first", "second"),
    [("building", "builds"), ("latency", "latencies"), ("running", "run"), ("queues", "queue"), ("learnt", "learned")],
)
def test_forms_of_a_word_have_one_stem(first, second):
    assert stem(first) == stem(second)


def test_a_timer_is_no_time():
    assert stem("timers") != stem("times")


def test_a_phrase_means_what_its_words_do_not():
    assert "latency" in concepts("time to response")
    assert "tail" in concepts("tail latency")
    assert words_of("tail latency")[0].text == "tail latency"
    assert "slice" in concepts("many context switches")


def test_words_that_are_denied_are_left_out():
    assert [word.text for word in words_of("no desktop, cache")] == ["cache"]
    assert [word.text for word in words_of("without the latency of a cache")] == ["cache"]


def test_what_happens_beside_what_is_asked_for_counts_half():
    weights = {
        word.text: word.weight for word in words_of("desktop stutters while compiling. Cache! When idle, latency")
    }
    assert weights == {"desktop": 1.0, "stutters": 1.0, "compiling": 0.5, "cache": 1.0, "idle": 0.5, "latency": 1.0}


def test_stop_words_say_nothing():
    assert words_of("what is it that you want from me") == ()


def test_the_thesaurus_is_well_formed():
    seen = set()
    for line in thesaurus_bytes().decode().splitlines():
        if line and not line.startswith("#"):
            head, _, text = line.partition(": ")
            assert re.fullmatch(r"(class )?[a-z-]+", head), line
            assert head not in seen
            seen.add(head)
            assert all(phrase.strip() for phrase in text.split(",")), line


def test_every_class_of_a_profile_is_described():
    for path in (data_dir("policies") / "library").glob("*/policy.yaml"):
        for name in load(path, Policy).classes:
            assert gloss_of(name), name


def test_vectors_have_length_one_and_are_the_same_everywhere():
    (vector,) = HashedEmbedder().embed(["latency of a web server"])
    assert math.isclose(sum(value * value for value in vector), 1.0)
    assert len(vector) == HashedEmbedder().dimensions
    assert set(HashedEmbedder().embed([""])[0]) == {0.0}


def test_a_misspelt_word_and_one_of_the_same_meaning_are_nearer_than_any_other():
    wanted = "scheduler for hyperthreading"
    assert cosine(wanted, "hyperthreding") > cosine(wanted, "database") + 0.1
    assert cosine("web server", "rpc") > cosine("web server", "hyperthreading")
