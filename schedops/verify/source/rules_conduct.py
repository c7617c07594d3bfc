"""Rules on how a policy behaves over time: what it prints, when it leaves, whom it favours."""

from __future__ import annotations

from schedops.verify.source.builtins import CLOCKS, CONSUME, HOT, INSERT_VTIME, INSERTS
from schedops.verify.source.model import Call, Function, Model
from schedops.verify.source.origins import called
from schedops.verify.source.pages_conduct import (
    DIVISION,
    NO_WEIGHT,
    PREV_IGNORED,
    PRINTK,
    SELF_EXIT,
    STRICT,
    TIME_BOMB,
    WRITE_ONLY,
)
from schedops.verify.source.queues import queues
from schedops.verify.source.report import ERROR, NOTE, WARNING, Check, Findings, found, listed, via
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant, values

_EXITS = ("scx_bpf_exit", "scx_bpf_exit_bstr")
_SIGNED = frozenset(
    {"s8", "s16", "s32", "s64", "int", "long", "short", "__s32", "__s64", "long long", "signed", "long int"}
)
_FREQUENT = ("select_cpu", "enqueue", "dispatch", "running", "stopping", "tick", "runnable", "quiescent")
_PLAIN = ("expression_statement", "compound_statement")
_MANY, _LONG_NS = 500, 1_000_000_000
_WEIGHTS = ("weight", "static_prio", "prio", "normal_prio", "nice", "load", "cgrp_weight", "hweight", "inv_weight")


def _always(model: Model, call: Call) -> bool:
    """Does a hot callback reach this whenever it runs, by nothing but its own statements?"""
    direct = any(call.function in model.callbacks.get(member, ()) for member in _FREQUENT)
    body = call.function.body
    plain = call.node.parent is not None and call.node.parent.kind == "expression_statement"
    if not direct or not plain or any(one.kind not in _PLAIN for one in call.node.above() if _inside(one, body)):
        return False
    before = (kid for kid in body.kids if kid.end <= call.node.start)
    return not any(True for kid in before for _ in kid.find("return_statement", "goto_statement"))


def _inside(node: Node, body: Node) -> bool:
    return node is not body and body.start <= node.start and node.end <= body.end


def _calls(model: Model) -> Findings:
    for call in model.calls("bpf_printk", "bpf_trace_printk", "bpf_trace_vprintk"):
        if model.hot(call.function):
            always = _always(model, call)
            text = f"{via(model, call.function, tuple(HOT))} prints{' every time' if always else ''}"
            yield found(PRINTK, call.node, text, "count instead of printing", level=ERROR if always else WARNING)
    for call in model.calls(*_EXITS):
        members = [member for member in model.members_reaching(call.function) if member in HOT]
        if members:
            parent = call.node.parent
            always = (
                parent is not None
                and parent.parent is call.function.body
                and call.function in model.callbacks[members[0]]
            )
            text = (
                f"{via(model, call.function, tuple(HOT))} ends the "
                f"scheduler{' the first time that it is called' if always else ''}"
            )
            yield found(SELF_EXIT, call.node, text, "leave that to user space", level=ERROR if always else WARNING)


def _bombs(model: Model) -> Findings:
    counters, starts = _globals(model)
    if not counters and not starts:
        return
    for function in model.functions.values():
        if not model.hot(function):
            continue
        for node in function.body.find("binary_expression"):
            if node.sign not in ("<", ">", "<=", ">=", "==", "!=") or len(node.kids) != 2:
                continue
            for one, other in (node.kids, reversed(node.kids)):
                limit = constant(model, other, function)
                if limit is None or limit < _MANY:
                    continue
                names = _names(one, function)
                clock = limit >= _LONG_NS and names & starts
                if (
                    names & counters
                    and bare(one).kind != "field_expression"
                    and "&" not in bare(one).sign[:1]
                    and "%" not in one.text
                ) or clock:
                    what = "time" if clock else "number of calls"
                    text = f"{node.shown}: the policy behaves differently after some {what}"
                    yield found(TIME_BOMB, node, text, "a test that is shorter sees only the first behaviour")
                    break


def _globals(model: Model) -> tuple[set[str], set[str]]:
    """Counters that only ever grow, and times that only ops.init() sets."""
    grown: set[str] = set()
    shrunk: set[str] = set()
    set_in: dict[str, set[str]] = {}
    for function in model.functions.values():
        for node in function.body.find("update_expression", "assignment_expression", "call_expression"):
            name, grows = _change(node)
            if name not in model.globals or name in function.types:
                continue
            (grown if grows else shrunk).add(name)
            if node.kind == "assignment_expression" and any(
                called(c) in CLOCKS for c in node.kids[1].find("call_expression")
            ):
                set_in.setdefault(name, set()).update(model.members_reaching(function))
    return grown - shrunk, {name for name, members in set_in.items() if members == {"init"}}


def _change(node: Node) -> tuple[str, bool]:
    if node.kind == "update_expression" and node.kids:
        return bare(node.kids[0]).text, node.sign == "++"
    if node.kind == "assignment_expression" and len(node.kids) == 2:
        return bare(node.kids[0]).text, node.sign == "+="
    name = called(node)
    if name.startswith(("__sync_", "__atomic_")) and len(node.kids) > 1 and node.kids[-1].kids:
        target = bare(node.kids[-1].kids[0])
        text = target.kids[0].text if target.kind == "pointer_expression" and target.kids else ""
        return text, "add" in name
    return "", False


def _names(node: Node, function: Function) -> set[str]:
    names = {one.text for one in node.find("identifier")}
    for name in list(names):
        for value in function.values.get(name, ()):
            if not any(one.sign in ("%", "&") for one in value.find("binary_expression")):
                names |= {one.text for one in value.find("identifier")}
    return names


def _weights(model: Model) -> Findings:
    if not model.source.policy.capabilities.weights:
        return
    live = [function for function in model.functions.values() if function.name in model.live]
    if not any(
        one.text in _WEIGHTS or "weight" in one.text for f in live for one in f.body.find("field_identifier")
    ) and not any("cgroup_set_weight" in model.callbacks or "weight" in name for f in live for name, _ in f.params):
        at = _charge(model)
        if at is not None:
            text = "the policy declares weights, but nothing in it reads one: nice values have no effect"
            yield found(NO_WEIGHT, at, text, "divide what a task is charged by p->scx.weight")
        return
    yield from _previous(model)


def _charge(model: Model) -> Node | None:
    for member in ("stopping", "running", "quiescent", "tick", "dispatch", "enqueue"):
        for function in sorted(model.reached(member), key=lambda f: f in model.callbacks[member]):
            for node in function.body.find("binary_expression"):
                if node.sign == "-" and any(called(one) in CLOCKS for one in node.kids[0].find("call_expression")):
                    return node
    for member in ("stopping", "enqueue"):
        for function in model.callbacks.get(member, ()):
            return function.named
    return model.tables[0].node if model.tables else None


def _previous(model: Model) -> Findings:
    inserts = [call for call in model.calls(*INSERTS) if "enqueue" in model.members_reaching(call.function)]
    if not inserts or any(call.name not in INSERT_VTIME for call in inserts):
        return
    if any(
        values(model, call.arg(2), call.function) is None and call.arg(2) is not None and _weighty(model, call.args[2])
        for call in inserts
    ):
        return
    for function in model.callbacks.get("dispatch", ()):
        previous = function.params[1][0] if len(function.params) > 1 else ""
        consumed = any(call.name in CONSUME for f in model.reached("dispatch") for call in f.calls)
        if consumed and previous and not function.body.has_text(previous):
            text = (
                f"{function.name}() never looks at {previous}: two tasks on one CPU take turns whatever their weights"
            )
            yield found(PREV_IGNORED, function.named, text, f"compare {previous} with the head of the queue first")


def _weighty(model: Model, node: Node) -> bool:
    """May a slice depend on a weight?"""
    return not all(one.text in model.globals for one in node.find("identifier"))


def _strict(model: Model) -> Findings:
    sure = queues(model).consumed.sure
    for function in model.callbacks.get("dispatch", ()):
        calls = [(value, call) for value, group in sure.items() for call in group if call.function is function]
        calls.sort(key=lambda pair: pair[1].node.start)
        order = list(dict.fromkeys(value for value, _ in calls))
        others = [one for one in function.body.find("identifier") if one.text in model.globals]
        plain = {call.name for call in function.calls} <= set(CONSUME)
        if len(order) > 1 and plain and not others and not queues(model).consumed.unknown:
            names = [call.arg(0).shown for value, call in calls if order[0] != value]  # type: ignore[union-attr]
            text = (
                f"{calls[0][1].node.shown} always comes first: {listed(list(dict.fromkeys(names)))} starves while "
                "it has tasks"
            )
            yield found(STRICT, calls[0][1].node, text, "serve the others every n-th time")


def _maps(model: Model) -> Findings:
    for name, fields in model.maps.items():
        kind = fields["type"].text if "type" in fields else ""
        if kind not in ("BPF_MAP_TYPE_QUEUE", "BPF_MAP_TYPE_STACK", "BPF_MAP_TYPE_HASH", "BPF_MAP_TYPE_LRU_HASH"):
            continue
        uses = [
            call.name for f in model.functions.values() for call in f.calls if any(a.has_text(name) for a in call.args)
        ]
        if uses and all(use in ("bpf_map_push_elem", "bpf_map_update_elem", "bpf_map_delete_elem") for use in uses):
            level = WARNING if kind.endswith(("QUEUE", "STACK")) else NOTE
            text = f"{name} is filled, and nothing in the policy reads it"
            yield found(WRITE_ONLY, model.globals[name].node, text, "read it or remove it", level=level)


def _divisions(model: Model) -> Findings:
    for function in model.functions.values():
        if function.name not in model.live:
            continue
        for node in function.body.find("binary_expression"):
            if node.sign in ("/", "%") and len(node.kids) == 2 and _signed(model, node.kids[0], node.kids[1], function):
                text = (
                    f"{node.shown} divides signed numbers, which BPF's third instruction set cannot: it does not "
                    "compile"
                )
                yield found(DIVISION, node, text, "cast to an unsigned type first")


def _signed(model: Model, left: Node, right: Node, function: Function) -> bool:
    name = left.text if left.kind == "identifier" else ""
    kind = function.types.get(name, "")
    if (
        not kind
        or " ".join(word for word in kind.split() if word not in ("const", "volatile", "static")) not in _SIGNED
    ):
        return False
    if constant(model, left, function) is not None or ("u" in right.text.lower() and right.kind == "number_literal"):
        return False
    signed_right = right.kind == "number_literal" or function.types.get(right.text, "") in _SIGNED
    divisor = constant(model, right, function)
    compared = any(
        one.sign in ("<", ">", "<=", ">=", "==") and one.has_text(name)
        for one in function.body.find("binary_expression")
    )
    return (
        signed_right
        and not compared
        and divisor not in (0, 1)
        and "-" in "".join(v.text for v in function.values.get(name, ()))
    )


CHECKS = (
    Check((PRINTK, SELF_EXIT), _calls),
    Check((TIME_BOMB,), _bombs),
    Check((NO_WEIGHT, PREV_IGNORED), _weights),
    Check((STRICT,), _strict),
    Check((WRITE_ONLY,), _maps),
    Check((DIVISION,), _divisions),
)
