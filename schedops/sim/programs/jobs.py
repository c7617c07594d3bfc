"""Builds and batches: the launcher's managers and jobs (``schedops/guest/manager.c``, ``job.c``) as programs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.simulation import Instruction, Op, Program, SimPlan, SimResult, TaskResult
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.steps import fork, post, run, wait

NS_PER_ITERATION = 5.0  # of the job's loop, on the fastest CPU: about what the micro-VM needs without KVM
# A manager's own CPU time for each child: fork and copying the address space, then waitid, schedstat and wait4. Of the
# order that lmbench's lat_proc gives for fork + exit of a small process.
FORK_NS = 80_000
REAP_NS = 20_000
KILLED = 137  # exit code of a job that did not end, as the launcher reports it

_PHASES = ("compile", "link", "test")


def jobs_plan(
    plan: JobPlan,
    setup: RunSetup,
    *,
    batch_short: int | None,
    ns_per_work: float,
) -> SimPlan:
    """A manager per group, then the jobs in the order of *plan*.

    A job sets its own nice value when it first runs, as in the guest. Its hint is there from its arrival on.

    :param batch_short: jobs that are short, for the labels of a batch; None: builds.
    """
    builder = PlanBuilder()
    first = len(plan.groups)
    cgroups = _cgroups(builder, plan, setup)
    done = [builder.semaphore() for _ in plan.groups]
    for at, group in enumerate(plan.groups):
        members = [(index, job.phase) for index, job in enumerate(plan.jobs) if job.group == at]
        builder.task(
            f"make-{at}",
            _manager(members, group.parallel, done[at], first),
            label="make",
            cgroup=cgroups[at],
            arrival_ns=group.arrival_us * 1000,
            hint_ns=setup.group_hint_ns[at] if setup.group_hint_ns else 0,
        )
    for index, job in enumerate(plan.jobs):
        nice = setup.nice[index]
        sets_nice = (Instruction(Op.NICE, nice),) if nice else ()
        work = run(max(1, round(job.work * ns_per_work)))
        builder.task(
            random_name(setup.name_seed, index + 1000),
            (*sets_nice, *work, *post(done[job.group])),
            label=_PHASES[job.phase] if batch_short is None else ("short" if index < batch_short else "long"),
            cgroup=cgroups[job.group],
            arrival_ns=-1,
            hint_ns=setup.hint_ns[index],
        )
    return builder.plan(seed=plan.seed)


def reading_of(plan: JobPlan, setup: RunSetup, result: SimResult) -> RunReading:
    """What the launcher would have measured. A job that did not end counts as killed when the run ended.

    A job is reaped by its manager; only of a group's last one is it known when, so the others end when they exit.
    """
    managers, jobs = result.tasks[: len(plan.groups)], result.tasks[len(plan.groups) :]
    last = _last_of_groups(plan, jobs)
    reaped = {index: managers[group].completion_ns for group, index in enumerate(last)}
    ends = [_end_ns(job, reaped.get(index, -1), result.end_ns) for index, job in enumerate(jobs)]
    return RunReading(
        start_us=tuple(max(job.arrival_ns, 0) // 1000 for job in jobs),
        end_us=tuple(-(-end // 1000) for end in ends),
        cpu_us=tuple(job.cpu_ns // 1000 for job in jobs),
        run_delay_us=tuple(job.wait_ns // 1000 for job in jobs),
        voluntary_switches=tuple(max(job.switches - job.preemptions, 0) for job in jobs),
        involuntary_switches=tuple(job.preemptions for job in jobs),
        exit_codes=tuple(0 if job.completion_ns >= 0 else KILLED for job in jobs),
        hints_accepted=sum(ns > 0 for ns in (*setup.hint_ns, *setup.group_hint_ns)),
        wall_us=-(-result.end_ns // 1000),
        context_switches=sum(task.switches for task in result.tasks),
        wakeups=result.wakeups,
        machine_cpu_us=sum(cpu.busy_ns for cpu in result.cpus) // 1000 if result.cpus else None,
    )


def random_name(seed: int, index: int) -> str:
    """Twelve letters that say nothing, as the launcher gives them."""
    bits = int.from_bytes(hashlib.sha256(f"{seed}/{index}".encode()).digest()[:8], "big")
    letters = []
    for _ in range(12):
        bits, letter = divmod(bits, 26)
        letters.append(chr(ord("a") + letter))
    return "".join(letters)


def _cgroups(builder: PlanBuilder, plan: JobPlan, setup: RunSetup) -> list[int]:
    if setup.cgroup_per_group:
        return [builder.cgroup(random_name(setup.name_seed, at + 1)) for at in range(len(plan.groups))]
    return [builder.cgroup(random_name(setup.name_seed, 0))] * len(plan.groups)


def _manager(members: Sequence[tuple[int, int]], parallel: Sequence[int], done: int, first: int) -> Program:
    # run_phase() of manager.c: at most so many at once, and all reaped before the next phase.
    reap = (*wait(done), *run(REAP_NS))
    steps: Program = ()
    for phase, at_once in enumerate(parallel):
        mine = [index for index, its in members if its == phase]
        for at, index in enumerate(mine):
            steps += (*(reap if at >= at_once else ()), *run(FORK_NS), *fork(first + index))
        steps += reap * min(len(mine), at_once)
    return steps


def _last_of_groups(plan: JobPlan, jobs: Sequence[TaskResult]) -> list[int]:
    last = [-1] * len(plan.groups)
    for index, job in enumerate(plan.jobs):
        group = job.group
        if last[group] < 0 or jobs[index].completion_ns >= jobs[last[group]].completion_ns:
            last[group] = index
    return last


def _end_ns(job: TaskResult, reaped_ns: int, run_end_ns: int) -> int:
    return run_end_ns if job.completion_ns < 0 else max(job.completion_ns, reaped_ns)
