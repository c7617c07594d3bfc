"""The rule on virtual time: is what a sleeping task saves up ever limited?"""

from __future__ import annotations

from collections.abc import Iterator

from schedops.verify.source.builtins import INSERT_VTIME, MOVE_VTIME
from schedops.verify.source.model import Call, Model
from schedops.verify.source.pages_vtime import NO_CLAMP
from schedops.verify.source.report import Check, Findings, found
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant

_START = {"enable", "init_task"}
_SET = ("scx_bpf_task_set_dsq_vtime", "scx_bpf_dsq_move_set_vtime", *MOVE_VTIME)


def _find(model: Model) -> Findings:
    calls = [call for call in model.calls(*INSERT_VTIME) if "enqueue" in model.members_reaching(call.function)]
    if not calls or not all(_as_it_is(call) for call in calls) or any(True for _ in model.calls(*_SET)):
        return
    if not _only_grows(model):
        return
    for node in _begins(model):
        text = f"{node.shown}: every new task begins there, and nothing brings it up to those that have run for long"
        yield found(NO_CLAMP, node, text, "let it begin at the virtual time of now")
        return
    text = "the key is the task's virtual time as it is, and nothing ever limits what a task saved up while it slept"
    yield found(NO_CLAMP, calls[0].node, text, "let the key be at least the virtual time of now, less one slice")


def _as_it_is(call: Call) -> bool:
    """Is the key `p->scx.dsq_vtime`, or a variable that is nothing else?"""
    key = call.arg(3)
    if key is None:
        return False
    if key.kind == "identifier":
        values = call.function.values.get(key.text, [])
        params = {name for name, _ in call.function.params}
        if len(values) != 1 or key.text in call.function.changed or key.text in params:
            return False
        key = bare(values[0])
    return key.kind == "field_expression" and _is_vtime(key)


def _is_vtime(node: Node) -> bool:
    return node.text.replace(" ", "").endswith("->scx.dsq_vtime")


def _begins(model: Model) -> Iterator[Node]:
    """Where a task's first virtual time is a constant."""
    for function in model.functions.values():
        members = set(model.members_reaching(function))
        for node in function.body.find("assignment_expression") if members and members <= _START else ():
            if _is_vtime(bare(node.kids[0])) and constant(model, node.kids[-1], function) is not None:
                yield node


def _only_grows(model: Model) -> bool:
    """Is every change of a task's virtual time but the first an addition to it, and is there one?"""
    grows = False
    for function in model.functions.values():
        if function.name not in model.live:
            continue
        if any("dsq_vtime" in name for name in function.changed):
            return False
        starts = set(model.members_reaching(function)) <= _START
        for node in function.body.find("assignment_expression"):
            if len(node.kids) != 2 or not bare(node.kids[0]).text.replace(" ", "").endswith("dsq_vtime"):
                continue
            if starts:
                continue
            if node.sign != "+=":
                return False
            grows = True
    return grows


CHECKS = (Check((NO_CLAMP,), _find),)
