"""Rules on where the kernel allows a call, and what a queue allows."""

from __future__ import annotations

from schedops.verify.source.builtins import CONSUME, DSQ_ITERS, HOT, INSERT_VTIME, INSERTS, MOVE_VTIME, MOVES
from schedops.verify.source.model import Call, Model
from schedops.verify.source.pages_calls import BUILTIN_MOVE, CONTEXT, DESCENDING, MIXED, VTIME_BUILTIN
from schedops.verify.source.queues import queue_name, queues
from schedops.verify.source.report import WARNING, Check, Findings, found, via
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import builtin_dsq, constant

_INSERTING = frozenset({"select_cpu", "enqueue", "dispatch"})
_DISPATCH = frozenset({"dispatch"})
# Callbacks from which a call is refused, by the name of the call.
_REFUSED: dict[str, frozenset[str]] = {
    **dict.fromkeys(INSERTS, HOT - _INSERTING),
    **dict.fromkeys(CONSUME, HOT - _DISPATCH),
    **dict.fromkeys(MOVES, HOT - _DISPATCH),
    "scx_bpf_dispatch_nr_slots": HOT - _DISPATCH,
    "scx_bpf_dispatch_cancel": HOT - _DISPATCH,
    "scx_bpf_select_cpu_dfl": HOT - {"select_cpu", "enqueue"},
    "scx_bpf_create_dsq": HOT,
}
_SETUP = frozenset({"init", "exit", "init_task", "exit_task", "enable", "disable", "cpu_online", "cpu_offline"})
_LOCKED_ONLY = INSERTS | CONSUME


def _context(model: Model) -> Findings:
    for call in model.calls(*_REFUSED):
        refused = _REFUSED[call.name] | (_SETUP if call.name in _LOCKED_ONLY else frozenset())
        reaching = model.members_reaching(call.function)
        wrong = [member for member in reaching if member in refused]
        if wrong and not (len(wrong) < len(reaching) and _by_parameter(call)):
            where = via(model, call.function, tuple(wrong))
            text = f"{call.name}() is called from {where}, where the kernel does not allow it"
            yield found(CONTEXT, call.node, text, _instead(call.name))
        elif call.name in _LOCKED_ONLY and any(call.function.name in model.reach[f"({t})"] for t in model.timers):
            text = f"{call.name}() is called from a timer, where the kernel does not allow it"
            yield found(CONTEXT, call.node, text, _instead(call.name))
    for call in model.calls("scx_bpf_create_dsq"):
        for member in ("init", "init_task", "cgroup_init"):
            plain = [f for f in model.callbacks.get(member, ()) if f.section.lstrip("?").startswith("struct_ops/")]
            if plain and call.function.name in model.reach[member]:
                text = (
                    f"scx_bpf_create_dsq() may sleep, but ops.{member}() is not a sleepable program: the kernel "
                    "refuses to load it"
                )
                yield found(CONTEXT, call.node, text, f'put {plain[0].name}() into SEC("struct_ops.s/{member}")')


def _by_parameter(call: Call) -> bool:
    """A helper that is told by its caller whether it may."""
    names = {name for name, _ in call.function.params}
    return any(
        node.kind in ("if_statement", "conditional_expression", "switch_statement") and node.kids[0].has_text(*names)
        for node in call.node.above()
    )


def _instead(name: str) -> str:
    if name in CONSUME or name in MOVES:
        return "take tasks from queues in ops.dispatch()"
    if name in INSERTS:
        return "insert in ops.select_cpu(), ops.enqueue() or ops.dispatch()"
    return "create queues in ops.init(), as a sleepable program" if name == "scx_bpf_create_dsq" else ""


def _mixed(model: Model) -> Findings:
    used = queues(model)
    for value, calls in used.fifo.sure.items():
        others = used.vtime.sure.get(value)
        call = calls[0]
        if not others or any(_configured(model, one) for one in (call, others[0])):
            continue
        name = queue_name(model, value, call, 1)
        text = (
            f"{name} gets tasks in order of arrival here and by virtual time in line {others[0].node.place.line}: "
            "the kernel ends the scheduler when both meet"
        )
        yield found(MIXED, call.node, text, "insert all of them by virtual time, or use two queues")
    for call in model.calls(*INSERT_VTIME, *MOVE_VTIME):
        at = 1 if call.name in INSERT_VTIME else 2
        if builtin_dsq(model, call.arg(at), call.function):
            target = call.arg(at)
            text = (
                f"{target.shown if target else ''} is a built-in queue, which has no order by virtual time: the "
                "kernel ends the scheduler"
            )
            yield found(VTIME_BUILTIN, call.node, text, "scx_bpf_dsq_insert() instead")


def _configured(model: Model, call: Call) -> bool:
    """Is it reached in one configuration of the policy only, so that it need not meet the others?"""
    if call.node.conditional:
        return True
    for node in call.node.above():
        if node.kind in ("if_statement", "conditional_expression", "switch_statement"):
            names = {one.text for one in node.kids[0].find("identifier")}
            if names and names <= model.globals.keys():
                return True
    return False


def _builtin(model: Model) -> Findings:
    for call in model.calls(*CONSUME, "scx_bpf_create_dsq"):
        target = call.arg(0)
        if target is not None and builtin_dsq(model, target, call.function):
            text = f"{target.shown} is a built-in queue: {call.name}() takes only ids of the policy's own"
            yield found(BUILTIN_MOVE, call.node, text, "leave it out, or use a queue of your own")
    for call in model.calls("scx_bpf_dsq_nr_queued", *DSQ_ITERS):
        target = call.arg(1 if call.name.startswith("bpf_iter") else 0)
        if target is None or not builtin_dsq(model, target, call.function):
            continue
        is_local = constant(model, target, call.function) != (1 << 63 | 1)
        if call.name in DSQ_ITERS or not is_local:
            text = f"{target.shown} is a built-in queue: this never sees a task of it"
            yield found(BUILTIN_MOVE, call.node, text, "use a queue of your own", level=WARNING)


def _descending(model: Model) -> Findings:
    for call in model.calls(*INSERT_VTIME):
        key = call.arg(3)
        for value in _sources(call, key):
            if _falls(value):
                text = (
                    f"{value.shown} makes the key of every task smaller than that of those before it: last in, "
                    "first out"
                )
                yield found(DESCENDING, value, text, "let the key grow")


def _sources(call: Call, node: Node | None) -> list[Node]:
    if node is None:
        return []
    given = call.function.values.get(node.text, []) if node.kind == "identifier" else [node]
    return [bare(one) for one in given] if len(given) == 1 else []


def _falls(node: Node) -> bool:
    if node.kind == "call_expression":
        return node.kids[0].text in ("__sync_fetch_and_sub", "__sync_sub_and_fetch", "__atomic_fetch_sub",
                                     "__atomic_sub_fetch")  # fmt: skip
    if node.kind == "update_expression":
        return node.sign == "--" and bare(node.kids[0]).kind == "identifier"
    if node.kind == "unary_expression" and node.sign in ("-", "~") and node.kids:
        inner = bare(node.kids[0])
        return inner.kind == "call_expression" and "ktime" in inner.kids[0].text
    return False


CHECKS = (
    Check((CONTEXT,), _context),
    Check((MIXED, VTIME_BUILTIN), _mixed),
    Check((BUILTIN_MOVE,), _builtin),
    Check((DESCENDING,), _descending),
)
