"""Rules on loops, indices and what costs time on hot paths."""

from __future__ import annotations

import re

from schedops.verify.source.builtins import CONSUME, HOT, INSERTS
from schedops.verify.source.flow import for_parts
from schedops.verify.source.model import Function, Model
from schedops.verify.source.origins import called, defined, within
from schedops.verify.source.pages_loops import BATCH, HOT_LOOP, INDEX, UNBOUNDED
from schedops.verify.source.report import ERROR, NOTE, WARNING, Check, Findings, found, via
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant

_LOOPS = ("for_statement", "while_statement", "do_statement")
_LEAVES = ("break_statement", "return_statement", "goto_statement")
_ERROR_ROUNDS, _WARN_ROUNDS = 4096, 1024
_DEFAULT_BATCH = 32
_WIDE = re.compile(r"\b(__)?[su](32|64)\b|\b(int|long|size_t)\b")


def rounds(model: Model, loop: Node, function: Function) -> tuple[int, Node] | None:
    """How often a loop of fixed length runs, and the bound."""
    if loop.kind != "for_statement":
        return None
    first, condition, _, _ = for_parts(loop)
    start = bare(first.kids[0]) if first is not None and first.kind == "expression_statement" and first.kids else first
    if start is not None and start.kind == "assignment_expression":
        call = bare(start.kids[1])
        if called(call) == "__sched_for" and len(call.kids[-1].kids) == 2:
            low, high = (constant(model, kid, function) for kid in call.kids[-1].kids)
            return None if low is None or high is None else (max(0, high - low), bare(call.kids[-1].kids[1]))
    if start is not None and called(start) == "__sched_repeat":
        number = constant(model, start.kids[-1].kids[0], function) if start.kids[-1].kids else None
        return None if number is None else (max(0, number), bare(start.kids[-1].kids[0]))
    condition = bare(condition) if condition is not None else None
    if condition is not None and condition.kind == "binary_expression" and condition.sign in ("<", "<=", "!="):
        number = constant(model, condition.kids[1], function)
        return None if number is None else (max(0, number), bare(condition.kids[1]))
    return None


def _left_early(loop: Node) -> bool:
    return any(True for _ in (loop.kids[-1] if loop.kids else loop).find(*_LEAVES))


def _cost(model: Model, node: Node, function: Function, depth: int = 0) -> tuple[int, Node | None]:
    """The most rounds that one pass over *node* takes for sure, and the bound of the loop that counts most."""
    key = ("cost", node.start, node.end)
    known = model.memo.get(key)
    if known is not None:
        return known  # type: ignore[return-value]
    model.memo[key] = (1, None)
    best: tuple[int, Node | None] = (1, None)
    todo = list(node.kids)
    while todo:
        one = todo.pop()
        here: tuple[int, Node | None] = (1, None)
        if one.kind in _LOOPS:
            times = rounds(model, one, function)
            inner = _cost(model, one, function, depth + 1) if depth < 12 else (1, None)
            if times is None or _left_early(one):
                here = inner if times is None else (1, None)
            else:
                here = (times[0] * inner[0], times[1] if times[0] >= inner[0] or inner[1] is None else inner[1])
        elif one.kind == "call_expression":
            here = _call_cost(model, one, function, depth)
            todo.extend(one.kids)
        else:
            todo.extend(one.kids)
        best = max(best, here, key=lambda pair: pair[0])
    model.memo[key] = best
    return best


def _call_cost(model: Model, node: Node, function: Function, depth: int) -> tuple[int, Node | None]:
    name = called(node)
    if depth > 12:
        return 1, None
    if name == "bpf_loop" and len(node.kids[-1].kids) >= 2:
        times = constant(model, node.kids[-1].kids[0], function)
        return (max(1, times), bare(node.kids[-1].kids[0])) if times is not None else (1, None)
    helper = model.functions.get(name)
    return _cost(model, helper.body, helper, depth + 1) if helper is not None else (1, None)


def _hot(model: Model) -> Findings:
    seen: set[int] = set()
    for member in sorted(HOT & set(model.callbacks)):
        for function in model.callbacks[member]:
            times, bound = _cost(model, function.body, function)
            if times < _WARN_ROUNDS or bound is None or bound.start in seen:
                continue
            seen.add(bound.start)
            text = (
                f"{function.name}() does {times:,} rounds for every call of ops.{member}(), with a run queue's lock "
                "held"
            )
            level = ERROR if times >= _ERROR_ROUNDS else WARNING
            yield found(HOT_LOOP, defined(model, bound), text, "bound the search, or do it rarely", level=level)
            for given in _given(model, bound):
                yield found(HOT_LOOP, defined(model, given), f"{given.shown} rounds are asked for here", level=NOTE)


def _given(model: Model, bound: Node) -> list[Node]:
    """Where callers say how many rounds a helper is to do."""
    around = (one for one in model.functions.values() if one.body.start <= bound.start < one.body.end)
    function = next(around, None)
    names = [name for name, _ in function.params] if function is not None else []
    if function is None or bound.kind != "identifier" or bound.text not in names:
        return []
    at = names.index(bound.text)
    return [bare(call.args[at]) for call in model.callers.get(function.name, [])[:4] if at < len(call.args)]


def _unbounded(model: Model) -> Findings:
    for function in model.functions.values():
        if function.name not in model.live:
            continue
        for loop in function.body.find(*_LOOPS):
            if _endless(loop, function):
                text = "nothing in this loop's condition is a variable that the loop counts: the verifier refuses it"
                yield found(UNBOUNDED, loop, text, "bpf_for(i, 0, N) with a break")
            elif bound := _any_bound(model, loop, function):
                text = (
                    f"{bound} is a variable that may hold anything, and the verifier follows a plain loop round by "
                    "round: it gives up after a million instructions"
                )
                yield found(UNBOUNDED, loop, text, "bpf_for(i, 0, N), or a constant bound besides")


def _any_bound(model: Model, loop: Node, function: Function) -> str:
    """The global variable that is all that ends a plain loop, when the verifier knows nothing of it."""
    if loop.kind != "for_statement" or _left_early(loop) or "__sched_" in loop.text.split("{", 1)[0]:
        return ""
    condition = for_parts(loop)[1]
    condition = bare(condition) if condition is not None else None
    if condition is None or condition.kind != "binary_expression" or condition.sign not in ("<", "<="):
        return ""
    bound = bare(condition.kids[1])
    variable = model.globals.get(bound.text) if bound.kind == "identifier" else None
    if variable is None or bound.text in function.types or "const" in variable.type.split():
        return ""
    written = any(bound.text in one.values or bound.text in one.changed for one in model.functions.values())
    if "static" in variable.type.split() and not written:
        return ""  # the compiler takes it for a constant
    # A sum of numbers needs no loop, and the compiler knows.
    works = any(True for _ in loop.kids[-1].find("call_expression", "subscript_expression", "field_expression"))
    return bound.text if works and _WIDE.search(variable.type) and variable.length is None else ""


def _endless(loop: Node, function: Function) -> bool:
    text = loop.text
    if "__sched_" in text.split("{", 1)[0] or "__sched_can_loop" in text or "bpf_iter_" in text:
        return False
    if loop.kind == "for_statement":
        condition = for_parts(loop)[1]
    else:
        condition = loop.kids[0] if loop.kind == "while_statement" else loop.kids[-1]
    if condition is not None and bare(condition).kind in ("number_literal", "false") and bare(condition).text == "0":
        return False  # do { … } while (0)
    counted = {bare(one.kids[0]).text for one in loop.find("update_expression") if one.kids}
    changed = {bare(one.kids[0]).text for one in loop.find("assignment_expression") if one.kids}
    local = {name for name in counted | changed if name in function.types}
    tests = [condition] if condition is not None else []
    tests += [one.kids[0] for one in loop.find("if_statement") if any(True for _ in one.find(*_LEAVES))]
    return not any(test.has_text(*local) for test in tests) if local else True


def _indices(model: Model) -> Findings:
    arrays = {name: one for name, one in model.globals.items() if one.length is not None}
    if not arrays:
        return
    for function in model.functions.values():
        if function.name not in model.live or not model.members_reaching(function):
            continue
        for node in function.body.find("subscript_expression"):
            base, index = bare(node.kids[0]), bare(node.kids[-1])
            if base.text in arrays and base.text not in function.types and _free(model, index, function):
                length = arrays[base.text].length
                size = length.shown if length is not None else "?"
                text = (
                    f"{base.text}[] has {size} elements, and nothing bounds {index.shown} on both sides before this: "
                    "the verifier refuses it"
                )
                yield found(INDEX, node, text, f"check 0 <= {index.shown} < {size} first")


def _free(model: Model, index: Node, function: Function) -> bool:  # noqa: C901, PLR0911 - one per reason
    """Is it sure that the verifier knows no bound?"""
    if index.kind == "call_expression":
        return called(index) == "scx_bpf_task_cpu"
    if index.kind == "field_expression":
        return index.text.replace(" ", "").endswith(("->pid", "->tgid"))
    if index.kind != "identifier" or index.text in function.changed or not re.search(
        r"\b([su]32|int|__[su]32|[su]64)\b", function.types.get(index.text, "")
    ):  # fmt: skip
        return False
    name = index.text
    values = function.values.get(name, [])
    if any(not _free(model, bare(value), function) for value in values) or (values and name in dict(function.params)):
        return False
    for node in function.body.find("binary_expression", "switch_statement"):
        if node.has_text(name) and (
            node.kind != "binary_expression" or node.sign in ("<", ">", "<=", ">=", "==", "!=")
        ):
            if _above_only(node, name, function):
                continue
            return False
    if values:
        return True
    names = [param for param, _ in function.params]
    if name not in names:
        return False
    if any(function in found_ for found_ in model.callbacks.values()):
        return True
    callers = model.callers.get(function.name, [])
    at = names.index(name)
    return bool(callers) and all(at < len(c.args) and _free(model, bare(c.args[at]), c.function) for c in callers[:8])


def _above_only(node: Node, name: str, function: Function) -> bool:
    """Does it bound a signed number from above only, and so leave all that are negative?"""
    if node.kind != "binary_expression" or node.sign not in ("<", "<=") or len(node.kids) != 2:
        return False
    number = node.kids[1].text.lower()
    signed = re.search(r"\b(s32|int|__s32|s64)\b", function.types.get(name, "")) is not None
    above = node.kids[0].kind == "identifier" and node.kids[0].text == name
    return (
        signed
        and above
        and node.kids[1].kind == "number_literal"
        and "u" not in number
        and 0 < _int_of(number) < 1 << 31
    )


def _int_of(number: str) -> int:
    """Of a literal; more than any when it is none."""
    digits = number.rstrip("l")
    return int(digits) if digits.isdecimal() else 1 << 63


def _batch(model: Model) -> Findings:
    table = model.tables[0] if model.tables else None
    given = constant(model, table.members.get("dispatch_max_batch")) if table is not None else None
    if table is not None and "dispatch_max_batch" in table.members and given is None:
        return
    if any(True for _ in model.calls("scx_bpf_dispatch_nr_slots")):
        return
    limit = given or _DEFAULT_BATCH
    for call in model.calls(*INSERTS):
        if model.members_reaching(call.function) != ["dispatch"]:
            continue
        for loop in within(call.function, call.node):
            times = rounds(model, loop, call.function) if loop.kind in _LOOPS else None
            flushed = times is None or any(called(one) in CONSUME for one in loop.find("call_expression"))
            if times is None or flushed or times[0] <= limit or _last(call.node, loop):
                continue
            text = (
                f"{via(model, call.function)} inserts up to {times[0]} tasks at once, and the dispatch buffer holds "
                f"{limit}: the kernel ends the scheduler"
            )
            advice = f"at most {limit} rounds, or raise .dispatch_max_batch"
            level = ERROR if given else WARNING  # who sized the buffer meant it; others may know that tasks are few
            yield found(BATCH, defined(model, times[1]), text, advice, level=level)


def _last(node: Node, loop: Node) -> bool:
    """Is the loop left after the insert?"""
    for one in node.above():
        if one is loop:
            return False
        if one.kind == "compound_statement" and any(kid.kind in _LEAVES and kid.start > node.start for kid in one.kids):
            return True
    return False


CHECKS = (
    Check((HOT_LOOP,), _hot),
    Check((UNBOUNDED,), _unbounded),
    Check((INDEX,), _indices),
    Check((BATCH,), _batch),
)
