"""``schedops profile``: what kind of workload it is, as cheaply as that can be told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import FiniteRange, answers, output_option
from schedops.cli.places import place_options
from schedops.cli.sizes import guest_options
from schedops.model.profile import TIERS
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.pipeline.profiled import Looked

LARGE_BYTES = 4 << 20
BYTES_PER_S = 1.2e6  # of a Perfetto trace on one CPU of 2020; text is faster


@click.command()
@click.option("-w", "--workload", metavar="NAME", help="`schedops workload list` names them")
@click.option(
    "--from",
    "origin",
    metavar="FILE|URL",
    help="instead: what `perf sched script`, trace-cmd, ftrace or Perfetto recorded, or the address of a Prometheus",
)
@click.option("--instance", metavar="LABEL", help="with a Prometheus: which host, by the label of its node_exporter")
@click.option(
    "--minutes",
    type=click.IntRange(2, 24 * 60),
    default=10,
    show_default=True,
    help="with a Prometheus: how much of the past",
)
@click.option(
    "--tier",
    type=click.Choice(TIERS),
    help="how close to look: summary runs nothing, profile runs it once, probe once more with BPF probes"
    " [default: until the class is clear]",
)
@place_options()
@click.option("--budget-s", type=FiniteRange(0, 3600), metavar="S", help="begin no tier that would end later")
@click.option("--explain", is_flag=True, help="every rule with the figures that decided, and their thresholds")
@click.option("--plot", metavar="FILE.svg", help="parallelism, queue and longest waits over time; needs tier probe")
@guest_options
@click.option(
    "--scale",
    type=FiniteRange(0.05, 16),
    help="factor on how much there is to do [default: as much as is done in a few seconds]",
)
@output_option
@answers("profile")
def profile(
    *,
    workload: str | None,
    origin: str | None,
    instance: str | None,
    minutes: int,
    tier: str | None,
    place: str,
    quiet_host: bool,
    budget_s: float | None,
    explain: bool,
    plot: str | None,
    kernel: str | None,
    cpus: int,
    seed: int,
    scale: float | None,
) -> Answer:
    """Look at a workload under the default scheduler, and say what kind it is.

    Looks as closely as it has to: at what is known without a run, at one run in a micro-VM or on this host
    (docs/host.md: it needs root, and is as it was afterwards), at a run under probes. It
    stops when the class is clear (confidence 0.8), and says what the next tier would cost. The last profile of each
    workload is kept in .schedops/profiles/, where the next look begins; --tier looks anew.

    --from takes what was measured elsewhere and runs nothing: a recording of the scheduler, or what node_exporter
    tells a Prometheus (if that wants a token, in SCHEDOPS_PROMETHEUS_TOKEN). What the source does not have is listed.

    \b
    Example:
      schedops profile --workload ci-builds
      schedops profile --workload redis-like --tier probe --plot redis.svg --explain
      schedops profile --workload uneven-batch --tier summary --output json
      perf sched record -- make -j8; perf sched script > trace.txt; schedops profile --from trace.txt
      schedops profile --from http://monitor:9090 --instance web1:9100 --minutes 30
    """
    _check(tier, plot)
    if (workload is None) == (origin is None):
        raise click.UsageError("exactly one of --workload and --from is needed")
    monitored = origin is not None and origin.startswith(("http://", "https://"))
    if monitored and plot is not None:
        raise click.UsageError("--plot needs scheduling events, which Prometheus does not have")
    if instance is not None and not monitored:
        raise click.UsageError("--instance goes with --from http://HOST:9090")
    if origin is not None:
        _refuse_what_a_run_has()
        looked = _observed(origin, instance, minutes) if monitored else _recorded(origin)
        return _answer(looked, explain=explain, plot=plot)
    assert workload is not None
    from schedops.adapters.console import console_progress
    from schedops.adapters.disk.profiles import KeptProfiles
    from schedops.cli.places import at
    from schedops.pipeline.profiling import Asked, History, look
    from schedops.repository import load_hints, load_workload, open_tree
    from schedops.wiring import probes

    tree = open_tree(Path.cwd())
    wanted = load_workload(tree.root, workload)
    kept = KeptProfiles(tree.root, place)
    with (
        console_progress() as progress,
        at(place, root=tree.root, kernel=kernel, cpus=cpus, quiet=quiet_host, progress=progress) as there,
    ):
        history = History(profile=kept.find(wanted, there.cpus), hints=load_hints(tree.root, workload))
        asked = Asked(cpus=there.cpus, seed=seed, tier="probe" if plot else tier, budget_s=budget_s, scale=scale)
        looked = look(wanted, there.image, probes(there.world), asked, world=there.world, history=history)
    if looked.profile.tier != "summary":
        kept.keep(wanted, looked.profile)
    return _answer(looked, explain=explain, plot=plot)


def _recorded(trace: str) -> Looked:
    from schedops.adapters.console import console_progress
    from schedops.cli.workload_import import MAX_BYTES, name_after
    from schedops.model.event import Event
    from schedops.pipeline.traced import recorded
    from schedops.schema.files import read_bounded
    from schedops.sim.programs.trace_file import recording_in

    data = read_bounded(Path(trace), limit=MAX_BYTES)
    with console_progress() as progress:
        if len(data) > LARGE_BYTES:
            seconds = len(data) / BYTES_PER_S
            text = f"reading {len(data) / 1e6:.0f} MB, about {seconds:.0f} s"
            progress.emit(Event(kind="note", stage="analyze", text=text))
        return recorded(recording_in(data, where=trace), name_after(None, trace), trace)


def _observed(address: str, instance: str | None, minutes: int) -> Looked:
    import os

    from schedops.adapters.console import console_progress
    from schedops.adapters.prometheus import TOKEN_VARIABLE, Prometheus
    from schedops.model.event import Event
    from schedops.pipeline.observed import observed

    server = Prometheus(address, os.environ.get(TOKEN_VARIABLE, ""))
    with console_progress() as progress:
        progress.emit(Event(kind="progress", stage="analyze", text=f"asking {address}"))
        return observed(server, address.rstrip("/"), instance=instance, minutes=minutes)


def _refuse_what_a_run_has() -> None:
    context = click.get_current_context()
    for name in ("tier", "place", "quiet_host", "budget_s", "kernel", "cpus", "seed", "scale"):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            option = "--on" if name == "place" else f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for a run, and --from runs nothing")


def _check(tier: str | None, plot: str | None) -> None:
    if plot is not None and not plot.endswith(".svg"):
        raise click.UsageError(f"--plot {plot}: a name that ends in .svg is needed")
    if plot is not None and tier not in {None, "probe"}:
        raise click.UsageError(f"--plot needs what tier probe counts, not tier {tier}")


def _answer(looked: Looked, *, explain: bool, plot: str | None) -> Answer:
    from schedops.report.profile_page import profile_page
    from schedops.schema.decode import encode

    found = looked.profile
    weighed = [(one.name, one.score, one.needs) for one in looked.weighed] if explain else None
    text = profile_page(found, looked.hints, weighed)
    if plot is not None:
        text += f"\n\nwritten: {_plot(looked, plot)}"
    rules = [
        {
            "name": one.name,
            "score": one.score,
            "needs": [{"fulfilled": f, "words": w, "threshold": t} for f, w, t in one.needs],
        }
        for one in looked.weighed
    ]
    hints = encode(looked.hints) if looked.hints is not None else None
    return Answer({"profile": encode(found), "hints": hints, **({"rules": rules} if explain else {})}, text)


def _plot(looked: Looked, plot: str) -> str:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.report.profile_picture import profile_picture

    found = looked.profile
    if looked.probed is None:
        raise AssertionError("tier probe was asked for, and nothing else comes of it")
    where = "recorded" if found.kernel == "recorded" else f"on {found.kernel}, under the default scheduler"
    title = f"{found.workload}, {found.cpus} CPUs, {where}"
    write_whole(Path(plot), profile_picture(looked.probed, title=title, cpus=found.cpus))
    return plot
