"""Which callbacks of the policy a function runs in."""

from __future__ import annotations

from collections.abc import Mapping

from schedops.verify.object.facts import Function, ObjectFacts

TIMER = "a timer"
HOT = frozenset(
    """
    select_cpu enqueue dequeue dispatch tick runnable running stopping quiescent yield core_sched_before
    set_weight set_cpumask update_idle
    """.split()  # noqa: SIM905 - to be read
)


def contexts(facts: ObjectFacts) -> Mapping[str, frozenset[str]]:
    """Function -> members of the ops table it is reached from, or `TIMER`; nothing for what nobody calls."""
    found: dict[str, set[str]] = {}
    roots: dict[str, list[str]] = {}
    for table in facts.struct_ops_maps:
        for member, program in table.callbacks:
            roots.setdefault(member, []).append(program)
    roots[TIMER] = [name for function in facts.functions.values() for name in function.timers]
    for member, programs in roots.items():
        for name in closure(facts.functions, *programs):
            found.setdefault(name, set()).add(member)
    return {name: frozenset(members) for name, members in found.items()}


def closure(functions: Mapping[str, Function], *names: str) -> tuple[str, ...]:
    """*names* and everything that they call, each once."""
    waiting, found = list(names), dict[str, None]()
    while waiting:
        one = waiting.pop()
        if one in functions and one not in found:
            found[one] = None
            waiting += functions[one].callees
    return tuple(found)


def described(members: frozenset[str]) -> str:
    """``ops.enqueue() and ops.dispatch()``."""
    words = sorted(member if member == TIMER else f"ops.{member}()" for member in members)
    return " and ".join(words) if words else "a function that no callback calls"
