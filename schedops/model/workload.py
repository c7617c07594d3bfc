"""What runs, what is wanted of it, and what must not get worse (``policies/workloads/<name>.yaml``)."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.workload_kinds import GraphModel, PipesModel, RequestsModel, RtAppModel, TasksModel
from schedops.model.workload_real import RealPrograms

KINDS = ("builds", "batch", "requests", "pipes", "graph", "tasks", "rt_app")
JOB_KINDS = ("builds", "batch")  # jobs that a launcher starts: what the micro-VM runs as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """A metric that a proposal has to improve.

    :param min_effect: smallest change worth having, as a fraction (0.05 = 5 %).
    """

    metric: str
    unit: str
    direction: str  # lower | higher: which way is better
    min_effect: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A metric that may not get worse by more than *max_harm* (fraction of the baseline)."""

    metric: str
    unit: str
    direction: str  # lower | higher: which way is better
    max_harm: float
    hard: bool  # a hard guard vetoes, a soft one is reported


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """A bound that a metric's median over the runs has to keep, whoever schedules; a guard compares, an SLO does not.

    :param bound: in *unit*; met when the value is not worse than it.
    :param hard: a policy that misses a hard one gets nothing for the workload, a soft one is reported.
    """

    metric: str
    unit: str
    direction: str  # lower | higher: which way is better
    bound: float
    hard: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedSeconds:
    """How long one run took where it was measured; None where nobody has."""

    emulated_2: float | None = None  # a guest with two emulated CPUs
    real_8: float | None = None  # eight real CPUs


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildsModel:
    """Several builds share one host, each in its own cgroup, arriving at random times.

    A build belongs to a project; a project has a fixed number of compile jobs and fixed mean lengths, and every run
    draws each job's length anew around its mean (log-normal, *length_sigma*). Phases of a build follow each other:
    compile jobs at *parallel_jobs*, one link, tests at *parallel_jobs* of which one is long.
    """

    builds: int  # builds in one run
    compile_jobs: tuple[int, ...]  # compile jobs of each project, cycled when there are more builds than entries
    parallel_jobs: int
    job_work: int  # loop iterations of a mean compile job
    compile_sigma: float  # spread between the compile jobs of a project
    link_factor: float  # link, in mean compile jobs
    test_jobs: int
    test_sigma: float
    long_test_factor: float  # the long test, in mean compile jobs
    length_sigma: float  # spread of one job from run to run
    arrival_gap_ms: float  # mean time between two arrivals (exponential)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchModel:
    """Short jobs and a long one, submitted last, all at once."""

    short_jobs_per_cpu: float
    long_jobs: int
    job_work: int  # loop iterations of a mean short job
    long_factor: float  # a long job, in mean short jobs
    length_sigma: float  # spread of one job from run to run


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload. Exactly one of :data:`KINDS` is given.

    :param real: the programs that the model stands for, for whoever runs them.
    """

    name: str
    description: str
    tags: tuple[str, ...] = ()
    objectives: tuple[Objective, ...]
    guards: tuple[Guard, ...]
    slos: tuple[Slo, ...] = ()
    expected_seconds: ExpectedSeconds | None = None
    rounds: int  # measured rounds of all arms, at most
    looks: tuple[int, ...] = ()  # after how many rounds the gate looks; the last is *rounds*; empty: at the end only
    warmup_rounds: int
    builds: BuildsModel | None = None
    batch: BatchModel | None = None
    requests: RequestsModel | None = None
    pipes: PipesModel | None = None
    graph: GraphModel | None = None
    tasks: TasksModel | None = None
    rt_app: RtAppModel | None = None
    real: RealPrograms | None = None

    def __post_init__(self) -> None:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"exactly one of {', '.join(KINDS[:-1])} and {KINDS[-1]} must be given")
        if self.looks and (list(self.looks) != sorted(set(self.looks)) or self.looks[-1] != self.rounds):
            raise ValueError(f"looks must rise and end with rounds, which is {self.rounds}")

    def looks_until(self, rounds: int | None = None) -> tuple[int, ...]:
        """After how many rounds the gate looks, the end included.

        :param rounds: measured rounds; None: as many as the file says.
        """
        last = self.rounds if rounds is None else rounds
        return (*(look for look in self.looks if look < last), last)

    @property
    def model_kind(self) -> str:
        """Which of :data:`KINDS` it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)
