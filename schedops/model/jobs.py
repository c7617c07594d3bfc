"""One concrete run of a workload: which jobs exist, when they arrive, how much work each is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One process.

    :param key: what history knows it by; carries no meaning.
    :param work: loop iterations.
    """

    key: str
    group: int  # index into JobPlan.groups
    phase: int  # phases of a group run one after the other
    work: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Jobs that arrive together and belong together (a build).

    :param parallel: for each phase, how many of its jobs may exist at once.
    """

    arrival_us: int  # after the start of the run
    parallel: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """Everything the launcher needs. Jobs of a phase are submitted in the order given."""

    seed: int
    cpus: int
    groups: tuple[Group, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSetup:
    """How a JobPlan is launched; what differs between the arms of a comparison.

    :param cgroup_per_group: each group in a cgroup of its own, else all in one.
    :param nice: nice value per job, same order as JobPlan.jobs.
    :param hint_ns: expected CPU time per job in ns, 0 where history knows nothing; handed to the resident loader.
    :param name_seed: seed of the random process names.
    :param group_hint_ns: expected CPU time of all jobs of a group in ns, one entry per group; handed over by the
        group's manager. 0 where history does not know all of the group's jobs; empty: nothing is handed over.
    """

    cgroup_per_group: bool
    nice: tuple[int, ...]
    hint_ns: tuple[int, ...]
    name_seed: int
    group_hint_ns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReading:
    """What the launcher measured; column per figure, one entry per job in the order of JobPlan.jobs.

    Times are microseconds after the start of the run, by the guest's CLOCK_MONOTONIC.
    """

    start_us: tuple[int, ...]  # when the launcher created the job
    end_us: tuple[int, ...]  # when it was reaped
    cpu_us: tuple[int, ...]  # user + system, wait4
    run_delay_us: tuple[int, ...]  # runnable but not running, /proc/PID/schedstat
    voluntary_switches: tuple[int, ...]  # ru_nvcsw
    involuntary_switches: tuple[int, ...]  # ru_nivcsw
    exit_codes: tuple[int, ...]  # 128 + signal when killed
    hints_accepted: int  # hints the resident loader took, of jobs and of managers
    wall_us: int  # start of the run to the last reap
    context_switches: int  # of the whole guest, /proc/stat
    wakeups: int  # voluntary switches of all jobs and of the launcher
    # CPU time the host gave the whole machine during the run: jobs, kernel and policy, without what a busy host took
    # away, which a guest cannot tell from its own work. None: nobody could see it from outside.
    machine_cpu_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Expected CPU time of a job, from measured runs only.

    :param cpu_us: mean over the runs. With the clock ``wall`` elapsed time stands in for it, because whoever measured
        knew no better.
    :param n: runs that it stands for; older ones count less the older they are.
    :param spread: standard deviation of ln(cpu_us) over the runs; None with fewer than two.
    :param measured: date of the latest run, ISO 8601.
    :param chain_us: in a build graph: from the job's begin to the end of the longest chain of jobs that wait for it,
        itself included, by the clock of who knew the graph; None where nobody did.
    :param clock: ``cpu`` or ``wall``.
    """

    key: str
    cpu_us: int
    n: int
    spread: float | None
    measured: str
    chain_us: int | None = None
    clock: str = "cpu"

    def __post_init__(self) -> None:
        date.fromisoformat(self.measured)  # the schema sees its form only; ValueError for a 31st of February


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What history knows about a workload's jobs: ``policies/hints/<workload>.yaml``.

    :param learnt: digests of the files that were learnt, newest last, so that none counts twice.
    """

    workload: str
    hints: tuple[Hint, ...]
    learnt: tuple[str, ...] = ()
