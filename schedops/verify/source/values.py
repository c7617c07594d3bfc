"""What an expression can be: constants, ternaries, helpers' results and parameters followed."""

from __future__ import annotations

from collections.abc import Mapping

from schedops.verify.source.arithmetic import Unknown, binary, number, unary, unsigned
from schedops.verify.source.builtins import BUILTIN_BIT, CONSTANTS
from schedops.verify.source.model import Call, Function, Model, api
from schedops.verify.source.tree import Node, bare

# value -> is it really one of them, or only perhaps
Values = Mapping[int, bool]
_MAX_VALUES = 64
_MAX_STEPS = 12


class _Evaluator:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.budget = 2000

    def of(self, node: Node, function: Function | None, steps: int = 0) -> Values:  # noqa: C901, PLR0911 - by kind
        self.budget -= 1
        if steps > _MAX_STEPS or self.budget < 0:
            raise Unknown
        node = bare(node)
        kind = node.kind
        if kind in ("number_literal", "char_literal"):
            return {number(node.text): True}
        if kind in ("true", "false", "null"):
            return {int(kind == "true"): True}
        if kind == "identifier":
            return self._name(node.text, function, steps)
        if kind == "conditional_expression":
            return self._ternary(node, function, steps)
        if kind == "binary_expression" and len(node.kids) == 2:
            left, right = (self.of(kid, function, steps + 1) for kid in node.kids)
            if len(left) * len(right) > _MAX_VALUES:
                raise Unknown
            return _merged({binary(node.sign, a, b): sa and sb} for a, sa in left.items() for b, sb in right.items())
        if kind == "unary_expression" and node.kids:
            return _merged({unary(node.sign, a): s} for a, s in self.of(node.kids[0], function, steps + 1).items())
        if kind == "assignment_expression" and node.sign == "=":
            return self.of(node.kids[1], function, steps + 1)
        if kind == "call_expression":
            return self._result(node, steps)
        raise Unknown

    def _ternary(self, node: Node, function: Function | None, steps: int) -> Values:
        if len(node.kids) != 3:
            raise Unknown
        condition, yes, no = node.kids
        try:
            known = self.of(condition, None, steps + 1)
        except Unknown:
            known = {}
        if len(known) == 1:
            return self.of(yes if next(iter(known)) else no, function, steps + 1)
        return _merged((self.of(yes, function, steps + 1), self.of(no, function, steps + 1)))

    def _name(self, name: str, function: Function | None, steps: int) -> Values:
        if function is not None and name in function.types:
            return self._local(name, function, steps)
        if name in self.model.enums:
            base, more = self.model.enums[name]  # type: ignore[misc]
            first = {0: True} if base is None else self.of(base, None, steps + 1)
            return {value + more: sure for value, sure in first.items()}
        variable = self.model.globals.get(name)
        if variable is not None:
            if variable.value is None or "const" not in variable.type.split() or "volatile" in variable.type.split():
                raise Unknown
            return self.of(variable.value, None, steps + 1)
        if name in CONSTANTS:
            return {CONSTANTS[name]: True}
        raise Unknown

    def _local(self, name: str, function: Function, steps: int) -> Values:
        loops = [self.of_loop(node, function, steps) for node in function.values.get(name, ()) if _loop(node)]
        if loops and len(loops) == len(function.values[name]) and name not in function.changed:
            return _merged(loops)
        if name in function.changed:
            raise Unknown
        set_to = function.values.get(name, [])
        names = [param for param, _ in function.params]
        found: list[Values] = []
        if name in names:
            callers = self.model.callers.get(function.name, [])
            if function.section or not function.static or not callers or self._by_address(function):
                raise Unknown
            at = names.index(name)
            for call in callers:
                if at >= len(call.args):
                    raise Unknown
                found.append(self.of(call.args[at], call.function, steps + 1))
        for index, node in enumerate(set_to):
            values = self.of(node, function, steps + 1)
            overwritten = index == 0 and len(set_to) > 1 and _is_initial(node)
            found.append(dict.fromkeys(values, False) if overwritten and set(values) <= {0, -1} else values)
        if not found:
            raise Unknown
        return _merged(found)

    def of_loop(self, node: Node, function: Function, steps: int) -> Values:
        call = bare(node)
        low, high = (self.of(kid, function, steps + 1) for kid in call.kids[-1].kids[:2])
        if len(low) != 1 or len(high) != 1 or not 0 < max(high) - min(low) <= _MAX_VALUES:
            raise Unknown
        return dict.fromkeys(range(min(low), max(high)), True)

    def _by_address(self, function: Function) -> bool:
        callers = len(self.model.callers.get(function.name, []))
        mentions = sum(1 for f in self.model.functions.values() if function.name in f.mentions)
        return mentions > callers

    def _result(self, node: Node, steps: int) -> Values:
        function = self.model.functions.get(api(bare(node.kids[0]).text))
        if function is None:
            raise Unknown
        returns = [one for one in function.body.find("return_statement") if one.kids]
        if not returns:
            raise Unknown
        return _merged(self.of(one.kids[0], function, steps + 1) for one in returns)


def _is_initial(node: Node) -> bool:
    """The value that a variable is declared with."""
    return node.parent is not None and node.parent.kind == "init_declarator"


def _loop(node: Node) -> bool:
    node = bare(node)
    return node.kind == "call_expression" and node.kids[0].text == "__sched_for" and len(node.kids[-1].kids) == 2


def _merged(parts: object) -> Values:
    out: dict[int, bool] = {}
    for part in parts:  # type: ignore[attr-defined]
        for value, sure in part.items():
            out[value] = sure or out.get(value, False)
            if len(out) > _MAX_VALUES:
                raise Unknown
    return out


def values(model: Model, node: Node | None, function: Function | None) -> Values | None:
    """All that *node* can be, or None where that is not known before the policy runs."""
    if node is None:
        return None
    key = ("values", node.start, node.end, function.name if function else "")
    if key not in model.memo:
        try:
            model.memo[key] = _Evaluator(model).of(node, function)
        except Unknown:
            model.memo[key] = None
    return model.memo[key]  # type: ignore[return-value]


def constant(model: Model, node: Node | None, function: Function | None = None) -> int | None:
    """The one value that *node* has, or None."""
    found = values(model, node, function)
    return next(iter(found)) if found is not None and len(found) == 1 else None


def builtin_dsq(model: Model, node: Node | None, function: Function | None) -> bool:
    """Is it sure to be one of the kernel's own queues, such as SCX_DSQ_LOCAL_ON | cpu?"""
    if node is None:
        return False
    found = values(model, node, function)
    if found is not None:
        return all(unsigned(value) & BUILTIN_BIT for value in found)
    node = bare(node)
    if node.kind == "binary_expression" and node.sign in ("|", "+"):
        return any(builtin_dsq(model, kid, function) for kid in node.kids)
    return False


def dsq_arg(model: Model, call: Call, index: int) -> Values | None:
    """The queue that a call names."""
    found = values(model, call.arg(index), call.function)
    return None if found is None else {unsigned(value): sure for value, sure in found.items()}
