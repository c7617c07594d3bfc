"""All rounds of a comparison, in one boot as long as the guest lives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from schedops.bench.design import Round, design
from schedops.bench.run import Candidate, run_turn
from schedops.bench.validity import lost, starved
from schedops.errors import GuestLost, Refused
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.measurements import Measurements, RoundPlan, Sample
from schedops.model.policy import Policy
from schedops.model.verification import BuiltObject
from schedops.model.workload import Workload
from schedops.ports import Clock, Guest, KernelImage, Machines, Progress

FIRST_RUN_S = 180.0  # nobody knows yet how fast this machine is; times the scale of the workload
TROUBLE_IN_A_ROW = 3


def run(
    workload: Workload,
    policy: Policy,
    built: BuiltObject | None,
    hints: Hints | None,
    image: KernelImage,
    *,
    cpus: int,
    rounds: int,
    seed: int,
    scale: float,
    machines: Machines,
    clock: Clock,
    progress: Progress,
) -> Measurements:
    """Measure *built* against the default scheduler and the informed default.

    A guest that is lost is booted again and its round repeated once. Progress and notes are emitted as stage ``bench``;
    started and finished are the caller's.

    :param built: None compares the default scheduler with itself in all three arms, which shows the noise.
    :param hints: for the informed default always, for the policy if it declares them.
    :raises Refused: ``policy-not-attached``; ``policy-lost`` or ``policy-starves-jobs`` when the kernel dropped it, or
        jobs had to be killed at the deadline, three runs in a row; ``policy-hangs-guest`` when the guest was lost twice
        in one round with the policy attached.
    :raises GuestLost: the guest was lost twice in one round otherwise.
    """
    started = clock.monotonic_s()
    planned = design(workload, rounds=rounds, seed=seed, cpus=cpus, scale=scale)
    accelerator = machines.accelerator()
    session = _Session(
        workload, Candidate(policy, built, hints), planned, clock, progress, FIRST_RUN_S * max(1.0, scale)
    )
    while session.left:
        try:
            with machines.boot(image, cpus=cpus) as guest:
                session.work(guest)
        except GuestLost as gone:
            session.note_loss(gone)
    return Measurements(
        workload=workload.name,
        policy=policy.name,
        kernel=image.kernel.name,
        cpus=cpus,
        accelerator=accelerator.name,
        object_sha256=built.sha256 if built else "",
        rung="micro-vm",
        warmup_rounds=workload.warmup_rounds,
        rounds=tuple(RoundPlan(round=one.number, plan=one.plan) for one in planned if not one.warmup),
        samples=tuple(session.samples),
        seconds=clock.monotonic_s() - started,
    )


@dataclass
class _Session:
    # What is still to do, and what came out so far; survives a lost guest.
    workload: Workload
    candidate: Candidate
    planned: tuple[Round, ...]
    clock: Clock
    progress: Progress
    first_run_s: float
    done: int = 0
    samples: list[Sample] = field(default_factory=list)
    losses: list[GuestLost] = field(default_factory=list)  # of the round at hand
    trouble: int = 0  # runs in a row in which the kernel dropped the policy, or jobs were killed at the deadline
    longest_run_s: float = 0.0
    spent_s: float = 0.0  # on rounds that are done

    @property
    def left(self) -> tuple[Round, ...]:
        return self.planned[self.done :]

    def work(self, guest: Guest) -> None:
        for round_ in self.left:
            started = self.clock.monotonic_s()
            samples = [self.turn(guest, round_, index) for index in range(len(round_.turns))]
            self.spent_s += self.clock.monotonic_s() - started
            self.done += 1
            self.losses.clear()
            if not round_.warmup:
                self.samples += samples
            self.tell(round_, samples)

    def turn(self, guest: Guest, round_: Round, index: int) -> Sample:
        started = self.clock.monotonic_s()
        deadline_s = 60 + 20 * self.longest_run_s if self.longest_run_s else self.first_run_s
        turn = round_.turns[index]
        sample = run_turn(guest, self.workload, self.candidate, round_, turn, deadline_s=deadline_s)
        if sample.valid:
            self.longest_run_s = max(self.longest_run_s, self.clock.monotonic_s() - started)
        if turn.arm == "candidate" and self.candidate.built is not None:
            self.count_trouble(sample)
        return sample

    def count_trouble(self, sample: Sample) -> None:
        dropped = lost(sample.before, sample.after)
        self.trouble = self.trouble + 1 if dropped or starved(sample.reading) else 0
        if self.trouble == TROUBLE_IN_A_ROW:
            what = "was dropped by the kernel" if dropped else "did not let all jobs end in time"
            raise Refused(
                "policy-lost" if dropped else "policy-starves-jobs",
                f"{self.candidate.policy.name} {what}, {TROUBLE_IN_A_ROW} runs in a row",
                where=f"bench {self.workload.name}, round {sample.round}",
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
                where=gone.where or f"bench {self.workload.name}",
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
