"""Real programs of a workload: what is run, whether it did its work, and the metrics that come of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import isfinite
from statistics import fmean

from schedops.model.measurements import MetricValue
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading, ProgramServer
from schedops.model.workload_real import RealJob, RealPrograms, RealRead
from schedops.workloads.tables import MS, RATIO, Table

REAL_METRICS: Table = {
    "makespan_per_floor": (RATIO, "start of the run to the end of the last job, per floor"),
    "makespan_ms": (MS, "start of the run to the end of the last job"),
    "mean_completion_per_floor": (RATIO, "arrival to end, mean over jobs, per floor"),
    "mean_completion_ms": (MS, "arrival to end, mean over jobs"),
    "slowest_short_per_floor": (RATIO, "end of the last job that is not long, per floor; where some are long"),
    "machine_cpu_ms": (MS, "CPU time of the whole machine, kernel, policy and start of the servers included"),
    "machine_cpu_per_job_ms": (MS, "the same per job"),
    "cpu_time_ms": (MS, "CPU time of jobs, their children and servers, as their cgroups account it"),
    "cpu_time_per_job_ms": (MS, "the same per job"),
}
_LAUNCHER = "{launcher}"
_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def program_plan(real: RealPrograms, *, cpus: int, scale: float, name_seed: int, launcher: str = "") -> ProgramPlan:
    """One run.

    :param scale: factor on the number of jobs that are not fixed; one of each kind stays.
    :param launcher: what jobs start compilers by (``{launcher}``), with a space at its end; empty: by nothing.
    """
    count = len(kinds_of(real, cpus=cpus, scale=scale))
    jobs = tuple(job for kind in real.jobs for job in _jobs(kind, cpus, scale, count, launcher))
    servers = tuple(
        ProgramServer(argv=_filled(one.command, cpus, count), tcp_port=one.tcp_port, group=one.group, nice=one.nice)
        for one in real.servers
    )
    groups = {job.group for job in jobs} | {server.group for server in servers}
    return ProgramPlan(servers=servers, jobs=jobs, cgroup_per_group=len(groups) > 1, name_seed=name_seed)


def shell_plan(lines: Sequence[str], real: RealPrograms, *, cpus: int, scale: float) -> ProgramPlan:
    """Lines of shell of *real* for runs of this size."""
    return ProgramPlan(shell=_filled(lines, cpus, len(kinds_of(real, cpus=cpus, scale=scale))))


def count_of(kind: RealJob, *, cpus: int, scale: float) -> int:
    """How many jobs of a kind there are."""
    wanted = kind.count + kind.per_cpu * cpus
    return round(wanted) if kind.fixed else max(1, round(wanted * scale))


def has_launcher(real: RealPrograms) -> bool:
    """Do its jobs start others by a launcher that can hand over hints?"""
    return any(_LAUNCHER in word for job in real.jobs for word in job.command)


def _jobs(kind: RealJob, cpus: int, scale: float, count: int, launcher: str) -> Iterator[ProgramJob]:
    for number in range(count_of(kind, cpus=cpus, scale=scale)):
        *argv, output = (
            word.replace("{i}", str(number)).replace(_LAUNCHER, launcher)
            for word in _filled((*kind.command, kind.output), cpus, count)
        )
        yield ProgramJob(
            argv=tuple(argv),
            arrival_us=round(kind.arrival_ms * 1000),
            group=kind.group,
            nice=kind.nice,
            output=output,
        )


def _filled(words: Sequence[str], cpus: int, jobs: int) -> tuple[str, ...]:
    # Not str.format: commands are full of braces of their own.
    return tuple(word.replace("{cpus}", str(cpus)).replace("{jobs}", str(jobs)) for word in words)


def kinds_of(real: RealPrograms, *, cpus: int, scale: float) -> tuple[RealJob, ...]:
    """The kind of each job of :func:`program_plan`."""
    return tuple(kind for kind in real.jobs for _ in range(count_of(kind, cpus=cpus, scale=scale)))


def why_undone(real: RealPrograms, kinds: Sequence[RealJob], plan: ProgramPlan, reading: ProgramReading) -> str:
    """Why a run means nothing: a program failed, was killed, or did not do its work; empty when all is well."""
    for kind, job, code, said in zip(kinds, plan.jobs, reading.exit_codes, reading.outputs, strict=True):
        if code:
            return f"{kind.name} ended with {code}: {' '.join(job.argv)[:120]}: {said[-200:].strip()}"
        if kind.expect and not re.search(kind.expect, said):
            return f"{kind.name} did not say that it had done its work ({kind.expect}): {said[-200:].strip()}"
    for read in real.reads:
        if any(
            kind.name == read.job and _said(read, said) is None
            for kind, said in zip(kinds, reading.outputs, strict=True)
        ):
            return f"{read.job} did not say its {read.metric}"
    for server, ended, said in zip(plan.servers, reading.server_codes, reading.server_outputs, strict=True):
        if ended is not None:
            return f"a server ended with {ended} before the jobs: {' '.join(server.argv)[:120]}: {said[-200:].strip()}"
    return "" if reading.clean else "programs were left over"


def real_metrics(
    real: RealPrograms, kinds: Sequence[RealJob], plan: ProgramPlan, reading: ProgramReading, *, cpus: int
) -> tuple[MetricValue, ...]:
    """All metrics of one run that is not undone: those of :data:`REAL_METRICS`, then what programs said themselves.

    The floor is max(CPU time of the longest job that is not parallel, all CPU time / *cpus*), of the same run.
    """
    used_us, jobs = reading.cgroup_us, len(plan.jobs)
    alone_us = [cpu_us for kind, cpu_us in zip(kinds, reading.cpu_us, strict=True) if not kind.parallel]
    floor_us = max(*alone_us, used_us / cpus, 1.0)
    times = [end - job.arrival_us for job, end in zip(plan.jobs, reading.end_us, strict=True)]
    short = [end for kind, end in zip(kinds, reading.end_us, strict=True) if not kind.long]
    values = {
        "makespan_per_floor": max(reading.end_us) / floor_us,
        "makespan_ms": max(reading.end_us) / 1000,
        "mean_completion_per_floor": fmean(times) / floor_us,
        "mean_completion_ms": fmean(times) / 1000,
        "cpu_time_ms": used_us / 1000,
        "cpu_time_per_job_ms": used_us / 1000 / jobs,
    }
    if 0 < len(short) < jobs:
        values["slowest_short_per_floor"] = max(short) / floor_us
    if reading.machine_cpu_us is not None:
        values["machine_cpu_ms"] = reading.machine_cpu_us / 1000
        values["machine_cpu_per_job_ms"] = reading.machine_cpu_us / 1000 / jobs
    own = [
        MetricValue(metric=name, unit=unit, value=values[name])
        for name, (unit, _) in REAL_METRICS.items()
        if name in values
    ]
    return (*own, *_read(real.reads, kinds, reading))


def _read(reads: Sequence[RealRead], kinds: Sequence[RealJob], reading: ProgramReading) -> Iterator[MetricValue]:
    for read in reads:
        said = [words for kind, words in zip(kinds, reading.outputs, strict=True) if kind.name == read.job]
        found = [value for words in said if (value := _said(read, words)) is not None]
        if found:
            yield MetricValue(metric=read.metric, unit=unit_of(read.metric), value=fmean(found))


def _said(read: RealRead, words: str) -> float | None:
    # What a program says is the guest's word: whatever is no number was not said.
    match = re.search(read.pattern, words)
    if match is None:
        return None
    try:
        of = _NS[match[2]] / _NS[unit_of(read.metric)] if match.re.groups > 1 else 1.0
        value = float(match[1]) * of * read.factor
    except (KeyError, TypeError, ValueError):
        return None
    return value if isfinite(value) else None


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
