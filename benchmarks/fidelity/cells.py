"""Which schedulers run which workloads, in which order, and what is looked at in each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from schedops.bench.design import derived_seed
from schedops.errors import InputError
from schedops.model.machine import Machine
from schedops.model.policy import Capabilities, PolicySource
from schedops.model.workload import JOB_KINDS, Workload
from schedops.repository.documents import workload_problems
from schedops.schema.read import load_all
from schedops.sim.programs.hints import model_hints
from schedops.sim.programs.plan import Planned, planned

WORKLOADS = Path(__file__).parent / "workloads"
REFERENCE, AGAIN = "eevdf", "eevdf again"
DEFAULTS = (REFERENCE, AGAIN)
POLICIES = ("fifo", "weighted-vtime", "interactive", "build-order", "long-first", "warm-cores")
MAKESPAN, LATENCY, SHARE, USE = "makespan and completion", "latency", "share", "use of the machine"
DIMENSIONS = (MAKESPAN, LATENCY, SHARE, USE)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a run; :mod:`measures` says how each name is computed."""

    dimension: str
    name: str


@dataclass(frozen=True, slots=True)
class Arm:
    """Who schedules. *source* None: the default scheduler."""

    name: str
    source: PolicySource | None = None

    @property
    def ops_name(self) -> str:
        """What the kernel calls it; empty for the default."""
        return self.source.policy.ops_name if self.source else ""


def _makespan(*names: str) -> tuple[Measure, ...]:
    return tuple(Measure(MAKESPAN, name) for name in names)


def _latency(*names: str) -> tuple[Measure, ...]:
    return tuple(Measure(LATENCY, name) for name in names)


def _share(*names: str) -> tuple[Measure, ...]:
    return tuple(Measure(SHARE, name) for name in names)


def _use(*names: str) -> tuple[Measure, ...]:
    return tuple(Measure(USE, name) for name in names)


# By workload, in the order of the page.
MEASURES: Mapping[str, tuple[Measure, ...]] = {
    "few-builds": _makespan("mean_build_time_per_floor", "all_done_per_floor"),
    "small-batch": _makespan("makespan_per_floor", "mean_completion_per_floor"),
    "make-graph": _makespan("makespan_by_cpu"),
    "phases": _makespan("makespan_by_cpu"),
    "bound": _makespan("makespan_by_cpu", "mean_completion_by_cpu"),
    "lock": (*_makespan("makespan_by_cpu"), *_latency("request_p50_us", "request_p99_us")),
    "pipes": (*_makespan("makespan_ms"), *_latency("wakeup_p50_us")),
    "ping-pong": _makespan("makespan_ms"),
    "bursts": (*_makespan("slowdown@visitor"), *_share("share@hog")),
    "closed-requests": (*_latency("request_p50_us", "request_p99_us", "wakeup_p99_us"), *_use("utilisation")),
    "open-requests-60": _latency("request_p50_us", "request_p99_us"),
    "timers-under-hogs": _latency("wakeup_p50_us@timer", "wakeup_p99_us@timer"),
    "player-and-batch": (
        *_latency("request_p50_us@player", "request_p99_us@player", "wakeup_p99_us@service"),
        *_share("share@batch"),
    ),
    "nice-hogs": _share("share@heavy"),
    "cgroup-hogs": _share("share@heavy"),
    "workers-2": _use("utilisation", "requests_per_s"),
    "workers-4": _use("utilisation", "requests_per_s"),
}


def order_of(number: int, arms: int) -> tuple[int, ...]:
    """Places of the arms in round *number*. Of an even count, after as many rounds each was in each place once and
    followed each other one once.

    Source: Williams 1949, Experimental designs balanced for the estimation of residual effects of treatments.
    """
    first = [(at + 1) // 2 if at % 2 else (arms - at // 2) % arms for at in range(arms)]
    return tuple((place + number) % arms for place in first)


def load(name: str) -> Workload:
    """One of this benchmark's workloads. :raises InputError: there is none, or it is wrong."""
    if name not in MEASURES:
        raise InputError("unknown-workload", f"no workload is called {name}; there are {', '.join(MEASURES)}")
    found, problems = load_all(WORKLOADS / f"{name}.yaml", Workload)
    wrong = [f"{one.path}: {one.message}" for one in problems]
    wrong += workload_problems(found, name) if found is not None else ()
    if found is None or wrong:
        raise InputError("invalid-document", f"{name}.yaml: {'; '.join(wrong)}")
    return found


def run_of(workload: Workload, arm: Arm, *, number: int, machine: Machine) -> Planned:
    """The run of round *number*: of all arms the same work and arrivals, launched as each arm gets it."""
    declared = arm.source.policy.capabilities if arm.source else Capabilities()
    seed, cpus = number + 1, len(machine.cpus)
    jobs = workload.model_kind in JOB_KINDS
    # Hints must predict runs that they were not learnt from.
    hints = model_hints(workload, seed=derived_seed(seed, "history"), cpus=cpus) if jobs else None
    return planned(
        workload,
        machine=machine,
        seed=seed,
        arm="candidate" if arm.source else "eevdf",
        hints=hints,
        takes_hints=declared.hints,
        takes_group_hints=declared.group_hints,
        name_seed=name_seed(workload, arm, number),
    )


def name_seed(workload: Workload, arm: Arm, number: int) -> int:
    """Every run has fresh names."""
    return derived_seed(number + 1, "names", workload.name, arm.name)


def inputs_digest(workload: Workload, arm: Arm, *, number: int, machine: Machine) -> str:
    """Of everything that a sample depends on, but for the guest: the plan and the policy."""
    plan = run_of(workload, arm, number=number, machine=machine).plan
    policy = (arm.source.text, arm.source.headers) if arm.source else ()
    return hashlib.sha256(repr((bare(plan), policy)).encode()).hexdigest()[:16]


def bare(value: Any) -> Any:
    """Without what is as if it was not there: a plan that could say more since is the same plan."""
    if is_dataclass(value):
        every = ((one.name, getattr(value, one.name), one.default) for one in fields(value))
        return tuple((name, bare(part)) for name, part, default in every if part != default)
    if isinstance(value, tuple):
        return tuple(map(bare, value))
    return int(value) if isinstance(value, int) else value
