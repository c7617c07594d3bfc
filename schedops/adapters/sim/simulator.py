"""The port ``Simulator``: plans run by the engine in wasmtime, policies in a sandbox of their own."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import wasmtime

from schedops import proc
from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.sim.build import Builder
from schedops.adapters.sim.encode import encode
from schedops.adapters.sim.ends import MISSING, end_of_module, end_of_source, end_of_trap
from schedops.adapters.sim.guest_policy import GuestPolicy, NotSimulated, join
from schedops.adapters.sim.layouts import kept_layout
from schedops.adapters.sim.module_layout import Layout
from schedops.adapters.sim.results import result_of
from schedops.adapters.sim.sandbox import Sandbox, compiled
from schedops.errors import InputError
from schedops.model.machine import Machine
from schedops.model.simulation import SimEnd, SimPlan, SimResult, SimVerdict
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
_SETUP_FUEL = 64  # a byte of the plan
_TASK_FUEL = 1 << 18  # a task: fifty steps an event, for who looks at all of them
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
        result = self._run(replace(plan, go_on=False), machine, scheduler, trace=trace)
        if not plan.go_on or result.end.verdict != SimVerdict.EJECTED or not result.tasks:
            return result
        # Once more: where the policy did wrong is told by the trap that ended the first run, and it is the same again.
        whole = self._run(plan, machine, scheduler, trace=trace)
        if whole.end.verdict != SimVerdict.DONE:  # it could not end by itself
            return result
        return replace(whole, end=result.end, ejected_ns=result.end_ns)

    def _run(self, plan: SimPlan, machine: Machine, scheduler: SimScheduler, *, trace: bool) -> SimResult:
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
            return run.never(end_of_source(built))
        if problem := self._join(run, built, scheduler):
            return run.never(problem)
        return run.go(words, _POLICY, trace=trace)

    def _join(self, run: _Run, built: bytes, scheduler: SimScheduler) -> SimEnd | None:
        """Put the policy in its sandbox; else why that cannot be."""
        assert scheduler.source is not None
        try:
            layout = self._layout(built)
            module = compiled(built, self._root)
            run.join(module, layout, scheduler)
        except wasmtime.Trap as trap:
            return run.fault(trap, layout)
        except (NotSimulated, ValueError) as missing:
            return SimEnd(verdict=SimVerdict.UNSUPPORTED, message=f"{MISSING}: {missing}")
        except wasmtime.WasmtimeError as error:
            return end_of_module(error)
        return None

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

    def join(self, module: wasmtime.Module, layout: Layout, scheduler: SimScheduler) -> None:
        """See :func:`guest_policy.join`."""
        self._sandbox.refuel(_BATCH_FUEL)
        assert scheduler.source is not None
        declared = scheduler.source.policy.params
        self.policy = join(
            self._sandbox,
            module,
            layout,
            self._plan,
            self._cpus,
            declared,
            scheduler.params,
            custody=scheduler.custody,
        )
        self._sandbox.call("set_custody", int(scheduler.custody))

    def go(self, words: bytes, scheduler: int, *, trace: bool) -> SimResult:
        box = self._sandbox
        address = box.call("room", len(words))
        box.write(address, words)
        trap: SimEnd | None = None
        try:
            box.refuel(_BATCH_FUEL + len(words) * _SETUP_FUEL)
            box.call("setup", address, scheduler, _TRACE_RECORDS if trace else 0)
            over = False
            while not over:
                box.refuel(_BATCH_FUEL + len(self._plan.tasks) * _TASK_FUEL)
                over = bool(box.call("run", _BATCH_EVENTS))
                self._drain()
        except wasmtime.Trap as error:
            if self.policy is None:  # an engine that traps by itself has a bug
                raise
            trap = self.fault(error, self.policy.layout)
        box.refuel(1 << 40)
        end = trap or self._end()
        end = self._unloaded(end)
        box.refuel(1 << 40)
        box.call("finish")
        self._drain()
        return result_of(
            self._plan, self._cpus, end, box.read, lambda which: box.call("result", which), b"".join(self._trace)
        )

    def _unloaded(self, end: SimEnd) -> SimEnd:
        """The policy is unloaded. What it does wrong then counts if nothing was wrong before."""
        if self.policy is None or end.verdict not in (SimVerdict.DONE, SimVerdict.EJECTED):
            return end
        self._sandbox.refuel(_BATCH_FUEL + len(self._plan.tasks) * _TASK_FUEL)
        try:
            self._sandbox.call("unload")
        except wasmtime.Trap as error:
            wrong = self.fault(error, self.policy.layout)
            return wrong if end.verdict == SimVerdict.DONE else end
        return end if end.verdict == SimVerdict.EJECTED else self._end()

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
            reason = f"{MISSING}: "
        return SimEnd(verdict=_VERDICTS[verdict], kind=kind, message=f"{reason}{text}")

    def _policy_words(self, address: int, size: int) -> str:
        assert self.policy is not None  # only a policy has words
        memory, store = self.policy.memory, self._sandbox.store
        last = min(address + min(size, _MAX_WORDS), memory.data_len(store))
        return proc.printable(bytes(memory.read(store, address, last))) if 0 <= address < last else ""

    def fault(self, trap: wasmtime.Trap, layout: Layout) -> SimEnd:
        """What a trap means. :raises wasmtime.Trap: it is none of the policy's."""
        self._sandbox.refuel(1 << 40)
        return end_of_trap(trap, layout, self._end() if self._sandbox.call("result", 7) else None)
