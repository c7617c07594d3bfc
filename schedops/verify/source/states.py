"""States of a walk: what the domain knows, and which conditions held on the way there."""

from __future__ import annotations

import re
from typing import TypeVar

from schedops.verify.source.arithmetic import Unknown, number
from schedops.verify.source.tree import Node

D = TypeVar("D")
Facts = dict[str, bool]
States = dict[D, Facts]
Parts = dict[bool | None, dict[D, Facts]]

COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_MAX_FACTS = 16
_WORD = re.compile(r"[A-Za-z_]\w*")


def logical(node: Node) -> bool:
    """Is it true or false by its operator?"""
    if node.kind == "unary_expression":
        return node.sign == "!" and bool(node.kids)
    whole = node.kind == "binary_expression" and len(node.kids) == 2  # it may be torn, in broken text
    return whole and (node.sign in ("&&", "||") or node.sign in COMPARISONS)


def literal(node: Node) -> bool | None:
    """Whether a literal is true; None for what is none."""
    try:
        return node.kind == "true" if node.kind in ("true", "false", "null") else bool(number(node.text))
    except Unknown:
        return None


def put(states: dict[D, Facts], data: D, facts: Facts) -> None:
    """Add a state; of one that is there only what both know is kept."""
    before = states.get(data)
    states[data] = facts if before is None else {k: v for k, v in before.items() if facts.get(k) is v}


def join(left: dict[D, Facts], right: dict[D, Facts]) -> dict[D, Facts]:
    """Both."""
    if not left or not right:
        return left or right
    out = dict(left)
    for data, facts in right.items():
        put(out, data, facts)
    return out


def join_parts(left: Parts[D], right: Parts[D]) -> Parts[D]:
    """Both, part by part."""
    return {truth: join(left.get(truth, {}), right.get(truth, {})) for truth in {**left, **right}}


def with_fact(facts: Facts, key: str, truth: bool) -> Facts:  # noqa: FBT001 - a value, not a switch
    """With one more condition."""
    if len(facts) >= _MAX_FACTS:
        facts = dict(list(facts.items())[1:])
    return {**facts, key: truth}


def without(facts: Facts, target: Node) -> Facts:
    """Without what was known of a variable that changes."""
    name = target.text
    if target.kind == "identifier":
        return {key: value for key, value in facts.items() if name not in _WORD.findall(key)}
    return {key: value for key, value in facts.items() if name not in key}
