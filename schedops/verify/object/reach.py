"""Which calls can run on a given kernel, once the questions that the loader answers are answered.

``if (bpf_ksym_exists(f)) f();`` is fine where the kernel has no ``f``: libbpf writes 0 for its address, and the
kernel's verifier never looks at the branch. This follows the same constants through registers, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from schedops.verify.object.facts import Call, Function, Instruction, ObjectFacts
from schedops.verify.object.flow import is_conditional, successors
from schedops.verify.object.values import CALL, LOAD64

_MAX_STATES = 60_000
_ADDRESS = -1  # of something that exists: not 0, and nothing else is known
_EQUAL, _NOT_EQUAL, _ANY_BIT = 0x10, 0x50, 0x40
_JUMPS = (5, 6)

Answers = Callable[[str], int | None]
_State = tuple[int, tuple[tuple[int, int], ...]]


def live_calls(facts: ObjectFacts, has_kfunc: Callable[[str], bool], exists: Answers) -> tuple[Call, ...] | None:
    """Calls that may run when a callback of the ops table is entered, without those behind a test that fails.

    :param has_kfunc: whether the kernel offers the kfunc that the object calls so.
    :param exists: the answer to a CO-RE question such as ``field sched_ext_ops.dump``; None when it is not known.
    :return: None when it would take too long to find out.
    """
    waiting = [program for table in facts.struct_ops_maps for _, program in table.callbacks]
    seen: set[str] = set()
    calls: list[Call] = []
    left = _MAX_STATES
    while waiting:
        function = facts.functions.get(waiting.pop())
        if function is None or function.name in seen:
            continue
        seen.add(function.name)
        reached, left = _reached(function, has_kfunc, exists, left)
        if left <= 0:
            return None
        direct = {call.name for call in function.calls if call.kind == "function"}
        live = [call for call in function.calls if call.at in reached]
        calls += live
        waiting += [call.name for call in live if call.kind == "function"]
        waiting += [name for name in (*function.callees, *function.timers) if name not in direct]
    return tuple(calls)


def _reached(
    function: Function, has_kfunc: Callable[[str], bool], exists: Answers, left: int
) -> tuple[frozenset[int], int]:
    start: _State = (0, ())
    seen: set[_State] = {start}
    waiting = [start]
    while waiting and len(seen) < left:
        at, known = waiting.pop()
        for state in _next(function, at, dict(known), has_kfunc, exists):
            if state not in seen:
                seen.add(state)
                waiting.append(state)
    return frozenset(at for at, _ in seen), left - len(seen)


def _next(
    function: Function, at: int, known: dict[int, int], has_kfunc: Callable[[str], bool], exists: Answers
) -> Iterator[_State]:
    one = function.code[at]
    ways = successors(function.code, at)
    if is_conditional(one):
        taken = _taken(one, known)
        if taken is not None:
            ways = tuple(way for way in ways if (way == at + 1 + one.off) == taken)
    else:
        _learn(function, at, one, known, has_kfunc, exists)
    rest = tuple(sorted(known.items()))
    return ((way, rest) for way in ways)


def _taken(one: Instruction, known: Mapping[int, int]) -> bool | None:
    value = known.get(one.dst)
    if value is None or one.op & 8 or (value == _ADDRESS and one.imm):
        return None
    code = one.op & 0xF0
    if code == _EQUAL:
        return value == one.imm
    if code == _NOT_EQUAL:
        return value != one.imm
    return bool(value & one.imm) if code == _ANY_BIT and value != _ADDRESS else None


def _learn(
    function: Function,
    at: int,
    one: Instruction,
    known: dict[int, int],
    has_kfunc: Callable[[str], bool],
    exists: Answers,
) -> None:
    kind = one.op & 7
    if at in function.exists:
        _set(known, one.dst, exists(function.exists[at]))
    elif one.op == LOAD64:
        name = function.externs.get(at)
        _set(known, one.dst, None if name is None else _ADDRESS if has_kfunc(name) else 0)
    elif one.op == CALL:
        for register in range(6):
            known.pop(register, None)
    elif one.op in (0xB7, 0xB4) and not one.off and one.imm in (0, 1) and at not in function.relocated:
        known[one.dst] = one.imm
    elif one.op in (0xBF, 0xBC) and not one.off:
        _set(known, one.dst, known.get(one.src))
    elif one.op in (0x57, 0x54) and one.imm == 1 and known.get(one.dst) in (0, 1):
        pass  # a truth value stays what it is
    elif kind in (0, 1, 4, 7) or one.op in (0xDB, 0xC3):
        for register in (one.dst, *((0, one.src) if kind in (0, 3) else ())):
            known.pop(register, None)


def _set(known: dict[int, int], register: int, value: int | None) -> None:
    if value is None:
        known.pop(register, None)
    else:
        known[register] = value
