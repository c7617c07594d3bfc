"""The ports Machines, Guest, Clock and Progress, played by a small model instead of a kernel.

``Machines(script)`` boots guests that share one script: what goes wrong in which run, counted over all guests.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from schedops.agent.quantum import Discipline, simulate
from schedops.errors import GuestLost
from schedops.model.accounting import Accounting
from schedops.model.environment import HostFacts
from schedops.model.event import Event
from schedops.model.guest import Accelerator, AttachReading, DetachReading, PlayReading, SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.kernel import Kernel
from schedops.model.probe import ProbeReading
from schedops.model.simulation import SimPlan
from schedops.ports import KernelImage
from tests.fakes.plays import accounting_at, play_of, probes_of

KERNEL = Kernel(name="6.18.15", release="6.18.15", btf_sha256="b" * 64, vmlinux_sha256="c" * 64, source="added")
IMAGE = KernelImage(KERNEL, Path("/nonexistent"))
DISABLED = SchedState(state="disabled", ops="", enable_seq=0, switch_all=0, nr_rejected=0, task_on_ext=False)

HOST_FACTS = HostFacts(
    kernel="6.12.1",
    cpu_model="A CPU",
    cpus=2,
    governor="performance",
    smt="off",
    turbo="off",
    mitigations=("meltdown: Not affected",),
    microcode="0x1",
    virtualisation="none",
)


@dataclass
class Script:
    """What happens. Runs are counted from 0 over all guests.

    :param gone_in: runs in which the guest is lost.
    :param dropped_in: runs after which the kernel has dropped the policy.
    :param failing_in: runs in which the first job exits with *exit_code*.
    """

    ops: str = "ours"
    discipline: Discipline = Discipline.GROUPS_IN_ORDER
    us_per_work: float = 1.0
    outcome: str = "attached"
    task_on_ext: bool | None = True
    takes_hints: bool = True
    gone_in: frozenset[int] = frozenset()
    emulator_fault: bool = False
    dropped_in: frozenset[int] = frozenset()
    failing_in: frozenset[int] = frozenset()
    exit_code: int = 3
    calls: list[str] = field(default_factory=list)
    setups: list[RunSetup] = field(default_factory=list)
    plans: list[JobPlan] = field(default_factory=list)
    boots: int = 0
    runs: int = 0


class Guest:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.now = DISABLED
        self.now_ns = 1_000_000_000
        self.probed = False

    def attach(self, elf: bytes, *, deadline_s: float) -> AttachReading:
        self.script.calls.append("attach")
        before = self.now
        if self.script.outcome == "attached":
            seq = self.now.enable_seq + 1
            on = self.script.task_on_ext
            self.now = replace(
                self.now, state="enabled", ops=self.script.ops, enable_seq=seq, switch_all=1, task_on_ext=on
            )
        return AttachReading(
            outcome=self.script.outcome,
            errno=0 if self.script.outcome == "attached" else 22,
            before=before,
            after=self.now,
            log="" if self.script.outcome == "attached" else "R1 invalid mem access",
            seconds=0.1,
            verified_instructions=10,
        )

    def detach(self, *, deadline_s: float) -> DetachReading:
        self.script.calls.append("detach")
        was = self.now.state == "enabled"
        self._off()
        return DetachReading(was_attached=was, state=self.now, programs_left=0, seconds=0.1)

    def state(self) -> SchedState:
        return self.now

    def run_jobs(self, plan: JobPlan, setup: RunSetup, *, deadline_s: float) -> RunReading:
        number, self.script.runs = self.script.runs, self.script.runs + 1
        attached = self.now.state == "enabled"
        self.script.calls.append(f"run {'ours' if attached else 'eevdf'}")
        self.script.setups.append(setup)
        self.script.plans.append(plan)
        if number in self.script.gone_in:
            fault = self.script.emulator_fault
            raise GuestLost("the guest stopped answering", attached=attached, known_emulator_fault=fault)
        discipline = self.script.discipline if attached else Discipline.FAIR
        reading = simulate(plan, setup, discipline, us_per_work=self.script.us_per_work)
        if not self.script.takes_hints:
            reading = replace(reading, hints_accepted=0)
        if number in self.script.failing_in:
            reading = replace(reading, exit_codes=(self.script.exit_code, *reading.exit_codes[1:]))
        if number in self.script.dropped_in:
            self._off()
        return reading

    def play(self, plan: SimPlan, *, name_seed: int, deadline_s: float) -> PlayReading:
        number, self.script.runs = self.script.runs, self.script.runs + 1
        self.script.calls.append(f"play {'probed ' if self.probed else ''}{name_seed}")
        if number in self.script.gone_in:
            raise GuestLost("the guest stopped answering", attached=False, known_emulator_fault=False)
        verdict = "late" if number in self.script.failing_in else "done"
        self.played = plan, play_of(plan, 2, verdict=verdict, slower=1.04 if self.probed else 1.0)
        self.now_ns += self.played[1].wall_ns
        return self.played[1]

    def accounting(self) -> Accounting:
        return accounting_at(self.now_ns)

    def probe_start(self, elf: bytes, *, slot_ns: int) -> None:
        self.probed = True

    def probe_stop(self) -> ProbeReading:
        self.probed = False
        return probes_of(*self.played)

    def dump(self) -> str:
        return ""

    def kernel_log(self) -> str:
        return 'other\nsched_ext: BPF scheduler "ours" disabled (runnable task stall)\nsched_ext: ours: job stalled'

    def _off(self) -> None:
        self.now = replace(self.now, state="disabled", ops="", switch_all=0, task_on_ext=False)


@dataclass
class Machines:
    script: Script

    @contextmanager
    def boot(self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None) -> Iterator[Guest]:
        self.script.boots += 1
        yield Guest(self.script)

    def accelerator(self) -> Accelerator:
        return Accelerator(name="tcg-multi", qemu_version="10.0", reason="no KVM")


@dataclass
class Host:
    """A machine that stays what it is, or whose governor changes with every look at it."""

    governors: tuple[str, ...] = ("performance",)
    asked: int = 0

    def facts(self) -> HostFacts:
        self.asked += 1
        return replace(HOST_FACTS, governor=self.governors[min(self.asked, len(self.governors)) - 1])


@dataclass
class Clock:
    """One second passes with every look at it."""

    ticks: float = 0.0

    def now_utc(self) -> str:
        return "2026-11-21T00:00:00Z"

    def monotonic_s(self) -> float:
        self.ticks += 1.0
        return self.ticks


@dataclass
class Progress:
    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.events.append(event)
