"""Which cells a suite has, what each is called, and which of them a shard runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schedops.errors import InputError
from schedops.model.rung import SIMULATED
from schedops.model.suite import SuiteCell, SuiteGround, SuiteResults, SuiteScheduler, SuiteWorkload
from schedops.schema.canonical import digest_of


@dataclass(frozen=True, slots=True)
class Place:
    """A cell before it was run."""

    workload: SuiteWorkload
    seed: int
    scheduler: SuiteScheduler
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inputs:
    # Everything that a cell depends on; its digest is the cell's key.
    tool_sha256: str
    machine_sha256: str
    scale: float
    cold: bool
    workload_sha256: str
    scheduler_sha256: str
    seed: int


@dataclass(frozen=True, slots=True)
class Shard:
    """The part *number* of *of* of a suite, counted from 1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        """As it is typed."""
        return f"{self.number}/{self.of}"


def shard_of(text: str) -> Shard:
    """``2/4``. :raises InputError: it is none."""
    number, slash, of = text.partition("/")
    if slash and number.isascii() and of.isascii() and number.isdigit() and of.isdigit() and len(text) < 12:
        found = Shard(int(number), int(of))
        if 1 <= found.number <= found.of:
            return found
    raise InputError("bad-shard", f"{text[:40]!r} is no shard", hint="--shard 1/4 is the first of four")


def places(head: SuiteResults, shard: Shard | None = None) -> tuple[Place, ...]:
    """Every cell of a suite in its order, or the part of a shard.

    Simulated cells are the same everywhere: a shard has every n-th of them. Of measured ones it has all those of every
    n-th workload, for they are compared with one another.

    :param head: its cells do not matter.
    """
    workloads = head.workloads
    if shard is not None and head.rung != SIMULATED:
        workloads, shard = workloads[shard.number - 1 :: shard.of], None
    found = [
        Place(workload, seed, scheduler, _key(head, workload, scheduler, seed))
        for workload in workloads
        for seed in head.seeds
        for scheduler in head.schedulers
    ]
    return tuple(found if shard is None else found[shard.number - 1 :: shard.of])


def fits(cell: SuiteCell, place: Place) -> bool:
    """The cell is what was run at that place."""
    said = (cell.key, cell.workload, cell.seed, cell.scheduler)
    return said == (place.key, place.workload.name, place.seed, place.scheduler.label)


def with_cells(
    head: SuiteResults, cells: Mapping[str, SuiteCell], grounds: Mapping[str, SuiteGround] | None = None
) -> SuiteResults:
    """The suite with those of its cells that are there, in its order.

    :param grounds: by digest; those of the cells stay.
    """
    known = [(place, cells[place.key]) for place in places(head) if place.key in cells]
    kept = tuple(cell for place, cell in known if fits(cell, place))
    used = sorted({cell.ground for cell in kept} - {""})
    return replace(head, cells=kept, grounds=tuple(grounds[one] for one in used if grounds and one in grounds))


def grounds_of(results: SuiteResults) -> dict[str, SuiteGround]:
    """By digest."""
    return {digest_of(ground): ground for ground in results.grounds}


def joined(parts: Sequence[SuiteResults]) -> SuiteResults:
    """The shards of one suite as if it had been run at once: the same bytes.

    :raises InputError: ``other-suite``, ``foreign-cell``, ``cells-differ`` or ``missing-cells``.
    """
    head = replace(parts[0], cells=(), grounds=())
    for part in parts[1:]:
        if replace(part, cells=(), grounds=()) != head:
            raise InputError("other-suite", f"shards of different suites: {_difference(head, part)}")
    check(parts)
    cells: dict[str, SuiteCell] = {}
    for cell in (cell for part in parts for cell in part.cells):
        if cells.setdefault(cell.key, cell) != cell:
            what = f"{cell.scheduler} on {cell.workload}, seed {cell.seed}"
            raise InputError("cells-differ", f"two shards have other results of {what}", hint="run both anew")
    missing = [place for place in places(head) if place.key not in cells]
    if missing:
        first = missing[0]
        what = f"{first.scheduler.label} on {first.workload.name}, seed {first.seed}"
        raise InputError(
            "missing-cells", f"{len(missing)} cells are missing, the first is {what}", hint="add the other shards"
        )
    return with_cells(head, cells, {name: one for part in parts for name, one in grounds_of(part).items()})


def check(parts: Iterable[SuiteResults]) -> None:
    """Every cell is one of its suite, by its key, and is there once; a measured one says on what ground.

    :raises InputError: ``foreign-cell``.
    """
    for part in parts:
        known = {place.key: place for place in places(part)}
        grounds = {""} if part.rung == SIMULATED else grounds_of(part).keys()
        for cell in part.cells:
            place = known.pop(cell.key, None)
            if place is None or not fits(cell, place) or (cell.metrics and cell.ground not in grounds):
                what = f"{cell.scheduler} on {cell.workload}, seed {cell.seed}"
                raise InputError("foreign-cell", f"the results have a cell that is none of theirs: {what}")


def _key(head: SuiteResults, workload: SuiteWorkload, scheduler: SuiteScheduler, seed: int) -> str:
    return digest_of(
        _Inputs(
            tool_sha256=head.tool_sha256,
            machine_sha256=head.machine_sha256,
            scale=head.scale,
            cold=head.cold,
            workload_sha256=workload.sha256,
            scheduler_sha256=scheduler.sha256,
            seed=seed,
        )
    )


def _difference(one: SuiteResults, other: SuiteResults) -> str:
    names = ("rung", "tool_sha256", "machine_sha256", "scale", "cold", "seeds", "schedulers", "workloads")
    return ", ".join(name for name in names if getattr(one, name) != getattr(other, name)) or "machine"
