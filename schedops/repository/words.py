"""Text to features: stems of words, and the concepts of the field that words and phrases stand for."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONCEPT = "zzz"
_THESAURUS = Path(__file__).parent / "thesaurus.txt"
_CLASS = "class "
_PHRASE = 4  # words that a phrase has at most
_WORD = re.compile(r"[a-z0-9]+")
_ENDS = frozenset(".,;:!?")
_TOKEN = re.compile(r"[a-z0-9]+|[.,;:!?](?=\s|$)")
_SUFFIXES = ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "ed", "er", "es", "s", "y", "e")
# Endings that are none, and forms that no ending makes equal.
_IRREGULAR = {
    "runner": "runner",
    "runners": "runner",
    "timer": "timer",
    "timers": "timer",
    "woken": "wak",
    "woke": "wak",
    "ran": "run",
    "known": "know",
    "learnt": "learn",
    "neighbor": "neighbour",
    "neighbors": "neighbour",
    "behavior": "behaviour",
    "shared": "shared",
    "needs": "need",
    "needed": "need",
}
_DENIES = frozenset(("no", "not", "cannot", "without", "never", "nobody", "neither", "nor", "unable", "instead"))
_CLAUSE = frozenset(("while", "whilst", "when", "whenever", "although", "though", "despite"))
_ASIDE = 0.5  # what is said in such a clause is what happens beside what is asked for
_STOPPED = (
    "a about after all also am an and any anybody anyone anything are as at be because been but by can "
    "could did do does doing don everybody everyone everything for from get gets getting had has have "
    "having he her his how i if in into is it its itself just like make makes making me more most much "
    "my neither never no nobody nor not nothing now of off on once only or other our out over own "
    "really same should so some somebody someone something somewhere such take taken takes taking tell "
    "tells than that the their them then there these they thing things this those through to too under "
    "up us use used uses using very via want wants was we well were what when where which while who "
    "whose why will with without would you your"
)
_STOP = frozenset(_STOPPED.split())


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, or a phrase of the thesaurus.

    :param stem: of a phrase those of its words together; empty for a word that carries no meaning alone.
    :param concepts: what it stands for.
    :param weight: of what it says in its sentence, 0 .. 1.
    :param features: what two texts are compared by: stem and concepts; no word begins as concepts do.
    """

    text: str
    stem: str
    concepts: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    weight: float = 1.0


def words_of(text: str) -> tuple[Word, ...]:
    """The words of a text, in order, without those that carry no meaning alone, and those that are denied.

    The words of a phrase of the thesaurus no longer stand for what each does alone.
    """
    plain = _TOKEN.findall(text.lower())
    stems = [stem(word) for word in plain]
    found: list[Word] = []
    at, denied, weight = 0, False, 1.0
    while at < len(plain):
        if plain[at] in _CLAUSE or plain[at] in _ENDS:
            weight = _ASIDE if plain[at] in _CLAUSE else 1.0
            at += 1
            continue
        length, meant = _meaning(stems, at)
        word, root = " ".join(plain[at : at + length]), "".join(stems[at : at + length])
        at += length
        if word in _DENIES:
            denied = True
        elif word not in _STOP and denied:
            denied = False
        elif word not in _STOP or meant:
            found.append(_word(word, "" if word in _STOP else root, meant, weight))
    return tuple(found)


def _word(text: str, root: str, meant: tuple[str, ...], weight: float) -> Word:
    concepts = tuple(f"{CONCEPT}{concept}" for concept in meant)
    return Word(text, root, meant, (root, *concepts) if root else concepts, weight)


def _meaning(stems: Sequence[str], at: int) -> tuple[int, tuple[str, ...]]:
    """How many words from here on are the longest phrase that means something, and what it stands for."""
    concepts = _thesaurus().concepts
    for length in range(_PHRASE, 0, -1):
        if at + length <= len(stems) and (meant := concepts.get(tuple(stems[at : at + length]))):
            return length, tuple(meant)
    return 1, ()


def gloss_of(class_: str) -> str:
    """What a class of workloads is, in a few words; empty for one that nobody has described."""
    return _thesaurus().glosses.get(class_, "")


@functools.lru_cache(maxsize=16_384)
def stem(word: str) -> str:
    """Cuts one common ending, so that "building", "builds" and "build" meet."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word[: -len(suffix)]
            break
    # "running" and "run", "scheduled" and "schedule".
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word


def thesaurus_bytes() -> bytes:
    """The file, for digests of what was made with it."""
    return _THESAURUS.read_bytes()


@dataclass(frozen=True, slots=True)
class _Thesaurus:
    concepts: Mapping[tuple[str, ...], Sequence[str]]  # stems of a word or phrase -> what it stands for
    glosses: Mapping[str, str]


@functools.cache
def _thesaurus() -> _Thesaurus:
    concepts: dict[tuple[str, ...], list[str]] = {}
    glosses = {}
    for line in thesaurus_bytes().decode("utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        head, _, text = line.partition(": ")
        if head.startswith(_CLASS):
            glosses[head.removeprefix(_CLASS)] = text
            continue
        for phrase in text.split(","):
            key = tuple(stem(word) for word in _WORD.findall(phrase.lower()))
            if head not in concepts.setdefault(key, []):
                concepts[key].append(head)
    return _Thesaurus(concepts, glosses)
