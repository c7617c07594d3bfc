"""One plain run and perhaps a probed one to a profile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from schedops.analyze.accounted import accounted_figures, missing_of
from schedops.analyze.agreement import agreement_figures
from schedops.analyze.bottleneck import bottleneck_of
from schedops.analyze.candidates import candidate_slos
from schedops.analyze.costs import cost_of
from schedops.analyze.counted import counted_figures, not_counted
from schedops.analyze.judge import Weighed, judge, weigh
from schedops.analyze.played import played_figures
from schedops.analyze.probed import probed_figures, wake_graph
from schedops.analyze.roles import task_classes
from schedops.analyze.stage import QUANTILES
from schedops.analyze.words import words
from schedops.model.accounting import Accounting
from schedops.model.guest import PlayReading
from schedops.model.jobs import Hints
from schedops.model.probe import ProbeReading
from schedops.model.profile import Figure, Missing, Profile, TierCost
from schedops.sim.programs.jobs import reading_of
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import Planned
from schedops.stats.summary import quantiles
from schedops.workloads.hints import hints_from

_CLASSES = 64  # of tasks, in the document


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """:param hints: what the jobs took, for kinds with jobs. *weighed*: every rule with its score.

    :param probed: what the probes counted, for the picture.
    """

    profile: Profile
    weighed: tuple[Weighed, ...]
    hints: Hints | None = None
    probed: ProbeReading | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One play. *seconds*: since the guest was asked for; *harness_s*: between the accounting before and after it."""

    reading: PlayReading
    spent: Accounting
    seconds: float
    harness_s: float
    probed: ProbeReading | None = None


def profiled(
    run: Planned, plain: Ran, under: Ran | None, *, scale: float, kernel: str, accelerator: str, today: str
) -> Looked:
    """Times are those of the plain run; who does what is told by the probed one.

    :param today: ISO 8601.
    """
    cpus = len(run.machine.cpus)
    probed = under.probed if under else None
    rows = task_classes(run.plan, under.reading if under else plain.reading, probed)
    figures: tuple[Figure, ...] = (
        *played_figures(run.plan, plain.reading, rows, cpus),
        *accounted_figures(plain.spent),
        *counted_figures(plain.spent.counters),
        *(probed_figures(probed, cpus) if probed else ()),
        *agreement_figures(
            run.plan,
            plain.reading,
            plain.spent.now_ns,
            plain.harness_s,
            (under.reading, probed) if under and probed else None,
        ),
    )
    metrics = metrics_of_result(run, plain.reading.result)
    jobs = [task.cpu_ns / 1e6 for task in plain.reading.result.tasks if task.arrival_ns >= 0]
    profile = Profile(
        workload=run.workload.name,
        kernel=kernel,
        cpus=cpus,
        seed=run.seed,
        accelerator=accelerator,
        figures=figures,
        classes=judge(figures),
        cpu_ms_quantiles=quantiles(jobs, QUANTILES) if jobs else (),
        tier="probe" if under else "profile",
        scale=scale,
        tasks=rows[:_CLASSES],
        wakes=wake_graph(probed, called=_names(run)) if probed else (),
        bottleneck=bottleneck_of(figures, cpus),
        slos=candidate_slos(run.workload, metrics, whole=scale == 1.0),
        missing=(*missing_of(plain.spent), *not_counted(plain.spent.counters), *_missing(probed)),
        costs=_costs(run, plain, under),
    )
    hints = None
    if run.jobs is not None:
        plan, setup = run.jobs
        reading = reading_of(plan, setup, plain.reading.result)
        hints = hints_from(run.workload.name, [(plan, reading)], today)
    return Looked(profile=replace(profile, words=words(profile)), weighed=weigh(figures), hints=hints, probed=probed)


def _missing(probed: ProbeReading | None) -> tuple[Missing, ...]:
    if probed is None:
        reason = "tier profile: `--tier probe` shows it"
        return (Missing(what="histograms, wake-ups by whom, queue over time", reason=reason),)
    if probed.lost:
        reason = f"the probes had no room for {probed.lost} events"
        return (Missing(what="some events of some classes", reason=reason),)
    return ()


def _costs(run: Planned, plain: Ran, under: Ran | None) -> tuple[TierCost, ...]:
    here = TierCost(
        tier="profile", seconds=round(plain.seconds, 2), how="measured; performance events are counted meanwhile"
    )
    if under is None:
        return (here, cost_of("probe", run.plan, len(run.machine.cpus)))
    how = "measured; the overhead by one plain and one probed run in the same guest: chance is in it"
    share = _overhead(run, plain.reading, under.reading)
    return (here, TierCost(tier="probe", seconds=round(under.seconds, 2), overhead=share, how=how))


def _overhead(run: Planned, plain: PlayReading, under: PlayReading) -> float | None:
    """How much longer it took, or how many fewer requests were answered, with probes; None: neither is there."""
    if not run.plan.end_ns:
        return round(under.wall_ns / max(1, plain.wall_ns) - 1, 4)
    without, answered = (
        sum(count for label in one.result.labels for _, count in label.request.counts) for one in (plain, under)
    )
    return round(without / answered - 1, 4) if without and answered else None


def _names(run: Planned) -> Callable[[str], str]:
    labels = {f"class{index}": name for index, name in enumerate(run.plan.labels)}
    return lambda comm: labels.get(comm, comm)[:64] or "?"
