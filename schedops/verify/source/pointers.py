"""Follows pointers that may be NULL, references that must be given back, and picks that may be negative."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from schedops.verify.source.builtins import ACQUIRES, INSERTS, LOCKS, LOOKUPS, NULLABLE, PICKS
from schedops.verify.source.flow import Exit, Walk
from schedops.verify.source.model import Function, Model, api, head
from schedops.verify.source.origins import address_taken
from schedops.verify.source.tree import Node, bare

_GIVES_BACK = re.compile(r"(release|_put_|_put$|_drop|submit|discard|destroy|xchg|_push_|rbtree_add|_delete)")
_NEEDS_TASK = frozenset({"scx_bpf_dsq_insert", "scx_bpf_dsq_insert_vtime", "bpf_task_release", "bpf_cgroup_release",
                         "scx_bpf_task_cpu", "scx_bpf_task_running", "scx_bpf_dispatch",
                         "scx_bpf_dispatch_vtime", "bpf_cpumask_release"})  # fmt: skip
_CPU_USERS = frozenset({"scx_bpf_kick_cpu", "scx_bpf_test_and_clear_cpu_idle"})
_MAX_INLINED = 5
_MAX_ASKED = 10
MAP, POINTER = "map", "pointer"


@dataclass(frozen=True, slots=True)
class Held:
    """What is known of a function's variables on a path.

    :ivar nullable: (variable, MAP or POINTER) that nobody has checked.
    :ivar refs: (variable, what gave it) that must be given back.
    :ivar negative: variables that may hold a negative error instead of a CPU.
    """

    nullable: frozenset[tuple[str, str]] = frozenset()
    refs: frozenset[tuple[str, str]] = frozenset()
    negative: frozenset[str] = frozenset()

    def without(self, name: str) -> Held:
        """Nothing is known of a variable any more."""
        return Held(_but(self.nullable, name), _but(self.refs, name), self.negative - {name})

    def checked(self, name: str) -> Held:
        """It is not NULL."""
        return replace(self, nullable=_but(self.nullable, name))


def _but(pairs: frozenset[tuple[str, str]], name: str) -> frozenset[tuple[str, str]]:
    return frozenset(pair for pair in pairs if pair[0] != name)


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong: *what* is unchecked, chained, leak or negative; *name* of the variable or call."""

    what: str
    node: Node
    name: str
    kind: str


@dataclass(slots=True)
class PointerDomain:
    """Along the paths of one function."""

    model: Model
    function: Function
    facts: Facts
    flaws: dict[tuple[str, int], Flaw] = field(default_factory=dict)

    def call(self, name: str, args: list[Node], node: Node, data: Held) -> Iterable[tuple[Held, bool | None]]:
        """Releases, escapes, and what the verifier wants checked."""
        function = self.model.functions.get(name)
        for index, arg in enumerate(args):
            inner = bare(arg)
            if inner.kind == "call_expression":
                self._nested(name, inner)
                continue
            names = [one.text for one in inner.find("identifier")] if inner.kind != "field_expression" else []
            plain = inner.kind == "identifier"
            for one in names if plain or inner.kind in ("pointer_expression", "binary_expression") else ():
                data = self._passed(name, function, index, one, node, data, plain=plain)
        if name in LOCKS and any(call.name == LOCKS[name] for call in self.function.calls):
            data = replace(data, refs=data.refs | {("", name)})
        elif name in LOCKS.values():
            data = replace(data, refs=frozenset(pair for pair in data.refs if LOCKS.get(pair[1]) != name))
        if name in _CPU_USERS and args:
            self._cpu(args[0], node, data)
        if name in INSERTS and len(args) > 1:
            target = bare(args[1])
            for part in target.kids if target.kind == "binary_expression" and "LOCAL_ON" in args[1].shown else ():
                self._cpu(part, node, data)
        return [(data, None)]

    def assign(self, target: Node, value: Node | None, node: Node, data: Held) -> Held:
        """A variable is bound to something new."""
        if target.kind != "identifier":
            return self._escape(value, data)
        name = target.text
        for held, what in data.refs:
            if held == name and value is not None and name not in {one.text for one in value.find("identifier")}:
                self._flaw("leak", node, name, what)
        data = data.without(name)
        if value is None:
            return data
        value = bare(value)
        if value.kind == "identifier":
            return data.without(value.text)
        if value.kind != "call_expression":
            return self._escape(value, data) if value.kind == "pointer_expression" else data
        called = api(bare(value.kids[0]).text)
        kind = self.facts.nullable(called)
        if kind:
            data = replace(data, nullable=data.nullable | {(name, kind)})
        given = self.facts.acquires(called)
        if given:
            data = replace(data, refs=data.refs | {(name, given)})
        if self.facts.negative(called):
            data = replace(data, negative=data.negative | {name})
        return data

    def use(self, node: Node, data: Held) -> Held:
        """Through a pointer."""
        if node.kind == "field_expression" and "->" not in node.doc.text[node.kids[0].end : node.end]:
            return data
        if node.kind == "pointer_expression" and node.sign != "*":
            return data
        if node.parent is not None and address_taken(node):
            return data
        base = bare(node.kids[0])
        if base.kind == "call_expression":
            kind = self.facts.nullable(api(bare(base.kids[0]).text))
            if kind:
                self._flaw("chained", node, base.shown, kind)
        for name, kind in data.nullable:
            if base.kind == "identifier" and base.text == name:
                self._flaw("unchecked", node, name, kind)
                return data.checked(name)
        return data

    def assume(self, key: str, truth: bool, node: Node, data: Held) -> Held:  # noqa: FBT001 - as the walk gives it
        """After a check."""
        if node.kind in ("identifier", "assignment_expression"):
            name = node.text if node.kind == "identifier" else bare(node.kids[0]).text
            if truth:
                return data.checked(name)
            return replace(data, refs=_but(data.refs, name))
        for name in data.negative:
            if re.search(rf"\b{re.escape(name)}\b", key):
                keeps = key.startswith(f"{name} < 0") and truth
                if not keeps:
                    data = replace(data, negative=data.negative - {name})
        return data

    def _passed(
        self, name: str, function: Function | None, index: int, held: str, node: Node, data: Held, *, plain: bool
    ) -> Held:
        kind = next((kind for one, kind in data.nullable if one == held), "")
        if function is not None:
            at = self.facts.derefs(function, index) if kind else None
            if at is not None:
                self._flaw("unchecked", node, held, kind)
            gives = self.facts.gives_back(function)
            return data.without(held) if gives else replace(data.checked(held), negative=data.negative - {held})
        if kind == POINTER and plain and name in _NEEDS_TASK and index == 0:
            self._flaw("unchecked", node, held, kind)
            data = data.checked(held)
        if _GIVES_BACK.search(name):
            return data.without(held)
        if name.startswith(("bpf_", "scx_bpf_", "__sched_", "__sync_", "__builtin_")):
            return data
        return data.without(held)

    def _nested(self, outer: str, inner: Node) -> None:
        called = api(bare(inner.kids[0]).text)
        if called in ACQUIRES and not _GIVES_BACK.search(outer) and outer.startswith(("bpf_cpumask_", "scx_bpf_")):
            self._flaw("leak", inner, called, called)
        if self.facts.negative(called) and outer in _CPU_USERS:
            self._flaw("negative", inner, inner.shown, called)

    def _cpu(self, arg: Node, node: Node, data: Held) -> None:
        inner = bare(arg)
        if inner.kind == "identifier" and inner.text in data.negative:
            self._flaw("negative", node, inner.text, "")

    def _escape(self, value: Node | None, data: Held) -> Held:
        if value is None:
            return data
        for one in value.find("identifier"):
            if one.parent is None or one.parent.kind != "field_expression":
                data = data.without(one.text)
        return data

    def _flaw(self, what: str, node: Node, name: str, kind: str) -> None:
        if name in self.function.shadowed:
            return  # the walk goes by names
        self.flaws.setdefault((what, node.start), Flaw(what, node, name, kind))


@dataclass(slots=True)
class Facts:
    """What is known of the functions of a policy, found out when asked."""

    model: Model
    _walked: dict[tuple[str, Held], tuple[list[Exit[Held]], list[Flaw]] | None] = field(default_factory=dict)
    _depth: int = 0
    _giving: set[str] | None = None

    def walked(self, function: Function, start: Held) -> tuple[list[Exit[Held]], list[Flaw]]:
        """Exits and flaws of a function; nothing while it is being walked, or when there was too much."""
        key = (function.name, start)
        if key not in self._walked:
            self._walked[key] = None
            if self._depth < _MAX_INLINED:
                self._depth += 1
                domain = PointerDomain(self.model, function, self)
                walk: Walk[Held] = Walk(function, domain)
                exits = walk.run(start)
                self._depth -= 1
                self._walked[key] = ([], []) if walk.gave_up else (exits, list(domain.flaws.values()))
        return self._walked[key] or ([], [])

    def nullable(self, name: str) -> str:
        """Can a call give NULL? MAP, POINTER or nothing."""
        if name in LOOKUPS:
            return MAP
        if name in NULLABLE:
            return POINTER
        function = self.model.functions.get(name)
        if function is None or "*" not in head(function):
            return ""
        self._depth += 1
        kinds = [self._null_kind(*one) for one in self._returns(function)] if self._depth < _MAX_ASKED else []
        self._depth -= 1
        return next(filter(None, kinds), "")

    def _null_kind(self, value: Node, data: Held) -> str:
        if value.kind in ("number_literal", "null") and value.text in ("0", "NULL"):
            return MAP
        if value.kind == "call_expression":
            return self.nullable(api(bare(value.kids[0]).text))
        return next((kind for name, kind in data.nullable if name == value.text), "")

    def acquires(self, name: str) -> str:
        """Does a call give a reference? The name of what gave it."""
        if name in ACQUIRES:
            return name
        function = self.model.functions.get(name)
        if function is None or "*" not in head(function):
            return ""
        self._depth += 1
        given = [self._given(*one) for one in self._returns(function)] if self._depth < _MAX_ASKED else []
        self._depth -= 1
        return next(filter(None, given), "")

    def _given(self, value: Node, data: Held) -> str:
        if value.kind == "call_expression":
            return self.acquires(api(bare(value.kids[0]).text))
        return next((what for held, what in data.refs if held == value.text), "")

    def negative(self, name: str) -> bool:
        """Can a call give a negative error for a CPU?"""
        function = self.model.functions.get(name)
        if function is None:
            return name in PICKS
        for value, data in self._returns(function):
            if value.text in data.negative:
                return True
            if value.kind == "call_expression" and api(bare(value.kids[0]).text) in PICKS:
                return True
        return False

    def derefs(self, function: Function, index: int) -> Node | None:
        """Where a helper uses a parameter without a check."""
        if index >= len(function.params):
            return None
        name = function.params[index][0]
        _, flaws = self.walked(function, Held(nullable=frozenset({(name, POINTER)})))
        return next((flaw.node for flaw in flaws if flaw.what == "unchecked" and flaw.name == name), None)

    def gives_back(self, function: Function) -> bool:
        """May a helper release what it is given?"""
        if self._giving is None:
            functions = self.model.functions.values()
            todo = [one.name for one in functions if any(_GIVES_BACK.search(call.name) for call in one.calls)]
            self._giving = set()
            while todo:
                name = todo.pop()
                if name not in self._giving:
                    self._giving.add(name)
                    todo.extend(call.function.name for call in self.model.callers.get(name, ()))
        return function.name in self._giving

    def _returns(self, function: Function) -> list[tuple[Node, Held]]:
        exits, _ = self.walked(function, Held())
        return [
            (bare(one.node.kids[0]), one.data) for one in exits if one.node.kind == "return_statement" and one.node.kids
        ]
