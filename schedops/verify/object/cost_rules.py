"""Rules on memory for maps and room in the dispatch buffer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod

from schedops.model.verification import Finding
from schedops.verify.object.context_rules import FOREVER, rounds_of
from schedops.verify.object.contexts import closure
from schedops.verify.object.facts import Call, Function, MapShape, ObjectFacts, OpsTable
from schedops.verify.object.flow import is_conditional, successors
from schedops.verify.object.names import current

_HASH, _ARRAY, _PERCPU_HASH, _PERCPU_ARRAY, _LRU, _LRU_PERCPU = 1, 2, 5, 6, 9, 10
_QUEUE, _STACK, _RINGBUF, _USER_RINGBUF = 22, 23, 27, 31
_NO_PREALLOC = 1
_WARN_BYTES, _ERROR_BYTES = 64 << 20, 1 << 30
_ENTRY_OVERHEAD = 64  # struct htab_elem and its bucket, about
_DEFAULT_BATCH = 32  # SCX_DSP_DFL_MAX_BATCH
_INSERTS = frozenset({"scx_bpf_dsq_insert", "scx_bpf_dsq_insert_vtime", "__scx_bpf_dsq_insert_vtime"})
# Whoever asks for room, or empties the buffer in between, knows what he does.
_CAREFUL = frozenset({"scx_bpf_dispatch_nr_slots", "scx_bpf_dispatch_cancel", "scx_bpf_dsq_move_to_local"})
_MAX_CODE, _MAX_LOOPS = 20_000, 64


def of_maps(facts: ObjectFacts) -> Iterator[Finding]:
    """Maps that take much memory as soon as they are made."""
    for one in facts.maps:
        size = bytes_of(one)
        if size > _WARN_BYTES:
            text = f"map {one.name} takes {_shown(size)} of kernel memory when the policy is loaded"
            level = "error" if size > _ERROR_BYTES else "warning"
            advice = "Task storage, or a hash with BPF_F_NO_PREALLOC, takes only what is used."
            yield Finding(rule="MAP-SIZE", level=level, text=text, advice=advice)


def bytes_of(one: MapShape) -> int:
    """Bytes that the kernel allocates at once, of one CPU where the map is per CPU; 0 for one that grows."""
    value = (one.value_size + 7) // 8 * 8
    if one.kind in (_ARRAY, _PERCPU_ARRAY, _QUEUE, _STACK):
        return one.max_entries * value
    if one.kind in (_HASH, _PERCPU_HASH, _LRU, _LRU_PERCPU) and not one.flags & _NO_PREALLOC:
        return one.max_entries * ((one.key_size + 7) // 8 * 8 + value + _ENTRY_OVERHEAD)
    return one.max_entries if one.kind in (_RINGBUF, _USER_RINGBUF) else 0


def of_batch(facts: ObjectFacts, ops: OpsTable) -> Iterator[Finding]:
    """More inserts in one run of ops.dispatch() than the buffer has room for."""
    program = dict(ops.callbacks).get("dispatch", "")
    names = closure(facts.functions, program)
    calls = [call for name in names for call in facts.functions[name].calls]
    if any(_kfunc(call) in _CAREFUL for call in calls) or sum(len(facts.functions[n].code) for n in names) > _MAX_CODE:
        return
    batch = ops.numbers.get("dispatch_max_batch", 0) or _DEFAULT_BATCH
    most = _Inserts(facts.functions).most(program, ())
    if most > batch:
        inserts = [call for call in calls if _kfunc(call) in _INSERTS]
        bounded = any(_counts(facts.functions[name]) for name in names)
        told = "dispatch_max_batch" if ops.numbers.get("dispatch_max_batch") else "dispatch_max_batch, by default"
        yield Finding(
            rule="DISPATCH-BATCH",
            level="warning" if bounded else "error",
            text=f"up to {most} inserts in one run of ops.dispatch(), and room for {batch} ({told})",
            place=inserts[0].place,
            advice="Stop when scx_bpf_dispatch_nr_slots() is 0, or set dispatch_max_batch to what one run needs.",
        )


class _Inserts:
    """How many inserts there are on the longest way through a function; rounds of constant loops are counted."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._known: dict[str, int] = {}
        self._loops: dict[str, list[tuple[int, int, set[int]]]] = {}

    def most(self, name: str, above: tuple[str, ...]) -> int:
        if name not in self._functions or name in above or len(above) > 8:
            return 0
        if name not in self._known:
            function = self._functions[name]
            weights = {call.at: self._weight(function, call, (*above, name)) for call in function.calls}
            weights = {at: weight for at, weight in weights.items() if weight}
            self._known[name] = _longest(function, weights) if weights else 0
        return self._known[name]

    def _weight(self, function: Function, call: Call, above: tuple[str, ...]) -> int:
        if _kfunc(call) in _INSERTS:
            mine = 1
        elif call.kind == "function":
            mine = self.most(call.name, above)
        elif (call.kind, call.name) == ("helper", "loop"):
            handed = [name for name in function.callees if name not in {one.name for one in function.calls}]
            mine = max((self.most(name, above) for name in handed), default=0) * (call.args[0] or 1)
        else:
            return 0
        return mine * self._rounds(function, call.at) if mine else 0

    def _rounds(self, function: Function, at: int) -> int:
        """How often the loops around instruction *at* run it, as far as their bounds are constants."""
        if function.name not in self._loops:
            self._loops[function.name] = list(_bounded_loops(function))
        # By iterator, since the compiler may make two loops of one.
        return prod({new: rounds for new, rounds, body in self._loops[function.name] if at in body}.values())


def _bounded_loops(function: Function) -> Iterator[tuple[int, int, set[int]]]:
    """(where its iterator is made, rounds, instructions) of each ``bpf_for()`` whose bounds are constants."""
    news = [call for call in function.calls if call.name == "bpf_iter_num_new"]
    nexts = [call.at for call in function.calls if call.name == "bpf_iter_num_next"]
    for header, body in _loops(function) if news else ():
        before = [call for call in news if call.at < header][-1:]
        if before and any(at in body for at in nexts):
            rounds = rounds_of(before[0]) or 1
            yield before[0].at, 1 if rounds == FOREVER else rounds, body


def _loops(function: Function) -> Iterator[tuple[int, set[int]]]:
    """(first instruction, all instructions) of each loop."""
    code = function.code
    comes_from: dict[int, list[int]] = {}
    back: dict[int, list[int]] = {}
    for at in range(len(code)):
        for way in successors(code, at):
            comes_from.setdefault(way, []).append(at)
            if way <= at:
                back.setdefault(way, []).append(at)
    if len(back) > _MAX_LOOPS:
        return
    for header, ends in back.items():
        body, waiting = {header}, list(ends)
        while waiting:
            one = waiting.pop()
            if one not in body:
                body.add(one)
                waiting += comes_from.get(one, ())
        yield header, body


def _longest(function: Function, weights: Mapping[int, int]) -> int:
    """The heaviest way from the beginning to an end; each loop once (its rounds are in the weights)."""
    best: dict[int, int] = {}
    open_: set[int] = set()
    waiting = [(0, False)]
    while waiting:
        at, left = waiting.pop()
        ways = successors(function.code, at)
        if left:
            open_.discard(at)
            best[at] = weights.get(at, 0) + max((best[way] for way in ways if way in best), default=0)
        elif at not in best and at not in open_:
            open_.add(at)
            waiting.append((at, True))
            waiting += [(way, False) for way in ways if way not in best and way not in open_]
    return best.get(0, 0)


def _counts(function: Function) -> bool:
    """Some loop compares a number that is not its own bound, so it may end before that."""
    bounds = {0, -1}
    for call in function.calls:
        bounds |= {value + one for value in call.args[1:3] if value is not None for one in (-1, 0)}
    return any(
        is_conditional(function.code[at]) and not function.code[at].op & 8 and function.code[at].imm not in bounds
        for _, body in _loops(function)
        for at in body
    )


def _kfunc(call: Call) -> str:
    return current(call.name.split("___")[0]) if call.kind == "kfunc" else ""


def _shown(size: int) -> str:
    return f"{size >> 20} MiB" if size < 10 << 30 else f"{size >> 30} GiB"
