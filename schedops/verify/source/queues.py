"""The dispatch queues of a policy: which ids it creates, fills and empties, as far as the text tells."""

from __future__ import annotations

from collections.abc import Iterable
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
from schedops.verify.source.values import builtin_dsq, constant, dsq_arg


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
