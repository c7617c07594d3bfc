"""What a micro-VM reports: readings without a verdict. Everything here was said by a guest and is untrusted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedState:
    """/sys/kernel/sched_ext at one moment, and whether a normal task is really managed by it."""

    state: str  # enabling | enabled | disabling | disabled
    ops: str  # root/ops; empty without a policy
    enable_seq: int
    switch_all: int
    nr_rejected: int
    task_on_ext: bool | None  # ext.enabled of a SCHED_OTHER test task in /proc/PID/sched; None: could not be read


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReading:
    """One attempt to attach.

    :param outcome: attached | open-failed | load-failed | attach-failed | not-enabled.
    :param log: libbpf's and the kernel verifier's words, bounded, control characters stripped.
    """

    outcome: str
    errno: int
    before: SchedState
    after: SchedState
    log: str
    seconds: float
    verified_instructions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DetachReading:
    """After the resident loader was told to let go.

    :param was_attached: state was still ``enabled`` under our loader when it was told.
    :param programs_left: BPF struct_ops programs still loaded afterwards.
    """

    was_attached: bool
    state: SchedState
    programs_left: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadGroup:
    """Identical tasks of a mixed load.

    :param kind: hog (never sleeps) | sleeper (sleeps *sleep_us*, works *work_us*) | forker (forks children that exit).
    :param cpus: allowed CPUs; empty means all.
    """

    name: str
    kind: str
    count: int
    nice: int = 0
    cpus: tuple[int, ...] = ()
    work_us: int = 500
    sleep_us: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadGroupReading:
    """What the tasks of one group saw, by their own clocks."""

    name: str
    cpu_ms: tuple[float, ...]  # per task
    max_wait_ms: float  # longest time a runnable task did not run
    never_ran: int
    iterations: int
    affinity_violations: int
    wake_p99_us: int  # sleepers only, else 0; upper edge of a power-of-two bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReading:
    """One mixed load.

    :param lost_after_ms: when the policy was found gone; 0 while it stayed.
    """

    duration_ms: float
    groups: tuple[LoadGroupReading, ...]
    state_before: str
    state_after: str
    lost_after_ms: float
    context_switches: int
    harness_jitter_ms: float  # how late the load's own real-time watcher woke: large means a starved host


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """What runs the guest, and why."""

    name: str  # kvm | tcg-multi | tcg-single
    qemu_version: str
    reason: str
