"""Rules on what becomes of a task in ops.enqueue() and ops.select_cpu()."""

from __future__ import annotations

from schedops.model.verification import Finding
from schedops.verify.source.custody import followed
from schedops.verify.source.model import Model
from schedops.verify.source.pages_custody import ENQUEUE_DROPS, INSERT_TWICE, PUSH_UNCHECKED
from schedops.verify.source.report import ERROR, WARNING, Check, Findings, found, softened
from schedops.verify.source.tree import Node


def _find(model: Model) -> Findings:
    for one in followed(model):
        name = one.function.name
        unsure = any(node.conditional for node in (one.function.body, *one.function.body.kids))
        for node, sure in one.twice:
            text = (
                f"{node.shown} is reached after {name}() has already inserted this task: the kernel ends the scheduler"
            )
            finding = found(INSERT_TWICE, node, text, "insert once per path", level=ERROR if sure else WARNING)
            yield softened(finding, WARNING) if unsure else finding
        if one.member != "enqueue":
            continue
        seen: dict[int, tuple[int, Node, bool]] = {}
        for way in one.exits:
            if not way.data.lost:
                continue
            falls = way.node is one.function.body
            sure = not way.data.stored and not way.data.absent and not (falls and way.data.decided > 1) and not unsure
            before = seen.get(way.node.start)
            if before is None or (sure and not before[2]):
                seen[way.node.start] = (way.data.pushed, way.node, sure)
        for pushed, node, sure in seen.values():
            yield _lost(model, name, pushed, node, sure=sure, falls=node is one.function.body, at=one.function.named)


def _lost(model: Model, name: str, pushed: int, node: Node, *, sure: bool, falls: bool, at: Node) -> Finding:
    if pushed >= 0:
        call = next((n for n in model.root.find("call_expression") if n.start == pushed), node)
        text = f"the result of {call.shown} is ignored: when the map is full, the task is lost and never runs"
        advice = "test the result and insert the task into a dispatch queue when it is not 0"
        return found(PUSH_UNCHECKED, call, text, advice)
    level = ERROR if sure else WARNING
    where = "its end can be reached" if falls else "it returns here"
    text = f"{name}() leaves the task nowhere: {where} without an insert and without storing it, so it never runs"
    return found(ENQUEUE_DROPS, at if falls else node, text, "insert the task on every path", level=level)


CHECKS = (Check((ENQUEUE_DROPS, PUSH_UNCHECKED, INSERT_TWICE), _find),)
