"""Rules on which queues are created, filled and emptied."""

from __future__ import annotations

import itertools

from schedops.verify.source.model import Call, Model
from schedops.verify.source.pages_queues import DUP_CREATE, ID_ZERO, NO_CONSUMER, NOT_CONSUMED, NOT_CREATED
from schedops.verify.source.queues import Queues, queue_name, queues
from schedops.verify.source.report import NOTE, Check, Findings, found, listed, via
from schedops.verify.source.tree import Node


def _find(model: Model) -> Findings:
    used = queues(model)
    yield from _not_consumed(model, used)
    if model.whole and not used.created.unknown:
        yield from _not_created(model, used)
    yield from _created_twice(model, used)
    for call in used.created.sure.get(0, [])[:1]:
        text = f"{call.node.shown} makes a queue 0, which hides enumerators that were never filled in"
        yield found(ID_ZERO, call.node, text, "use ids from 1")


def _not_consumed(model: Model, used: Queues) -> Findings:
    inserts = [call for calls in used.inserted.sure.values() for call in calls]
    if not used.consumed.any:
        if used.created.any:
            inserts += used.inserted.unknown
        for call in dict.fromkeys(inserts):
            text = f"{call.node.shown} fills a queue of the policy, and nothing in the policy takes tasks out of any"
            yield found(NO_CONSUMER, call.node, text, "add an ops.dispatch() that calls scx_bpf_dsq_move_to_local()")
        return
    if used.consumed.unknown:
        return
    for value, calls in used.inserted.sure.items():
        if value in used.consumed.perhaps:
            continue
        first = calls[0]
        name = queue_name(model, value, first, _index(first))
        taken = sorted(queue_name(model, other) for other in used.consumed.perhaps)
        others = f"; only {listed(taken)} {'is' if len(taken) == 1 else 'are'}" if taken else ""
        text = f"tasks are inserted into {name} in {via(model, first.function)}, but it is never consumed{others}"
        twice = _named_twice(used)
        yield found(NOT_CONSUMED, (twice or first).node, text, f"consume {name} in ops.dispatch()")
        if twice:
            yield found(NOT_CONSUMED, first.node, f"this fills {name}, which is never consumed", level=NOTE)


def _named_twice(used: Queues) -> Call | None:
    for calls in used.consumed.sure.values():
        for call in calls[1:]:
            if call.function is calls[0].function:
                return call
    return None


def _not_created(model: Model, used: Queues) -> Findings:
    reported: set[int] = set()
    for use, verb in ((used.inserted, "inserted into"), (used.consumed, "taken from")):
        for value, calls in use.sure.items():
            if value in used.created.perhaps or value in reported:
                continue
            reported.add(value)
            call = calls[0]
            name = queue_name(model, value, call, _index(call) if use is used.inserted else 0)
            text = f"tasks are {verb} {name}, which is never created: the kernel ends the scheduler here"
            yield found(NOT_CREATED, call.node, text, f"scx_bpf_create_dsq({name}, -1) in ops.init()")


def _index(call: Call) -> int:
    return 2 if "move" in call.name or "_from_dsq" in call.name else 1


def _created_twice(model: Model, used: Queues) -> Findings:
    for value, calls in used.created.sure.items():
        for earlier, call in itertools.pairwise(calls):
            fixed = {id(one) for one in calls if one.arg(0) is not None and not _varies(one.arg(0))}
            same = earlier.function is call.function and {id(earlier), id(call)} <= fixed
            if same and not _exclusive(earlier.node, call.node):
                text = f"{queue_name(model, value, call)} was already created in this function: this returns -EEXIST"
                yield found(DUP_CREATE, call.node, text, "give every queue its own id")


def _varies(node: Node | None) -> bool:
    return node is None or any(kid.kind in ("conditional_expression", "call_expression") for kid in node.walk())


def _exclusive(one: Node, other: Node) -> bool:
    """Are they on different branches of one decision?"""
    above = {id(node): node for node in one.above()}
    previous = other
    for node in other.above():
        if id(node) in above:
            mine = one
            for step in one.above():
                if step is node:
                    break
                mine = step
            if node.kind in ("if_statement", "conditional_expression", "switch_statement"):
                return mine is not node.kids[0] and previous is not node.kids[0]
            between = node.kids[node.kids.index(mine) : node.kids.index(previous)] if mine in node.kids else []
            ends = any(
                True for kid in between for _ in kid.find("return_statement", "break_statement", "goto_statement")
            )
            return node.kind == "compound_statement" and ends and mine.kind == "if_statement" and _returns(mine, one)
        previous = node
    return False


def _returns(branch: Node, inside: Node) -> bool:
    """Does the branch that holds *inside* leave?"""
    for node in inside.above():
        if node is branch:
            return False
        if node.kind in ("return_statement", "compound_statement") and any(True for _ in node.find("return_statement")):
            return not any(kid is inside or inside in kid.walk() for kid in branch.kids[:1])
    return False


CHECKS = (Check((NOT_CONSUMED, NO_CONSUMER, NOT_CREATED, DUP_CREATE, ID_ZERO), _find),)
