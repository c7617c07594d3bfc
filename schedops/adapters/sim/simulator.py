"""The port ``Simulator``: plans run by the engine in wasmtime, policies in a sandbox of their own."""

from __future__ import annotations

import struct
from pathlib import Path

import wasmtime

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.sim.build import POLICY_MODULE, Builder
from schedops.adapters.sim.debug_info import Layout
from schedops.adapters.sim.encode import encode
from schedops.adapters.sim.guest_policy import GuestPolicy, NotSimulated, join
from schedops.adapters.sim.layouts import kept_layout
from schedops.adapters.sim.results import result_of
from schedops.adapters.sim.sandbox import Sandbox, compiled
from schedops.errors import InputError
from schedops.model.machine import Machine
from schedops.model.simulation import SimEnd, SimPlan, SimResult, SimVerdict
from schedops.model.verification import SourceProblem
from schedops.ports import SimScheduler

_BUILT_IN = {"fifo": 0, "random": 1, "eevdf": 2}
_POLICY = 3
_VERDICTS = (
    SimVerdict.DONE,
    SimVerdict.EJECTED,
    SimVerdict.FAULT,
    SimVerdict.UNSUPPORTED,
    SimVerdict.STUCK,
    SimVerdict.PLAN_ERROR,
)
_BATCH_EVENTS = 5_000
_BATCH_FUEL = 1 << 29  # a batch takes 5 million; 100,000 an event are allowed, an endless loop ends in half a second
_TRACE_RECORDS = 1 << 16
_MAX_WORDS = 1024
_WEAK = "undefined_weak:"  # how the linker calls what a weak name stands for when nobody has it
_MISSING = "the simulator does not have it"
_TRAPS = (
    ("fuel", "it does not end"),
    ("unreachable", "a null pointer or an index out of bounds"),
    ("out of bounds memory access", "a pointer to outside of its memory"),
    ("call stack exhausted", "endless recursion"),
)
_REASONS = {1024: "runtime error", 1025: "scx_bpf_error", 1026: "runnable task stall"}


class WasmSimulator:
    """Implements ``Simulator``. Everything about a run is made anew for it, so runs know nothing of each other."""

    def __init__(self, root: Path | None = None) -> None:
        """:param root: cache of modules; by default in the cache directory."""
        self._root = root if root is not None else cache_dir() / "simulator"
        self._builder = Builder(self._root)
        self._layouts: dict[bytes, Layout] = {}

    def run(self, plan: SimPlan, machine: Machine, scheduler: SimScheduler, *, trace: bool) -> SimResult:
        """See the port."""
        words = encode(plan, machine)
        sandbox = Sandbox(compiled(self._builder.engine(), self._root))
        run = _Run(sandbox, plan, len(machine.cpus))
        if scheduler.source is None:
            if scheduler.name not in _BUILT_IN:
                known = ", ".join(_BUILT_IN)
                raise InputError("no-scheduler", f"no scheduler is called {scheduler.name!r}; built in are {known}")
            return run.go(words, _BUILT_IN[scheduler.name], trace=trace)
        built = self._builder.policy(scheduler.source)
        if not isinstance(built, bytes):
            return run.never(_does_not_compile(built))
        layout = self._layout(built)
        try:
            declared = scheduler.source.policy.params
            module = compiled(built, self._root)
            run.policy = join(sandbox, module, layout, plan, len(machine.cpus), declared, scheduler.params)
        except NotSimulated as missing:
            return run.never(SimEnd(verdict=SimVerdict.UNSUPPORTED, message=f"{_MISSING}: {missing}"))
        return run.go(words, _POLICY, trace=trace)

    def _layout(self, wasm: bytes) -> Layout:
        if wasm not in self._layouts:
            self._layouts[wasm] = kept_layout(wasm, self._root)
        return self._layouts[wasm]


class _Run:
    def __init__(self, sandbox: Sandbox, plan: SimPlan, cpus: int) -> None:
        self._sandbox = sandbox
        self._plan = plan
        self._cpus = cpus
        self._trace: list[bytes] = []
        self.policy: GuestPolicy | None = None

    def go(self, words: bytes, scheduler: int, *, trace: bool) -> SimResult:
        box = self._sandbox
        address = box.call("room", len(words))
        box.write(address, words)
        trap: SimEnd | None = None
        try:
            box.refuel(1 << 36)
            box.call("setup", address, scheduler, _TRACE_RECORDS if trace else 0)
            over = False
            while not over:
                box.refuel(_BATCH_FUEL)
                over = bool(box.call("run", _BATCH_EVENTS))
                self._drain()
        except wasmtime.Trap as error:
            box.refuel(1 << 40)
            trap = self._fault(error)
        box.refuel(1 << 40)
        end = trap or self._end()
        box.call("finish")
        self._drain()
        return result_of(
            self._plan, self._cpus, end, box.read, lambda which: box.call("result", which), b"".join(self._trace)
        )

    def never(self, end: SimEnd) -> SimResult:
        """A run that did not begin."""
        return SimResult(
            end=end, end_ns=0, tasks=(), cpus=(), labels=(), decisions=0, wakeups=0, ticks=0, completions=0
        )

    def _drain(self) -> None:
        if count := self._sandbox.call("result", 5):
            self._trace.append(self._sandbox.read(self._sandbox.call("result", 4), count * 24))

    def _end(self) -> SimEnd:
        at = self._sandbox.call("ending_at")
        verdict, kind, length, _code = struct.unpack("<IIQq", self._sandbox.read(at, 24))
        text = self._sandbox.read(at + 24, length).decode("utf-8", "replace")
        if size := self._sandbox.call("words", 1):
            text = self._policy_words(self._sandbox.call("words", 0), size)
        reason = f"{_REASONS[kind]}: " if kind in _REASONS else ""
        if _VERDICTS[verdict] == SimVerdict.UNSUPPORTED:
            reason = f"{_MISSING}: "
        return SimEnd(verdict=_VERDICTS[verdict], kind=kind, message=f"{reason}{text}")

    def _policy_words(self, address: int, size: int) -> str:
        assert self.policy is not None  # only a policy has words
        memory, store = self.policy.memory, self._sandbox.store
        last = min(address + min(size, _MAX_WORDS), memory.data_len(store))
        return bytes(memory.read(store, address, last)).decode("utf-8", "replace") if address < last else ""

    def _fault(self, trap: wasmtime.Trap) -> SimEnd:
        """A trap is the policy's when it runs; without a frame of it the engine has a bug, which is raised."""
        theirs = [frame for frame in trap.frames if frame.module_name == POLICY_MODULE]
        if not theirs or self.policy is None:
            raise trap
        layout = self.policy.layout
        places = (
            layout.place(frame.module_offset, frame.module_offset - frame.func_offset)
            for frame in theirs
            if not (frame.func_name or "").startswith(_WEAK)
        )
        place = next(filter(None, places), "")
        name = theirs[0].func_name or "?"
        if name.startswith(_WEAK):
            missing = name.partition(":")[2]
            return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=f"{_MISSING}: it calls {missing}", place=place)
        if "indirect call type mismatch" in str(trap):
            text = f"{_MISSING}: a callback with these types of arguments and result, in {name}"
            return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=text, place=place)
        said = self._end().message  # what the runtime refused, before it trapped
        return SimEnd(verdict=SimVerdict.FAULT, message=f"{said or _reason(trap)} in {name}", place=place)


def _reason(trap: wasmtime.Trap) -> str:
    text = str(trap)
    for words, meaning in _TRAPS:
        if words in text:
            return meaning
    return text.rpartition("wasm trap: ")[2].strip()[:200]


def _does_not_compile(problems: tuple[SourceProblem, ...]) -> SimEnd:
    first = problems[0]
    place = f"{first.file}:{first.line}" if first.line else first.file
    text = f"it does not compile with what the simulator has: {first.text}"
    return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=text, place=place)
