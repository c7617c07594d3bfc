"""Which lookups are sure to find nothing for some task, and which results nobody reads."""

from __future__ import annotations

from schedops.verify.source.builtins import LOOKUPS
from schedops.verify.source.model import Call, Function, Model, api
from schedops.verify.source.tree import Node, bare
from schedops.verify.source.values import constant

_UPDATE, _STORAGE = "bpf_map_update_elem", "bpf_task_storage_get"
_FILLING = frozenset({"BPF_MAP_TYPE_HASH", "BPF_MAP_TYPE_PERCPU_HASH"})
_FEWEST_PIDS = 32_768  # PID_MAX_DEFAULT of include/linux/threads.h


def map_named(node: Node) -> str:
    """``tasks`` of ``&tasks``."""
    node = bare(node)
    return bare(node.kids[0]).text if node.kind == "pointer_expression" and node.kids else node.text


def misses(model: Model, function: Function, variable: str) -> str:
    """The map in which a variable was looked up, if some task is surely not there; nothing otherwise."""
    values = [bare(value) for value in function.values.get(variable, ())]
    calls = [value for value in values if value.kind == "call_expression" and len(value.kids) > 1]
    if len(calls) != 1 or len(values) != 1:
        return ""
    name, args = api(bare(calls[0].kids[0]).text), calls[0].kids[-1].kids
    if name not in LOOKUPS or not args:
        return ""
    found = map_named(args[0])
    if name == _STORAGE:
        return found if len(args) > 3 and constant(model, args[3], function) == 0 and _forked_only(model, found) else ""
    return found if _fills(model, found) else ""


def _fills(model: Model, name: str) -> bool:
    """Is it a small table into which every task is put, and nobody looks whether there was room?"""
    fields = model.maps.get(name, {})
    kind, entries = fields.get("type"), fields.get("max_entries")
    most = constant(model, entries) if entries is not None else None
    if kind is None or kind.text not in _FILLING or most is None or most >= _FEWEST_PIDS:
        return False
    updates = [call for call in model.calls(_UPDATE) if call.args and map_named(call.args[0]) == name]
    return bool(updates) and all(_ignored(call) for call in updates)


def _ignored(call: Call) -> bool:
    parent = call.node.parent
    while parent is not None and parent.kind in ("parenthesized_expression", "cast_expression"):
        parent = parent.parent
    return parent is not None and parent.kind == "expression_statement"


def _forked_only(model: Model, name: str) -> bool:
    """Is task storage made nowhere, or only for tasks that are forked later, or only for those that are there?"""
    gets = [call for call in model.calls(_STORAGE) if len(call.args) > 3 and map_named(call.args[0]) == name]
    flags = [(call, constant(model, call.args[3], call.function)) for call in gets]
    makes = [call for call, value in flags if value != 0]
    return all(_by_fork(call) for call in makes) and not any(
        value is None and "CREATE" not in call.args[3].text for call, value in flags
    )


def _by_fork(call: Call) -> bool:
    """Does it depend on ``args->fork`` whether this is reached?"""
    for node in call.node.above():
        if node.kind == "if_statement" and call.node not in node.kids[0].walk() and _asks(node.kids[0]):
            return True
        if node.kind == "compound_statement" and any(_leaves(kid) for kid in node.kids if kid.end <= call.node.start):
            return True
    return False


def _leaves(node: Node) -> bool:
    return node.kind == "if_statement" and _asks(node.kids[0]) and any(True for _ in node.find("return_statement"))


def _asks(condition: Node) -> bool:
    return condition.text.replace(" ", "").strip("()!").endswith("->fork")


def result_unread(model: Model, node: Node) -> bool:
    """Is a result kept in a variable that nothing ever reads?"""
    if node.kind != "assignment_expression" or node.sign != "=" or len(node.kids) != 2:
        return False
    target = bare(node.kids[0])
    if target.kind != "identifier" or node.parent is None or node.parent.kind != "expression_statement":
        return False
    reads = (one for one in model.root.find("identifier") if one.text == target.text and not _written(one))
    return not any(True for _ in reads)


def _written(node: Node) -> bool:
    above = node.parent
    if above is None:
        return False
    if above.kind == "assignment_expression":
        return above.sign == "=" and above.kids[0] is node
    return above.kind in ("declaration", "init_declarator") and (above.kind == "declaration" or above.kids[0] is node)
