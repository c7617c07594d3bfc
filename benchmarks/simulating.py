"""What the benchmarks of simulated figures have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.event import Event
from schedops.model.machine import Machine, flat_machine
from schedops.model.simulated import SimComparison, SimFigure
from schedops.model.workload import Workload
from schedops.pipeline.parameters import parameters
from schedops.pipeline.simulation import Contest, simulate
from schedops.ports import SimScheduler
from schedops.repository import find_policy, load_machine, load_workload

ROOT = Path(__file__).parent.parent
SEEDS = tuple(range(1, 31))
Item, Made = TypeVar("Item"), TypeVar("Made")


class Quiet:
    """No progress."""

    def emit(self, event: Event) -> None:
        """See the port ``Progress``."""


class OneByOne:
    """One run at a time: these benchmarks share the host with others."""

    def cores(self) -> int:
        """See the port ``Crew``."""
        return 1

    def each(self, make: Callable[[Item], Made], items: Iterable[Item], *, at_once: int) -> list[Made]:
        """See the port ``Crew``."""
        return [make(item) for item in items]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A policy against a baseline.

    :param machine: itself, its name, or so many equal CPUs.
    :param params: of the policy; what is not named has its default.
    """

    workload: str | Workload
    machine: str | int | Machine
    policy: str
    baseline: str = "eevdf"
    params: Mapping[str, int] = field(default_factory=dict)
    cold: bool = False
    hint_error: float | None = None
    seeds: Sequence[int] = SEEDS


@lru_cache(maxsize=1)
def simulator() -> WasmSimulator:
    """One for all: it builds each policy once."""
    return WasmSimulator()


def machine_of(name: str | int | Machine) -> Machine:
    """A ready machine, or so many equal CPUs."""
    if isinstance(name, Machine):
        return name
    return flat_machine(name) if isinstance(name, int) else load_machine(name, cwd=ROOT)


def scheduler_of(name: str, params: Mapping[str, int]) -> SimScheduler:
    """A policy of this repository's library, or a built-in scheduler."""
    if name in {"eevdf", "random"}:
        return SimScheduler(name)
    source = find_policy(ROOT, name)
    return SimScheduler(name, source, parameters(source.policy, [f"{key}={value}" for key, value in params.items()]))


def compared(trial: Trial) -> SimComparison:
    """All seeds of both."""
    workload = load_workload(ROOT, trial.workload) if isinstance(trial.workload, str) else trial.workload
    informed = trial.baseline == "informed"
    built_in = informed or trial.baseline in {"eevdf", "random"}
    contest = Contest(
        workload=workload,
        machine=machine_of(trial.machine),
        policy=scheduler_of(trial.policy, trial.params),
        baseline=scheduler_of("eevdf" if informed else trial.baseline, {}),
        baseline_arm="informed" if informed else "eevdf" if built_in else "candidate",
        seeds=tuple(trial.seeds),
        cold=trial.cold,
        hint_error=trial.hint_error,
    )
    found = simulate(contest, simulator=simulator(), crew=OneByOne(), progress=Quiet()).comparison
    if found.policy_end.verdict != "done":
        raise SystemExit(f"{trial.policy} on {found.workload}: {found.policy_end}")
    return found


def figure_of(found: SimComparison, name: str) -> SimFigure:
    """One row of the table."""
    return next(one for one in found.figures if one.name == name)


def percent(figure: SimFigure) -> str:
    """The change with its interval."""
    return f"{_signed(figure.estimate)} % [{_signed(figure.low)}, {_signed(figure.high)}]"


def factor(figure: SimFigure) -> str:
    """How many times the policy's value is smaller, with the interval."""
    values = [1 / (1 + one) for one in (figure.estimate, figure.high, figure.low) if one is not None]
    return f"{values[0]:.2f}x [{values[1]:.2f}, {values[2]:.2f}]"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A markdown table, each row as soon as it is there."""
    for line in (header, ["---"] * len(header)):
        print("| " + " | ".join(line) + " |")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def _signed(value: float | None) -> str:
    return "?" if value is None else f"{100 * value:+.1f}"
