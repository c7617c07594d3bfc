"""The first seed's runs as files: the picture and the trace."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean

from schedops.model.simulated import SimComparison
from schedops.model.simulation import SimVerdict
from schedops.pipeline.simulation import Contest, Run, Simulated
from schedops.report.profile_page import number
from schedops.report.simulation import end_words, ending, headline
from schedops.sim.figures import label_figures, members_of
from schedops.sim.groups import Groups, groups_of, spans
from schedops.sim.perfetto.chrome import chrome_trace
from schedops.sim.perfetto.protobuf import perfetto_trace
from schedops.sim.picture.timeline import Panel, timeline
from schedops.sim.stream import Traced


def plot_file(contest: Contest, found: Simulated) -> bytes:
    """SVG: baseline above policy, one time axis."""
    comparison, first = found.comparison, found.first
    # The policy's plan has a cgroup for each build; the tasks of the baseline's are the same in the same order.
    word = "build" if contest.workload.builds is not None else ""
    groups = groups_of(first[1].plan, word=word)
    names = (comparison.baseline, comparison.policy)
    panels = [
        Panel(_heading(name, run, groups, word), run.plan, run.result, _notes(run, groups))
        for name, run in zip(names, first, strict=True)
    ]
    done = comparison.policy_end.verdict == SimVerdict.DONE
    title = headline(comparison) if done else ending(comparison)
    return timeline(title, _subtitle(comparison), panels, groups)


def trace_file(contest: Contest, found: Simulated, *, json: bool) -> bytes:
    """Both runs as a trace for Perfetto."""
    comparison = found.comparison
    where = f"{contest.workload.name}, simulated, {comparison.machine}, seed {comparison.seeds[0]}"
    names = (f"{comparison.baseline} (baseline)", comparison.policy)
    runs = [Traced(f"{name} on {where}", run.plan, run.result) for name, run in zip(names, found.first, strict=True)]
    return b"".join(chrome_trace(runs) if json else perfetto_trace(runs))


def _subtitle(comparison: SimComparison) -> str:
    count = len(comparison.seeds)
    change = f"; the change is over {count} seeds" if count > 1 else ""
    return (
        f"Simulated, not measured: machine {comparison.machine}, {comparison.cpus} CPUs; drawn: seed "
        f"{comparison.seeds[0]}{change}"
    )


def _heading(name: str, run: Run, groups: Groups, word: str) -> str:
    if run.result.end.verdict != SimVerdict.DONE:
        return f"{name}: {end_words(run.result.end)}"
    if groups.by_cgroup:
        times = [span.end_ns - span.arrival_ns for span in spans(groups, run.result) if span.end_ns >= 0]
    else:
        times = [task.completion_ns - task.arrival_ns for task in run.result.tasks if task.completion_ns >= 0]
    if not times:
        return name
    what = f"{word or 'group'}s" if groups.by_cgroup else "tasks"
    last_ns = max(task.completion_ns for task in run.result.tasks)
    return f"{name}: {what} done after {fmean(times) / 1e6:.0f} ms on average, the last one at {last_ns / 1e6:.0f} ms"


def _notes(run: Run, groups: Groups) -> tuple[str, ...]:
    # Latencies of each class, for workloads that do not end.
    if groups.by_cgroup or run.result.end.verdict != SimVerdict.DONE:
        return ()
    members = members_of(run.plan)
    labels = [run.plan.labels.index(name) for name in groups.names]
    return tuple(_latencies(label_figures(run.result, label, members[label])) for label in labels)


def _latencies(found: Mapping[str, float]) -> str:
    parts = [
        f"{kind}: median {number(found[f'{name}_p50_us'])} us, 99 % {number(found[f'{name}_p99_us'])} us"
        for name, kind in (("request", "requests"), ("wakeup", "wake-ups"))
        if f"{name}_p50_us" in found
    ]
    return "; ".join(parts)
