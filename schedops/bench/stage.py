"""All rounds of a comparison, in one boot as long as the guest lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from schedops.bench.design import Round, Turn, derived_seed, design
from schedops.bench.jobs import JobLoad
from schedops.bench.load import Load, starved
from schedops.bench.programs import Installed, ProgramLoad
from schedops.bench.run import Candidate, run_turn
from schedops.bench.validity import lost
from schedops.errors import GuestLost, Refused
from schedops.model.environment import Environment
from schedops.model.event import Event
from schedops.model.guest import Accelerator
from schedops.model.jobs import Hints
from schedops.model.measurements import FRESH, Measurements, RoundPlan, Sample
from schedops.model.policy import Policy
from schedops.model.verification import BuiltObject
from schedops.model.workload import Workload
from schedops.ports import Clock, Guest, Host, KernelImage, Machines, Progress
from schedops.schema.canonical import digest_of
from schedops.workloads.expand import require_jobs
from schedops.workloads.real_setup import require_programs

TROUBLE_IN_A_ROW = 3


def environment_of(image: KernelImage, *, cpus: int, accelerator: Accelerator, host: Host) -> Environment:
    """Of a guest with this kernel, as it is now."""
    return Environment(
        kernel=image.kernel.release,
        cpus=cpus,
        accelerator=accelerator.name,
        qemu=accelerator.qemu_version,
        host=host.facts(),
    )


def load_of(workload: Workload, *, cpus: int, scale: float, installed: Installed | None = None) -> Load:
    """Runs of its real programs, or without *installed* of its model's jobs.

    :raises InputError: ``simulator-only``: it has no jobs, or ``no-programs``.
    """
    if installed is not None:
        return ProgramLoad(workload, require_programs(workload), cpus, scale, installed)
    require_jobs(workload)
    return JobLoad(workload, cpus, scale)


def undecided(_: Measurements) -> bool:
    """Go on to the last look."""
    return False


def run(
    workload: Workload,
    policy: Policy,
    built: BuiltObject | None,
    hints: Hints | None,
    image: KernelImage,
    *,
    cpus: int,
    looks: tuple[int, ...],
    seed: int,
    scale: float,
    machines: Machines,
    clock: Clock,
    progress: Progress,
    host: Host | None = None,
    settled: Callable[[Measurements], bool] = undecided,
    origin: str = FRESH,
    installed: Installed | None = None,
) -> Measurements:
    """Measure *built* against the default scheduler and the informed default.

    A guest that is lost is booted again and its round repeated once; a run that is not valid is repeated once, and kept
    all the same. Progress and notes are emitted as stage ``bench``; started and finished are the caller's.

    :param built: None compares the default scheduler with itself in all three arms, which shows the noise.
    :param hints: for the informed default always, for the policy if it declares them.
    :param looks: after how many rounds *settled* is asked whether to end it, rising; the last one is the end anyway.
    :param host: None: the environment is not recorded.
    :param origin: of all samples, FRESH or SEARCH.
    :param installed: the workload's real programs run; None: its model's jobs.
    :raises Refused: ``policy-not-attached``; ``policy-lost`` or ``policy-starves-jobs`` when the kernel dropped it, or
        jobs had to be killed at the deadline, three runs in a row; ``policy-hangs-guest`` when the guest was lost twice
        in one round with the policy attached.
    :raises GuestLost: the guest was lost twice in one round otherwise.
    """
    load = load_of(workload, cpus=cpus, scale=scale, installed=installed)
    planned = design(workload, rounds=looks[-1], seed=seed)
    accelerator = machines.accelerator()

    def environment() -> Environment | None:
        return None if host is None else environment_of(image, cpus=cpus, accelerator=accelerator, host=host)

    begun = Measurements(
        workload=workload.name,
        policy=policy.name,
        kernel=image.kernel.name,
        cpus=cpus,
        accelerator=accelerator.name,
        object_sha256=built.sha256 if built else "",
        rung=accelerator.rung,
        warmup_rounds=workload.warmup_rounds,
        rounds=(),
        samples=(),
        seconds=0.0,
        looks=looks,
        workload_sha256=digest_of(workload),
        environment=environment(),
        programs=load.programs,
    )
    session = _Session(
        load,
        Candidate(policy, built, hints),
        planned,
        begun,
        clock,
        progress,
        environment,
        settled,
        origin,
    )
    while session.left:
        try:
            with machines.boot(image, cpus=cpus, programs=load.archive) as guest:
                load.prepare(guest)
                session.work(guest)
        except GuestLost as gone:
            session.note_loss(gone)
    return session.measured()


@dataclass
class _Session:
    # What is still to do, and what came out so far; survives a lost guest.
    load: Load
    candidate: Candidate
    planned: tuple[Round, ...]
    begun: Measurements  # without a round yet
    clock: Clock
    progress: Progress
    environment: Callable[[], Environment | None]
    settled: Callable[[Measurements], bool]
    origin: str
    done: int = 0
    over: bool = False  # the answer was clear at a look
    started_s: float = 0.0
    samples: list[Sample] = field(default_factory=list)
    losses: list[GuestLost] = field(default_factory=list)  # of the round at hand
    trouble: int = 0  # runs in a row in which the kernel dropped the policy, or jobs were killed at the deadline
    longest_run_s: float = 0.0
    spent_s: float = 0.0  # on rounds that are done

    def __post_init__(self) -> None:
        self.started_s = self.clock.monotonic_s()

    @property
    def left(self) -> tuple[Round, ...]:
        return () if self.over else self.planned[self.done :]

    def measured(self) -> Measurements:
        done = (one for one in self.planned[: self.done] if not one.warmup)
        return replace(
            self.begun,
            rounds=tuple(RoundPlan(round=one.number, plan=self.load.plan(one.seed)) for one in done),
            samples=tuple(self.samples),
            seconds=self.clock.monotonic_s() - self.started_s,
            environment_after=self.environment(),
        )

    def work(self, guest: Guest) -> None:
        while self.left:
            round_ = self.left[0]
            started = self.clock.monotonic_s()
            samples = [sample for turn in round_.turns for sample in self.turn(guest, round_, turn)]
            self.spent_s += self.clock.monotonic_s() - started
            self.done += 1
            self.losses.clear()
            if not round_.warmup:
                self.samples += samples
            self.tell(round_, samples)
            self.look(round_)

    def look(self, round_: Round) -> None:
        # The last look is the end whatever it says.
        if round_.number + 1 in self.begun.looks[:-1] and self.settled(self.measured()):
            self.over = True
            text = f"the answer is clear after {round_.number + 1} of at most {self.begun.looks[-1]} rounds"
            self.progress.emit(Event(kind="note", stage="bench", text=text))

    def turn(self, guest: Guest, round_: Round, turn: Turn) -> list[Sample]:
        # The gate counts what was not valid, so it is kept. A policy that was dropped is a finding, and jobs that were
        # killed at the deadline have taken long enough.
        sample = self.once(guest, round_, turn)
        hopeless = lost(sample.before, sample.after) or starved(sample.reading, sample.programs)
        if sample.valid or round_.warmup or hopeless:
            return [sample]
        again = replace(turn, name_seed=derived_seed(turn.name_seed, "again"))
        return [sample, self.once(guest, round_, again)]

    def once(self, guest: Guest, round_: Round, turn: Turn) -> Sample:
        started = self.clock.monotonic_s()
        deadline_s = 60 + 20 * self.longest_run_s if self.longest_run_s else self.load.first_run_s
        sample = run_turn(guest, self.load, self.candidate, round_, turn, deadline_s=deadline_s, origin=self.origin)
        if sample.valid:
            self.longest_run_s = max(self.longest_run_s, self.clock.monotonic_s() - started)
        if turn.arm == "candidate" and self.candidate.built is not None:
            self.count_trouble(sample)
        return sample

    def count_trouble(self, sample: Sample) -> None:
        dropped = lost(sample.before, sample.after)
        self.trouble = self.trouble + 1 if dropped or starved(sample.reading, sample.programs) else 0
        if self.trouble == TROUBLE_IN_A_ROW:
            what = "was dropped by the kernel" if dropped else "did not let all jobs end in time"
            raise Refused(
                "policy-lost" if dropped else "policy-starves-jobs",
                f"{self.candidate.policy.name} {what}, {TROUBLE_IN_A_ROW} runs in a row",
                where=f"bench {self.begun.workload}, round {sample.round}",
                hint=f"schedops verify {self.candidate.policy.name}",
                detail=sample.why_invalid,
            )

    def note_loss(self, gone: GuestLost) -> None:
        self.losses.append(gone)
        if len(self.losses) < 2:
            self.progress.emit(Event(kind="note", stage="bench", text=f"{gone.message}; the round is run once more"))
            return
        if all(one.attached and not one.known_emulator_fault for one in self.losses):
            name = self.candidate.policy.name
            raise Refused(
                "policy-hangs-guest",
                f"the guest was lost twice in the same round with {name} attached: {gone.message}",
                where=gone.where or f"bench {self.begun.workload}",
                hint=f"schedops verify {name}",
                detail=gone.detail,
            ) from gone
        raise gone

    def tell(self, round_: Round, samples: list[Sample]) -> None:
        invalid = [sample for sample in samples if not sample.valid]
        for sample in invalid:
            text = f"round {round_.number}, {sample.arm}: not counted, {sample.why_invalid}"
            self.progress.emit(Event(kind="note", stage="bench", text=text))
        what = "warm-up done" if round_.warmup else f"round {round_.number + 1} of {self.planned[-1].number + 1}"
        event = Event(kind="progress", stage="bench", text=what, fraction=self.done / len(self.planned))
        self.progress.emit(replace(event, remaining_s=len(self.left) * self.spent_s / self.done))
