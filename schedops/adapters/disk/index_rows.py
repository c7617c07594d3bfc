"""The tables of a search index, and the candidates that they give for a query."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from schedops.adapters.disk.index_scan import Scanned
from schedops.model.outcome import History, Outcome
from schedops.model.policy import Policy
from schedops.repository.search import (
    FIELD_WEIGHTS,
    LOSES_WHEN,
    Candidate,
    Corpus,
    Query,
    features_of,
    length_of,
    rarity_of,
)
from schedops.repository.words import Word
from schedops.schema.decode import decode, encode

FORMAT = "3"
_FOUND = 40  # that words find, as many that are near in meaning, and as many by class and outcomes
_ASKED = 40  # features that are looked for, the rarest
_COLUMNS = ", ".join(f'"{name}"' for name in FIELD_WEIGHTS)
_COLUMNS_OF_WORDS = ", ".join(f'words."{name}"' for name in FIELD_WEIGHTS)
_TABLES = """
CREATE TABLE policy (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, stamp TEXT NOT NULL, digest TEXT NOT NULL,
                     readable INTEGER NOT NULL, classes TEXT NOT NULL, length REAL);
CREATE TABLE content (id INTEGER PRIMARY KEY, document TEXT NOT NULL, outcomes TEXT NOT NULL, loses TEXT NOT NULL);
CREATE TABLE vector (id INTEGER PRIMARY KEY, floats BLOB NOT NULL);
CREATE TABLE label (kind TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL);
CREATE INDEX labels ON label (kind, value, id);
CREATE INDEX labelled ON label (id);
CREATE VIRTUAL TABLE words USING fts5 ({columns}, tokenize = "ascii");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row);
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a directory."""

    stamp: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Cosines:
    """Of the policies *ids*, each at its place in *values*, an array."""

    ids: list[int]
    places: Mapping[int, int]
    values: Any

    def of(self, one: int) -> float:
        """0 for a policy without a vector."""
        return float(self.values[self.places[one]]) if one in self.places else 0.0

    def nearest(self, admitted: set[int] | None) -> list[int]:
        """The policies that are nearest, of those admitted."""
        if not self.ids:
            return []
        if admitted is not None:
            return sorted(admitted & self.places.keys(), key=lambda one: -self.of(one))[:_FOUND]
        return [self.ids[place] for place in (-self.values).argsort(kind="stable")[:_FOUND]]


class Rows:
    """:param path: of the database; None: in memory.

    :raises sqlite3.Error: it cannot be opened, or is no index.
    """

    def __init__(self, path: Path | None, *, wait_s: float, dimensions: int) -> None:
        self.in_memory = path is None
        self._dimensions = dimensions
        self._seen = -1
        self._vectors: tuple[list[int], dict[int, int], Any] | None = None
        self._lengths: tuple[int, float] | None = None
        self._database = sqlite3.connect(path or ":memory:", timeout=wait_s, isolation_level=None)
        try:
            if not self._database.execute("SELECT name FROM sqlite_master WHERE name = 'vocabulary'").fetchall():
                with self.writing():
                    self._make()
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing, and nobody else at the same time."""
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        self._vectors = self._lengths = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of the index, whoever writes meanwhile."""
        self._database.execute("BEGIN")
        try:
            (version,) = self._database.execute("PRAGMA data_version").fetchone()
            self._database.execute("SELECT 1 FROM policy LIMIT 1").fetchone()  # the state is that of the first look
            if version != self._seen:  # another process has written
                self._seen, self._vectors, self._lengths = version, None, None
            yield
        finally:
            self._database.execute("COMMIT")

    def known(self) -> dict[str, Known]:
        """Directory -> what the index has of it."""
        rows = self._database.execute("SELECT name, stamp, digest FROM policy")
        return {name: Known(*rest) for name, *rest in rows}

    def unreadable(self) -> tuple[str, ...]:
        """Directories whose policy cannot be read."""
        rows = self._database.execute("SELECT name FROM policy WHERE NOT readable ORDER BY name")
        return tuple(name for (name,) in rows)

    def forget(self, names: Iterable[str]) -> None:
        """Remove directories that are gone."""
        for name in names:
            row = self._database.execute("SELECT id FROM policy WHERE name = ?", (name,)).fetchone()
            if row is not None:
                for table in ("policy", "content", "vector", "label", "words"):
                    key = "rowid" if table == "words" else "id"
                    self._database.execute(f"DELETE FROM {table} WHERE {key} = ?", row)  # noqa: S608 - no outside text

    def restamp(self, stamps: Mapping[str, str]) -> None:
        """Files with other times and the same bytes."""
        self._database.executemany("UPDATE policy SET stamp = ? WHERE name = ?", [(s, n) for n, s in stamps.items()])

    def put(self, name: str, scanned: Scanned, stamp: str, vector: Sequence[float]) -> None:
        """Store what the files of a directory say, in the place of what they said before."""
        self.forget([name])
        policy = scanned.policy if scanned.listed else None
        fields = features_of(policy) if policy is not None else None
        cursor = self._database.execute(
            "INSERT INTO policy (name, stamp, digest, readable, classes, length) VALUES (?, ?, ?, ?, ?, ?)",
            (
                name,
                stamp,
                scanned.digest,
                scanned.policy is not None,
                " ".join(policy.classes) if policy is not None else "",
                length_of(fields) if fields is not None else None,
            ),
        )
        if policy is not None and fields is not None:
            self._put_listed(cursor.lastrowid, policy, scanned.history, fields, vector)

    def _put_listed(
        self,
        row: int | None,
        policy: Policy,
        history: History,
        fields: Mapping[str, Sequence[str]],
        vector: Sequence[float],
    ) -> None:
        outcomes = json.dumps([encode(one) for one in history.outcomes])
        self._database.execute(
            "INSERT INTO content (id, document, outcomes, loses) VALUES (?, ?, ?, ?)",
            (row, json.dumps(encode(policy)), outcomes, " ".join(fields[LOSES_WHEN])),
        )
        self._database.execute("INSERT INTO vector (id, floats) VALUES (?, ?)", (row, array("f", vector).tobytes()))
        labels = [("class", one) for one in policy.classes] + [("tag", one) for one in policy.tags]
        labels += [("on", one.workload) for one in history.outcomes]
        labels += [("on class", name) for one in history.outcomes for name in one.classes]
        self._database.executemany(
            "INSERT INTO label (kind, value, id) VALUES (?, ?, ?)", [(*label, row) for label in dict.fromkeys(labels)]
        )
        marks = ", ".join("?" * (len(FIELD_WEIGHTS) + 1))
        self._database.execute(
            f"INSERT INTO words (rowid, {_COLUMNS}) VALUES ({marks})",  # noqa: S608 - no outside text
            (row, *(" ".join(fields[name]) for name in FIELD_WEIGHTS)),
        )

    def corpus(self, words: Iterable[Word]) -> Corpus:
        """What the features of *words* are worth here."""
        features = list(dict.fromkeys(feature for word in words for feature in word.features))
        marks = ", ".join("?" * len(features))
        found = self._database.execute(f"SELECT term, doc FROM vocabulary WHERE term IN ({marks})", features)  # noqa: S608
        having = found.fetchall()
        if self._lengths is None:
            policies, length = self._database.execute("SELECT count(length), avg(length) FROM policy").fetchone()
            self._lengths = policies, length or 1.0
        policies, length = self._lengths
        return Corpus({feature: rarity_of(policies, documents) for feature, documents in having}, length)

    def candidates(self, query: Query, corpus: Corpus, vector: Sequence[float] | None) -> tuple[Candidate, ...]:
        """What words, meaning and outcomes find, each as good as the others'; the best of them."""
        admitted = self._admitted(query)
        cosine = self._cosines(vector)
        chosen = [
            *self._by_words(corpus.rarity, admitted),
            *cosine.nearest(admitted),
            *self._by_past(query, admitted),
        ]
        if query.free:
            chosen = sorted(admitted if admitted is not None else self._all())[: 10 * query.limit]
        return tuple(self._candidates(dict.fromkeys(chosen), cosine))

    def _make(self) -> None:
        for statement in _TABLES.format(columns=_COLUMNS).split(";"):
            self._database.execute(statement)
        weights = ", ".join(str(weight) for weight in FIELD_WEIGHTS.values())
        self._database.execute("INSERT INTO words (words, rank) VALUES ('rank', ?)", (f"bm25({weights})",))

    def _labelled(self, kind: str, value: str) -> set[int]:
        rows = self._database.execute("SELECT id FROM label WHERE kind = ? AND value = ?", (kind, value))
        return {one for (one,) in rows}

    def _admitted(self, query: Query) -> set[int] | None:
        """None: all."""
        sets = [
            self._labelled(kind, value)
            for kind, value in (("class", query.only_class), ("tag", query.only_tag))
            if value
        ]
        return set.intersection(*sets) if sets else None

    def _all(self) -> list[int]:
        return [one for (one,) in self._database.execute("SELECT rowid FROM words")]

    def _by_words(self, rarity: Mapping[str, float], admitted: set[int] | None) -> list[int]:
        """Best first by FTS5's own BM25, which is near enough to choose by."""
        asked = sorted(rarity, key=lambda feature: (-rarity[feature], feature))[:_ASKED]
        if not asked:
            return []
        match = " OR ".join(f'"{feature}"' for feature in asked)
        rows = self._database.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT ?",
            (match, _FOUND if admitted is None else -1),
        )
        return [one for (one,) in rows if admitted is None or one in admitted][:_FOUND]

    def _cosines(self, vector: Sequence[float] | None) -> _Cosines:
        """Of every policy that may be found; of none without a vector."""
        if vector is None:
            return _Cosines([], {}, None)
        import numpy as np  # noqa: PLC0415 - 0.1 s, and most commands do without

        if self._vectors is None:
            rows = self._database.execute("SELECT id, floats FROM vector").fetchall()
            flat = np.frombuffer(b"".join(floats for _, floats in rows), dtype=np.float32)
            ids = [one for one, _ in rows]
            places = {one: place for place, one in enumerate(ids)}
            self._vectors = ids, places, flat.reshape(len(rows), self._dimensions)
        ids, places, matrix = self._vectors
        return _Cosines(ids, places, matrix @ np.asarray(vector, dtype=np.float32))

    def _by_past(self, query: Query, admitted: set[int] | None) -> list[int]:
        found = self._labelled("on", query.workload) if query.workload else set()
        for name in query.classes:
            found |= self._labelled("on class", name) | self._labelled("class", name)
        return sorted(found if admitted is None else found & admitted)[:_FOUND]

    def _candidates(self, chosen: Collection[int], cosine: _Cosines) -> Iterator[Candidate]:
        marks = ", ".join("?" * len(chosen))
        rows = self._database.execute(
            f"SELECT policy.id, policy.name, policy.classes, outcomes, loses, {_COLUMNS_OF_WORDS}"  # noqa: S608 - no outside text
            f" FROM policy JOIN content USING (id) JOIN words ON words.rowid = policy.id WHERE policy.id IN ({marks})",
            list(chosen),
        )
        for one, name, classes, outcomes, loses, *columns in rows.fetchall():
            fields = dict(zip(FIELD_WEIGHTS, (text.split() for text in columns), strict=True))
            yield Candidate(
                name=name,
                classes=tuple(classes.split()),
                policy=partial(self._policy, one),
                history=History(tuple(decode(Outcome, part) for part in json.loads(outcomes))),
                fields={**fields, LOSES_WHEN: loses.split()},
                meaning=cosine.of(one),
            )

    def _policy(self, one: int) -> Policy:
        (document,) = self._database.execute("SELECT document FROM content WHERE id = ?", (one,)).fetchone()
        return decode(Policy, json.loads(document))
