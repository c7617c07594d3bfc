"""Which load is simulated on which machine, from which seed, and what is asked of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from schedops.model.guest import LoadPlan
from schedops.model.machine import Machine, flat_machine
from schedops.model.policy import Capabilities
from schedops.model.simulation import SimPlan
from schedops.verify.dynamic import limits, loads
from schedops.verify.dynamic.limits import Waits
from schedops.verify.simulated import shapes
from schedops.verify.simulated.plans import DESIGNED_FOR, asking, beside_fair, disturbed, grown, plan_of

LATE_MS = 120_000  # what shows after half a minute, or 100,000 enqueues
LARGE_MS = 1100  # of machines with many CPUs: long enough to see who never ran
# What is asked of a load, besides that nobody waits too long.
EQUAL, ABOUT_EQUAL, USED, SERVED = "equal", "about-equal", "used", "served"
UPSIDE_DOWN, ANSWERED = "upside-down", "answered"
BY_NICE, BY_WEIGHT, NOT_AGAINST = "by-nice", "by-weight", "not-against"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One run.

    :param slug: of the load, *name*: the same in words.
    :param asks: of those above.
    """

    slug: str
    name: str
    load: LoadPlan
    machine: Machine
    seed: int
    waits: Waits
    asks: tuple[str, ...] = ()

    @property
    def cpus(self) -> int:
        """Of the machine."""
        return len(self.machine.cpus)

    @property
    def id(self) -> str:
        """What `schedops simulate --case` knows it by."""
        return f"{self.slug}/{self.machine.name}/{self.load.duration_ms}ms/{self.seed}"

    def plan(self, *, partial: bool = False) -> SimPlan:
        """What the simulator runs.

        :param partial: the policy has the tasks that ask for it alone.
        """
        plan = plan_of(self.load, self.cpus, seed=self.seed)
        return asking(plan) if partial else plan

    def __str__(self) -> str:
        cpus = f"{self.cpus} CPU{'s' * (self.cpus != 1)}"
        return f"{self.name} on {cpus} ({self.machine.name}, seed {self.seed})"


def brief(promised: Capabilities) -> tuple[Case, ...]:
    """What an edit waits for: the mix on machines of odd shape, hogs that start on one CPU, and what it promises."""
    return (
        _mixed(flat_machine(DESIGNED_FOR), LARGE_MS),
        _mixed(shapes.unequal(4), loads.QUICK_MS),
        _mixed(flat_machine(1), loads.QUICK_MS),
        _mixed(shapes.odd_three(), loads.QUICK_MS),
        _bunched(promised, shapes.odd_one_node(), ms=loads.BRIEF_SHARE_MS),
        *_promised(promised, flat_machine(DESIGNED_FOR)),
    )


def thorough(promised: Capabilities) -> tuple[Case, ...]:
    """All shapes and seeds, and what the policy promises."""
    return tuple(_thorough(promised))


def _thorough(promised: Capabilities) -> Iterator[Case]:
    pair, eight = flat_machine(2), shapes.two_caches(8)
    yield _mixed(pair)
    yield _mixed(pair, LATE_MS)
    for machine in (flat_machine(1), shapes.odd_three(), eight, shapes.unequal(8)):
        yield from (_mixed(machine, seed=seed) for seed in (1, 2))
    yield _mixed(shapes.siblings(64, caches=4, nodes=2), LARGE_MS)
    yield _mixed(shapes.siblings(172, caches=4, nodes=2), LARGE_MS)
    yield from (_crowd(promised, machine) for machine in (pair, shapes.odd_three(), eight))
    yield from (_changes(machine) for machine in (pair, shapes.odd_three(), shapes.unequal(8)))
    yield from (_bunched(promised, machine, asked=EQUAL) for machine in (pair, shapes.two_caches(4)))
    yield from (_bunched(promised, machine) for machine in (shapes.odd_one_node(), shapes.siblings(8)))
    yield _case("kindred", "hogs of one nice value each", loads.kindred(DESIGNED_FOR), pair, asks=(SERVED,), quiet=True)
    yield _case("late", "latecomers", loads.late(DESIGNED_FOR), pair)
    for machine in (shapes.odd_three(), shapes.two_caches(4), eight):
        yield from _promised(promised, machine)
    if promised.hints or promised.cgroups:
        machines = (pair, shapes.odd_three(), eight)
        yield from (_case("jobs", "jobs", loads.jobs(DESIGNED_FOR), machine) for machine in machines)
    if promised.weights:
        yield _case("pair", "two hogs of two nice values", loads.pair(), pair, asks=(BY_NICE,), quiet=True)
        yield _case("several", "six hogs of two nice values", loads.several(), pair, asks=(BY_NICE,), quiet=True)


def find(wanted: str) -> Case | None:
    """By its id, whatever a policy promises."""
    everything = Capabilities(weights=True, hints=True, cgroups=True, hotplug=True, partial=True)
    known = (*brief(Capabilities()), *thorough(Capabilities()), *thorough(everything), *of_cgroups(everything))
    known += brief(everything)
    return next((case for case in known if case.id == wanted), None)


def of_cgroups(promised: Capabilities) -> tuple[Case, ...]:
    """For policies that want to know the weights of cgroups."""
    asked = BY_WEIGHT if promised.weights else NOT_AGAINST
    return (_case("cgroups", "hogs in two cgroups", loads.two_cgroups(), flat_machine(2), asks=(asked,), quiet=True),)


def _promised(promised: Capabilities, machine: Machine) -> Iterator[Case]:
    if promised.hotplug:
        load = loads.hotplug(DESIGNED_FOR, stays=True)
        yield _case("hotplug", "a CPU that goes and comes back", load, machine)
    if promised.partial:
        load = beside_fair(loads.mixed(DESIGNED_FOR, loads.MIXED_MS))
        yield _case("beside", "the mix beside tasks of the fair class", load, machine)


def _mixed(machine: Machine, ms: int = loads.MIXED_MS, *, seed: int = 1) -> Case:
    return _case("mix", "the mix", loads.mixed(DESIGNED_FOR, ms), machine, seed=seed, asks=(UPSIDE_DOWN,))


def _crowd(promised: Capabilities, machine: Machine) -> Case:
    asks = _of_equals(promised, ABOUT_EQUAL)
    return _case("crowd", "the crowd", loads.crowd(DESIGNED_FOR), machine, waits=limits.CROWDED, asks=asks)


def _changes(machine: Machine) -> Case:
    return _case("changes", "tasks that change", loads.changes(DESIGNED_FOR), machine, waits=limits.CROWDED)


def _bunched(promised: Capabilities, machine: Machine, *, ms: int = loads.SHARE_MS, asked: str = ABOUT_EQUAL) -> Case:
    """Where CPUs are unlike each other, equal shares are too much to ask of queues for each cache."""
    asks = (USED, *_of_equals(promised, asked), ANSWERED)
    return _case("bunched", "hogs that start on one CPU", loads.bunched(DESIGNED_FOR, ms), machine, asks=asks)


def _of_equals(promised: Capabilities, asked: str) -> tuple[str, ...]:
    """Policies that know tasks by their cgroup may let them run one after the other; nobody may wait too long."""
    return () if promised.cgroups else (asked,)


def _case(
    slug: str,
    name: str,
    load: LoadPlan,
    machine: Machine,
    *,
    seed: int = 1,
    waits: Waits = limits.FEW,
    asks: tuple[str, ...] = (),
    quiet: bool = False,
) -> Case:
    cpus = len(machine.cpus)
    mine = grown(load, cpus) if quiet else disturbed(grown(load, cpus), cpus)
    return Case(slug=slug, name=name, load=mine, machine=machine, seed=seed, waits=waits, asks=asks)
