"""The search index of a library: SQLite with full text (FTS5) and vectors, derived from the files, made anew at will.

It lives in the cache. A policy is read again when its files changed: by their times, sizes and inodes first, as git's
index does, then by their digest. What cannot be written is built in memory; what is damaged is built anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.index_rows import FORMAT, Known, Rows
from schedops.adapters.disk.index_scan import read_files, scan
from schedops.errors import InputError
from schedops.ports import Embedder
from schedops.repository import search as search_rules
from schedops.repository.embed import HashedEmbedder
from schedops.repository.search import Hit, Query, rank
from schedops.repository.words import words_of

_WAIT_S = 20.0  # for another process that builds the same index
_KEPT = 16  # indexes in the cache, those used last
_CHUNK = 256  # policies that are read, embedded and stored together
# The state of the disk or of another process, not of the index: it is left as it is.
_NOT_OURS_TO_MEND = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_FULL",
                     "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_NOMEM", "SQLITE_INTERRUPT")  # fmt: skip
# What features are made by: an index that other rules made is another one.
_RULES = ("words.py", "search.py", "thesaurus.txt")
Told = Callable[[int, int], None]


class LibraryIndex:
    """Searches the library below *root*.

    :param embedder: by default the one that needs no download.
    :param cache: directory of indexes; None: ``library-index`` in the cache directory.
    :param told: called with how many policies were read, and of how many, while the index is built.
    """

    def __init__(
        self, root: Path, *, embedder: Embedder | None = None, cache: Path | None = None, told: Told | None = None
    ) -> None:
        self._root = root
        self._embedder: Embedder = embedder if embedder is not None else HashedEmbedder()
        self._cache = cache if cache is not None else cache_dir() / "library-index"
        self._told = told
        self._rows: Rows | None = None

    @property
    def path(self) -> Path:
        """Of the index of this library, made by this embedder and by these rules."""
        parts = (FORMAT, str(self._root.resolve()), self._embedder.name, _rules_digest())
        digest = hashlib.sha256("\0".join(parts).encode())
        return self._cache / f"{digest.hexdigest()[:32]}.sqlite"

    def search(self, query: Query, *, fresh: bool = True) -> tuple[Hit, ...]:
        """The policies that answer, best first. An index that cannot be read or written is no reason to fail.

        :param fresh: look first whether files changed.
        """
        words = words_of(query.text)
        for rows in self._attempts():
            try:
                if fresh or rows is not self._rows:
                    self._refresh(rows)
                vector = self._embedder.embed([query.text])[0] if query.text.strip() else None
                with rows.reading():
                    corpus = rows.corpus(words)
                    hits = rank(query, rows.candidates(query, corpus, vector), corpus)
            except (sqlite3.Error, InputError, ValueError, KeyError, TypeError) as error:
                if rows.in_memory:
                    raise
                self._give_up(rows, error)
                continue
            self._rows = rows
            return hits
        raise AssertionError("the attempt in memory returns or raises")

    def unreadable(self) -> tuple[str, ...]:
        """Policies that were left out of the last search since they cannot be read; `schedops validate` says why."""
        return self._rows.unreadable() if self._rows is not None else ()

    def close(self) -> None:
        """Let go of the file."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def _attempts(self) -> Iterator[Rows]:
        """The index that is open or on the disk, twice, since a damaged one is removed; then one in memory."""
        if self._rows is not None:
            yield self._rows
        for _ in range(2):
            with contextlib.suppress(OSError, sqlite3.Error):
                self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                rows = Rows(self.path, wait_s=_WAIT_S, dimensions=self._embedder.dimensions)
            except sqlite3.Error as error:
                self._remove(error)
                continue
            yield rows
        yield Rows(None, wait_s=_WAIT_S, dimensions=self._embedder.dimensions)

    def _give_up(self, rows: Rows, error: Exception) -> None:
        self._rows = None
        with contextlib.suppress(sqlite3.Error):
            rows.close()
        self._remove(error)

    def _remove(self, error: Exception) -> None:
        name = getattr(error, "sqlite_errorname", "") or ""
        if not name.startswith(_NOT_OURS_TO_MEND):
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)

    def _refresh(self, rows: Rows) -> None:
        known = rows.known()
        now = scan(self._root)
        gone = known.keys() - now.keys()
        suspects = [name for name, stamp in now.items() if name not in known or not stamp or known[name].stamp != stamp]
        if gone:
            with rows.writing():
                rows.forget(gone)
        for at in range(0, len(suspects), _CHUNK):
            self._read(rows, suspects[at : at + _CHUNK], now, known)
            if self._told is not None:
                self._told(min(at + _CHUNK, len(suspects)), len(suspects))
        if not rows.in_memory and suspects:
            self._prune()

    def _read(self, rows: Rows, names: list[str], stamps: dict[str, str], known: dict[str, Known]) -> None:
        """Read some directories, and store what is new: what is broken off goes on from there."""
        found = [(name, read_files(self._root, name)) for name in names]
        changed = [one for one in found if one[0] not in known or known[one[0]].digest != one[1].digest]
        touched = {name: stamps[name] for name in names if stamps[name] and name in known}
        if not changed and not touched:
            return  # times too young to be trusted, and nothing else: no reason to write
        vectors = self._embedder.embed([one.meaning for _, one in changed])
        with rows.writing():
            rows.restamp(touched)
            for (name, one), vector in zip(changed, vectors, strict=True):
                rows.put(name, one, stamps[name], vector)

    def _prune(self) -> None:
        with contextlib.suppress(OSError):
            entries = sorted(self._cache.glob("*.sqlite"), key=lambda path: path.stat().st_mtime)
            for path in entries[:-_KEPT]:
                path.unlink(missing_ok=True)


@functools.cache
def _rules_digest() -> str:
    folder = Path(search_rules.__file__).parent
    return hashlib.sha256(b"".join((folder / name).read_bytes() for name in _RULES)).hexdigest()
