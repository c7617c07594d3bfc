"""Rules on where kfuncs may be called, and on how much work a callback does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schedops.model.verification import Finding
from schedops.verify.object.contexts import HOT, TIMER, described
from schedops.verify.object.facts import Call, ObjectFacts
from schedops.verify.object.names import current

_INSERTING = frozenset({"select_cpu", "enqueue", "dispatch", "sub_ecaps_updated"})
_DISPATCHING = frozenset({"dispatch", "sub_ecaps_updated"})
_UNLOCKED = frozenset(
    """
    init_task dump cgroup_init cgroup_exit cgroup_prep_move cgroup_move cgroup_cancel_move
    cgroup_set_weight cgroup_set_bandwidth cgroup_set_idle sub_attach sub_detach cpu_online cpu_offline init
    exit init_cids
    """.split()  # noqa: SIM905 - to be read
)
# kfunc -> callbacks it works in; where the kernel's own lists changed over time, the widest of them.
ALLOWED_IN: Mapping[str, frozenset[str]] = {
    "scx_bpf_dsq_insert": _INSERTING,
    "scx_bpf_dsq_insert_vtime": _INSERTING,
    "__scx_bpf_dsq_insert_vtime": _INSERTING,
    "scx_bpf_dsq_move_to_local": _DISPATCHING,
    "scx_bpf_dispatch_nr_slots": _DISPATCHING,
    "scx_bpf_dispatch_cancel": _DISPATCHING,
    "scx_bpf_dsq_move": _DISPATCHING | _UNLOCKED | {TIMER},
    "scx_bpf_dsq_move_vtime": _DISPATCHING | _UNLOCKED | {TIMER},
    "scx_bpf_select_cpu_dfl": frozenset({"select_cpu", "enqueue", TIMER}) | _UNLOCKED,
}
_USUAL = frozenset({"select_cpu", "enqueue", "dispatch"})
_SLEEPS = frozenset({"scx_bpf_create_dsq"})
_MANY = 4096
FOREVER = 1 << 23  # BPF_MAX_LOOPS: `bpf_repeat()` and `can_loop` stand for "until a break"


def of_contexts(
    facts: ObjectFacts, where: Mapping[str, frozenset[str]], live: frozenset[Call] | None
) -> Iterator[Finding]:
    """Calls that the kernel refuses in the callback that they are made from; functions in between are followed.

    :param live: those that may run on the kernel in question; None: any may.
    """
    programs = {member: program for table in facts.struct_ops_maps for member, program in table.callbacks}
    awake = {member for member, program in programs.items() if not _sleepable(facts, program)} | {TIMER}
    for function in facts.functions.values():
        context = where.get(function.name, frozenset())
        for call in function.calls:
            if call.kind == "kfunc" and (live is None or call in live):
                yield from _misplaced(call, context)
                if call.name.split("___")[0] in _SLEEPS and context & awake:
                    yield _may_sleep(call, context & awake)


def _sleepable(facts: ObjectFacts, program: str) -> bool:
    return program in facts.functions and facts.functions[program].sleepable


def _misplaced(call: Call, context: frozenset[str]) -> Iterator[Finding]:
    # A flavour such as ___v2 has other parameters, and works in the same callbacks.
    name = current(call.name.split("___")[0])
    if name not in ALLOWED_IN or not (wrong := context - ALLOWED_IN[name]):
        return
    good = described(frozenset(ALLOWED_IN[name] & _USUAL))
    text = f"{call.name}() in {described(wrong)}: it works in {good} only"
    advice = "The kernel puts the policy out at the first such call (up to 7.0), or refuses to load it (from 7.1)."
    yield Finding(rule="KFUNC-CONTEXT", level="error", text=text, place=call.place, advice=advice)


def _may_sleep(call: Call, wrong: frozenset[str]) -> Finding:
    text = f"{call.name}() may sleep, but {described(wrong)} runs as a program that may not: the verifier refuses it"
    advice = "Create queues in ops.init(), as a program of section `struct_ops.s/...`."
    return Finding(rule="KFUNC-CONTEXT", level="error", text=text, place=call.place, advice=advice)


def of_loops(facts: ObjectFacts, where: Mapping[str, frozenset[str]]) -> Iterator[Finding]:
    """Loops of a constant, large number of rounds in callbacks that run all the time."""
    for function in facts.functions.values():
        hot = where.get(function.name, frozenset()) & HOT
        for call in function.calls if hot else ():
            rounds = rounds_of(call)
            if rounds is not None and _MANY < rounds != FOREVER:
                text = f"{rounds} rounds in {described(hot)}, which runs with the run queue locked and interrupts off"
                advice = "Bound the loop by what there is to do, or do it in a timer."
                yield Finding(rule="HOT-LOOP", level="warning", text=text, place=call.place, advice=advice)


def rounds_of(call: Call) -> int | None:
    """How often the body of a ``bpf_loop()`` or ``bpf_for()`` runs, where that is a constant."""
    if (call.kind, call.name) == ("helper", "loop"):
        return call.args[0]
    if call.name == "bpf_iter_num_new":
        first, end = call.args[1], call.args[2]
        return None if first is None or end is None else (end - first) & 0xFFFFFFFF
    return None
