"""Why a policy's run ended, from what the compiler, the linker and the sandbox say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import wasmtime

from schedops.adapters.sim.build import POLICY_MODULE
from schedops.adapters.sim.module_layout import Layout
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.verification import SourceProblem

MISSING = "the simulator does not have it"
_WEAK = "undefined_weak:"  # how the linker calls what a weak name stands for when nobody has it
# What compiler and linker put in place of a call whose types are not the function's. To a kernel all are registers.
_BITCAST, _SIGNATURE = "_bitcast_invalid", "signature_mismatch:"
_TRAPS = (
    ("fuel", "it does not end"),
    ("unreachable", "a null pointer or an index out of bounds"),
    ("out of bounds memory access", "a pointer to outside of its memory"),
    ("call stack exhausted", "endless recursion"),
    ("uninitialized element", "a call of what is no function"),
    ("undefined element", "a call of what is no function"),
)
# A kernel goes on: addresses that an arena does not have read as 0, and loops with can_loop are ended some day.
_OF_ARENAS = ("fuel", "unreachable", "out of bounds memory access")
_ARENA = 33  # BPF_MAP_TYPE_ARENA
_MAX_NAME = 60
_LOOP_BYTES = 2  # where fuel is counted, and only behind it the line of the loop's body begins


def end_of_trap(trap: wasmtime.Trap, layout: Layout, ended: SimEnd | None) -> SimEnd:
    """A trap is the policy's when its code runs, or a callback was called whose types are not the kernel's.

    :param ended: what the engine said before it let the policy trap, if it did.
    :raises wasmtime.Trap: it is none of the policy's: the engine has a bug.
    """
    theirs = [frame for frame in trap.frames if frame.module_name == POLICY_MODULE]
    name = (theirs[0].func_name or "?") if theirs else ""
    fuel = "fuel" in str(trap)
    place = _place(theirs, layout, loop=fuel)
    if ended is not None:
        return replace(ended, place=place)
    if name.startswith(_WEAK):
        return _unsupported(f"it calls {name.partition(':')[2]}", place)
    if name.endswith(_BITCAST) or name.startswith(_SIGNATURE):
        return _unsupported("a call of a function with other types than it has", place)
    if "indirect call type mismatch" in str(trap):
        return _unsupported(
            f"a callback with these types of arguments and result{name and f', in {name[:_MAX_NAME]}'}", place
        )
    if theirs:
        return _broken(trap, f"{_reason(trap)} in {name[:_MAX_NAME]}", place, layout)
    if fuel:
        return _unsupported("time for queues as long as these", "")
    raise trap


def end_of_source(problems: Sequence[SourceProblem]) -> SimEnd:
    """The first thing that did not compile or link."""
    first = problems[0]
    place = f"{first.file}:{first.line}" if first.line else first.file
    text = f"it does not compile with what the simulator has: {first.text}"
    return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=text, place=place)


def end_of_module(error: wasmtime.WasmtimeError) -> SimEnd:
    """What was linked is no module, or wants of the engine what that is not."""
    text = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
    return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=f"it does not fit into the sandbox: {text[:200]}")


def _broken(trap: wasmtime.Trap, what: str, place: str, layout: Layout) -> SimEnd:
    if any(one.type == _ARENA for one in layout.maps) and any(words in str(trap) for words in _OF_ARENAS):
        return _unsupported(f"what an arena makes of this: {what}", place)
    return SimEnd(verdict=SimVerdict.FAULT, message=what, place=place)


def _unsupported(what: str, place: str) -> SimEnd:
    return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=f"{MISSING}: {what}", place=place)


def _place(frames: Sequence[wasmtime.Frame], layout: Layout, *, loop: bool) -> str:
    places = (
        layout.place(frame.module_offset + _LOOP_BYTES * loop, frame.module_offset - frame.func_offset, loop=loop)
        for frame in frames
        if not (frame.func_name or "").startswith(_WEAK)
    )
    return next(filter(None, places), "")


def _reason(trap: wasmtime.Trap) -> str:
    text = str(trap)
    for words, meaning in _TRAPS:
        if words in text:
            return meaning
    return text.rpartition("wasm trap: ")[2].strip()[:200]
