"""Every side effect a room may have, as Protocols; those of git and the forge are in ``forge_ports``.

Adapters implement them; tests fake them by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from schedops.model.accounting import Accounting
from schedops.model.environment import HostFacts
from schedops.model.event import Event
from schedops.model.guest import (
    Accelerator,
    AttachReading,
    DetachReading,
    LoadPlan,
    LoadReading,
    PlayReading,
    SchedState,
)
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.kernel import Kernel, KernelApi
from schedops.model.machine import Machine
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.probe import ProbeReading
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.model.series import Series
from schedops.model.simulation import SimPlan, SimResult
from schedops.model.verification import BuildFailure, BuiltObject, VerificationReport

Item = TypeVar("Item")
Made = TypeVar("Made")


class Clock(Protocol):
    """Time, so that documents made in tests are reproducible."""

    def now_utc(self) -> str:
        """ISO 8601 with seconds, ending in Z."""

    def monotonic_s(self) -> float:
        """Seconds, for durations."""


class Progress(Protocol):
    """Where a stage tells how far it is."""

    def emit(self, event: Event) -> None:
        """Never raises, never blocks for long."""


@dataclass(frozen=True, slots=True)
class KernelImage:
    """A kernel in the store. *directory* holds ``vmlinux``, ``btf``, ``config`` (when known) and ``kernel.json``."""

    kernel: Kernel
    directory: Path


class Toolchain(Protocol):
    """Compiles policies for one kernel's own types."""

    def build(
        self, source: PolicySource, params: Sequence[ParamValue], image: KernelImage
    ) -> BuiltObject | BuildFailure:
        """Equal inputs give equal bytes; a repeat is served from the cache.

        :param params: values that differ from the defaults; written into the object's ``.rodata``.
        :raises Unavailable: the compiler or bpftool is missing or broken.
        """

    def versions(self) -> dict[str, str]:
        """``clang`` and ``bpftool`` -> version."""


class Guest(Protocol):
    """A running micro-VM. Every call has a deadline; every call raises GuestLost when the guest is gone."""

    def attach(self, elf: bytes, *, deadline_s: float) -> AttachReading:
        """Start the resident loader with this object and wait until the policy is enabled or refused."""

    def detach(self, *, deadline_s: float) -> DetachReading:
        """Tell the loader to let go. Safe to repeat."""

    def state(self) -> SchedState:
        """What the kernel says now, with a test task's own view."""

    def run_jobs(self, plan: JobPlan, setup: RunSetup, *, deadline_s: float) -> RunReading:
        """Launch the jobs of a plan and wait for all of them. Works with and without a policy."""

    def mixed_load(self, plan: LoadPlan, *, deadline_s: float) -> LoadReading:
        """Run a load; ends early when an attached policy is lost."""

    def run_programs(self, plan: ProgramPlan, *, deadline_s: float) -> ProgramReading | None:
        """Prepare, start servers, run the jobs and wait for all of them; needs a guest that was booted with programs.

        None for a plan without jobs, which only prepares: what it makes in ``/job`` is there for later runs.

        :raises InputError: more than a guest can hold.
        :raises Unavailable: ``program-failed``: preparing failed, or a server did not come up.
        """

    def accounting(self) -> Accounting:
        """What its kernel has counted so far for the whole machine."""

    def probe_start(self, elf: bytes, *, slot_ns: int) -> None:
        """Watch the scheduler from now on with the programs of ``schedops/probes``, built for this kernel.

        :param slot_ns: resolution of what is counted over time; 512 slots are kept.
        :raises Unavailable: ``probes-refused``: the kernel does not take them.
        """

    def probe_stop(self) -> ProbeReading:
        """What they counted; they are gone then."""

    def play(self, plan: SimPlan, *, name_seed: int, deadline_s: float) -> PlayReading:
        """Have real tasks, named by *name_seed*, do what a plan says; ends early when an attached policy is lost.

        :raises InputError: it cannot be played. :raises Unavailable: no room for its tasks.
        """

    def dump(self) -> str:
        """What sched_ext dumped when it last put a policy out (tasks, queues, CPUs); bounded, printable, or empty."""

    def kernel_log(self) -> str:
        """What the kernel logged since the last call; bounded, printable."""


class Machines(Protocol):
    """Makes guests."""

    def boot(
        self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None
    ) -> AbstractContextManager[Guest]:
        """A guest that is gone when the context ends, however it ends.

        :param sockets: the CPUs are of so many, each with a last-level cache of its own.
        :param programs: archive of real programs, unpacked into its root.

        The first one on a kernel makes a frozen template (seconds); later ones start from it (0.05 s).

        :raises Unavailable: no emulator, or the kernel did not come up.
        """

    def accelerator(self) -> Accelerator:
        """What will run the guests. KVM is proved by a boot, once per machine, then remembered."""


class Host(Protocol):
    """The machine that all of this runs on."""

    def facts(self) -> HostFacts:
        """What figures depend on, as it is now. Never raises: what cannot be read is empty."""


class Metrics(Protocol):
    """A monitoring system that is asked in PromQL, and answers with every series that matches; none: no data.

    Both raise Unavailable: ``prometheus-silent``, ``prometheus-refused``, ``prometheus-garbled``.
    """

    def instant(self, query: str) -> tuple[Series, ...]:
        """As it is now: one point each; a scalar is a series without labels."""

    def over(self, query: str, *, start_s: float, end_s: float, step_s: float) -> tuple[Series, ...]:
        """For each step between two times, in seconds since 1970; steps without data are not there."""


class Kernels(Protocol):
    """The kernel store."""

    def list(self) -> tuple[KernelImage, ...]:
        """Sorted by version, oldest first."""

    def find(self, wanted: str) -> KernelImage | None:
        """By name, release, release prefix ("6.16") or BTF digest; the newest match."""

    def api(self, image: KernelImage) -> KernelApi:
        """What it offers to policies; kept once read.

        :raises InputError: its BTF cannot be read.
        """


class Verdicts(Protocol):
    """Reports that were made before, whole or of one kernel, kept by the digest of everything that they depend on."""

    def find(self, key: str) -> VerificationReport | None:
        """None when there is none that this very version of schedops has made and that can be read."""

    def keep(self, key: str, report: VerificationReport) -> None:
        """Never raises: what cannot be kept is made again."""


class Embedder(Protocol):
    """Texts as vectors, so that those that mean the same are near each other.

    *name*: of the model and its version; what was made with another one is not compared. *dimensions*: of a vector.
    """

    name: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector of length 1 for each text; all zero for a text that says nothing."""


class Crew(Protocol):
    """Hands that work side by side."""

    def each(self, work: Callable[[Item], Made], things: Sequence[Item], *, at_once: int) -> list[Made]:
        """What *work* makes of each thing, in their order; of *at_once* 1 in the caller's own thread.

        What *work* raises is raised here, the first in order, when all that had begun are over.
        """

    def cores(self) -> int:
        """CPUs that this process may use."""

    def guests_at_once(self, *, cpus: int) -> int:
        """How many guests with so many CPUs have cores and memory of their own; 1 at least."""


@dataclass(frozen=True, slots=True)
class SimScheduler:
    """Who schedules in a simulation: a policy, or without one the built-in scheduler of that *name* (eevdf, fifo ...).

    :param params: values of the policy that differ from the defaults.
    :param custody: ops.dequeue() by the rules of Linux 7.1 and later; else by those of 6.18. Nothing else differs.
    """

    name: str
    source: PolicySource | None = None
    params: tuple[ParamValue, ...] = ()
    custody: bool = False


class Simulator(Protocol):
    """Runs plans. Equal arguments give equal results, on every machine."""

    def run(self, plan: SimPlan, machine: Machine, scheduler: SimScheduler, *, trace: bool) -> SimResult:
        """One run. What the policy does wrong is in the result's *end*, never an exception.

        :param trace: keep the stream of events; it may be large.
        :raises Refused: the policy does not compile. :raises Unavailable: compiler or wasmtime is missing.
        """


class Archive(Protocol):
    """Where kernels that are not in the store come from."""

    def fetch(self, wanted: str) -> KernelImage:
        """The newest good kernel whose release is *wanted* or begins with it.

        :raises Refused: every match is unfit. :raises Unavailable: nothing matches, or it cannot be reached.
        """


class Alone:
    """A Crew of one."""

    def each(self, work: Callable[[Item], Made], things: Sequence[Item], *, at_once: int) -> list[Made]:
        """One after the other."""
        return [work(thing) for thing in things]

    def cores(self) -> int:
        """See the port."""
        return 1

    def guests_at_once(self, *, cpus: int) -> int:
        """See the port."""
        return 1


@dataclass(frozen=True, slots=True)
class World:
    """The real ports, joined once by wiring; only the pipeline, the command line and tests hold it whole."""

    clock: Clock
    progress: Progress
    toolchain: Toolchain
    machines: Machines
    kernels: Kernels
    crew: Crew = field(default_factory=Alone)
    verdicts: Verdicts | None = None  # None: nothing is remembered
    simulator: Simulator | None = None  # None: nothing is simulated
    host: Host | None = None  # None: the environment is not recorded
