"""A policy as the rules see it: functions, the ops table, calls, and who reaches whom."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from schedops.model.policy import PolicySource
from schedops.verify.source.builtins import HOT, MEMBERS
from schedops.verify.source.preprocess import Expanded, preprocess
from schedops.verify.source.tokens import Text
from schedops.verify.source.tree import Node, bare, parse

_VERSIONED = re.compile(r"___[a-z0-9_]+$")
_NOT_READ = frozenset({"vmlinux.h", "bpf_helpers.h", "bpf_helper_defs.h", "bpf_tracing.h", "bpf_core_read.h"})


def api(name: str) -> str:
    """The kernel's name of what compatibility headers call by several."""
    name = name.removeprefix("__COMPAT_")
    name = "scx_bpf_" + name.removeprefix("__scx_bpf_") if name.startswith("__scx_bpf_") else name
    return _VERSIONED.sub("", name)


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A call by name.

    :param name: as the kernel knows it.
    """

    name: str
    args: Sequence[Node]
    node: Node
    function: Function

    def arg(self, index: int) -> Node | None:
        """An argument, without parentheses and casts."""
        return bare(self.args[index]) if index < len(self.args) else None


@dataclass(slots=True, eq=False)
class Function:
    """A function with a body.

    :ivar values: what every local variable or parameter is set to, as far as it is set by name.
    :ivar changed: variables that are changed in other ways: counted, or by address.
    :ivar blocks: where each local variable is declared.
    :ivar shadowed: names of two variables at once, one in a block within the other's.
    """

    name: str
    node: Node
    body: Node
    params: tuple[tuple[str, str], ...]
    section: str
    static: bool
    calls: list[Call] = field(default_factory=list)
    values: dict[str, list[Node]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    mentions: set[str] = field(default_factory=set)
    blocks: dict[str, list[Node]] = field(default_factory=dict)
    shadowed: set[str] = field(default_factory=set)

    @property
    def named(self) -> Node:
        """The node of its name."""
        return next((node for node in self.node.walk() if node.kind == "identifier" and node.text == self.name),
                    self.node)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """A ``struct sched_ext_ops``: its members' values."""

    node: Node
    members: Mapping[str, Node]

    def at(self, *members: str) -> Node:
        """Where a member is set, or the name of the table."""
        for member in members:
            if member in self.members:
                return self.members[member].parent or self.members[member]
        return self.node


@dataclass(frozen=True, slots=True)
class Global:
    """A variable of the file.

    :param length: of an array, where it is written as an expression.
    """

    name: str
    node: Node
    type: str
    value: Node | None
    length: Node | None
    section: str


@dataclass(slots=True)
class Model:
    """Everything the rules ask."""

    source: PolicySource
    doc: Expanded
    root: Node
    cut: bool
    functions: dict[str, Function] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    globals: dict[str, Global] = field(default_factory=dict)
    enums: dict[str, Node | tuple[Node | None, int]] = field(default_factory=dict)
    maps: dict[str, dict[str, Node]] = field(default_factory=dict)
    callbacks: dict[str, list[Function]] = field(default_factory=dict)
    timers: set[str] = field(default_factory=set)
    reach: dict[str, set[str]] = field(default_factory=dict)
    callers: dict[str, list[Call]] = field(default_factory=dict)
    sections: list[tuple[str, Node]] = field(default_factory=list)
    memo: dict[object, object] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """There is an ops table, so what is absent is absent."""
        return bool(self.tables)

    def calls(self, *names: str) -> Iterator[Call]:
        """All calls of these, wherever something can reach them."""
        for function in self.functions.values():
            if function.name in self.live:
                for call in function.calls:
                    if call.name in names:
                        yield call

    @property
    def live(self) -> set[str]:
        """The functions that something reaches: all where nothing says what is called."""
        found = self.memo.get("live")
        if not isinstance(found, set):
            found = set().union(*self.reach.values()) if self.callbacks else set(self.functions)
            self.memo["live"] = found
        return found

    def members_reaching(self, function: Function) -> list[str]:
        """The callbacks from which a function is reached, the direct ones first."""
        found = [member for member in self.callbacks if function.name in self.reach[member]]
        return sorted(found, key=lambda member: (function not in self.callbacks[member], member))

    def hot(self, function: Function) -> bool:
        """Is it reached from a callback that runs all the time?"""
        return any(member in HOT for member in self.members_reaching(function))

    def reached(self, member: str) -> list[Function]:
        """The functions that a callback reaches, itself first."""
        names = self.reach.get(member, set())
        direct = self.callbacks.get(member, [])
        return [*direct, *(f for f in self.functions.values() if f.name in names and f not in direct)]


def build(source: PolicySource) -> Model:
    """Read a policy's text. Never raises for what the text holds."""
    headers = [Text.of(name, text) for name, text in source.headers if name.rsplit("/", 1)[-1] not in _NOT_READ]
    doc = preprocess(Text.of(source.path, source.text), headers)
    if doc.cut:
        return Model(source, doc, Node(doc, "translation_unit", 0, 0, None), cut=True)
    root, cut = parse(doc)
    model = Model(source, doc, root, cut)
    if cut:
        return model
    from schedops.verify.source import reading  # noqa: PLC0415 - it fills what is declared here

    reading.fill(model)
    _follow(model)
    return model


def _follow(model: Model) -> None:
    for function in model.functions.values():
        for call in function.calls:
            if call.name in model.functions:
                model.callers.setdefault(call.name, []).append(call)
    roots = {f"({name})": {name} for name in model.timers}
    roots |= {f"({f.name})": {f.name} for f in model.functions.values() if f.section and not _is_op(f)}
    roots |= {member: {f.name for f in found} for member, found in model.callbacks.items()}
    for root, start in roots.items():
        model.reach[root] = closure(model, start)


def _is_op(function: Function) -> bool:
    return function.section.lstrip("?").startswith("struct_ops")


def closure(model: Model, start: set[str]) -> set[str]:
    """The functions that these reach, themselves included."""
    seen: set[str] = set()
    todo = list(start)
    while todo:
        name = todo.pop()
        function = model.functions.get(name)
        if name in seen or function is None:
            continue
        seen.add(name)
        todo.extend(function.mentions - model.timers)
    return seen


def head(function: Function) -> str:
    """What stands before its name: what it returns."""
    return function.node.doc.text[function.node.start : function.named.start]


def member_of(function: Function) -> str | None:
    """Which callback a function is by its section, where no table says so."""
    if not _is_op(function):
        return None
    name = function.section.partition("/")[2] or function.name
    fitting = [member for member in MEMBERS if name == member or name.endswith("_" + member)]
    return max(fitting, key=len) if fitting else None
