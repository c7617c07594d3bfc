"""Longest chains in a build graph."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping


def chains(weights: Mapping[str, int], arrows: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Of each node its weight and that of the heaviest way on from it. Nodes on or before a circle are left out.

    :param weights: nodes without one weigh nothing.
    :param arrows: (what is waited for, who waits).
    """
    before: dict[str, list[str]] = defaultdict(list)
    waiting: dict[str, int] = defaultdict(int)  # arrows from a node that are not settled
    nodes = dict.fromkeys(weights)
    for first, then in dict.fromkeys(arrows):
        before[then].append(first)
        waiting[first] += 1
        nodes[first] = nodes[then] = None
    beyond: dict[str, int] = defaultdict(int)  # heaviest way on, without the node itself
    found: dict[str, int] = {}
    ready = [node for node in nodes if not waiting[node]]
    while ready:
        node = ready.pop()
        found[node] = weights.get(node, 0) + beyond[node]
        for first in before[node]:
            beyond[first] = max(beyond[first], found[node])
            waiting[first] -= 1
            if not waiting[first]:
                ready.append(first)
    return found
