"""The first seed's runs as files: the picture and the trace."""

from __future__ import annotations

from statistics import fmean

from schedops.model.simulated import SimComparison
from schedops.model.simulation import SimVerdict
from schedops.pipeline.simulation import Contest, Run, Simulated
from schedops.report.simulation import end_words, ending, headline
from schedops.sim.groups import Groups, groups_of, spans
from schedops.sim.perfetto.chrome import chrome_trace
from schedops.sim.perfetto.protobuf import perfetto_trace
from schedops.sim.picture.timeline import Panel, timeline
from schedops.sim.stream import Traced


def plot_file(contest: Contest, found: Simulated) -> bytes:
    """SVG: baseline above policy, one time axis."""
    comparison, first = found.comparison, found.first
    groups = _groups(contest, first[1])
    names = (comparison.baseline, comparison.policy)
    panels = [Panel(_heading(name, run, groups), run.plan, run.result) for name, run in zip(names, first, strict=True)]
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


def _groups(contest: Contest, run: Run) -> Groups:
    # The policy's plan has a cgroup for each build; the tasks of the baseline's are the same in the same order.
    return groups_of(run.plan, word="build" if contest.workload.builds is not None else "")


def _subtitle(comparison: SimComparison) -> str:
    count = len(comparison.seeds)
    change = f"; the change is over {count} seeds" if count > 1 else ""
    return (
        f"Simulated, not measured: machine {comparison.machine}, {comparison.cpus} CPUs; drawn: seed "
        f"{comparison.seeds[0]}{change}"
    )


def _heading(name: str, run: Run, groups: Groups) -> str:
    if run.result.end.verdict != SimVerdict.DONE:
        return f"{name}: {end_words(run.result.end)}"
    its = [span for span in spans(groups, run.result) if span.end_ns >= 0]
    if len(its) < 2:
        return name
    mean_ms = fmean(span.end_ns - span.arrival_ns for span in its) / 1e6
    return f"{name}: done after {mean_ms:.0f} ms on average, all after {max(span.end_ns for span in its) / 1e6:.0f} ms"
