"""Rules on kicking CPUs and on how long a task may run."""

from __future__ import annotations

from schedops.verify.source.arithmetic import unsigned
from schedops.verify.source.builtins import BUILTIN_BIT, HOT, INSERTS, SLICE_INF
from schedops.verify.source.model import Call, Model
from schedops.verify.source.origins import defined, within
from schedops.verify.source.pages_kicks import INF, KICK_FLAGS, KICK_LOCAL, KICK_WAIT, LONG, ZERO
from schedops.verify.source.report import ERROR, WARNING, Check, Findings, found, via
from schedops.verify.source.tree import Node
from schedops.verify.source.values import constant, dsq_arg, values

_IDLE, _PREEMPT, _WAIT = 1, 2, 4
_LONG_NS = 200_000_000
_DEFAULT_TIMEOUT_MS = 30_000


def _kicks(model: Model) -> Findings:
    for call in model.calls("scx_bpf_kick_cpu"):
        flags = constant(model, call.arg(1), call.function)
        node = call.arg(1)
        if flags is not None and flags & _IDLE and flags & (_PREEMPT | _WAIT):
            text = f"{call.node.shown} combines SCX_KICK_IDLE with PREEMPT or WAIT: the kernel ends the scheduler"
            yield found(KICK_FLAGS, call.node, text, "choose one of them")
        waits = (flags is not None and flags & _WAIT) or (
            flags is None and node is not None and node.has_text("SCX_KICK_WAIT")
        )
        if waits:
            hot = any(member in HOT for member in model.members_reaching(call.function))
            sure = hot and flags is not None and _in_loop(model, call)
            text = (
                f"{via(model, call.function)} waits here for another CPU to "
                f"reschedule{', once for every CPU' if sure else ''}"
            )
            yield found(KICK_WAIT, call.node, text, "leave SCX_KICK_WAIT out", level=ERROR if sure else WARNING)
        yield from _after_local(model, call, flags)


def _in_loop(model: Model, call: Call, depth: int = 0) -> bool:
    loops = ("for_statement", "while_statement", "do_statement")
    if any(node.kind in loops for node in within(call.function, call.node)):
        return True
    return depth < 3 and any(_in_loop(model, one, depth + 1) for one in model.callers.get(call.function.name, ())[:8])


def _after_local(model: Model, call: Call, flags: int | None) -> Findings:
    block, statement = call.node.parent, call.node
    while block is not None and block.kind != "compound_statement":
        statement, block = block, block.parent
    if (
        block is None
        or flags not in (0, _IDLE)
        or statement.kind != "expression_statement"
        or statement not in block.kids
    ):
        return
    target = call.arg(0)
    for other in call.function.calls:
        if other.name not in INSERTS or other.node.start > call.node.start or other.node.parent not in block.kids:
            continue
        local = dsq_arg(model, other, 1) == {BUILTIN_BIT | 2: True}
        queue = other.arg(1)
        same = queue is not None and target is not None and "LOCAL_ON" in queue.shown and target.text in queue.text
        if same or (local and target is not None and "scx_bpf_task_cpu" in target.text):
            yield found(
                KICK_LOCAL, call.node, "the insert before it has already made this CPU look", "leave the kick out"
            )
            return


def _slices(model: Model) -> Findings:
    ends = _something_ends(model)
    inserts = list(model.calls(*INSERTS))
    given = {id(call): _slice(model, call) for call in inserts}
    for call in inserts:
        lengths = given[id(call)]
        if not lengths or call.arg(2) is None:
            continue
        node: Node = call.args[2]
        if lengths == {0}:
            yield found(ZERO, node, "a slice of 0 keeps what is left of the last one, or 1 ns", "SCX_SLICE_DFL")
        elif SLICE_INF in lengths and not ends:
            beside = [given[id(one)] for one in inserts if _together(model, one, call)]
            sure = lengths == {SLICE_INF} and all(one == {SLICE_INF} for one in beside)
            text = (
                f"{call.node.shown} lets the task run until it sleeps, and nothing in the policy preempts: the "
                "others starve"
            )
            yield found(INF, node, text, "give a finite slice", level=ERROR if sure else WARNING)
        elif max(lengths) > _LONG_NS and max(lengths) != SLICE_INF and not ends:
            yield from _long(model, node, max(lengths), sure=len(lengths) == 1)


def _slice(model: Model, call: Call) -> set[int]:
    found_ = values(model, call.arg(2), call.function)
    return {unsigned(value) for value in found_} if found_ is not None else set()


def _together(model: Model, one: Call, other: Call) -> bool:
    """May one callback do either?"""
    return bool(set(model.members_reaching(one.function)) & set(model.members_reaching(other.function)))


def _long(model: Model, node: Node, length: int, *, sure: bool) -> Findings:
    timeout = next((constant(model, table.members.get("timeout_ms")) for table in model.tables), None)
    limit = (timeout or _DEFAULT_TIMEOUT_MS) * 1_000_000
    level = ERROR if 2 * length >= limit and sure else WARNING
    what = f"{length / 1e9:g} s" if length >= 10**9 else f"{length / 1e6:g} ms"
    yield found(
        LONG,
        defined(model, node),
        f"a slice of {what}: whoever waits behind this task waits as long",
        "slices are in ns",
        level=level,
    )


def _something_ends(model: Model) -> bool:
    if model.timers or any(
        (flags := constant(model, call.arg(1), call.function)) is None or flags & _PREEMPT
        for call in model.calls("scx_bpf_kick_cpu")
    ):
        return True
    if any(True for _ in model.calls("scx_bpf_task_set_slice", "bpf_timer_start", "scx_bpf_reenqueue_local")):
        return True
    for function in model.functions.values():
        for node in function.body.find("assignment_expression"):
            if function.name in model.live and node.kids and node.kids[0].text.replace(" ", "").endswith("scx.slice"):
                return True
    return model.root.has_text("SCX_ENQ_PREEMPT")


CHECKS = (
    Check((KICK_WAIT, KICK_FLAGS, KICK_LOCAL), _kicks),
    Check((ZERO, INF, LONG), _slices),
)
