"""How each arm of a comparison launches real programs, and what a run of them teaches. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schedops.errors import InputError
from schedops.model.jobs import Hints, RunSetup
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading
from schedops.model.workload import Workload
from schedops.model.workload_real import RealJob, RealPrograms
from schedops.workloads.arms import expected_ns, informed_nice
from schedops.workloads.hints import Measured, hints_of
from schedops.workloads.learn.job_key import key_of_command


def has_programs(workload: Workload) -> bool:
    """It has real programs that need nothing of the user's."""
    return workload.real is not None and not workload.real.source


def programs_of(workload: Workload) -> RealPrograms:
    """The workload's programs. :raises InputError: ``no-programs``: it has none."""
    if workload.real is None:
        raise InputError(
            "no-programs",
            f"{workload.name} is a model without real programs",
            where=f"policies/workloads/{workload.name}.yaml",
            hint=f"schedops simulate POLICY --workload {workload.name} runs its model",
        )
    return workload.real


def require_programs(workload: Workload) -> RealPrograms:
    """:func:`programs_of` that can be run as they are.

    :raises InputError: also ``needs-source``: they build what the user has to name.
    """
    real = programs_of(workload)
    if real.source:
        raise InputError(
            "needs-source",
            f"the programs of {workload.name} build sources that have to be named",
            where=f"policies/workloads/{workload.name}.yaml",
            hint=f"schedops workload run {workload.name} --source DIR",
        )
    return real


def program_setup(
    arm: str,
    plan: ProgramPlan,
    kinds: Sequence[RealJob],
    *,
    hints: Hints | None,
    policy_takes_hints: bool,
    name_seed: int,
) -> RunSetup:
    """The setup of one run. Groups have cgroups of their own in every arm: they belong to the workload.

    - ``eevdf``: nice values as the workload says them.
    - ``informed``: where the workload says none, those of :func:`schedops.workloads.arms.informed_nice`.
    - ``candidate``: as ``eevdf``, with the hints if it declares them.

    :raises ValueError: an arm of another name.
    """
    if arm not in ("eevdf", "informed", "candidate"):
        raise ValueError(f"no arm is called {arm!r}")
    expected = expected_ns([key_of_program(job) for job in plan.jobs], hints)
    said = tuple(job.nice for job in plan.jobs)
    guesses = zip(kinds, said, informed_nice(expected), strict=True)
    # Who wrote the workload may have been told what is urgent; the expert's guess is for the others.
    nice = tuple(own if kind.nice else guess for kind, own, guess in guesses) if arm == "informed" else said
    handed = expected if arm == "candidate" and policy_takes_hints else (0,) * len(plan.jobs)
    return RunSetup(cgroup_per_group=plan.cgroup_per_group, nice=nice, hint_ns=handed, name_seed=name_seed)


def launched(plan: ProgramPlan, setup: RunSetup) -> ProgramPlan:
    """The plan as this setup launches it."""
    jobs = zip(plan.jobs, setup.nice, setup.hint_ns, strict=True)
    return replace(
        plan,
        jobs=tuple(replace(job, nice=nice, hint_ns=hint_ns) for job, nice, hint_ns in jobs),
        cgroup_per_group=setup.cgroup_per_group,
        name_seed=setup.name_seed,
    )


def hints_from_programs(workload_name: str, plan: ProgramPlan, reading: ProgramReading, date: str) -> Hints:
    """CPU time of each job of a run that did its work. :param date: of the run, ISO 8601."""
    measured = [
        Measured(key=key_of_program(job), us=cpu_us, date=date)
        for job, cpu_us in zip(plan.jobs, reading.cpu_us, strict=True)
        if cpu_us > 0
    ]
    return hints_of(workload_name, measured)


def key_of_program(job: ProgramJob) -> str:
    """What history knows a job by: its command."""
    return key_of_command((*job.argv, job.output), cwd="/job")
