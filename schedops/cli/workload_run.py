"""``schedops workload run``: the real programs of a workload in a guest, under the default scheduler and a policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedops.cli.common import answers, output_option
from schedops.cli.places import place_options
from schedops.cli.sizes import size_options
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.guest import Accelerator
    from schedops.model.workload import Workload
    from schedops.model.workload_real import RealPrograms
    from schedops.pipeline.real import RealRun, RealSize
    from schedops.ports import World


@click.command("run")
@click.argument("name")
@click.option(
    "--policy", metavar="POLICY", help="run it under this policy, too, alternating with the default scheduler"
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="a parameter of the policy (repeatable)")
@click.option("--runs", type=click.IntRange(1, 100), default=1, show_default=True, help="of each scheduler")
@click.option(
    "--warmup", type=click.IntRange(0, 10), help="runs before them that do not count [default: the workload's]"
)
@click.option("--cold", is_flag=True, help="boot a guest for every run; there is no warm-up then")
@click.option(
    "--hints",
    is_flag=True,
    help="a first run tells how long each job takes: the policy gets hints, a default scheduler nice values",
)
@click.option(
    "--source",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="sources to build, for workloads that need some",
)
@place_options()
@size_options
@output_option
@answers("workload run")
def run(
    *,
    name: str,
    policy: str | None,
    params: tuple[str, ...],
    runs: int,
    warmup: int | None,
    cold: bool,
    hints: bool,
    source: Path | None,
    place: str,
    quiet_host: bool,
    kernel: str | None,
    cpus: int,
    scale: float,
    seed: int,
) -> Answer:
    """Run the real programs of a workload in a micro-VM, or on this host, and print what was measured.

    The programs come from Debian's packages: the first run of a workload downloads them. A program that fails, is
    killed, or does less work than it was asked makes a run invalid. This compares nothing: `schedops bench` does.
    On a host they have a root file system and a network of their own, and few of root's rights: docs/host.md.

    \b
    Example:
      schedops workload run xz-gzip-mix
      schedops workload run nginx-like --policy weighted-vtime --runs 3
      schedops workload run batch-hotkey --policy long-first --hints --runs 5
      schedops workload run kernel-build --source ~/linux-6.18 --cpus 8

    Exit codes: 0 all runs did their work, 1 the policy did not get through one, or hung the guest in two tries of
    one, 2 bad input, 69 could not measure, also when a run under the default scheduler did not do its work.
    """
    from schedops.adapters.console import console_progress
    from schedops.adapters.toolbox.guest_programs import programs_archive, versions_of
    from schedops.bench.run import InCharge
    from schedops.bench.stage import environment_of
    from schedops.cli.places import at
    from schedops.errors import EXIT_DONE, EXIT_FAIL, EXIT_UNAVAILABLE
    from schedops.pipeline.compare import build
    from schedops.pipeline.parameters import parameters
    from schedops.pipeline.real import RealSize, run_real
    from schedops.repository import load_workload, open_tree, resolve_policy
    from schedops.schema.decode import encode
    from schedops.workloads.real_setup import programs_of

    if cold and warmup:
        raise click.UsageError("--cold has no warm-up")
    tree = open_tree(Path.cwd())
    wanted = load_workload(tree.root, name)
    real = programs_of(wanted)
    _check_source(name, real, source)
    candidate = resolve_policy(tree.root, policy, cwd=Path.cwd()) if policy is not None else None
    chosen = parameters(candidate.policy, params) if candidate is not None else ()
    with (
        console_progress() as progress,
        at(place, root=tree.root, kernel=kernel, cpus=cpus, quiet=quiet_host, progress=progress) as there,
    ):
        size = RealSize(
            cpus=there.cpus,
            scale=scale,
            seed=seed,
            runs=runs,
            warmups=wanted.warmup_rounds if warmup is None else warmup,
            cold=cold,
            hints=hints,
        )
        joined, image = there.world, there.image()
        asked = None
        if candidate is not None:
            asked = InCharge(candidate.policy, build(candidate, chosen, image, world=joined))
            there.require_proved(candidate, chosen, asked.built)
        archive = programs_archive(real.packages, progress=progress)
        archive = _with_own(archive, real, source, hints=hints)
        _tell_expected(wanted, size, schedulers=1 + hints + (asked is not None), world=joined)
        found = run_real(wanted, real, archive, image, size, world=joined, policy=asked)
        accelerator, host = joined.machines.accelerator(), joined.host
        environment = environment_of(image, cpus=size.cpus, accelerator=accelerator, host=host) if host else None
    data = {
        "workload": name,
        "kernel": image.kernel.name,
        "rung": accelerator.rung,
        "size": encode(size),
        "programs": versions_of(archive),
        "environment": encode(environment) if environment is not None else None,
        "runs": [encode(one) for one in found],
    }
    undone = {one.arm for one in found if one.why_undone}
    code = EXIT_UNAVAILABLE if undone else EXIT_DONE
    if asked is not None and asked.policy.name in undone:
        code = EXIT_FAIL
    return Answer(
        data, f"{name} on {image.kernel.name}, {size.cpus} CPUs, {_ran_by(accelerator)}\n\n{_page(found)}", code
    )


def _tell_expected(wanted: Workload, size: RealSize, *, schedulers: int, world: World) -> None:
    from schedops.model.event import Event
    from schedops.pipeline.prepared import expected_s
    from schedops.report.progress import ESTIMATE_FROM_S, duration

    seconds = expected_s(wanted, world.machines.accelerator(), scale=size.scale)
    count = schedulers * (size.runs + size.warmups)
    if seconds is not None and seconds * count >= ESTIMATE_FROM_S:
        text = f"{count} runs, at most about {duration(seconds * count)}: one took {seconds:g} s on two emulated CPUs"
        world.progress.emit(Event(kind="note", stage="run", text=text))


def _ran_by(accelerator: Accelerator) -> str:
    from schedops.model.rung import MICRO_VM, WORDS

    return accelerator.name if accelerator.rung == MICRO_VM else WORDS[accelerator.rung]


def _check_source(name: str, real: RealPrograms, source: Path | None) -> None:
    from schedops.errors import InputError

    if real.source == (source is not None):
        return
    if source is not None:
        raise InputError("no-source-wanted", f"{name} brings what it works on", hint="leave --source out")
    raise InputError(
        "source-missing",
        f"{name} builds sources that nobody has named",
        hint=f"--source DIR; its model runs without: schedops simulate POLICY --workload {name}",
    )


def _with_own(archive: Path, real: RealPrograms, source: Path | None, *, hints: bool) -> Path:
    """The archive with what is not Debian's: the launcher of compilers, the user's sources."""
    from schedops.adapters.host_programs import LAUNCHER, hint_launcher
    from schedops.adapters.toolbox.guest_files import with_files
    from schedops.workloads.real import has_launcher

    own = {LAUNCHER: hint_launcher().read_bytes()} if hints and has_launcher(real) else {}
    return with_files(archive, own, tree=source) if own or source is not None else archive


def _page(runs: tuple[RealRun, ...]) -> str:
    from schedops.report.profile_page import number
    from schedops.report.table import table
    from schedops.stats.summary import median

    arms = list(dict.fromkeys(run.arm for run in runs))
    values: dict[str, dict[str, list[float]]] = {}
    units: dict[str, str] = {}
    for run in runs:
        for one in run.metrics:
            units[one.metric] = one.unit
            values.setdefault(one.metric, {}).setdefault(run.arm, []).append(one.value)
    rows: list[Any] = [
        (metric, units[metric], *(number(median(found[arm])) if arm in found else "-" for arm in arms))
        for metric, found in values.items()
    ]
    undone = [f"{run.arm}, run {run.number + 1}: {run.why_undone}" for run in runs if run.why_undone]
    return "\n".join([table(("METRIC (MEDIAN)", "UNIT", *(arm.upper() for arm in arms)), rows), *undone])
