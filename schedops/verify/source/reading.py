"""Fills a model from the tree: declarations, functions, tables, maps."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterator

from schedops.verify.source.model import Call, Function, Global, Model, Table, api, member_of
from schedops.verify.source.tree import Node, bare

_DECLARATORS = frozenset({"init_declarator", "pointer_declarator", "array_declarator", "identifier",
                          "parenthesized_declarator", "function_declarator"})  # fmt: skip
_MAX_BLOCKS = 32
_TIMER_SETTERS = frozenset({"bpf_timer_set_callback", "bpf_wq_set_callback", "bpf_wq_set_callback_impl"})


def _as_of_cpus(member: str) -> str:
    """A member of ``struct sched_ext_ops_cid`` (7.3), as ``struct sched_ext_ops`` calls it."""
    return _OF_CIDS.get(member, member.replace("cpuctl_", "cgroup_"))


_OF_CIDS = {"select_cid": "select_cpu", "set_cmask": "set_cpumask", "dump_cid": "dump_cpu", "cid_online": "cpu_online",
            "cid_offline": "cpu_offline"}  # fmt: skip
_TABLES: dict[str, Callable[[str], str]] = {"sched_ext_ops": str, "sched_ext_ops_cid": _as_of_cpus}


def fill(model: Model) -> None:
    """Everything but who reaches whom."""
    for node in model.root.find("enum_specifier"):
        _enum(model, node)
    previous = 0
    for node in _top_level(model.root):
        section = _section(model, previous, node)
        previous = node.start
        if node.kind == "function_definition":
            _function(model, node, section)
        elif node.kind == "declaration":
            _declaration(model, node, section)
        previous = node.end
    for at, text, _ in model.doc.sections:
        owner = next((node for node in model.root.kids if node.end > at), model.root)
        model.sections.append((text, owner))
    _bodies(model)
    _callbacks(model)


def _top_level(root: Node) -> Iterator[Node]:
    for node in root.kids:
        if node.kind in ("linkage_specification", "ERROR", "declaration_list"):
            yield from (
                kid for inner in node.kids for kid in ([inner, *inner.kids] if node.kind != "ERROR" else [inner])
            )
        else:
            yield node


def _section(model: Model, start: int, node: Node) -> str:
    body = next((kid for kid in node.kids if kid.kind == "compound_statement"), None)
    end = body.start if body is not None else node.end
    at = bisect.bisect_left(model.doc.sections, start, key=lambda one: one[0])
    if at < len(model.doc.sections) and model.doc.sections[at][0] <= end:
        return model.doc.sections[at][1]
    return ""


def declared(node: Node) -> str:
    """The name that a declarator declares."""
    while node.kids:
        inner = next((kid for kid in node.kids if kid.kind in _DECLARATORS), None)
        if inner is None:
            break
        node = inner
    return node.text if node.kind in ("identifier", "field_identifier") else ""


def _enum(model: Model, node: Node) -> None:
    base: Node | None = None
    steps = 0
    for one in node.find("enumerator"):
        if len(one.kids) > 1:
            base, steps = one.kids[1], 0
        model.enums[one.kids[0].text] = (base, steps)
        steps += 1


def _declaration(model: Model, node: Node, section: str) -> None:
    declarators = [kid for kid in node.kids if kid.kind in _DECLARATORS]
    if not declarators:
        return
    kind = node.doc.text[node.start : declarators[0].start].strip()
    specifier = next((kid for kid in node.kids if kid.kind == "struct_specifier"), None)
    for declarator in declarators:
        if declarator.kind == "function_declarator" or "extern" in kind.split():
            continue
        name = declared(declarator)
        value = declarator.kids[1] if declarator.kind == "init_declarator" and len(declarator.kids) > 1 else None
        array = next(declarator.find("array_declarator"), None) if not _list(value) or declarator.kids else None
        if array is not None and value is not None and array.start >= value.start:
            array = None
        length = array.kids[1] if array is not None and len(array.kids) > 1 else None
        stars = "*" if any(True for _ in _declarator_part(declarator, value)) else ""
        model.globals[name] = Global(name, declarator, kind + stars, value, length, section)
        if specifier is not None and section == ".maps":
            model.maps[name] = _fields(specifier)
        words = kind.replace("static", "").replace("const", "").split()
        if words[:1] == ["struct"] and words[1:2] and words[1] in _TABLES and _list(value):
            assert value is not None
            model.tables.append(
                Table(declarator, {_TABLES[words[1]](name): at for name, at in _members(value).items()})
            )


def _declarator_part(declarator: Node, value: Node | None) -> Iterator[Node]:
    return (node for node in declarator.find("pointer_declarator") if value is None or node.start < value.start)


def _list(value: Node | None) -> bool:
    return value is not None and value.kind == "initializer_list"


def _members(value: Node) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for pair in value.kids:
        if pair.kind == "initializer_pair" and len(pair.kids) == 2:
            found[pair.kids[0].text.lstrip(". ")] = pair.kids[1]
    return found


def _fields(specifier: Node) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for one in specifier.find("field_declaration"):
        name = next((node.text for node in one.find("field_identifier")), "")
        array = next(one.find("array_declarator"), None)
        if array is not None and len(array.kids) > 1:
            found[name] = array.kids[1]
        else:
            found[name] = one
    return found


def _function(model: Model, node: Node, section: str) -> None:
    body = node.kids[-1] if node.kids else node
    declarator = next(node.find("function_declarator"), None)
    if body.kind != "compound_statement" or declarator is None or declarator.start > body.start:
        return
    name = declared(declarator)
    params: list[tuple[str, str]] = []
    for one in declarator.find("parameter_declaration"):
        named = next((kid for kid in one.kids if kid.kind in _DECLARATORS), None)
        if named is not None:
            star = "*" if named.kind in ("pointer_declarator", "array_declarator") else ""
            params.append((declared(named), node.doc.text[one.start : named.start].strip() + star))
    head = node.doc.text[node.start : declarator.start].split()
    if not name or api(name).startswith("scx_bpf_"):
        return  # a header's wrapper of a kfunc: the rules know what that does
    model.functions[name] = Function(name, node, body, tuple(params), section, "static" in head)


def _bodies(model: Model) -> None:
    for function in model.functions.values():
        function.types.update(dict(function.params))
        for node in function.body.walk():
            if node.kind == "call_expression":
                _call(model, function, node)
            elif node.kind == "declaration":
                _locals(function, node)
            elif node.kind == "assignment_expression" and len(node.kids) == 2:
                _assignment(function, node)
            elif (node.kind == "update_expression" and node.kids) or (
                node.kind == "pointer_expression" and node.sign == "&"
            ):
                function.changed.add(bare(node.kids[0]).text)
            elif node.kind == "identifier" and node.text in model.functions:
                function.mentions.add(node.text)


def _call(model: Model, function: Function, node: Node) -> None:
    target = bare(node.kids[0])
    if target.kind != "identifier" or len(node.kids) < 2:
        return
    args = node.kids[-1].kids if node.kids[-1].kind == "argument_list" else []
    call = Call(api(target.text), args, node, function)
    function.calls.append(call)
    if call.name in _TIMER_SETTERS and len(args) > 1:
        model.timers.update(n.text for n in args[1].find("identifier") if n.text in model.functions)


def _locals(function: Function, node: Node) -> None:
    declarators = [kid for kid in node.kids if kid.kind in _DECLARATORS]
    if not declarators:
        return
    kind = node.doc.text[node.start : declarators[0].start].strip()
    for declarator in declarators:
        name = declared(declarator)
        _shadow(function, name, node)
        star = "*" if any(True for _ in declarator.find("pointer_declarator")) else ""
        if any(True for _ in declarator.find("array_declarator")):
            star = "[]"
        function.types[name] = kind + star
        if declarator.kind == "init_declarator" and len(declarator.kids) > 1:
            function.values.setdefault(name, []).append(declarator.kids[1])


def _shadow(function: Function, name: str, node: Node) -> None:
    if node.parent is None:
        return
    known = function.blocks.setdefault(name, [])
    if len(known) < _MAX_BLOCKS and any(one is not node.parent and one in _few_above(node) for one in known):
        function.shadowed.add(name)
    known.append(node.parent)


def _few_above(node: Node) -> list[Node]:
    return list(itertools.islice(node.above(), _MAX_BLOCKS))


def _assignment(function: Function, node: Node) -> None:
    target = bare(node.kids[0])
    if target.kind == "identifier":
        if node.sign == "=":
            function.values.setdefault(target.text, []).append(node.kids[1])
        else:
            function.changed.add(target.text)


def _callbacks(model: Model) -> None:
    for table in model.tables:
        for member, value in table.members.items():
            function = model.functions.get(bare(value).text)
            if function is not None:
                found = model.callbacks.setdefault(member, [])
                if function not in found:
                    found.append(function)
    if model.tables:
        return
    for function in model.functions.values():
        guess = member_of(function)
        if guess is not None:
            model.callbacks.setdefault(guess, []).append(function)
