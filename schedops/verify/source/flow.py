"""Walks the paths of a function with a domain of facts: states that agree in what the domain cares for are joined.

Conditions are remembered by their text, so that `if (a) … if (!a) …` is two paths and not four.
Where there is too much, or a jump goes back, the walk gives up and says so: the rules are silent then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic

from schedops.verify.source.expressions import Expressions
from schedops.verify.source.states import D, Facts, join
from schedops.verify.source.tree import Node, bare

_MAX_STATES = 96
_MAX_STEPS = 12_000


@dataclass(frozen=True, slots=True)
class Exit(Generic[D]):
    """One way out of a function. *node* is a return, or the body when it runs to its end."""

    node: Node
    data: D
    truth: bool | None


@dataclass(slots=True)
class Walk(Expressions[D]):
    """One walk over one function."""

    exits: list[Exit[D]] = field(default_factory=list)
    _steps: int = 0
    _breaks: list[dict[D, Facts]] = field(default_factory=list)
    _continues: list[dict[D, Facts]] = field(default_factory=list)
    _labels: dict[str, dict[D, Facts]] = field(default_factory=dict)
    _passed: set[str] = field(default_factory=set)

    def run(self, start: D) -> list[Exit[D]]:
        """All ways out; none when the walk gave up."""
        rest = self._statement(self.function.body, {start: {}})
        self.exits.extend(Exit(self.function.body, data, None) for data in rest)
        if any(label not in self._passed for label in self._labels):
            self.gave_up = True
        return [] if self.gave_up else self.exits

    # statements

    def _statement(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        self._steps += 1
        if self._steps > _MAX_STEPS or len(states) > _MAX_STATES:
            self.gave_up = True
        if len(node.kids) < _PARTS.get(node.kind, 0):  # torn, in broken text
            self.gave_up = True
        if self.gave_up:
            return {}
        name = _STATEMENTS.get(node.kind, "_expression")
        after: dict[D, Facts] = getattr(self, name)(node, states)
        return after

    def _block(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        for kid in node.kids:
            states = self._statement(kid, states)
        return states

    def _declaration(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        for kid in node.kids:
            if kid.kind == "init_declarator" and len(kid.kids) == 2:
                states = self._assigned(kid, kid.kids[0], kid.kids[1], states)
        return states

    def _if(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        yes, no = self._condition(node.kids[0], states)
        after = self._statement(node.kids[1], yes) if len(node.kids) > 1 and yes else {}
        if len(node.kids) > 2:
            other = node.kids[2].kids
            no = self._statement(other[0], no) if other and no else no
        return join(after, no)

    def _while(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        return self._loop(states, node.kids[0], node.kids[-1], None)

    def _do(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        self._open()
        states = self._statement(node.kids[0], states)
        out, again = self._close()
        states = join(states, again)
        yes, no = self._condition(node.kids[1], states) if len(node.kids) > 1 else ({}, states)
        return join(join(no, out), self._loop(yes, node.kids[1], node.kids[0], None) if yes else {})

    def _for(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        first, condition, step, body = for_parts(node)
        if first is not None:
            states = self._statement(first, states)
        return self._loop(states, condition, body, step)

    def _loop(
        self, states: dict[D, Facts], condition: Node | None, body: Node | None, step: Node | None
    ) -> dict[D, Facts]:
        after: dict[D, Facts] = {}
        seen: dict[D, Facts] = {}
        for _ in range(4):
            new = {data: facts for data, facts in states.items() if data not in seen or seen[data] != facts}
            if not new:
                break
            seen = join(seen, states)
            yes, no = self._condition(condition, new) if condition is not None else (new, {})
            after = join(after, no)
            self._open()
            states = self._statement(body, yes) if body is not None and yes else yes
            out, again = self._close()
            after = join(after, out)
            states = join(states, again)
            if step is not None:
                states = self._expression(step, states)
        return after

    def _switch(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        selector, body = bare(node.kids[0]), node.kids[-1]
        states = self._expression(selector, states)
        rest, current = states, dict[D, Facts]()
        self._breaks.append({})
        default = False
        for case in body.kids:
            if case.kind != "case_statement":
                continue
            is_default = case.text.startswith("default")
            parts = case.kids if is_default else case.kids[1:]
            entering = states
            if not is_default and case.kids:
                key = f"{selector.text} == {case.kids[0].text}"
                entering, rest = self._split(key, selector, states), self._split(key, selector, rest, truth=False)
            default = default or is_default
            current = join(current, entering)
            for part in parts:
                current = self._statement(part, current)
        current = join(current, self._breaks.pop())
        return current if default else join(current, rest)

    def _return(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        if not node.kids:
            self.exits.extend(Exit(node, data, None) for data in states)
            return {}
        for truth, part in self._parts(node.kids[0], states).items():
            self.exits.extend(Exit(node, data, truth) for data in part)
        return {}

    def _break(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        if self._breaks:
            self._breaks[-1] = join(self._breaks[-1], states)
        return {}

    def _continue(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        if self._continues:
            self._continues[-1] = join(self._continues[-1], states)
        return {}

    def _goto(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        label = node.kids[0].text if node.kids else ""
        if label in self._passed:
            self.gave_up = True
        self._labels[label] = join(self._labels.get(label, {}), states)
        return {}

    def _label(self, node: Node, states: dict[D, Facts]) -> dict[D, Facts]:
        label = node.kids[0].text
        self._passed.add(label)
        states = join(states, self._labels.get(label, {}))
        for kid in node.kids[1:]:
            states = self._statement(kid, states)
        return states

    def _open(self) -> None:
        self._breaks.append({})
        self._continues.append({})

    def _close(self) -> tuple[dict[D, Facts], dict[D, Facts]]:
        return self._breaks.pop(), self._continues.pop()


_STATEMENTS = {
    "compound_statement": "_block", "declaration": "_declaration", "if_statement": "_if",
    "while_statement": "_while", "do_statement": "_do", "for_statement": "_for",
    "switch_statement": "_switch", "return_statement": "_return", "break_statement": "_break",
    "continue_statement": "_continue", "goto_statement": "_goto", "labeled_statement": "_label",
    "expression_statement": "_block", "else_clause": "_block", "comma_expression": "_block",
}  # fmt: skip

# How many parts a statement has at least.
_PARTS = {"if_statement": 1, "while_statement": 1, "do_statement": 1, "for_statement": 1, "switch_statement": 2,
          "labeled_statement": 1}  # fmt: skip


def for_parts(node: Node) -> tuple[Node | None, Node | None, Node | None, Node | None]:
    """Start, condition, step and body of a for loop."""
    slots: list[Node | None] = [None, None, None]
    slot, at = 0, node.start
    for kid in node.kids[:-1]:
        slot += node.doc.text.count(";", at, kid.start)
        if slot < 3:
            slots[slot] = kid
        slot += kid.kind == "declaration"
        at = kid.end
    return slots[0], slots[1], slots[2], node.kids[-1] if node.kids else None
