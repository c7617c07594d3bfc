"""The ports Machines and Guest for real programs: nothing runs, every job takes the time that a test gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from schedops.errors import Unavailable
from schedops.model.guest import Accelerator, AttachReading, DetachReading, SchedState
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.ports import KernelImage
from tests.fakes.guest import DISABLED

IN_CHARGE = replace(DISABLED, state="enabled", enable_seq=1, switch_all=1, task_on_ext=True)


def played(plan: ProgramPlan) -> ProgramReading:
    """Everything went well; all jobs take 10 ms and 4 ms of CPU time, the last one 30 and 20."""
    others = len(plan.jobs) - 1
    return ProgramReading(
        start_us=(0,) * (others + 1),
        end_us=(10_000,) * others + (30_000,),
        cpu_us=(4000,) * others + (20_000,),
        voluntary_switches=(0,) * (others + 1),
        involuntary_switches=(0,) * (others + 1),
        exit_codes=(0,) * (others + 1),
        outputs=("",) * (others + 1),
        wall_us=30_000,
        context_switches=1,
        cgroup_us=4000 * others + 20_000,
        clean=True,
        server_codes=(None,) * len(plan.servers),
        server_outputs=("",) * len(plan.servers),
    )


@dataclass
class Machines:
    """Guests that run programs: what they were asked goes to *calls*; *reading* and *failing* say what comes of it."""

    reading: Callable[[int, ProgramPlan], ProgramReading] = lambda _, plan: played(plan)
    failing: str = ""
    attached: str = "ours"
    lost_in: int = -1
    calls: list[str] = field(default_factory=list)
    plans: list[ProgramPlan] = field(default_factory=list)
    now: SchedState = DISABLED

    @contextmanager
    def boot(
        self, image: KernelImage, *, cpus: int, sockets: int = 1, programs: Path | None = None
    ) -> Iterator[Machines]:
        assert programs is not None
        assert programs.stem == "archive"
        self.calls.append("boot")
        self.now = DISABLED
        yield self

    def run_programs(self, plan: ProgramPlan, *, deadline_s: float) -> ProgramReading | None:
        self.calls += [line.split()[0] for line in plan.shell]
        if self.failing in plan.shell:
            raise Unavailable("program-failed", "checking failed", detail="too little")
        if not plan.jobs:
            return None
        self.calls.append(self.now.ops or "eevdf")
        self.plans.append(plan)
        if len(self.plans) - 1 == self.lost_in:
            self.now = DISABLED
        return self.reading(len(self.plans) - 1, plan)

    def attach(self, elf: bytes, *, deadline_s: float) -> AttachReading:
        before, self.now = self.now, replace(IN_CHARGE, ops=self.attached)
        return AttachReading(
            outcome="attached", errno=0, before=before, after=self.now, log="", seconds=0.1, verified_instructions=1
        )

    def detach(self, *, deadline_s: float) -> DetachReading:
        self.now = DISABLED
        return DetachReading(was_attached=True, state=self.now, programs_left=0, seconds=0.1)

    def state(self) -> SchedState:
        return self.now

    def kernel_log(self) -> str:
        return "stalled"

    def accelerator(self) -> Accelerator:
        return Accelerator(name="tcg-multi", qemu_version="10.0", reason="no KVM")
