"""The dispatch queues of a policy: which ids it creates, fills and empties, as far as the text tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from schedops.verify.source.arithmetic import Unknown, of_tokens, unsigned
from schedops.verify.source.builtins import (
    BUILTIN_BIT,
    CONSUME,
    DSQ_ITERS,
    INSERT,
    INSERT_VTIME,
    INSERTS,
    MOVE,
    MOVE_VTIME,
    MOVES,
    REENQUEUE,
)
from schedops.verify.source.model import Call, Model
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import builtin_dsq, constant, dsq_arg

_CPU_OF = frozenset({"scx_bpf_task_cpu", "bpf_get_smp_processor_id"})
_DECIDE = ("if_statement", "conditional_expression", "switch_statement")


@dataclass(slots=True)
class Use:
    """Calls by the queue that they name.

    :ivar sure: calls that really name it.
    :ivar perhaps: ids that some call may name.
    :ivar unknown: calls whose queue is not known before the policy runs.
    """

    sure: dict[int, list[Call]] = field(default_factory=dict)
    perhaps: set[int] = field(default_factory=set)
    unknown: list[Call] = field(default_factory=list)
    builtin: list[Call] = field(default_factory=list)

    @property
    def any(self) -> bool:
        """There is a call at all."""
        return bool(self.sure or self.perhaps or self.unknown or self.builtin)


@dataclass(frozen=True, slots=True)
class Queues:
    """All uses."""

    created: Use
    inserted: Use
    consumed: Use
    fifo: Use
    vtime: Use


def queues(model: Model) -> Queues:
    """Read once per model."""
    known = model.memo.get("queues")
    if not isinstance(known, Queues):
        moving = any(True for _ in model.calls(*MOVES))
        iters = DSQ_ITERS if moving else ()
        known = Queues(
            created=_use(model, [("scx_bpf_create_dsq", 0)]),
            inserted=_use(model, [(name, 1) for name in INSERTS] + [(name, 2) for name in MOVES]),
            consumed=_use(
                model, [(name, 0) for name in CONSUME | REENQUEUE] + [(name, _iter_arg(name)) for name in iters]
            ),
            fifo=_use(model, [(name, 1) for name in INSERT] + [(name, 2) for name in MOVE]),
            vtime=_use(model, [(name, 1) for name in INSERT_VTIME] + [(name, 2) for name in MOVE_VTIME]),
        )
        model.memo["queues"] = known
    return known


def _iter_arg(name: str) -> int:
    return 0 if name.startswith("__sched") else 1


def _use(model: Model, names: Iterable[tuple[str, int]]) -> Use:
    use = Use()
    at = dict(names)
    for call in model.calls(*at):
        found = dsq_arg(model, call, at[call.name])
        if found is None:
            kind = use.builtin if builtin_dsq(model, call.arg(at[call.name]), call.function) else use.unknown
            kind.append(call)
            continue
        if all(value & BUILTIN_BIT for value in found):
            use.builtin.append(call)
        for value, sure in found.items():
            if value & BUILTIN_BIT:
                continue
            use.perhaps.add(value)
            if sure:
                use.sure.setdefault(value, []).append(call)
    return use


def of_each_cpu(model: Model, calls: Iterable[Call]) -> Iterator[tuple[Call, int]]:
    """Calls that name a queue by the number of any CPU, each with the id of CPU 0's queue."""
    for call in calls:
        at = 2 if call.name in MOVES else 0 if call.name in CONSUME else 1
        node = call.arg(at)
        if node is None or node.kind != "binary_expression" or node.sign not in ("+", "|") or len(node.kids) != 2:
            continue
        left, right = (bare(kid) for kid in node.kids)
        for number, cpu in ((left, right), (right, left)):
            base = constant(model, number, call.function)
            if base is not None and base >= 0 and not base & BUILTIN_BIT and _any_cpu(model, call, cpu):
                yield call, base


def _any_cpu(model: Model, call: Call, node: Node) -> bool:
    """Is it the number of a CPU, of any that there is?"""
    names = {node.text, "cpu", *_CPU_OF}
    if any(above.kids[0].has_text(*names) for above in call.node.above() if above.kind in _DECIDE and above.kids):
        return False
    if node.kind == "call_expression":
        return bare(node.kids[0]).text in _CPU_OF
    if node.kind != "identifier" or node.text in call.function.changed:
        return False
    values = call.function.values.get(node.text, [])
    if values:
        return len(values) == 1 and bare(values[0]).kind == "call_expression" and _any_cpu(model, call, bare(values[0]))
    params = [name for name, _ in call.function.params]
    return call.function in model.callbacks.get("dispatch", ()) and params[:1] == [node.text]


def queue_name(model: Model, value: int, call: Call | None = None, index: int = 0) -> str:
    """What the policy calls a queue, such as ``SLOW_DSQ``; its number where it has no name."""
    if call is not None:
        argument = call.arg(index)
        if argument is not None and constant(model, argument, call.function) is not None:
            return argument.shown
    for name, macro in model.doc.macros.items():
        if macro.params is None and "DSQ" in name.upper():
            try:
                if unsigned(of_tokens([token.text for token in macro.body])) == value:
                    return name
            except Unknown:
                continue
    for name, (base, steps) in model.enums.items():  # type: ignore[misc]
        first = 0 if base is None else constant(model, base)
        if "DSQ" in name.upper() and first is not None and first + steps == value:
            return name
    return f"queue {value}"
