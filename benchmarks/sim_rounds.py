"""Ten rounds of an uneven batch on a real kernel in a micro-VM with two CPUs: plans, measuring, and what was measured.

A round's jobs (ten short ones and one of 7.4 times their length) are drawn with the C library's ``rand()`` from its
number, as a program did whose figures were published; the arms take turns. ``python benchmarks/sim_rounds.py`` measures
anew and writes ``sim_rounds.json`` (--kernel, default 6.18; 10 minutes).

Two clocks. *counted*: the guest's clock counts the instructions of its CPUs, so that nothing the host does besides can
be seen (``tcg-counted``). *host*: a thread of the host for each CPU, as benches are run; on a host that does other
things the CPUs are fast and slow as it pleases.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from simulating import ROOT, Quiet, scheduler_of

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import SchedopsError
from schedops.model.jobs import Group, Job, JobPlan, RunReading, RunSetup
from schedops.model.simulation import SimPlan, SimResult, SimVerdict
from schedops.model.verification import BuiltObject
from schedops.pipeline.kernels import bench_kernel
from schedops.ports import Guest, KernelImage, SimScheduler
from schedops.repository import load_workload
from schedops.sim.programs.jobs import jobs_plan, reading_of
from schedops.wiring import world
from schedops.workloads.metrics import metrics_of

FILE = Path(__file__).with_suffix(".json")
ROUNDS = range(1, 11)
CLOCKS = ("counted", "host")
ARMS = ("eevdf", "nice", "long-first")
SHORT_JOBS, LONG_FACTOR = 10, 7.4
SHORT_NS = 100_000_000  # of CPU time, about what the published rounds' short jobs took
RAND_MAX = (1 << 31) - 1
DEADLINE_S = 300.0

Values = dict[str, float]


def batch(number: int, arm: str) -> tuple[JobPlan, RunSetup]:
    """The jobs of a round, work in ns; with the arm ``nice`` the short ones get nice 10."""
    numbers = rand(number)
    spread = [0.85 + 0.3 * next(numbers) / RAND_MAX for _ in range(SHORT_JOBS + 1)]
    spread[-1] *= LONG_FACTOR
    jobs = tuple(Job(key=str(at), group=0, phase=0, work=int(SHORT_NS * factor)) for at, factor in enumerate(spread))
    plan = JobPlan(seed=number, cpus=2, groups=(Group(arrival_us=0, parallel=(len(jobs),)),), jobs=jobs)
    setup = RunSetup(
        cgroup_per_group=False,
        nice=(10 if arm == "nice" else 0,) * SHORT_JOBS + (0,),
        hint_ns=tuple(job.work if arm == "long-first" else 0 for job in jobs),
        name_seed=number,
    )
    return plan, setup


def batch_plan(plan: JobPlan, setup: RunSetup, *, share: float = 1.0) -> SimPlan:
    """One process forks the jobs, all in the root cgroup. *share*: of the work."""
    return in_root(jobs_plan(plan, setup, batch_short=SHORT_JOBS, ns_per_work=share))


def in_root(plan: SimPlan) -> SimPlan:
    """The plan without its cgroups."""
    return replace(plan, tasks=tuple(replace(task, cgroup=0) for task in plan.tasks), cgroups=plan.cgroups[:1])


def batch_values(plan: JobPlan, setup: RunSetup, result: SimResult) -> Values:
    """The metrics of ``uneven-batch``."""
    return _metrics(plan, reading_of(plan, setup, result))


def measured(clock: str, arm: str) -> list[Values]:
    """The metrics of the measured rounds, in their order."""
    rounds = json.loads(FILE.read_bytes())[clock][arm]
    return [_metrics(batch(at, arm)[0], _reading(*columns)) for at, columns in zip(ROUNDS, rounds, strict=True)]


def rand(seed: int) -> Iterator[int]:
    """What glibc's ``rand()`` gives after ``srand(seed)``: its additive feedback generator of 31 words."""
    state = [seed]
    for _ in range(30):
        state.append(16807 * state[-1] % RAND_MAX)
    state += state[:3]
    while True:
        state.append((state[-31] + state[-3]) & 0xFFFFFFFF)
        if len(state) > 344:
            yield state[-1] >> 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernel", default="6.18")
    image = bench_kernel(parser.parse_args().kernel, (), world(Quiet()).kernels)
    found = {clock: _measure(image, clock) for clock in CLOCKS}
    about = {"kernel": image.kernel.name, "columns": "us after the start: created, reaped; us of CPU time; per job"}
    FILE.write_text(json.dumps({**about, **found}) + "\n", encoding="utf-8")


def _measure(image: KernelImage, clock: str) -> dict[str, list[list[list[int]]]]:
    found: dict[str, list[list[list[int]]]] = {arm: [] for arm in ARMS}
    with Qemu(counted=clock == "counted").boot(image, cpus=2) as guest:
        for number in ROUNDS:
            for arm in ARMS:
                found[arm].append(_round(guest, image, clock, number, arm))
                print(f"# {clock}, round {number}, {arm}", file=sys.stderr, flush=True)
    return found


def _round(guest: Guest, image: KernelImage, clock: str, number: int, arm: str) -> list[list[int]]:
    plan, setup = batch(number, arm)
    scheduler = scheduler_of("long-first", {}) if arm == "long-first" else None
    if scheduler is not None:
        _attach(guest, image, scheduler)
    # Work is measured on a CPU while the other one idles, at twice the speed that it has later.
    playable = batch_plan(plan, setup, share=0.5 if clock == "counted" else 1.0)
    result = guest.play(playable, name_seed=setup.name_seed, deadline_s=DEADLINE_S).result
    if scheduler is not None:
        guest.detach(deadline_s=60)
    if result.end.verdict != SimVerdict.DONE:
        raise SystemExit(f"round {number}, {arm}: {result.end}")
    reading = reading_of(plan, setup, _evenly_fast(result) if clock == "counted" else result)
    return [list(reading.start_us), list(reading.end_us), list(reading.cpu_us)]


def _evenly_fast(result: SimResult) -> SimResult:
    """As if a CPU did not become twice as fast while the other one idles, which it does when one job is left."""
    idle_ns = sum(max(result.end_ns - cpu.busy_ns, 0) for cpu in result.cpus)
    tasks = list(result.tasks)
    last = max(range(1, len(tasks)), key=lambda at: tasks[at].completion_ns)
    for at in (0, last):  # 0: the process that waits for them
        task = tasks[at]
        tasks[at] = replace(task, completion_ns=task.completion_ns + idle_ns, cpu_ns=task.cpu_ns + idle_ns)
    return replace(result, tasks=tuple(tasks))


def _attach(guest: Guest, image: KernelImage, scheduler: SimScheduler) -> None:
    if scheduler.source is None:
        raise SystemExit(f"{scheduler.name} is no policy")
    built = Clang().build(scheduler.source, scheduler.params, image)
    if not isinstance(built, BuiltObject):
        raise SystemExit(f"{scheduler.name} does not compile: {built}")
    attached = guest.attach(built.elf, deadline_s=60)
    if attached.outcome != "attached":
        raise SystemExit(f"{scheduler.name} is not attached: {attached.outcome}\n{attached.log}")


def _reading(start_us: list[int], end_us: list[int], cpu_us: list[int]) -> RunReading:
    nothing = (0,) * len(end_us)
    return RunReading(
        start_us=tuple(start_us),
        end_us=tuple(end_us),
        cpu_us=tuple(cpu_us),
        run_delay_us=nothing,
        voluntary_switches=nothing,
        involuntary_switches=nothing,
        exit_codes=nothing,
        hints_accepted=0,
        wall_us=max(end_us),
        context_switches=0,
        wakeups=0,
    )


def _metrics(plan: JobPlan, reading: RunReading) -> Values:
    return {one.metric: one.value for one in metrics_of(load_workload(ROOT, "uneven-batch"), plan, reading)}


if __name__ == "__main__":
    try:
        main()
    except SchedopsError as error:
        raise SystemExit(f"{error.message}: {error.where}") from None
