"""How each arm launches the jobs of a plan."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.jobs import Hints, JobPlan, RunSetup

INFORMED_NICE = 10  # weight 110 against 1024: enough to put what is not urgent behind, not enough to starve it
LONG_SHARE = 0.5  # of the longest hint; jobs that are expected to take less are not the ones everybody waits for


def setup_of(
    arm: str,
    plan: JobPlan,
    *,
    hints: Hints | None,
    policy_takes_hints: bool,
    name_seed: int,
    policy_takes_group_hints: bool = False,
) -> RunSetup:
    """The setup of one run.

    - ``eevdf``: the default scheduler as it comes, all jobs in one cgroup, nice 0.
    - ``informed``: what an expert would try first with the same knowledge: one cgroup per group, and nice 10 for jobs
      expected to take less than half as long as the longest one; nice 0 for the long ones and for jobs that history
      does not know. Without hints, one cgroup per group is all.
    - ``candidate``: one cgroup per group, which is how the policy knows a group; the hints if it declares them, and
      those of whole groups if it declares that too.

    :raises ValueError: an arm of another name.
    """
    zeros = (0,) * len(plan.jobs)
    expected = expected_ns([job.key for job in plan.jobs], hints)
    if arm == "eevdf":
        return RunSetup(cgroup_per_group=False, nice=zeros, hint_ns=zeros, name_seed=name_seed)
    if arm == "informed":
        return RunSetup(cgroup_per_group=True, nice=informed_nice(expected), hint_ns=zeros, name_seed=name_seed)
    if arm == "candidate":
        handed = expected if policy_takes_hints else zeros
        groups = group_hints(plan, handed) if policy_takes_group_hints else ()
        return RunSetup(cgroup_per_group=True, nice=zeros, hint_ns=handed, name_seed=name_seed, group_hint_ns=groups)
    raise ValueError(f"no arm is called {arm!r}")


def expected_ns(keys: Sequence[str], hints: Hints | None) -> tuple[int, ...]:
    """Expected CPU time of jobs of these keys; 0 where history knows nothing."""
    known = {hint.key: hint.cpu_us * 1000 for hint in hints.hints} if hints else {}
    return tuple(known.get(key, 0) for key in keys)


def group_hints(plan: JobPlan, expected: Sequence[int]) -> tuple[int, ...]:
    """CPU time in ns that history expects of each group; 0 where it does not know all of its jobs.

    :param expected: per job, as :func:`expected_ns` gives it.
    """
    known: list[list[int]] = [[] for _ in plan.groups]
    for job, job_ns in zip(plan.jobs, expected, strict=True):
        known[job.group].append(job_ns)
    return tuple(sum(jobs) if all(jobs) else 0 for jobs in known)


def informed_nice(expected: Sequence[int]) -> tuple[int, ...]:
    """Nice values of the informed default.

    :param expected: CPU time per job in ns; 0 where nobody knows.
    """
    long = LONG_SHARE * max(expected, default=0)
    return tuple(INFORMED_NICE if 0 < ns < long else 0 for ns in expected)
