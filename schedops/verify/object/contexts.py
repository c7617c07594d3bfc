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
    roots = [(member, program) for table in facts.struct_ops_maps for member, program in table.callbacks]
    roots += [(TIMER, name) for function in facts.functions.values() for name in function.timers]
    for member, program in roots:
        for name in closure(facts.functions, program):
            found.setdefault(name, set()).add(member)
    return {name: frozenset(members) for name, members in found.items()}


def closure(functions: Mapping[str, Function], name: str) -> tuple[str, ...]:
    """*name* and everything that it calls, each once."""
    waiting, found = [name], dict[str, None]()
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
