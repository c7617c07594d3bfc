"""The part of a walk that goes through expressions: what they do to the states, and on which branch they hold."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol

from schedops.verify.source.model import Function, api
from schedops.verify.source.states import (
    COMPARISONS,
    D,
    Facts,
    Parts,
    join,
    join_parts,
    literal,
    logical,
    put,
    with_fact,
    without,
)
from schedops.verify.source.tree import Node, bare

_CALL = re.compile(r"[A-Za-z_]\w* \(")
_SWAPPED = {">": "<", "<=": ">="}


class Domain(Protocol[D]):
    """What one kind of rule follows along the paths."""

    def call(self, name: str, args: list[Node], node: Node, data: D) -> Iterable[tuple[D, bool | None]]:
        """After a call, and whether its result is true."""
        ...

    def assign(self, target: Node, value: Node | None, node: Node, data: D) -> D:
        """After an assignment or an initialiser."""
        ...

    def use(self, node: Node, data: D) -> D:
        """After what a pointer points to was read or written."""
        ...

    def assume(self, key: str, truth: bool, node: Node, data: D) -> D:  # noqa: FBT001 - as it comes from the walk
        """On the branch where a condition holds, or does not."""
        ...


@dataclass(slots=True)
class Expressions(ABC, Generic[D]):
    """Expressions of one function."""

    function: Function
    domain: Domain[D]
    gave_up: bool = False

    @abstractmethod
    def _statement(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        """A statement inside of an expression, as GNU C has it."""

    def _truth(self, node: Node, states: dict[D, Facts]) -> Parts[D] | None:
        """Of an expression whose truth its kind tells; None for the others."""
        kind = node.kind
        if kind in ("number_literal", "true", "false", "null"):
            return {literal(node): states}
        if kind == "identifier":
            return self._known(node, states)
        if kind == "conditional_expression" and len(node.kids) > 1:
            yes, no = self._condition(node.kids[0], states)
            first: Parts[D] = self._parts(node.kids[1], yes) if len(node.kids) > 2 else {True: yes}
            return join_parts(first, self._parts(node.kids[-1], no))
        if logical(node):
            yes, no = self._condition(node, states)
            return {True: yes, False: no}
        return None

    def _split(self, key: str, node: Node, states: dict[D, Facts], *, truth: bool = True) -> dict[D, Facts]:
        out: dict[D, Facts] = {}
        calls = _CALL.search(key) is not None  # its next result may be another
        for data, facts in states.items():
            known = None if calls else facts.get(key)
            if known is None:
                kept = facts if calls else with_fact(facts, key, truth)
                put(out, self.domain.assume(key, truth, node, data), kept)
            elif known is truth:
                put(out, data, facts)
        return out

    def _expression(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        out: dict[D, Facts] = {}
        for part in self._parts(node, states).values():
            out = join(out, part)
        return out

    def _parts(self, node: Node, states: dict[D, Facts]) -> Parts[D]:  # noqa: C901, PLR0911 - one per kind of node
        """The states after an expression, by whether it is true."""
        node = bare(node)
        kind = node.kind
        if not states or self.gave_up:
            return {}
        told = self._truth(node, states)
        if told is not None:
            return told
        if kind == "assignment_expression" and len(node.kids) == 2:
            return self._assignment(node, states)
        if kind == "call_expression" and node.kids:
            return self._call(node, states)
        if kind == "parenthesized_expression" and node.kids and node.kids[0].kind == "compound_statement":
            return {None: self._statement(node.kids[0], states)}
        if kind in ("sizeof_expression", "offsetof_expression", "compound_statement"):
            return {None: states}
        for kid in node.kids:
            states = self._expression(kid, states)
        if kind in ("field_expression", "pointer_expression", "subscript_expression") and node.kids:
            states = self._map(states, lambda data: self.domain.use(node, data))
            if kind == "pointer_expression" and node.sign == "&":  # whoever has its address may change it
                states = {data: without(facts, bare(node.kids[0])) for data, facts in states.items()}
        elif kind == "update_expression" and node.kids:
            states = self._map(states, lambda data: self.domain.assign(bare(node.kids[0]), None, node, data))
            states = {data: without(facts, bare(node.kids[0])) for data, facts in states.items()}
        return {None: states}

    def _known(self, node: Node, states: dict[D, Facts]) -> Parts[D]:
        out: Parts[D] = {}
        for data, facts in states.items():
            out.setdefault(facts.get(node.text), {})[data] = facts
        return out

    def _map(self, states: dict[D, Facts], change: Callable[[D], D]) -> dict[D, Facts]:
        out: dict[D, Facts] = {}
        for data, facts in states.items():
            put(out, change(data), facts)
        return out

    def _assignment(self, node: Node, states: dict[D, Facts]) -> Parts[D]:
        target, value = node.kids
        if bare(target).kind != "identifier":
            states = self._expression(target, states)
        return self._assigned_parts(node, bare(target), value if node.sign == "=" else None, value, states)

    def _assigned(self, node: Node, target: Node, value: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        out: dict[D, Facts] = {}
        while target.kind in ("pointer_declarator", "array_declarator") and target.kids:
            target = target.kids[-1] if target.kind == "pointer_declarator" else target.kids[0]
        for part in self._assigned_parts(node, target, value, value, states).values():
            out = join(out, part)
        return out

    def _assigned_parts(
        self, node: Node, target: Node, value: Node | None, read: Node, states: dict[D, Facts]
    ) -> Parts[D]:
        out: Parts[D] = {}
        for truth, part in self._parts(read, states).items():
            after: dict[D, Facts] = {}
            for data, facts in part.items():
                kept = without(facts, target)
                if truth is not None and value is not None and target.kind == "identifier":
                    kept = with_fact(kept, target.text, truth)
                put(after, self.domain.assign(target, value, node, data), kept)
            out[truth if value is not None else None] = join(out.get(truth, {}), after)
        return out

    def _call(self, node: Node, states: dict[D, Facts]) -> Parts[D]:
        target = bare(node.kids[0])
        args = node.kids[-1].kids if len(node.kids) > 1 and node.kids[-1].kind == "argument_list" else []
        for arg in args:
            states = self._expression(arg, states)
        out: Parts[D] = {}
        name = api(target.text) if target.kind == "identifier" else ""
        for data, facts in states.items():
            for after, truth in self.domain.call(name, args, node, data):
                put(out.setdefault(truth, {}), after, facts)
        return out

    # conditions

    def _condition(self, node: Node, states: dict[D, Facts]) -> tuple[dict[D, Facts], dict[D, Facts]]:
        node = bare(node)
        if not states or self.gave_up:
            return {}, {}
        if node.kind == "unary_expression" and node.sign == "!" and node.kids:
            yes, no = self._condition(node.kids[0], states)
            return no, yes
        if node.kind == "binary_expression" and len(node.kids) == 2:
            if node.sign in ("&&", "||"):
                return self._both(node, states)
            if node.sign in COMPARISONS:
                return self._comparison(node, states)
        yes, no = dict[D, Facts](), dict[D, Facts]()
        # `if ((t = lookup()))` says of t what `if (t)` says
        asked = bare(node.kids[0]) if node.kind == "assignment_expression" and node.sign == "=" else node
        for truth, part in self._parts(node, states).items():
            if truth is True:
                yes = join(yes, part)
            elif truth is False:
                no = join(no, part)
            else:
                yes = join(yes, self._split(asked.text, asked, part))
                no = join(no, self._split(asked.text, asked, part, truth=False))
        return yes, no

    def _both(self, node: Node, states: dict[D, Facts]) -> tuple[dict[D, Facts], dict[D, Facts]]:
        yes, no = self._condition(node.kids[0], states)
        if node.sign == "&&":
            further, failed = self._condition(node.kids[1], yes)
            return further, join(no, failed)
        held, failed = self._condition(node.kids[1], no)
        return join(yes, held), failed

    def _comparison(self, node: Node, states: dict[D, Facts]) -> tuple[dict[D, Facts], dict[D, Facts]]:
        left, right, sign = bare(node.kids[0]), bare(node.kids[1]), node.sign
        for one, other in ((left, right), (right, left)):
            if sign in ("==", "!=") and other.kind in ("number_literal", "null", "false") and literal(other) is False:
                yes, no = self._condition(one, states)
                return (no, yes) if sign == "==" else (yes, no)
        if sign in _SWAPPED:
            left, right, sign = right, left, _SWAPPED[sign]
        states = self._expression(right, self._expression(left, states))
        negated = sign in ("!=", ">=")
        key = f"{left.text} {'==' if sign in ('==', '!=') else '<'} {right.text}"
        yes, no = self._split(key, node, states), self._split(key, node, states, truth=False)
        return (no, yes) if negated else (yes, no)
