"""Rules on which queues are created, filled and emptied."""

from __future__ import annotations

import itertools

from schedops.verify.source.arithmetic import unsigned
from schedops.verify.source.builtins import BUILTIN_BIT, INSERTS, SLICE_INF
from schedops.verify.source.model import Call, Model
from schedops.verify.source.pages_queues import DUP_CREATE, ID_ZERO, NO_CONSUMER, NOT_CONSUMED, NOT_CREATED
from schedops.verify.source.queues import Queues, of_each_cpu, queue_name, queues
from schedops.verify.source.report import NOTE, Check, Findings, found, listed, via
from schedops.verify.source.tree import Node
from schedops.verify.source.values import constant

_HOTPLUG = {"cpu_online", "cpu_offline"}
_SHORTEST_NS = 1000


def _find(model: Model) -> Findings:
    used = queues(model)
    yield from _not_consumed(model, used)
    if model.whole and not used.created.unknown:
        yield from _not_created(model, used)
        yield from _created_for_one(model, used)
    if model.whole:
        yield from _swapped(model, used)
        yield from _created_late(model)
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
        for named in _named_in_helper(model, first, value):
            yield found(NOT_CONSUMED, named, f"{name} is chosen here", level=NOTE)
        if twice:
            yield found(NOT_CONSUMED, first.node, f"this fills {name}, which is never consumed", level=NOTE)
    yield from _consumed_for_one(model, used)


def _consumed_for_one(model: Model, used: Queues) -> Findings:
    for call, base in of_each_cpu(model, used.inserted.unknown):
        if base in used.consumed.sure and base + 1 not in used.consumed.perhaps:
            taken_by = used.consumed.sure[base][0]
            text = (
                f"{taken_by.node.shown} takes from the queue of CPU 0 only, and line {call.node.place.line} fills one "
                "for every CPU"
            )
            yield found(NOT_CONSUMED, taken_by.node, text, "take from the queue of the CPU that dispatches")


def _named_in_helper(model: Model, call: Call, value: int) -> list[Node]:
    """Where the helper that an insert asks for its queue names it."""
    asked = call.arg(_index(call))
    helper = model.functions.get(asked.kids[0].text) if asked is not None and asked.kind == "call_expression" else None
    if helper is None:
        return []
    plain = (node for node in helper.body.find("number_literal", "identifier", "parenthesized_expression"))
    return [node for node in plain if constant(model, node, helper) == value][:1]


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


def _created_for_one(model: Model, used: Queues) -> Findings:
    reported: set[int] = set()
    for call, base in of_each_cpu(model, [*used.inserted.unknown, *used.consumed.unknown]):
        if base in used.created.sure and base + 1 not in used.created.perhaps and base not in reported:
            reported.add(base)
            text = (
                f"{call.node.shown} names the queue of any CPU, and line "
                f"{used.created.sure[base][0].node.place.line} makes that of CPU 0 only: the kernel ends the scheduler"
            )
            yield found(NOT_CREATED, call.node, text, "create one for every CPU, in a loop up to scx_bpf_nr_cpu_ids()")


def _swapped(model: Model, used: Queues) -> Findings:
    for call in used.inserted.unknown:
        slice_ns = constant(model, call.arg(2), call.function) if call.name in INSERTS else None
        if slice_ns is None:
            continue
        own = 0 < slice_ns < _SHORTEST_NS and slice_ns in used.created.sure
        if own or (unsigned(slice_ns) & BUILTIN_BIT and unsigned(slice_ns) != SLICE_INF):
            queue = call.arg(2)
            text = f"{queue.shown if queue else ''} is a queue, and stands where the slice belongs: they are swapped"
            yield found(NOT_CREATED, call.node, text, "the task, the queue, the slice in nanoseconds")


def _created_late(model: Model) -> Findings:
    calls = list(model.calls("scx_bpf_create_dsq"))
    where = [set(model.members_reaching(call.function)) for call in calls]
    if calls and all(members and members <= _HOTPLUG for members in where):
        text = f"{calls[0].node.shown} runs for CPUs that come later only, never for those that are there at the start"
        yield found(NOT_CREATED, calls[0].node, text, "create queues in ops.init()")


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
