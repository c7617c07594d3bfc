"""Real programs of a workload: what is run, whether it did its work, and the metrics that come of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import fmean

from schedops.model.measurements import MetricValue
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading, ProgramServer
from schedops.model.workload_real import RealJob, RealPrograms, RealRead
from schedops.workloads.tables import MS, RATIO, Table

REAL_METRICS: Table = {
    "makespan_per_floor": (RATIO, "start of the run to the end of the last program, per floor"),
    "makespan_ms": (MS, "start of the run to the end of the last program"),
    "mean_completion_per_floor": (RATIO, "arrival to end, mean over programs, per floor"),
    "mean_completion_ms": (MS, "arrival to end, mean over programs"),
    "cpu_time_ms": (MS, "CPU time of the programs, their children and the servers, as their cgroups account it"),
    "machine_cpu_ms": (MS, "CPU time of the whole machine, kernel and policy included"),
}


def program_plan(real: RealPrograms, *, cpus: int, scale: float, name_seed: int) -> ProgramPlan:
    """One run.

    :param scale: factor on the number of jobs that are not fixed; one of each kind stays.
    """
    jobs = tuple(job for kind in real.jobs for job in _jobs(kind, cpus, scale))
    servers = tuple(ProgramServer(argv=one.command, tcp_port=one.tcp_port) for one in real.servers)
    groups = len({job.group for job in jobs})
    return ProgramPlan(
        shell=real.before, servers=servers, jobs=jobs, cgroup_per_group=groups > 1, name_seed=name_seed
    )  # fmt: skip


def count_of(kind: RealJob, *, cpus: int, scale: float) -> int:
    """How many jobs of a kind there are."""
    wanted = kind.count + kind.per_cpu * cpus
    return round(wanted) if kind.fixed else max(1, round(wanted * scale))


def _jobs(kind: RealJob, cpus: int, scale: float) -> Iterator[ProgramJob]:
    for number in range(count_of(kind, cpus=cpus, scale=scale)):
        # Not str.format: a command is full of braces of its own.
        argv = tuple(word.replace("{i}", str(number)).replace("{cpus}", str(cpus)) for word in kind.command)
        yield ProgramJob(argv=argv, arrival_us=round(kind.arrival_ms * 1000), group=kind.group)


def kinds_of(real: RealPrograms, *, cpus: int, scale: float) -> tuple[RealJob, ...]:
    """The kind of each job of :func:`program_plan`."""
    return tuple(kind for kind in real.jobs for _ in range(count_of(kind, cpus=cpus, scale=scale)))


def why_undone(kinds: Sequence[RealJob], plan: ProgramPlan, reading: ProgramReading) -> str:
    """Why a run means nothing: a program failed, was killed, or did not do its work; empty when all is well."""
    for kind, job, code, said in zip(kinds, plan.jobs, reading.exit_codes, reading.outputs, strict=True):
        if code:
            return f"{kind.name} ended with {code}: {' '.join(job.argv)[:120]}: {said[-200:].strip()}"
        if kind.expect and not re.search(kind.expect, said):
            return f"{kind.name} did not say that it had done its work ({kind.expect}): {said[-200:].strip()}"
    return "" if reading.clean else "programs were left over"


def real_metrics(
    real: RealPrograms, kinds: Sequence[RealJob], plan: ProgramPlan, reading: ProgramReading, *, cpus: int
) -> tuple[MetricValue, ...]:
    """All metrics of one run that is not undone: those of :data:`REAL_METRICS`, then what programs said themselves.

    The floor is max(longest program's own CPU time, all CPU time / *cpus*), of the same run.
    """
    used_us = reading.cgroup_us + reading.server_us
    floor_us = max(*reading.cpu_us, used_us / cpus, 1.0)
    times = [end - job.arrival_us for job, end in zip(plan.jobs, reading.end_us, strict=True)]
    values = {
        "makespan_per_floor": max(reading.end_us) / floor_us,
        "makespan_ms": max(reading.end_us) / 1000,
        "mean_completion_per_floor": fmean(times) / floor_us,
        "mean_completion_ms": fmean(times) / 1000,
        "cpu_time_ms": used_us / 1000,
    }
    if reading.machine_cpu_us is not None:
        values["machine_cpu_ms"] = reading.machine_cpu_us / 1000
    own = [
        MetricValue(metric=name, unit=unit, value=values[name])
        for name, (unit, _) in REAL_METRICS.items()
        if name in values
    ]
    return (*own, *_read(real.reads, kinds, reading))


def _read(reads: Sequence[RealRead], kinds: Sequence[RealJob], reading: ProgramReading) -> Iterator[MetricValue]:
    for read in reads:
        said = [words for kind, words in zip(kinds, reading.outputs, strict=True) if kind.name == read.job]
        found = [float(match[1]) * read.factor for words in said if (match := re.search(read.pattern, words))]
        if found:
            yield MetricValue(metric=read.metric, unit=unit_of(read.metric), value=fmean(found))


def unit_of(metric: str) -> str:
    """The unit that a metric's name ends with."""
    for end, unit in (("_per_s", "1/s"), ("_us", "us"), ("_ms", "ms")):
        if metric.endswith(end):
            return unit
    return RATIO


def real_problems(real: RealPrograms) -> tuple[str, ...]:
    """What the schema cannot see; ``$.path: message``."""
    names = [job.name for job in real.jobs]
    problems = [f"$.real.jobs[{at}].name: {name} occurs twice" for at, name in enumerate(names) if name in names[:at]]
    for at, read in enumerate(real.reads):
        if read.job not in names:
            problems.append(f"$.real.reads[{at}].job: there is no job {read.job}")
        problems += [f"$.real.reads[{at}].pattern: {wrong}" for wrong in _wrong(read.pattern, groups=1)]
    for at, job in enumerate(real.jobs):
        problems += [f"$.real.jobs[{at}].expect: {wrong}" for wrong in _wrong(job.expect, groups=0)]
    return tuple(problems)


def _wrong(pattern: str, *, groups: int) -> list[str]:
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError) as error:
        return [f"no regular expression: {error}"]
    return ["it has no group that is the number"] if compiled.groups < groups else []
