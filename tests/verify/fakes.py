"""Toolchain and machines whose guests follow a script, guest by guest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from schedops.errors import Unavailable
from schedops.model.guest import Accelerator, AttachReading, DetachReading, LoadPlan, LoadReading, SchedState
from schedops.model.machine import Machine
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.simulation import (
    CpuResult,
    Histogram,
    LabelResult,
    SimEnd,
    SimPlan,
    SimResult,
    SimVerdict,
    TaskResult,
)
from schedops.model.verification import BuildFailure, BuiltObject
from schedops.ports import KernelImage, SimScheduler
from tests.verify.readings import ATTACHED, DETACHED, ENABLED, reading_of


@dataclass
class Guest:
    """Counts its attachings into ``enable_seq`` as a kernel does.

    :param loads: one entry per mixed load, the last one repeats; an exception is raised, None is a load without fault.
    """

    attached: AttachReading | Exception = ATTACHED
    loads: list[LoadReading | Exception | None] = field(default_factory=lambda: [None])
    state_after: SchedState = ENABLED
    detached: DetachReading = DETACHED
    logs: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    plans: list[LoadPlan] = field(default_factory=list)
    cpus: int = 2

    def attach(self, elf: bytes, *, deadline_s: float) -> AttachReading:
        self.calls.append("attach")
        if isinstance(self.attached, Exception):
            raise self.attached
        before, after = self.attached.before, self.attached.after
        return replace(self.attached, before=self._now(before), after=self._now(after))

    def _now(self, state: SchedState) -> SchedState:
        return replace(state, enable_seq=state.enable_seq + self.calls.count("attach") - 1)

    def mixed_load(self, plan: LoadPlan, *, deadline_s: float) -> LoadReading:
        self.calls.append("load")
        reading = self.loads.pop(0) if len(self.loads) > 1 else self.loads[0]
        if isinstance(reading, Exception):
            raise reading
        self.plans.append(plan)
        return reading or reading_of(plan, self.cpus)

    def state(self) -> SchedState:
        return self._now(self.state_after)

    def detach(self, *, deadline_s: float) -> DetachReading:
        self.calls.append("detach")
        return self.detached

    def dump(self) -> str:
        return ""

    def kernel_log(self) -> str:
        return self.logs.pop(0) if self.logs else ""


@dataclass
class Machines:
    """:param guests: the guest of each boot, in order; an exception is raised."""

    guests: list[Guest | Exception]
    boots: int = 0

    @contextmanager
    def boot(self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None) -> Iterator[Guest]:
        guest = self.guests[self.boots]
        self.boots += 1
        if isinstance(guest, Exception):
            raise guest
        guest.cpus = cpus
        yield guest

    def accelerator(self) -> Accelerator:
        return Accelerator(name="tcg-multi", qemu_version="10.0", reason="no KVM")


@dataclass
class Simulator:
    """Every run is done and nobody waited.

    :param ends: how runs end instead, in order; the last one repeats.
    """

    ends: list[SimEnd] = field(default_factory=lambda: [SimEnd(verdict=SimVerdict.DONE)])
    asked: list[tuple[SimPlan, Machine, SimScheduler]] = field(default_factory=list)
    missing: bool = False

    def run(self, plan: SimPlan, machine: Machine, scheduler: SimScheduler, *, trace: bool) -> SimResult:
        if self.missing:
            raise Unavailable("tool-missing", "wasm-ld-19 was not found", hint="it is in the package lld-19")
        self.asked.append((plan, machine, scheduler))
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        task = TaskResult(
            arrival_ns=0,
            first_run_ns=0,
            completion_ns=-1,
            cpu_ns=plan.end_ns,
            wait_ns=0,
            max_wait_ns=1_000_000,
            switches=1,
            preemptions=0,
            wakeups=1,
            migrations=(0, 0, 0),
        )
        return SimResult(
            end=end,
            end_ns=plan.end_ns,
            tasks=(task,) * len(plan.tasks),
            cpus=(CpuResult(busy_ns=plan.end_ns, idle_ns=0, idle_waste_ns=0),) * len(machine.cpus),
            labels=(LabelResult(wakeup=Histogram(((0, 1),)), request=Histogram()),) * len(plan.labels),
            decisions=1,
            wakeups=1,
            ticks=0,
            completions=0,
        )


def build_well(source: PolicySource, image: KernelImage) -> BuiltObject:
    elf = f"{source.text}{image.kernel.name}".encode()
    return BuiltObject(elf=elf, sha256=hashlib.sha256(elf).hexdigest(), kernel=image.kernel.name)


@dataclass
class Toolchain:
    make: Callable[[PolicySource, KernelImage], BuiltObject | BuildFailure] = build_well
    missing: bool = False

    def build(
        self, source: PolicySource, params: Sequence[ParamValue], image: KernelImage
    ) -> BuiltObject | BuildFailure:
        if self.missing:
            raise Unavailable("tool-missing", "clang-19 was not found", hint="`schedops setup`")
        return self.make(source, image)

    def versions(self) -> dict[str, str]:
        return {"clang": "19", "bpftool": "7.5"}
