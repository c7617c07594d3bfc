"""The embedder that needs no download: stems, concepts, pairs of words and parts of words, hashed into a vector."""

from __future__ import annotations

import functools
import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence

from schedops.repository.words import CONCEPT, Word, thesaurus_bytes, words_of

DIMENSIONS = 256
_WORD, _CONCEPT, _PAIR, _PARTS = 1.0, 0.8, 0.4, 0.8  # weights; that of parts is for all parts of a word together
_PART = 4  # letters


class HashedEmbedder:
    """Implements the port Embedder. Equal texts give equal vectors, on every machine."""

    def __init__(self) -> None:
        self.dimensions = DIMENSIONS
        digest = hashlib.sha256(f"{_WORD} {_CONCEPT} {_PAIR} {_PARTS} {_PART} ".encode() + thesaurus_bytes())
        self.name = f"hashed-{DIMENSIONS}-{digest.hexdigest()[:16]}"

    def embed(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """See the port."""
        return [_vector(text) for text in texts]


def _vector(text: str) -> tuple[float, ...]:
    weights: dict[str, float] = {}
    words = words_of(text)
    for feature, weight in _features(words):
        weights[feature] = weights.get(feature, 0.0) + weight
    vector = [0.0] * DIMENSIONS
    for feature, weight in weights.items():
        place, sign = _place(feature)
        vector[place] += sign * math.sqrt(weight)  # said ten times is not ten times as much
    length = math.sqrt(sum(value * value for value in vector))
    return tuple(value / length for value in vector) if length else tuple(vector)


def _features(words: Sequence[Word]) -> Iterator[tuple[str, float]]:
    for at, word in enumerate(words):
        if word.stem:
            yield word.stem, _WORD
            yield from _parts(word.text)
        for concept in word.concepts:
            yield f"{CONCEPT}{concept}", _CONCEPT
        if at:
            yield f"{words[at - 1].stem} {word.stem}", _PAIR


@functools.lru_cache(maxsize=16_384)
def _parts(word: str) -> tuple[tuple[str, float], ...]:
    """Pieces of a word and its ends, so that a misspelt or compound one is still near."""
    edged = f"<{word}>"
    parts = [edged[at : at + _PART] for at in range(max(1, len(edged) - _PART + 1))]
    return tuple((f"#{part}", _PARTS / len(parts)) for part in parts)


@functools.lru_cache(maxsize=65_536)
def _place(feature: str) -> tuple[int, int]:
    value = zlib.crc32(feature.encode())
    return value % DIMENSIONS, 1 if value & 0x8000_0000 else -1
