"""The VM's side: rounds of all schedulers in one boot, in an order that is balanced over the rounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from schedops.bench.validity import why_invalid
from schedops.errors import GuestLost, Refused, Unavailable
from schedops.model.guest import PlayReading
from schedops.model.simulation import SimPlan, SimResult, SimVerdict
from schedops.model.workload import Workload
from schedops.ports import Clock, Guest, KernelImage, Machines

from .cells import AGAIN, MEASURES, Arm, inputs_digest, load, name_seed, order_of, run_of
from .costs import CPUS, hops, lab
from .judging import Values
from .measures import KEPT, values_of
from .samples import Sample, Samples

ATTACH_S, DETACH_S = 30.0, 30.0
PLAY_S = 120.0  # a run takes one to three seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Bed:
    """Everything a measurement needs.

    :param objects: arm -> the compiled policy; none for the default scheduler.
    :param tell: told of every round of a workload, a line.
    :param budget_s: no block begins after so long.
    """

    machines: Machines
    image: KernelImage
    arms: Sequence[Arm]
    objects: Mapping[str, bytes]
    clock: Clock
    tell: Callable[[str], None]
    budget_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Block:
    """One round of one workload."""

    number: int
    workload: Workload
    digests: Mapping[str, str]


def blocks_of(workloads: Sequence[str], rounds: int, arms: Sequence[Arm]) -> tuple[Block, ...]:
    """Round by round, so that whatever is broken off has all workloads."""
    machine, loaded = lab(), [load(name) for name in workloads]
    return tuple(
        Block(number, one, {arm.name: inputs_digest(one, arm, number=number, machine=machine) for arm in arms})
        for number in range(rounds)
        for one in loaded
    )


def measure(bed: Bed, blocks: Sequence[Block], samples: Samples, path: Path) -> None:
    """Play what is not in *samples* yet; they are saved after each block. A guest that is lost twice in one block costs
    the runs that it did not show, and they say so.

    :raises Refused: a policy does not attach. :raises Unavailable: what a switch costs cannot be measured.
    """
    left = [one for one in blocks if not samples.has(one.workload.name, one.number, one.digests)]
    bed.tell(f"{len(left)} of {len(blocks)} blocks of {len(bed.arms)} runs to play")
    work = _Work(bed, samples, path, left)
    while work.goes_on():
        with bed.machines.boot(bed.image, cpus=CPUS) as guest:
            work.go(guest)


@dataclass
class _Work:
    bed: Bed
    samples: Samples
    path: Path
    left: list[Block]
    done: int = 0
    spent_s: float = 0.0
    partial: dict[str, Sample] = field(default_factory=dict)  # of the block at hand, when a guest was lost in it
    lost: bool = False
    began_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.began_s = self.bed.clock.monotonic_s()

    def go(self, guest: Guest) -> None:
        """As far as this guest lives."""
        try:
            self.calibrate(guest)
            while self.goes_on():
                self.block(guest, self.left[0])
        except GuestLost as gone:
            self.note(gone)

    def goes_on(self) -> bool:
        """There is something to do. Once the time is over, only costs that nobody knows yet."""
        if self.left and self.bed.clock.monotonic_s() - self.began_s > self.bed.budget_s:
            self.bed.tell(f"the time is over; {len(self.left)} blocks are left for another run")
            self.left = []
        return bool(self.left or self.costless)

    @property
    def costless(self) -> list[Arm]:
        """Arms whose costs are not known yet; the second EEVDF is the first one."""
        return [arm for arm in self.bed.arms if arm.name != AGAIN and arm.name not in self.samples.hops]

    def calibrate(self, guest: Guest) -> None:
        for arm in self.costless:
            with self.in_charge(guest, arm):
                self.samples.hops[arm.name] = hops(partial(_whole, guest))
            self.bed.tell(f"costs under {arm.name}: {self.samples.hops[arm.name]}")
            self.samples.save(self.path)
            self.lost = False

    def block(self, guest: Guest, block: Block) -> None:
        started_s = self.bed.clock.monotonic_s()
        for order, place in enumerate(order_of(block.number, len(self.bed.arms))):
            arm = self.bed.arms[place]
            self.partial[arm.name] = self.sample(guest, block, arm, order)
        self.spent_s += self.bed.clock.monotonic_s() - started_s
        self.settle()

    def sample(self, guest: Guest, block: Block, arm: Arm, order: int) -> Sample:
        run = run_of(block.workload, arm, number=block.number, machine=lab())
        started_s = self.bed.clock.monotonic_s()
        with self.in_charge(guest, arm):
            before = guest.state()
            reading = guest.play(run.plan, name_seed=name_seed(block.workload, arm, block.number), deadline_s=PLAY_S)
            after = guest.state()
        values, why = {}, why_invalid(arm.ops_name, before, after) or _unread(run.plan, reading)
        if not why:
            try:
                values = {**values_of(run, reading.result), "loop_ns": reading.ns_per_1000 / 1000}
            except Unavailable as error:
                why = error.message
        return _sample(block, arm.name, order, values, why, self.bed.clock.monotonic_s() - started_s)

    def settle(self) -> None:
        """The block at hand is over."""
        block = self.left.pop(0)
        self.samples.put(list(self.partial.values()))
        self.samples.save(self.path)
        self.done += 1
        wrong = "".join(f"; {one.arm} does not count: {one.why}" for one in self.partial.values() if one.why)
        minutes = self.spent_s / self.done * len(self.left) / 60
        share = f"{self.done} of {self.done + len(self.left)} blocks, about {minutes:.0f} min left"
        self.bed.tell(f"round {block.number + 1}, {block.workload.name}: {share}{wrong}")
        self.partial, self.lost = {}, False

    def note(self, gone: GuestLost) -> None:
        """The first time the block begins anew in another guest; the second time what is missing stays so."""
        self.bed.tell(f"the guest was lost: {gone.message}")
        if not self.lost:
            self.lost, self.partial = True, {}
        elif self.costless:
            raise gone
        else:
            self.give_up(f"the guest was lost: {gone.message}")

    def give_up(self, why: str) -> None:
        """What the block at hand did not show yet, it will not."""
        block = self.left[0]
        for order, place in enumerate(order_of(block.number, len(self.bed.arms))):
            arm = self.bed.arms[place].name
            self.partial.setdefault(arm, _sample(block, arm, order, {}, why, 0.0))
        self.settle()

    @contextmanager
    def in_charge(self, guest: Guest, arm: Arm) -> Iterator[None]:
        """The policy is attached meanwhile."""
        elf = self.bed.objects.get(arm.name)
        if elf is None:
            yield
            return
        reading = guest.attach(elf, deadline_s=ATTACH_S)
        if reading.outcome != "attached":
            what = f"{arm.name} did not attach ({reading.outcome}, errno {reading.errno})"
            raise Refused("policy-not-attached", what, detail=reading.log[-2000:])
        yield
        guest.detach(deadline_s=DETACH_S)  # not on the way out of an error: the guest itself goes then


def _sample(block: Block, arm: str, order: int, values: Values, why: str, seconds: float) -> Sample:
    wanted = (*KEPT, *(one.name for one in MEASURES[block.workload.name]))
    return Sample(
        workload=block.workload.name,
        number=block.number,
        arm=arm,
        order=order,
        digest=block.digests[arm],
        values={name: values[name] for name in wanted if name in values and math.isfinite(values[name])},
        why=why,
        seconds=round(seconds, 2),
    )


def _whole(guest: Guest, plan: SimPlan) -> SimResult:
    reading = guest.play(plan, name_seed=1, deadline_s=PLAY_S)
    if why := _unread(plan, reading):
        raise Unavailable("no-costs", f"what a switch costs could not be measured: {why}")
    return reading.result


def _unread(plan: SimPlan, reading: PlayReading) -> str:
    end, hinted = reading.result.end, sum(task.hint_ns > 0 for task in plan.tasks)
    if end.verdict != SimVerdict.DONE:
        return f"it ended as {end.verdict}: {end.message}"
    if reading.hints_accepted < hinted:
        return f"the loader took {reading.hints_accepted} of {hinted} hints"
    return ""
