"""Where a value comes from: the expressions behind a variable, followed through locals and helpers' parameters."""

from __future__ import annotations

from collections.abc import Iterator

from schedops.model.verification import Place
from schedops.verify.source.model import Function, Model, api
from schedops.verify.source.tokens import NAME
from schedops.verify.source.tree import Node, bare

_MAX_PARTS = 60
_MASKS = ("bpf_cpumask_test_cpu", "bpf_cpumask_any", "bpf_cpumask_first", "scx_bpf_pick_", "bpf_cpumask_and",
          "bpf_cpumask_subset", "bpf_cpumask_intersects", "scx_bpf_select_cpu_and", "bpf_cpumask_full",
          "__sched_core_read")  # fmt: skip
_ARITHMETIC = frozenset({"%", "&", "^", ">>", "*"})


def behind(model: Model, node: Node, function: Function) -> list[tuple[Node, Function]]:
    """All expressions that the value may come from, the nearest first."""
    out: list[tuple[Node, Function]] = []
    seen: set[tuple[str, str]] = set()
    todo = [(node, function)]
    while todo and len(out) < _MAX_PARTS:
        part, where = todo.pop(0)
        out.append((part, where))
        for one in part.find("identifier"):
            if (where.name, one.text) in seen:
                continue
            seen.add((where.name, one.text))
            todo.extend((value, where) for value in where.values.get(one.text, ()))
            names = [name for name, _ in where.params]
            if one.text in names and not where.section:
                at = names.index(one.text)
                todo.extend((c.args[at], c.function) for c in model.callers.get(where.name, ()) if at < len(c.args))
            called = model.functions.get(one.text)
            if called is not None:
                todo.extend((r.kids[0], called) for r in called.body.find("return_statement") if r.kids)
    return out


def computed(model: Model, node: Node, function: Function) -> Node | None:
    """The arithmetic, of a task's number or a counter, that a CPU or a queue is chosen by."""
    for part, _ in behind(model, node, function):
        for one in part.find("binary_expression"):
            if one.sign in _ARITHMETIC and len(one.kids) == 2 and "LOCAL_ON" not in one.shown:
                return one
    return None


def looks_at_masks(model: Model, members: list[str]) -> bool:
    """Does anything that these callbacks reach look at which CPUs a task may use?"""
    for member in members:
        for function in model.reached(member):
            if any(call.name.startswith(_MASKS) for call in function.calls):
                return True
            if function.body.has_text("nr_cpus_allowed", "cpus_mask"):
                return True
    return False


def within(function: Function, node: Node) -> Iterator[Node]:
    """The nodes around *node* up to the function's body."""
    for one in node.above():
        if one is function.body:
            return
        yield one


def called(node: Node) -> str:
    """The name of a call, or nothing."""
    node = bare(node)
    return api(bare(node.kids[0]).text) if node.kind == "call_expression" else ""


def address_taken(node: Node) -> bool:
    """Is only its address asked for, as in ``&t->lock``?"""
    above = node.parent
    while above is not None and above.kind in ("field_expression", "subscript_expression", "parenthesized_expression"):
        above = above.parent
    return above is not None and above.kind == "pointer_expression" and above.sign == "&"


def defined(model: Model, bound: Node) -> Node | Place:
    """Where the number is written: its macro, when it is one."""
    token = model.doc.token_at(bound.start)
    if token is None:
        return bound
    written = token.origin.text[token.start : token.end]
    macro = model.doc.macros.get(written)
    return macro.at.origin.place(macro.at.start) if macro is not None and macro.at.kind == NAME else bound
