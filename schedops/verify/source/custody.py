"""Follows the task that ops.enqueue() or ops.select_cpu() is given: is it put somewhere, and only once?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from schedops.verify.source.builtins import CLOCKS, INSERTS
from schedops.verify.source.flow import Exit, Walk
from schedops.verify.source.misses import map_named, misses, result_unread
from schedops.verify.source.model import Function, Model, api, head
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant

_PUTS = ("bpf_map_push_elem", "bpf_list_push", "bpf_rbtree_add", "bpf_ringbuf_submit", "bpf_ringbuf_output",
         "bpf_kptr_xchg", "bpf_dynptr_write")  # fmt: skip
_HARMLESS = re.compile(r"(scx_bpf_|bpf_|__sched_|__sync_|__atomic_|__builtin_|__bpf_)")
_ENDS = frozenset({"scx_bpf_error", "scx_bpf_exit", "scx_bpf_error_bstr", "scx_bpf_exit_bstr"})
_MAX_INLINED = 8
MAYBE, SURE = 1, 2


@dataclass(frozen=True, slots=True)
class Custody:
    """What became of the task on a path.

    :ivar inserted: how often it was inserted, at most 2.
    :ivar since: something was decided after the first insert.
    :ivar stored: 0 | MAYBE (something was written down) | SURE.
    :ivar pushed: offset of a push whose result nobody looked at, or -1.
    :ivar ended: the scheduler was told to end.
    :ivar absent: a pointer was found to be NULL, which may never happen.
    :ivar decided: conditions on the way, at most 2.
    :ivar into: the map that it was stored in.
    """

    inserted: int = 0
    since: bool = False
    stored: int = 0
    pushed: int = -1
    ended: bool = False
    absent: bool = False
    decided: int = 0
    into: str = ""

    @property
    def lost(self) -> bool:
        """Nobody has the task."""
        return not self.inserted and self.stored != SURE and not self.ended


@dataclass(slots=True)
class CustodyDomain:
    """Custody along the paths of one function and the helpers that it hands the task to."""

    model: Model
    function: Function
    task: str | None
    depth: int = 0
    twice: dict[int, tuple[Node, bool]] = field(default_factory=dict)
    gave_up: bool = False

    def call(  # noqa: PLR0911 - one line per kind of call
        self, name: str, args: list[Node], node: Node, data: Custody
    ) -> Iterable[tuple[Custody, bool | None]]:
        """Inserts, stores, ends, and helpers."""
        if name in INSERTS:
            return [(self._insert(args, node, data), None)]
        if name in _ENDS:
            return [(replace(data, ended=True), None)]
        if name.startswith("bpf_map_push_elem"):
            return self._push(node, data)
        if name.startswith(_PUTS):
            return [(replace(data, stored=SURE), None)]
        if name == "bpf_map_update_elem":
            kept = replace(data, stored=SURE, into=map_named(args[0])) if any(map(self._of_task, args[1:3])) else data
            return [(kept, None)]
        function = self.model.functions.get(name)
        if function is not None:
            return self._helper(function, args, data)
        if not _HARMLESS.match(name) and any(map(self._of_task, args)):
            return [(replace(data, stored=SURE), None)]
        return [(data, None)]

    def assign(self, target: Node, value: Node | None, node: Node, data: Custody) -> Custody:
        """A task that is written into memory may be found there again."""
        memory = target.kind in ("field_expression", "subscript_expression", "pointer_expression")
        if not memory or value is None or data.stored or self._is_task(_base(target)):
            return data
        marks = value.kind == "number_literal" and value.text != "0"
        return replace(data, stored=MAYBE) if marks or self._of_task(value) else data

    def use(self, node: Node, data: Custody) -> Custody:
        """Reading changes nothing."""
        return data

    def assume(self, key: str, truth: bool, node: Node, data: Custody) -> Custody:  # noqa: FBT001 - as the walk gives it
        """Remembers what was decided, as far as it tells how sure a loss is."""
        if data.inserted:
            return replace(data, since=True)
        pointer = node.kind == "identifier" and self.function.types.get(node.text, "").endswith("*")
        missed = misses(self.model, self.function, node.text) if pointer and not truth else ""
        if missed:
            pointer = False
            data = replace(data, stored=0) if data.into == missed else data
        unlikely = self._off(node) if truth else pointer
        return replace(data, absent=data.absent or unlikely, decided=min(2, data.decided + 1))

    def _off(self, node: Node) -> bool:
        """Is it a parameter that is 0 unless somebody sets it?"""
        variable = self.model.globals.get(node.text) if node.kind == "identifier" else None
        if variable is None or not {"const", "volatile"} <= set(variable.type.split()):
            return False
        return variable.value is None or not constant(self.model, variable.value)

    def _insert(self, args: list[Node], node: Node, data: Custody) -> Custody:
        if not args or not self._is_task(args[0]):
            return data
        if data.inserted:
            sure = not data.since or self.twice.get(node.start, (node, False))[1]
            self.twice[node.start] = (node, sure)
        return replace(data, inserted=min(2, data.inserted + 1))

    def _push(self, node: Node, data: Custody) -> list[tuple[Custody, bool | None]]:
        parent = node.parent
        while parent is not None and parent.kind in ("parenthesized_expression", "cast_expression"):
            parent = parent.parent
        if parent is not None and (parent.kind == "expression_statement" or result_unread(self.model, parent)):
            return [(replace(data, pushed=node.start), None)]
        return [(replace(data, stored=SURE), False), (data, True)]

    def _helper(self, function: Function, args: list[Node], data: Custody) -> list[tuple[Custody, bool | None]]:
        task = next((param[0] for arg, param in zip(args, function.params, strict=False) if self._is_task(arg)), None)
        if task is None and not _touches(function, self.model):
            return [(data, None)]
        if self.depth >= _MAX_INLINED:
            self.gave_up = True
            return [(data, None)]
        inner = CustodyDomain(self.model, function, task, self.depth + 1, self.twice)
        walk: Walk[Custody] = Walk(function, inner)
        exits = walk.run(replace(data, absent=False, decided=0))
        self.gave_up = self.gave_up or walk.gave_up or inner.gave_up
        back = {(self._back(function, one, data), one.truth) for one in exits}
        return list(back) or [(data, None)]

    def _back(self, function: Function, one: Exit[Custody], data: Custody) -> Custody:
        decided = data.decided if one.truth is None else min(2, data.decided + 1)
        nothing = one.truth is False and "*" in head(function)  # a pointer that its callers take to be there
        return replace(one.data, absent=data.absent or nothing, decided=decided)

    def _is_task(self, node: Node) -> bool:
        node = bare(node)
        if self.task is None or node.kind != "identifier":
            return False
        if node.text == self.task:
            return True
        return any(bare(value).text == self.task for value in self.function.values.get(node.text, ()))

    def _of_task(self, node: Node, depth: int = 0) -> bool:
        if depth > 4:
            return True
        for one in node.find("identifier", "call_expression"):
            if one.kind == "call_expression":
                if api(one.kids[0].text) in CLOCKS:
                    return False
                continue
            if one.text == self.task:
                return True
            if "struct" in self.function.types.get(one.text, "") and self.task is not None:
                return True
            if any(self._of_task(value, depth + 1) for value in self.function.values.get(one.text, ())):
                return True
        return False


def _base(node: Node) -> Node:
    node = bare(node)
    while node.kids and node.kind in ("field_expression", "subscript_expression", "pointer_expression"):
        node = bare(node.kids[0])
    return node


def _touches(function: Function, model: Model) -> bool:
    """Can it end the scheduler, or keep something?"""
    names = {call.name for call in function.calls}
    inner = (model.functions[name] for name in names if name in model.functions and name != function.name)
    return (
        bool(names & _ENDS)
        or any(name.startswith(_PUTS) for name in names)
        or any({call.name for call in one.calls} & _ENDS for one in inner)
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """What came out for one callback."""

    member: str
    function: Function
    exits: list[Exit[Custody]]
    twice: list[tuple[Node, bool]]


def followed(model: Model) -> Iterator[Followed]:
    """Every select_cpu and enqueue whose paths could all be followed."""
    for member in ("select_cpu", "enqueue"):
        for function in model.callbacks.get(member, ()):
            task = function.params[0][0] if function.params else None
            domain = CustodyDomain(model, function, task)
            walk: Walk[Custody] = Walk(function, domain)
            exits = walk.run(Custody())
            if not walk.gave_up and not domain.gave_up:
                yield Followed(member, function, exits, list(domain.twice.values()))
