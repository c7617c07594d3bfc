"""Kinds of workload that the simulator runs: requests, pipes, build graphs, tasks with programs, rt-app files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsModel:
    """Requests and responses, as schbench makes them.

    Closed (*rate_per_s* 0): a worker tells its messenger that it is free and waits; the messenger wakes it; it sleeps
    (the network), works, and the request is done. Open: requests come as a Poisson process, one messenger each hands
    them to whichever of its workers is free, and a request's time counts from when it was handed over.
    """

    messengers: int
    workers: int  # of each messenger
    duration_ms: float
    work_us: float  # of a request: mean
    work_sigma: float  # standard deviation of ln(work of one request)
    think_us: float = 0.0  # sleep of a worker before the work of each request
    dispatch_us: float = 1.0  # work of a messenger for each wake-up
    rate_per_s: float = 0.0  # requests of all messengers together; 0: closed
    workers_per_cpu: float = 0.0  # above 0: workers of each messenger = this x CPUs / messengers, *workers* at least


@dataclass(frozen=True, slots=True, kw_only=True)
class PipesModel:
    """Groups of senders and receivers, as hackbench makes them: every sender writes to every receiver of its group."""

    groups: int
    pairs: int  # senders, and as many receivers, in each group
    messages: int  # of each sender to each receiver
    message_us: float = 1.0  # work to write or to read one message
    capacity: int = 256  # messages that a pipe holds


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphJob:
    """One job of a build graph, begun when all jobs of *after* are done."""

    name: str
    work_ms: float
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelBuild:
    """A generated graph like that of a small kernel: configure, one make per directory, archives, links.

    Configuration runs first and alone; then each directory has a make of its own that reads its makefiles, compiles
    and archives; the links follow one after the other when all directories are done.
    """

    directories: int
    compile_jobs: int  # in all directories together
    work_ms: float  # of a mean compile job, all its processes together
    work_sigma: float  # standard deviation of ln(work) between compile jobs
    configure_ms: float
    parse_ms: float  # of each directory's make, before its first job
    archive_ms: float
    link_ms: float
    links: int
    process_ms: float = 0.0  # configuration, parsing, links: processes of this length one after the other; 0: one each
    processes: int = 3  # short ones of a job after its shell: compiler, assembler and the like, one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphModel:
    """A build graph under ``make -j``. Exactly one of *jobs* and *kernel* is given."""

    parallel_jobs: int = 0  # 0: as many as there are CPUs
    length_sigma: float = 0.0  # spread of one job from run to run
    jobs: tuple[GraphJob, ...] = ()
    kernel: KernelBuild | None = None

    def __post_init__(self) -> None:
        if bool(self.jobs) == (self.kernel is not None):
            raise ValueError("exactly one of jobs and kernel must be given")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStep:
    """One step of a task; docs/workloads.md says what each *do* uses.

    :param us: length in microseconds; of a drawn one the mean.
    :param draw: fixed | lognormal | exponential; a drawn length is drawn anew each time.
    :param sigma: standard deviation of the logarithm, for lognormal.
    :param name: of the lock, semaphore, barrier, queue, event, timer or task class.
    :param mutex: lock that ``suspend`` releases while it waits.
    :param count: tokens of ``wait`` and ``post``, nice value of ``nice``.
    """

    do: str
    us: float = 0.0
    draw: str = "fixed"
    sigma: float = 0.0
    name: str = ""
    mutex: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPhase:
    """Steps that are repeated *loop* times (0: for ever). *cpus* and *nice* are set when the phase begins."""

    steps: tuple[TaskStep, ...]
    loop: int = 1
    cpus: tuple[int, ...] = ()
    nice: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskClass:
    """Tasks of one kind.

    :param loop: how often the phases run, one after the other; 0: for ever.
    :param gap_ms: mean gap between the arrivals of its tasks (exponential: open arrivals); 0: all at once.
    :param cgroup: path from the root, such as ``/web``; empty: the root itself.
    :param ext: they ask for SCHED_EXT: a policy with SCX_OPS_SWITCH_PARTIAL schedules these only.
    """

    name: str
    phases: tuple[TaskPhase, ...]
    tasks: int = 1
    tasks_per_cpu: float = 0.0  # added to *tasks*
    loop: int = 1
    start_ms: float = 0.0
    gap_ms: float = 0.0
    nice: int = 0
    cpus: tuple[int, ...] = ()  # empty: all
    cgroup: str = ""
    cgroup_weight: int = 100
    ext: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A CPU that goes offline, and comes back; *to_ms* 0: it does not."""

    cpu: int
    from_ms: float
    to_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TasksModel:
    """Tasks with programs: timers, sleepers, locks, phases, bursts, open and closed arrivals.

    :param duration_ms: the run ends then; 0: when every task is done.
    """

    classes: tuple[TaskClass, ...]
    duration_ms: float = 0.0
    offline: Absence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RtAppModel:
    """A use case in the JSON of rt-app (scheduler-tools/rt-app, doc/tutorial.txt), as text."""

    json: str
