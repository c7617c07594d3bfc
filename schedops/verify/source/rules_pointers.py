"""Rules on pointers, references and CPU numbers that have to be looked at before they are used."""

from __future__ import annotations

from schedops.model.verification import Finding
from schedops.verify.source.builtins import ACQUIRES, LOCKS
from schedops.verify.source.model import Function, Model
from schedops.verify.source.pages_pointers import CHAINED, LOOKUP, NEGATIVE, REF_LEAK, UNCHECKED_PTR
from schedops.verify.source.pointers import MAP, POINTER, Facts, Flaw, Held
from schedops.verify.source.report import ERROR, WARNING, Check, Findings, found
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant


def _find(model: Model) -> Findings:
    facts = Facts(model)
    for function in model.functions.values():
        if function.name not in model.live:
            continue
        start = Held()
        if function in model.callbacks.get("dispatch", ()) and len(function.params) > 1:
            start = Held(nullable=frozenset({(function.params[1][0], POINTER)}))
        exits, flaws = facts.walked(function, start)
        for flaw in flaws:
            yield from _flaw(flaw)
        leaked: set[int] = set()
        for one in exits:
            value = bare(one.node.kids[0]) if one.node.kind == "return_statement" and one.node.kids else None
            used = {node.text for node in value.find("identifier")} if value is not None else set()
            for name, what in one.data.refs:
                if name not in used and one.node.start not in leaked:
                    leaked.add(one.node.start)
                    at = function.named if one.node is function.body else one.node
                    how = "reaches its end" if one.node is function.body else "returns here"
                    yield _leak(at, f"{function.name}() {how}", name, what)
        if function in model.callbacks.get("select_cpu", ()):
            yield from _returned(model, function, facts, start)


def _leak(at: Node, how: str, name: str, what: str) -> Finding:
    if what in LOCKS:
        text = f"{how} without {LOCKS[what]}() after {what}(): the verifier refuses it"
        return found(REF_LEAK, at, text, f"{LOCKS[what]}() on this path too")
    text = f"{how} without giving back {name}, which {what}() returned: the verifier refuses it"
    return found(REF_LEAK, at, text, f"{ACQUIRES[what]}({name}) on this path too")


def _flaw(flaw: Flaw) -> Findings:
    if flaw.what == "unchecked":
        rule_, source = (
            (LOOKUP, "the lookup may find nothing")
            if flaw.kind == MAP
            else (UNCHECKED_PTR, "there may be no such thing")
        )
        text = f"{flaw.name} may be NULL here ({source}) and is used without a check: the verifier refuses it"
        yield found(rule_, flaw.node, text, f"check {flaw.name} before this line")
    elif flaw.what == "chained":
        text = f"{flaw.name} may return NULL, and its result is used in the same expression: the verifier refuses it"
        yield found(CHAINED, flaw.node, text, "bind the result to a variable and check that")
    elif flaw.what == "leak":
        text = f"what {flaw.kind}() returned is lost here without being given back: the verifier refuses it"
        yield found(REF_LEAK, flaw.node, text, f"{ACQUIRES.get(flaw.kind, 'release it')}() first")
    elif flaw.what == "negative":
        text = f"{flaw.name} is -EBUSY when no CPU is idle, and is used as a CPU here: the kernel ends the scheduler"
        yield found(NEGATIVE, flaw.node, text, "use it only when it is >= 0")


def _returned(model: Model, function: Function, facts: Facts, start: Held) -> Findings:
    exits, _ = facts.walked(function, start)
    for node in {one.node: None for one in exits}:
        if node.kind != "return_statement" or not node.kids:
            continue
        value = bare(node.kids[0])
        negative = any(value.text in one.data.negative for one in exits if one.node is node)
        if value.kind == "call_expression":
            negative = facts.negative(value.kids[0].text)
        level = ERROR
        number = constant(model, value, function)
        if number is not None:
            negative = number < 0
            level = ERROR if node.parent is function.body else WARNING  # after what never happens it is harmless
        if negative:
            text = f"{function.name}() returns {value.shown}, which is negative"
            text += (
                ": the kernel ends the scheduler" if number is not None else " when no CPU is idle: the kernel ends it"
            )
            yield found(NEGATIVE, node, text, "fall back to prev_cpu when it is < 0", level=level)


CHECKS = (Check((LOOKUP, CHAINED, UNCHECKED_PTR, REF_LEAK, NEGATIVE), _find),)
