"""``schedops profile``: what kind of workload it is, as cheaply as that can be told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import answers, output_option
from schedops.cli.places import place_options
from schedops.cli.sizes import guest_options
from schedops.model.profile import TIERS
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.pipeline.profiled import Looked


@click.command()
@click.option("-w", "--workload", metavar="NAME", help="`schedops workload list` names them")
@click.option(
    "--from", "trace", metavar="FILE", help="instead: what `perf sched script`, trace-cmd or ftrace recorded, as text"
)
@click.option(
    "--tier",
    type=click.Choice(TIERS),
    help="how close to look: summary runs nothing, profile runs it once, probe once more with BPF probes"
    " [default: until the class is clear]",
)
@place_options()
@click.option("--budget-s", type=click.FloatRange(0, 3600), metavar="S", help="begin no tier that would end later")
@click.option("--explain", is_flag=True, help="every rule with the figures that decided, and their thresholds")
@click.option("--plot", metavar="FILE.svg", help="parallelism, queue and longest waits over time; needs tier probe")
@guest_options
@click.option(
    "--scale",
    type=click.FloatRange(0.05, 16),
    help="factor on how much there is to do [default: as much as is done in a few seconds]",
)
@output_option
@answers("profile")
def profile(
    *,
    workload: str | None,
    trace: str | None,
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

    \b
    Example:
      schedops profile --workload ci-builds
      schedops profile --workload redis-like --tier probe --plot redis.svg --explain
      schedops profile --workload uneven-batch --tier summary --output json
      perf sched record -- make -j8; perf sched script > trace.txt; schedops profile --from trace.txt
    """
    _check(tier, plot)
    if (workload is None) == (trace is None):
        raise click.UsageError("exactly one of --workload and --from is needed")
    if trace is not None:
        return _answer(_recorded(trace), explain=explain, plot=plot)
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
    from schedops.cli.workload_import import MAX_BYTES, name_after
    from schedops.pipeline.traced import recorded
    from schedops.schema.files import read_bounded
    from schedops.sim.programs.trace_file import recording_in

    data = read_bounded(Path(trace), limit=MAX_BYTES)
    return recorded(recording_in(data, where=trace), name_after(None, trace))


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
