"""The tables of a search index, and the candidates that they give for a query."""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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

FORMAT = "2"
_FOUND = 40  # that words find, as many that are near in meaning, and as many by class and outcomes
_ASKED = 40  # features that are looked for, the rarest
_TABLES = """
CREATE TABLE policy (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, stamp TEXT NOT NULL, digest TEXT NOT NULL,
                     document TEXT, classes TEXT NOT NULL, outcomes TEXT NOT NULL, loses TEXT NOT NULL, length REAL,
                     vector BLOB);
CREATE TABLE label (kind TEXT NOT NULL, value TEXT NOT NULL, id INTEGER NOT NULL);
CREATE INDEX labels ON label (kind, value, id);
CREATE INDEX labelled ON label (id);
CREATE VIRTUAL TABLE words USING fts5 ({columns}, tokenize = "ascii");
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (words, row);
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the index has of a directory."""

    id: int
    stamp: str
    digest: str


class Rows:
    """:param path: of the database; None: in memory.

    :raises sqlite3.Error: it cannot be opened, or is no index.
    """

    def __init__(self, path: Path | None, *, wait_s: float, dimensions: int) -> None:
        self.in_memory = path is None
        self._dimensions = dimensions
        self._vectors: tuple[list[int], Any] | None = None
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
        self._vectors = None

    def known(self) -> dict[str, Known]:
        """Directory -> what the index has of it."""
        rows = self._database.execute("SELECT name, id, stamp, digest FROM policy")
        return {name: Known(*rest) for name, *rest in rows}

    def unreadable(self) -> tuple[str, ...]:
        """Directories whose policy cannot be read."""
        return tuple(
            n for (n,) in self._database.execute("SELECT name FROM policy WHERE document IS NULL ORDER BY name")
        )

    def forget(self, names: Iterable[str]) -> None:
        """Remove directories that are gone."""
        for name in names:
            row = self._database.execute("SELECT id FROM policy WHERE name = ?", (name,)).fetchone()
            if row is not None:
                for table, key in (("policy", "id"), ("label", "id"), ("words", "rowid")):
                    self._database.execute(f"DELETE FROM {table} WHERE {key} = ?", row)  # noqa: S608 - no outside text

    def restamp(self, stamps: Mapping[str, str]) -> None:
        """Files with other times and the same bytes."""
        self._database.executemany("UPDATE policy SET stamp = ? WHERE name = ?", [(s, n) for n, s in stamps.items()])

    def put(self, name: str, scanned: Scanned, stamp: str, vector: Sequence[float]) -> None:
        """Store what the files of a directory say, in the place of what they said before."""
        self.forget([name])
        policy = scanned.policy if scanned.listed else None
        readable = scanned.policy is not None
        fields = features_of(policy) if policy is not None else {LOSES_WHEN: []}
        cursor = self._database.execute(
            "INSERT INTO policy (name, stamp, digest, document, classes, outcomes, loses, length, vector)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                name,
                stamp,
                scanned.digest,
                json.dumps(encode(scanned.policy)) if readable else None,
                " ".join(policy.classes) if policy is not None else "",
                json.dumps([encode(one) for one in scanned.history.outcomes]),
                " ".join(fields[LOSES_WHEN]),
                length_of(fields) if policy is not None else None,
                array("f", vector).tobytes() if policy is not None else None,
            ),
        )
        if policy is None:
            return
        labels = [("class", one) for one in policy.classes] + [("tag", one) for one in policy.tags]
        labels += [("on", one.workload) for one in scanned.history.outcomes]
        labels += [("on class", name) for one in scanned.history.outcomes for name in one.classes]
        self._database.executemany(
            "INSERT INTO label (kind, value, id) VALUES (?, ?, ?)",
            [(*label, cursor.lastrowid) for label in dict.fromkeys(labels)],
        )
        marks = ", ".join("?" * (len(FIELD_WEIGHTS) + 1))
        columns = ", ".join(FIELD_WEIGHTS)
        self._database.execute(
            f"INSERT INTO words (rowid, {columns}) VALUES ({marks})",  # noqa: S608 - no outside text
            (cursor.lastrowid, *(" ".join(fields[name]) for name in FIELD_WEIGHTS)),
        )

    def corpus(self, words: Iterable[Word]) -> Corpus:
        """What the features of *words* are worth here."""
        features = list(dict.fromkeys(feature for word in words for feature in word.features))
        marks = ", ".join("?" * len(features))
        found = self._database.execute(f"SELECT term, doc FROM vocabulary WHERE term IN ({marks})", features)  # noqa: S608
        having = found.fetchall()
        policies, length = self._database.execute("SELECT count(length), avg(length) FROM policy").fetchone()
        return Corpus({feature: rarity_of(policies, documents) for feature, documents in having}, length or 1.0)

    def candidates(self, query: Query, corpus: Corpus, vector: Sequence[float] | None) -> tuple[Candidate, ...]:
        """What words, meaning and outcomes find, each as good as the others'; the best of them."""
        admitted = self._admitted(query)
        by_words = self._by_words(corpus.rarity, admitted)
        meaning = self._by_meaning(vector, admitted)
        nearest = sorted(meaning, key=lambda one: -meaning[one])[:_FOUND]
        chosen = dict.fromkeys([*by_words, *nearest, *self._by_past(query, admitted)])
        if query.free:
            chosen = dict.fromkeys(sorted(admitted if admitted is not None else self._all())[: 10 * query.limit])
        return tuple(self._candidate(one, meaning.get(one, 0.0)) for one in chosen)

    def _make(self) -> None:
        for statement in _TABLES.format(columns=", ".join(FIELD_WEIGHTS)).split(";"):
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

    def _by_meaning(self, vector: Sequence[float] | None, admitted: set[int] | None) -> dict[int, float]:
        """Cosine of every policy."""
        if vector is None:
            return {}
        import numpy as np  # noqa: PLC0415 - 0.1 s, and most commands do without

        ids, matrix = self._matrix(np)
        cosines = (matrix @ np.asarray(vector, dtype=np.float32)).tolist()
        return {one: cosine for one, cosine in zip(ids, cosines, strict=True) if admitted is None or one in admitted}

    def _matrix(self, np: Any) -> tuple[list[int], Any]:
        if self._vectors is None:
            rows = self._database.execute("SELECT id, vector FROM policy WHERE vector IS NOT NULL").fetchall()
            flat = np.frombuffer(b"".join(vector for _, vector in rows), dtype=np.float32)
            self._vectors = [one for one, _ in rows], flat.reshape(len(rows), self._dimensions)
        return self._vectors

    def _by_past(self, query: Query, admitted: set[int] | None) -> list[int]:
        found = self._labelled("on", query.workload) if query.workload else set()
        for name in query.classes:
            found |= self._labelled("on class", name) | self._labelled("class", name)
        return sorted(found if admitted is None else found & admitted)[:_FOUND]

    def _candidate(self, one: int, meaning: float) -> Candidate:
        name, classes, outcomes, loses = self._database.execute(
            "SELECT name, classes, outcomes, loses FROM policy WHERE id = ?", (one,)
        ).fetchone()
        columns = self._database.execute(f"SELECT {', '.join(FIELD_WEIGHTS)} FROM words WHERE rowid = ?", (one,))  # noqa: S608
        fields = dict(zip(FIELD_WEIGHTS, (text.split() for text in columns.fetchone()), strict=True))
        return Candidate(
            name=name,
            classes=tuple(classes.split()),
            policy=lambda: self._policy(one),
            history=History(tuple(decode(Outcome, part) for part in json.loads(outcomes))),
            fields={**fields, LOSES_WHEN: loses.split()},
            meaning=meaning,
        )

    def _policy(self, one: int) -> Policy:
        (document,) = self._database.execute("SELECT document FROM policy WHERE id = ?", (one,)).fetchone()
        return decode(Policy, json.loads(document))
