"""Whether several ways of measuring the same thing agree. Pure."""

from __future__ import annotations

from schedops.analyze.figure import figure
from schedops.model.guest import PlayReading
from schedops.model.probe import ProbeReading
from schedops.model.profile import Figure
from schedops.model.simulation import SimPlan


def agreement_figures(
    plan: SimPlan,
    plain: PlayReading,
    guest_ns: int,
    harness_s: float,
    probed: tuple[PlayReading, ProbeReading] | None,
) -> tuple[Figure, ...]:
    """Ratios that should be 1; what there is no second way for is left out.

    :param guest_ns: between the accounting before and after the plain run, the guest's clock; *harness_s* the host's.
    :param probed: a probed run of the same tasks, called ``class<n>``.
    """
    found = [
        _ratio("clock_agreement", guest_ns, harness_s * 1e9, "time of the run by the guest's clock and the host's")
    ]
    if plain.cgroup_ns is not None:
        inside = (one for task, one in zip(plan.tasks, plain.result.tasks, strict=True) if task.cgroup)
        how = "CPU time of the workload's cgroups (cpu.stat) by that of the tasks in them (their own clocks)"
        found.append(_ratio("cgroup_agreement", plain.cgroup_ns, sum(one.cpu_ns for one in inside), how))
    done = sum(one.cpu_ns for one in plain.result.tasks if one.completion_ns >= 0)
    if plain.rusage_ns is not None and done:
        how = "CPU time of the tasks that were done by getrusage and by their own clocks"
        found.append(_ratio("rusage_agreement", plain.rusage_ns, done, how))
    if (
        probed is not None and not plan.end_ns
    ):  # what time cuts off runs on until it is killed, and is probed until then
        reading, counted = probed
        run_ns = sum(one.run_ns for one in counted.classes if one.name.startswith("class"))
        how = "CPU time of the workload's tasks by the probes and by the tasks' own clocks, in the probed run"
        found.append(_ratio("probe_agreement", run_ns, reading.cpu_ns, how))
    return tuple(found)


def _ratio(name: str, one: float, other: float, how: str) -> Figure:
    return figure(name, one / max(1, other), "ratio", how)
