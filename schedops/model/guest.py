"""What a micro-VM reports: readings without a verdict. Everything here was said by a guest and is untrusted."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.rung import MICRO_VM
from schedops.model.simulation import SimResult


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
class ProgramReading:
    """One program as the kernel's verifier saw it (the figures of veristat); 0 where this kernel does not say."""

    name: str
    verified_instructions: int
    total_states: int
    peak_states: int
    stack_bytes: int
    xlated_bytes: int
    jited_bytes: int


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
    programs: tuple[ProgramReading, ...] = ()  # sorted by name


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

    :param kind: hog (never sleeps) | sleeper (sleeps *sleep_us*, works *work_us*) | forker (forks a child that works
        *work_us* and exits, then sleeps *sleep_us*) | execer (as forker, and the child executes a program) | yielder
        (gives the CPU up every *work_us*) | pipe (pairs that pass a byte to and fro; *count* is even) | mover (a hog
        that changes its own affinity every *work_us*, within *cpus*) | renicer (a hog that changes its nice value
        every *work_us*) | stopped (a hog that is stopped for *sleep_us* and continued again; the time it is stopped
        is no waiting) | traced (a hog that a tracer stops and continues by ptrace in the same way) | latecomer (a hog
        that sleeps *sleep_us* first).
    :param cpus: allowed CPUs; empty means all.
    :param start_on: bound to these until the gate opens, to *cpus* afterwards; empty: not bound before.
    :param weight: ``cpu.weight`` of a cgroup of the group's own; 0: in the load's common cgroup.
    :param outside: in the root cgroup instead; hogs, sleepers and latecomers only.
    :param hint_us: the CPU time that its tasks tell the policy they will need; 0: they tell nothing.
    """

    name: str
    kind: str
    count: int
    nice: int = 0
    cpus: tuple[int, ...] = ()
    start_on: tuple[int, ...] = ()
    weight: int = 0
    work_us: int = 500
    sleep_us: int = 5000
    outside: bool = False
    hint_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HotplugStep:
    """Take a CPU away, or bring it back, while the load runs."""

    at_ms: int
    cpu: int
    online: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """A load: who runs, for how long, and what happens meanwhile.

    :param until_runs: go on, up to *max_ms*, until program *of_program* ran this often; 0: *duration_ms* and no longer.
    :param of_program: a BPF program's name as the kernel keeps it (its first 15 characters).
    :param program_stats: count run times of BPF programs (costs two clock reads a call).
    :param quiet: nothing of the harness wakes another CPU than the first; then it also does not see one stand still.
    :param stay_through_loss: do not end when the policy is lost: it is expected to go and the tasks to live on.
    """

    groups: tuple[LoadGroup, ...]
    duration_ms: int
    until_runs: int = 0
    of_program: str = ""
    max_ms: int = 0
    hotplug: tuple[HotplugStep, ...] = ()
    program_stats: bool = False
    stay_through_loss: bool = False
    quiet: bool = False


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
class ProgramRuns:
    """How often a BPF program ran during a load, by the kernel's own count (``bpf_stats_enabled``).

    :param name: its first 15 characters.
    :param ns_per_run: mean of the quietest of several stretches of the load's later half: what a busy host adds is not
        the policy's, and what it becomes with time is; 0 when it did not run.
    """

    name: str
    runs: int
    ns_per_run: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReading:
    """One mixed load.

    :param lost_after_ms: when the policy was found gone; 0 while it stayed.
    :param programs: sorted by name; empty unless the plan asked.
    :param hotplug_failed: steps that the kernel refused or did not finish.
    :param stolen_ms: the sum of all the times the CPU that lost most was late by 10 ms and more.
    """

    duration_ms: float
    groups: tuple[LoadGroupReading, ...]
    state_before: str
    state_after: str
    lost_after_ms: float
    context_switches: int
    harness_jitter_ms: float  # how late a real-time task woke on the worst of all CPUs: large means a starved host
    programs: tuple[ProgramRuns, ...] = ()
    hotplug_failed: int = 0
    stolen_ms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayReading:
    """A plan of the simulator's, played by real tasks on a real kernel.

    :param result: as far as a kernel shows it. ``tasks``: *max_wait_ns* is -1; the first of *migrations* is all that
        the task saw itself. ``cpus``: what ran on each, this harness included, until a bit later than the end,
        *idle_waste_ns* is -1; empty where the kernel does not say. *decisions* are the machine's context switches;
        *ticks* and *completions* are -1. How it ended: done | ejected | stuck | plan-error | late.
    :param ns_per_1000: how long 1000 iterations of the loop that work is made of took, on the fastest CPU.
    :param cpu_ns: of all tasks together.
    :param cgroup_ns: CPU time of the plan's own cgroups, as they count it; None: it has none, or they do not say.
    :param rusage_ns: CPU time of the tasks that were done, by getrusage(2); None: nobody asked.
    :param machine_cpu_us: CPU time the host gave the whole machine meanwhile; None: nobody could see it from outside.
    :param clean: nothing of it was left when the guest answered.
    """

    result: SimResult
    ns_per_1000: int
    hints_accepted: int
    cpu_ns: int
    wall_ns: int
    context_switches: int
    clean: bool
    cgroup_ns: int | None = None
    rusage_ns: int | None = None
    machine_cpu_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """What runs the guest, and why.

    :param name: kvm | tcg-multi | tcg-single | tcg-counted | none (a host's own kernel).
    :param qemu_version: empty without an emulator.
    :param rung: of :mod:`schedops.model.rung`, which figures from there are on.
    """

    name: str
    qemu_version: str
    reason: str
    rung: str = MICRO_VM
