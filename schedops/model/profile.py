"""What a workload looked like, the class that follows, and what finding it out has cost."""

from __future__ import annotations

from dataclasses import dataclass

TIERS = ("summary", "profile", "probe")  # what is at hand without a run; one run; one run under probes as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure, with how it was measured."""

    name: str
    value: float
    unit: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFinding:
    """A workload class and the figures that decided it, in words.

    :param confidence: 0 .. 1: how far the weakest of these figures lies on the right side of its threshold (0.5 is on
        it, docs/profile.md); no probability. None: whoever found it does not say.
    """

    name: str
    because: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottleneck:
    """What keeps the workload from being done sooner.

    :param name: cpu-saturated | queueing | dependency-chain | serial | waiting.
    """

    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCandidate:
    """A bound that the workload kept with a margin; somebody has to want it before it is an SLO."""

    metric: str
    unit: str
    direction: str  # lower | higher: which way is better
    bound: float
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A figure that is not there, and why."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TierCost:
    """What a tier of :data:`TIERS` costs.

    :param overhead: share by which the workload itself takes longer; None: nobody has measured it here.
    :param how: measured, or estimated from what.
    """

    tier: str
    seconds: float
    overhead: float | None = None
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClassFigures:
    """All tasks of one class (comm) together.

    :param role: job | starter | hog | timed | served | sleeper; docs/profile.md says what each does.
    :param off_ms: time of their life off the CPUs and not waiting for one.
    :param woken_by_tasks: share of wake-ups that came from tasks, not from timers or devices; as the quantiles of the
        probes, None where there were none.
    """

    name: str
    tasks: int
    role: str
    cpu_ms: float
    wait_ms: float
    off_ms: float
    wakeups: int
    woken_by_tasks: float | None = None
    wait_p50_us: float | None = None
    wait_p99_us: float | None = None
    burst_p50_us: float | None = None
    burst_p99_us: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wakes:
    """Tasks of *waker* woke tasks of *woken* so often; *share* of all wake-ups, those by interrupts included."""

    waker: str
    woken: str
    times: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Made by running the workload once under the default scheduler; of tier ``summary``: without a run.

    :param kernel: ``none`` without a run, as *accelerator*; ``recorded``: of a machine that is not known.
    :param cpu_ms_quantiles: CPU time per job: min, 25, 50, 75, 95 %, max; empty without a run.
    :param classes: most specific first.
    :param scale: of the run; None: the workload as it is.
    :param words: all of it as a paragraph.
    :param costs: of this tier and of the next one.
    :param source: where the figures are from: ``run``, or what was recorded elsewhere, in words.
    """

    workload: str
    kernel: str
    cpus: int
    seed: int
    accelerator: str
    figures: tuple[Figure, ...]
    classes: tuple[ClassFinding, ...]
    cpu_ms_quantiles: tuple[float, ...]
    tier: str = "profile"
    scale: float | None = None
    tasks: tuple[TaskClassFigures, ...] = ()
    wakes: tuple[Wakes, ...] = ()
    bottleneck: Bottleneck | None = None
    slos: tuple[SloCandidate, ...] = ()
    missing: tuple[Missing, ...] = ()
    costs: tuple[TierCost, ...] = ()
    words: str = ""
    source: str = "run"
