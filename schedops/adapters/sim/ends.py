"""Why a policy's run ended, from what the compiler, the linker and the sandbox say."""

from __future__ import annotations

from collections.abc import Sequence

import wasmtime

from schedops.adapters.sim.build import POLICY_MODULE
from schedops.adapters.sim.debug_info import Layout
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.verification import SourceProblem

MISSING = "the simulator does not have it"
_WEAK = "undefined_weak:"  # how the linker calls what a weak name stands for when nobody has it
_TRAPS = (
    ("fuel", "it does not end"),
    ("unreachable", "a null pointer or an index out of bounds"),
    ("out of bounds memory access", "a pointer to outside of its memory"),
    ("call stack exhausted", "endless recursion"),
    ("uninitialized element", "a call of what is no function"),
    ("undefined element", "a call of what is no function"),
)
_MAX_NAME = 60


def end_of_trap(trap: wasmtime.Trap, layout: Layout, said: str) -> SimEnd:
    """A trap is the policy's when its code runs, or a callback was called whose types are not the kernel's.

    :param said: what the runtime refused before it trapped, if it did.
    :raises wasmtime.Trap: it is none of the policy's: the engine has a bug.
    """
    theirs = [frame for frame in trap.frames if frame.module_name == POLICY_MODULE]
    name = ((theirs[0].func_name or "?") if theirs else "")[:_MAX_NAME]
    place = _place(theirs, layout)
    if name.startswith(_WEAK):
        return _unsupported(f"it calls {name.partition(':')[2]}", place)
    if "indirect call type mismatch" in str(trap):
        return _unsupported(f"a callback with these types of arguments and result{name and f', in {name}'}", place)
    if theirs:
        return SimEnd(verdict=SimVerdict.FAULT, message=f"{said or _reason(trap)} in {name}", place=place)
    if "fuel" in str(trap):
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


def _unsupported(what: str, place: str) -> SimEnd:
    return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=f"{MISSING}: {what}", place=place)


def _place(frames: Sequence[wasmtime.Frame], layout: Layout) -> str:
    places = (
        layout.place(frame.module_offset, frame.module_offset - frame.func_offset)
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
