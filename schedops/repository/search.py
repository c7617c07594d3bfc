"""Policies for a few words: BM25 over names, tags, classes and descriptions, every hit with its reasons."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schedops.model.policy import Policy

# Robertson and Zaragoza 2009, the usual values.
_K1 = 1.2
_B = 0.75
# How much a word counts where it stands. What a policy loses on is left out: it would match what it is bad at.
_WEIGHTS = {"name": 3.0, "tag": 2.0, "class": 2.0, "description": 1.0}
_SUFFIXES = ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "ed", "er", "es", "s", "y", "e")
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "of",
        "on",
        "or",
        "that",
        "the",
        "to",
        "with",
    ]
)


@dataclass(frozen=True, slots=True)
class Hit:
    """:param why: where the words were found, ``tag builds``."""

    policy: Policy
    score: float
    why: tuple[str, ...]


def search(policies: Sequence[Policy], words: Sequence[str], *, limit: int = 10) -> tuple[Hit, ...]:
    """Best first, equal ones by name; policies without any of the words are left out."""
    wanted = tuple(dict.fromkeys(_stem(word) for phrase in words for word in _split(phrase)))
    texts = [_terms(policy) for policy in policies]
    lengths = [sum(weight for found in text.values() for _, _, weight in found) for text in texts]
    mean = sum(lengths) / len(lengths) if lengths else 1.0
    rarity = {word: _rarity(len(texts), sum(word in text for text in texts)) for word in wanted}
    hits = []
    for policy, text, length in zip(policies, texts, lengths, strict=True):
        score = sum(rarity[word] * _weight(text.get(word, ()), length / mean) for word in wanted)
        if score > 0:
            hits.append(Hit(policy, round(score, 3), _why(text, wanted)))
    return tuple(sorted(hits, key=lambda hit: (-hit.score, hit.policy.name))[:limit])


_Term = tuple[str, str, float]  # field, the field's own words, weight


def _terms(policy: Policy) -> dict[str, list[_Term]]:
    found: dict[str, list[_Term]] = {}
    fields = [
        ("name", policy.name),
        *(("tag", tag) for tag in policy.tags),
        *(("class", name) for name in policy.classes),
    ]
    for field, value in fields:
        for word in _split(value):
            found.setdefault(_stem(word), []).append((field, value, _WEIGHTS[field]))
    for word, times in Counter(_split(policy.description)).items():
        found.setdefault(_stem(word), []).append(("description", word, _WEIGHTS["description"] * times))
    return found


def _weight(found: Sequence[_Term], relative_length: float) -> float:
    frequency = sum(weight for _, _, weight in found)
    return frequency * (_K1 + 1) / (frequency + _K1 * (1 - _B + _B * relative_length))


def _rarity(policies: int, having: int) -> float:
    # The form that stays positive when most policies have the word.
    return math.log(1 + (policies - having + 0.5) / (having + 0.5))


def _why(text: dict[str, list[_Term]], wanted: Sequence[str]) -> tuple[str, ...]:
    order = list(_WEIGHTS)
    found = {(field, value) for word in wanted for field, value, _ in text.get(word, ())}
    return tuple(f"{field} {value}" for field, value in sorted(found, key=lambda why: (order.index(why[0]), why[1])))


def _split(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in _STOP]


def _stem(word: str) -> str:
    """Cuts one common ending, so that "building", "builds" and "build" meet."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    # "running" and "run", "scheduled" and "schedule".
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
