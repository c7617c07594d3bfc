"""The library as a planner may look at it: searched by its index, read from the values at hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from schedops.adapters.disk.library_index import LibraryIndex
from schedops.model.policy import PolicySource
from schedops.ports import Embedder
from schedops.repository import Query


class DiskShelf:
    """:param root: of the policy repository. :param policies: of it; what is not among them is not shown."""

    def __init__(self, root: Path, policies: Sequence[PolicySource], *, embedder: Embedder) -> None:
        self._root = root
        self._policies = {source.policy.name: source for source in policies}
        self._embedder = embedder

    def search(self, words: str, limit: int) -> Sequence[tuple[str, str]]:
        """(policy, why), best first."""
        index = LibraryIndex(self._root, embedder=self._embedder)
        try:
            hits = index.search(Query(text=words, limit=limit))
        finally:
            index.close()
        return [(hit.policy.name, "; ".join(hit.why)) for hit in hits if hit.policy.name in self._policies]

    def find(self, name: str) -> PolicySource | None:
        """The policy of that name."""
        return self._policies.get(name)
