"""Cells of a suite on a real kernel in micro-VMs: those of one workload in one guest, alternating."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from schedops.bench.design import derived_seed
from schedops.bench.load import Load
from schedops.bench.programs import Installed
from schedops.bench.run import InCharge, Run, run_once
from schedops.bench.stage import environment_of, load_of
from schedops.errors import GuestLost, Refused, SchedopsError, Unavailable
from schedops.model.environment import Environment, differences
from schedops.model.event import Event
from schedops.model.jobs import Hints
from schedops.model.policy import Capabilities
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.suite import INVALID, UNAVAILABLE, SuiteCell, SuiteGround
from schedops.model.workload import JOB_KINDS, Workload
from schedops.pipeline.prepared import prepared, taught
from schedops.pipeline.suite import CellWork
from schedops.pipeline.suite_meter import STAGE
from schedops.ports import Guest, Host, KernelImage, World
from schedops.schema.canonical import digest_of
from schedops.workloads.real_setup import has_programs

_TRIES = 2  # of a run that is not valid; what a policy breaks is not tried again
_LOSSES = 2  # of the guest, until whoever was in charge is given up
_MAX_MESSAGE = 2000

Done = Callable[[SuiteCell], None]
Install = Callable[[Workload], Installed]


def runs_in_a_guest(workload: Workload) -> bool:
    """It has real programs that need nothing of the user's, or a model of jobs."""
    return has_programs(workload) or workload.model_kind in JOB_KINDS


def of_this_environment(
    known: Mapping[str, SuiteCell], grounds: Mapping[str, SuiteGround], now: Environment, world: World
) -> dict[str, SuiteCell]:
    """Those cells of an earlier run that may stand beside new ones; that others are run again is said."""
    kept, why = {}, ""
    for key, cell in known.items():
        ground = grounds.get(cell.ground)
        if ground is not None and ground.environment != now:
            why = "; ".join(differences(ground.environment, now))
        elif ground is not None or not cell.metrics:
            kept[key] = cell
    if len(kept) < len(known):
        text = f"{len(known) - len(kept)} cells are run again, the earlier ones are not comparable: {why or 'unknown'}"
        tell(world, text, kind="note")
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestHands:
    """Implements ``Hands``. Where a workload has real programs they run, else the jobs of its model.

    :param policies: by the label of the entrant; who is not in it is the default scheduler.
    :param install: brings a workload's programs.
    :param grounds: of cells, by digest; those of new cells are added.
    """

    image: KernelImage
    world: World
    host: Host
    policies: Mapping[str, InCharge]
    install: Install
    grounds: dict[str, SuiteGround]

    def run(self, work: Sequence[CellWork], done: Done) -> None:
        """See the protocol: one cell at a time, a workload after the other."""
        for name in dict.fromkeys(one.load.workload.name for one in work):
            left = in_turn([one for one in work if one.load.workload.name == name])
            try:
                self._workload(left, done)
            except Unavailable as error:
                self._give_up(name, left, error, done)

    def environment(self, *, cpus: int) -> Environment:
        """As it is now."""
        accelerator = self.world.machines.accelerator()
        return environment_of(self.image, cpus=cpus, accelerator=accelerator, host=self.host)

    def _workload(self, left: list[CellWork], done: Done) -> None:
        asked = left[0].load
        installed = self.install(asked.workload) if has_programs(asked.workload) else None
        load = load_of(asked.workload, cpus=len(asked.machine.cpus), scale=asked.scale, installed=installed)
        stay = _Stay(self, load, left, done)
        while left:
            try:
                tell(self.world, f"{asked.workload.name}: preparing")
                with prepared(load, self.image, cpus=len(asked.machine.cpus), world=self.world) as guest:
                    stay.work(guest)
            except GuestLost as gone:
                stay.note_loss(gone)

    def _give_up(self, name: str, left: list[CellWork], error: SchedopsError, done: Done) -> None:
        why = f"{error.message}: {error.detail[-200:].strip()}" if error.detail else error.message
        tell(self.world, f"{name} could not be run: {why}", kind="note")
        for cell in left:
            done(ended(cell, UNAVAILABLE, why))


@dataclass(slots=True)
class _Stay:
    # The cells of one workload that are left, the next one first; survives a lost guest.
    hands: GuestHands
    load: Load
    left: list[CellWork]
    done: Done
    hints: Hints | None = None
    longest_s: float = 0.0
    at_work: str = ""  # label of who runs now
    losses: Counter[str] = field(default_factory=Counter)  # since the last cell was over

    def work(self, guest: Guest) -> None:
        if self.hints is None and any(self._wants_hints(cell) for cell in self.left):
            self.hints = taught(self.load, guest, seed=derived_seed(self.left[0].seed, "learn"), world=self.hands.world)
        for cell in list({one.entrant.label: one for one in reversed(self.left)}.values()):
            for number in range(self.load.workload.warmup_rounds):
                if self._tried(guest, cell, f"warm-up {number}") is None:
                    break
        while self.left:
            self._cell(guest, self.left[0])

    def note_loss(self, gone: GuestLost) -> None:
        """:raises GuestLost: it was lost twice, and no policy can be blamed for it."""
        blamed = self.at_work if gone.attached and not gone.known_emulator_fault else ""
        self.losses[blamed] += 1
        tell(self.hands.world, f"{self.load.workload.name}: {gone.message}; it goes on in another guest", kind="note")
        if self.losses[blamed] < _LOSSES:
            return
        if not blamed:
            raise gone
        self._end(blamed, SimVerdict.FAULT, f"the guest was lost twice with it attached: {gone.message}")

    def _cell(self, guest: Guest, cell: CellWork) -> None:
        invalid: list[str] = []
        while len(invalid) < _TRIES:
            run = self._tried(guest, cell, f"try {len(invalid)}")
            if run is None:
                return
            if not run.trouble:
                self._over(self._measured(cell, run, invalid))
                return
            text = f"{cell.load.workload.name}, {cell.entrant.label}, seed {cell.seed}: not counted, {run.trouble}"
            tell(self.hands.world, text, kind="note")
            invalid.append(run.trouble[:_MAX_MESSAGE])
        self._over(replace(ended(cell, INVALID, invalid[-1]), invalid=tuple(invalid[:-1])))

    def _tried(self, guest: Guest, cell: CellWork, what: str) -> Run | None:
        # None: the policy broke, and no cell of it is left.
        label, charge = cell.entrant.label, self.hands.policies.get(cell.entrant.label)
        self.at_work = label
        setup = self.load.setup(
            cell.entrant.arm,
            cell.seed,
            hints=self.hints,
            capabilities=charge.policy.capabilities if charge is not None else Capabilities(),
            name_seed=derived_seed(cell.seed, "names", label, what),
        )
        started_s = self.hands.world.clock.monotonic_s()
        deadline_s = 60 + 20 * self.longest_s if self.longest_s else self.load.first_run_s
        try:
            run = run_once(guest, self.load, cell.seed, setup, charge=charge, deadline_s=deadline_s)
        except Refused as refused:
            self._end(label, SimVerdict.EJECTED, refused.message)
            return None
        if not run.trouble:
            self.longest_s = max(self.longest_s, self.hands.world.clock.monotonic_s() - started_s)
        elif run.lost or (charge is not None and run.ran.starved):
            self._end(label, SimVerdict.EJECTED if run.lost else SimVerdict.LATE, run.trouble)
            return None
        return run

    def _wants_hints(self, cell: CellWork) -> bool:
        charge = self.hands.policies.get(cell.entrant.label)
        if cell.load.cold or charge is None:
            return cell.entrant.arm == "informed" and not cell.load.cold
        return charge.policy.capabilities.hints or charge.policy.capabilities.group_hints

    def _measured(self, cell: CellWork, run: Run, invalid: Sequence[str]) -> SuiteCell:
        programs = self.load.programs
        environment = self.hands.environment(cpus=len(cell.load.machine.cpus))
        ground = SuiteGround(environment=environment, programs=programs.versions if programs is not None else ())
        digest = digest_of(ground)
        self.hands.grounds[digest] = ground
        found = ended(cell, SimVerdict.DONE, "")
        return replace(found, metrics=run.ran.metrics, ground=digest, invalid=tuple(invalid))

    def _over(self, cell: SuiteCell) -> None:
        self.losses.clear()
        self.left[:] = [one for one in self.left if one.key != cell.key]
        self.done(cell)

    def _end(self, label: str, verdict: str, why: str) -> None:
        # The same would happen to the entrant's other cells, and one without a result is enough to have none.
        text = f"{self.load.workload.name}: {label} {verdict}, its runs end here: {why}"
        tell(self.hands.world, text, kind="note")
        for cell in [one for one in self.left if one.entrant.label == label]:
            self._over(ended(cell, verdict, why))


def in_turn(cells: Sequence[CellWork]) -> list[CellWork]:
    """By seed, the schedulers of each turned round so that none is always first; nobody chooses who begins."""
    found: list[CellWork] = []
    first = derived_seed(cells[0].seed, "first", cells[0].load.workload.name)
    for number, seed in enumerate(dict.fromkeys(one.seed for one in cells), start=first):
        mine = [one for one in cells if one.seed == seed]
        at = number % len(mine)
        turned = mine[at:] + mine[:at]
        found += turned if number % 2 == 0 else turned[::-1]
    return found


def ended(cell: CellWork, verdict: str, why: str) -> SuiteCell:
    """A cell without metrics."""
    return SuiteCell(
        key=cell.key,
        workload=cell.load.workload.name,
        scheduler=cell.entrant.label,
        seed=cell.seed,
        end=SimEnd(verdict=verdict, message=why[:_MAX_MESSAGE]),
    )


def tell(world: World, text: str, *, kind: str = "progress") -> None:
    """What the suite is at, or as a note what stays on the screen."""
    world.progress.emit(Event(kind=kind, stage=STAGE, text=text))
