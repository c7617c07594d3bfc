"""Which policies answer a few words, a sentence or a workload, and why. Pure: an index finds candidates, which are
ranked here.

The score of a hit is a sum: how much of what was asked its own words cover (BM25, as a share of what is possible), how
near its text is in meaning (cosine of the embedding), whether it is meant for the classes of the workload at hand, what
came of it on similar workloads and machines, and, off it, how much of what was asked is what it loses on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schedops.model.outcome import History, OutcomeMachine
from schedops.model.policy import Policy
from schedops.repository.past import past_of
from schedops.repository.words import CONCEPT, Word, gloss_of, words_of

# How much a word counts where it stands.
FIELD_WEIGHTS = {"name": 1.5, "tag": 3.0, "class": 0.5, "description": 1.5, "detail": 0.4}
CONCEPT_WEIGHT = 0.9  # of a word of nearly the same meaning
EXACT_WEIGHT = 1.2  # of the very word, where what it means is 1
OTHER_WEIGHT = 0.1  # of a word that is none of the field's
LOSES_WHEN = "loses when"
_K1, _B = 6.0, 0.75  # of BM25; the first is high since a field counts up to three times
TEXT, MEANING, CLASS, HISTORY, LOSES = 0.8, 0.2, 0.3, 0.3, 0.15
_NEAR = 0.25  # cosine from which on a hit is said to be near in meaning
_LEAST = 0.08  # score under which a policy has nothing to do with what was asked
_LOSES_SAID = 0.2
_MOST_WHY = 6
_CAPABILITIES = {
    "weights": "honours nice values and weights",
    "hints": "hints: expected run time of jobs from history",
    "group_hints": "hints for groups",
    "cgroups": "tells cgroups apart",
    "partial": "partial switch, chosen tasks only",
    "hotplug": "cpu hotplug",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for.

    :param text: words or sentences of a user, or of the workload at hand.
    :param classes: of the workload at hand, most specific first.
    :param workload: its name; *machine*: where it runs. Outcomes there count most.
    :param only_class: the index leaves out what is not meant for it; *only_tag* likewise.
    """

    text: str = ""
    classes: tuple[str, ...] = ()
    workload: str = ""
    machine: OutcomeMachine | None = None
    only_class: str = ""
    only_tag: str = ""
    limit: int = 10

    @property
    def free(self) -> bool:
        """Nothing is looked for: everything that may be listed is a hit."""
        return not (self.text.strip() or self.classes or self.workload)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy that an index found.

    :param policy: reads it; asked only of hits.
    :param fields: features of its words, by the names of :data:`FIELD_WEIGHTS`, and of what it loses on.
    :param meaning: cosine, -1 .. 1.
    """

    name: str
    classes: tuple[str, ...]
    policy: Callable[[], Policy]
    history: History
    fields: Mapping[str, Sequence[str]]
    meaning: float


@dataclass(frozen=True, slots=True)
class Corpus:
    """What an index knows of all its policies together.

    :param rarity: of those features of the query that some policy has, see :func:`rarity_of`.
    :param mean_length: of a policy, weighed as :func:`length_of` does.
    """

    rarity: Mapping[str, float]
    mean_length: float


@dataclass(frozen=True, slots=True)
class Hit:
    """:param why: one reason each, ``tag builds``; the strongest first."""

    policy: Policy
    score: float
    why: tuple[str, ...]


def fields_text(policy: Policy) -> dict[str, str]:
    """What an index holds of a policy, by the names of :data:`FIELD_WEIGHTS`."""
    held = [_CAPABILITIES[name] for name in _CAPABILITIES if getattr(policy.capabilities, name)]
    meant = [f"{name.replace('-', ' ')}: {gloss_of(name)}" for name in policy.classes]
    return {
        "name": policy.name.replace("-", " "),
        "tag": ", ".join(tag.replace("-", " ") for tag in policy.tags),
        "class": "; ".join(meant),
        "description": policy.description,
        "detail": ". ".join([*held, *(param.meaning for param in policy.params)]),
    }


def features_of(policy: Policy) -> dict[str, list[str]]:
    """The ``fields`` of its candidate."""
    texts = {**fields_text(policy), LOSES_WHEN: policy.loses_when}
    return {name: [feature for word in words_of(text) for feature in word.features] for name, text in texts.items()}


def length_of(fields: Mapping[str, Sequence[str]]) -> float:
    """How long a policy's text is to BM25."""
    return sum(weight * len(fields[name]) for name, weight in FIELD_WEIGHTS.items())


def meaning_text(policy: Policy) -> str:
    """What is embedded of a policy."""
    fields = fields_text(policy)
    return ". ".join(fields[name] for name in ("name", "tag", "class", "description"))


def rarity_of(policies: int, having: int) -> float:
    """Of a feature that *having* of *policies* have; the form that stays positive when most of them do."""
    return math.log(1 + (policies - having + 0.5) / (having + 0.5))


def rank(query: Query, candidates: Sequence[Candidate], corpus: Corpus) -> tuple[Hit, ...]:
    """Best first, equal ones by name; what has nothing to do with the query is left out."""
    words = words_of(query.text)
    scored = [_scored(query, words, one, corpus) for one in candidates]
    kept = [found for found in scored if query.free or found.score >= _LEAST]
    best = sorted(kept, key=lambda found: (-found.score, found.candidate.name))[: query.limit]
    return tuple(_hit(found, words, corpus.rarity) for found in best)


@dataclass(frozen=True, slots=True)
class _Scored:
    candidate: Candidate
    score: float
    why: tuple[str, ...]


def _scored(query: Query, words: Sequence[Word], one: Candidate, corpus: Corpus) -> _Scored:
    meant, class_why = _by_class(query, one)
    past = past_of(one.history.outcomes, workload=query.workload, classes=query.classes, machine=query.machine)
    loses, loses_why = _loses(words, one, corpus.rarity)
    score = (
        TEXT * _covered(words, one, corpus)
        + MEANING * max(0.0, one.meaning)
        + CLASS * meant
        + HISTORY * past.points
        - LOSES * loses
    )
    told = (past.why,) if past.why else ()
    return _Scored(one, round(score, 3), (*class_why, *told, *loses_why))


def _hit(found: _Scored, words: Sequence[Word], rarity: Mapping[str, float]) -> Hit:
    one = found.candidate
    policy = one.policy()
    near = (f"near in meaning ({one.meaning:.2f})",) if one.meaning >= _NEAR else ()
    return Hit(policy, found.score, (*_found(words, policy, one, rarity), *found.why, *near))


def _covered(words: Sequence[Word], one: Candidate, corpus: Corpus) -> float:
    """BM25F as a share of what is possible, 0 .. 1: each word by what it is found as best."""
    relative = length_of(one.fields) / corpus.mean_length
    possible = found = 0.0
    for word in dict.fromkeys(words):
        worths = [(feature, _worth(word, feature, corpus.rarity)) for feature in word.features]
        possible += word.weight * max(worth for _, worth in worths)
        said = [worth * _said(feature, one, relative) for feature, worth in worths if worth]
        found += word.weight * max(said, default=0.0)
    return found / possible if possible else 0.0


def _said(feature: str, one: Candidate, relative: float) -> float:
    """How much a policy speaks of it, 0 .. 1."""
    times = sum(weight * one.fields[name].count(feature) for name, weight in FIELD_WEIGHTS.items())
    return times / (times + _K1 * (1 - _B + _B * relative))


def _worth(word: Word, feature: str, rarity: Mapping[str, float]) -> float:
    """A word of the field counts by how rare what it means is; any other that two texts share is chance mostly."""
    if feature.startswith(CONCEPT):
        return CONCEPT_WEIGHT * rarity.get(feature, 0.0)
    if not word.concepts:
        return OTHER_WEIGHT * rarity.get(feature, 0.0)
    meant = max(rarity.get(other, 0.0) for other in word.features if other.startswith(CONCEPT))
    return min(rarity.get(feature, 0.0), EXACT_WEIGHT * meant)


def _by_class(query: Query, one: Candidate) -> tuple[float, tuple[str, ...]]:
    matched = [(place, name) for place, name in enumerate(query.classes) if name in one.classes]
    if not matched:
        return 0.0, ()
    points = sum(1 / 2**place for place, _ in matched) / sum(1 / 2**place for place in range(len(query.classes)))
    return points, (f"meant for {', '.join(name for _, name in matched)}, as the workload is",)


def _loses(words: Sequence[Word], one: Candidate, rarity: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    """Share of what was asked that only its ``loses_when`` speaks of."""
    bad = set(one.fields[LOSES_WHEN]).difference(*(one.fields[name] for name in FIELD_WEIGHTS))
    asked = [
        (word, feature, _worth(word, feature, rarity)) for word in dict.fromkeys(words) for feature in word.features
    ]
    total = sum(worth for _, _, worth in asked)
    only = [(word, worth) for word, feature, worth in asked if feature in bad]
    share = sum(worth for _, worth in only) / total if total else 0.0
    said = ", ".join(dict.fromkeys(word.text for word, _ in only))
    return share, (f"but may lose there: {said}",) if share >= _LOSES_SAID else ()


def _found(words: Sequence[Word], policy: Policy, one: Candidate, rarity: Mapping[str, float]) -> tuple[str, ...]:
    """Where the query's words were found, the rarest first: ``tag builds``, ``description share (equal)``."""
    asked: dict[str, list[tuple[Word, float]]] = {}
    for word in dict.fromkeys(words):
        for feature in word.features:
            if worth := _worth(word, feature, rarity):
                asked.setdefault(feature, []).append((word, worth))
    reasons: dict[str, float] = {}
    for field, places in _places(policy).items():
        if asked.keys().isdisjoint(one.fields[field]):
            continue
        for place, text in places:
            for other in words_of(text):
                for word, worth in (pair for feature in other.features for pair in asked.get(feature, ())):
                    through = "" if other.stem == word.stem else f" ({word.text})"
                    reason = f"{field} {place or other.text}{through}"
                    points = FIELD_WEIGHTS[field] * worth / (2 if through else 1)  # the very word says more
                    reasons[reason] = max(points, reasons.get(reason, 0.0))
    best = sorted(reasons, key=lambda reason: (-reasons[reason], reason))
    return tuple(best[:_MOST_WHY])


def _places(policy: Policy) -> dict[str, list[tuple[str, str]]]:
    """Field -> (what to call the place, its text); where that is empty, the word itself is told."""
    return {
        "name": [(policy.name, policy.name.replace("-", " "))],
        "tag": [(tag, tag.replace("-", " ")) for tag in policy.tags],
        "class": [(name, f"{name.replace('-', ' ')}: {gloss_of(name)}") for name in policy.classes],
        "description": [("", policy.description)],
    }
