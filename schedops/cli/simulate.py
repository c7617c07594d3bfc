"""``schedops simulate``: a policy on a machine that is not there, against a baseline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import FiniteRange, answers, output_option
from schedops.cli.contestants import DEFAULT_CPUS, baseline_of, machine_of, scheduler_of
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.pipeline.simulation import Contest, Simulated

_DEFAULT_SEEDS = 10
_RULES = ("6.18", "7.1")  # kernels that changed how ops.dequeue() is called, the newest last


@click.command()
@click.argument("policy", required=False)
@click.option("-w", "--workload", metavar="NAME", help="`schedops workload list` names them")
@click.option("--case", metavar="ID", help="a run of `schedops verify`'s simulated stage, as its findings name it")
@click.option("--cpus", type=click.IntRange(1, 512), help=f"so many equal CPUs [default: {DEFAULT_CPUS}]")
@click.option(
    "--machine", metavar="NAME|FILE", help="a machine file, or one that comes along (laptop-4-4, server-172 ...)"
)
@click.option(
    "--seed", "seeds", type=click.IntRange(0), multiple=True, help="of the work's lengths and arrivals; repeatable"
)
@click.option(
    "--seeds", "count", type=click.IntRange(1, 1000), help=f"how many, from --seed on [default: {_DEFAULT_SEEDS}]"
)
@click.option("--baseline", default="eevdf", show_default=True, metavar="eevdf|informed|fifo|random|POLICY")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="parameter of the policy; repeatable")
@click.option(
    "--include",
    "includes",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="headers that POLICY may include",
)
@click.option(
    "--kernel",
    type=click.Choice(_RULES),
    default=_RULES[-1],
    show_default=True,
    help="whose rules ops.dequeue() follows: of this Linux and those after it",
)
@click.option("--scale", type=FiniteRange(0.01, 1000), default=1.0, show_default=True, help="factor on the work")
@click.option("--cold", is_flag=True, help="without hints, as on the first run of a workload")
@click.option("--hint-error", type=FiniteRange(0, 3), help="spread of ln(hint / mean) [default: the workload's own]")
@click.option("--trace", metavar="FILE", help="events of the first seed: .json, or .pftrace for ui.perfetto.dev")
@click.option("--plot", metavar="FILE.svg", help="timeline of the first seed, baseline above policy")
@click.option(
    "--describe-host",
    is_flag=False,
    flag_value="-",
    metavar="[FILE]",
    help="write a machine file for this host, and end",
)
@output_option
@answers("simulate")
def simulate(
    *,
    policy: str | None,
    workload: str | None,
    case: str | None,
    cpus: int | None,
    machine: str | None,
    seeds: tuple[int, ...],
    count: int | None,
    baseline: str,
    params: tuple[str, ...],
    includes: tuple[Path, ...],
    kernel: str,
    scale: float,
    cold: bool,
    hint_error: float | None,
    trace: str | None,
    plot: str | None,
    describe_host: str | None,
) -> Answer:
    """Run POLICY in the simulator against a baseline, on any machine, in seconds.

    POLICY is a library name, a directory with policy.yaml, a bare .bpf.c, or eevdf or random. The figures are of a
    model: the same on every machine, and never measured. `schedops bench` measures.

    \b
    Example:
      schedops simulate build-order --workload ci-builds --plot out.svg
      schedops simulate long-first --workload uneven-batch --machine laptop-4-4 --seeds 30
      schedops simulate --describe-host host.yaml

    Exit codes: 0 done, 1 the policy was ejected or broke, 2 bad input, 3 the simulator cannot run it, 69 no compiler.
    """
    if describe_host is not None:
        return _describe(describe_host)
    if case is not None:
        if policy is None or workload or cpus or machine or seeds or count:
            raise click.UsageError("--case is a load, a machine and a seed; beside it only POLICY is needed")
        _check_outputs(trace, plot)
        return _case(policy, case, params, includes, kernel, trace=trace, plot=plot)
    if policy is None or workload is None:
        raise click.UsageError("POLICY and --workload are needed (or --describe-host)")
    _check_outputs(trace, plot)

    from schedops.adapters.console import console_progress
    from schedops.pipeline.simulation import Contest, exit_code_of
    from schedops.pipeline.simulation import simulate as run
    from schedops.report.simulation import simulation_page
    from schedops.repository import load_workload, open_tree
    from schedops.schema.decode import encode
    from schedops.wiring import crew, simulator

    tree = open_tree(Path.cwd())
    rival, arm = baseline_of(tree, baseline)
    contest = Contest(
        workload=load_workload(tree.root, workload),
        machine=machine_of(cpus, machine),
        policy=replace(scheduler_of(tree, policy, params, includes), custody=kernel != _RULES[0]),
        baseline=rival,
        baseline_arm=arm,
        seeds=_seeds(seeds, count),
        scale=scale,
        cold=cold,
        hint_error=hint_error,
    )
    with console_progress() as progress:
        found = run(contest, simulator=simulator(), crew=crew(), progress=progress, trace=bool(trace or plot))
    written = _write(contest, found, trace=trace, plot=plot)
    data = {**encode(found.comparison), "files": written}
    text = "\n".join([simulation_page(found.comparison), *(f"written: {name}" for name in written)])
    return Answer(data, text, exit_code_of(found.comparison.policy_end))


def _case(
    policy: str,
    case: str,
    params: tuple[str, ...],
    includes: tuple[Path, ...],
    kernel: str,
    *,
    trace: str | None,
    plot: str | None,
) -> Answer:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.pipeline.simulated_case import case_data, case_page, case_plot, case_trace, run_case
    from schedops.repository import open_tree
    from schedops.wiring import simulator

    scheduler = scheduler_of(open_tree(Path.cwd()), policy, params, includes)
    scheduler = replace(scheduler, custody=kernel != _RULES[0])
    found = run_case(case, scheduler, simulator(), trace=bool(trace or plot))
    written = [name for name in (plot, trace) if name is not None and found.result.tasks]
    if plot in written and plot is not None:
        write_whole(Path(plot), case_plot(found))
    if trace in written and trace is not None:
        write_whole(Path(trace), case_trace(found, json=trace.endswith(".json")))
    text = "\n".join([case_page(found), *(f"written: {name}" for name in written)])
    return Answer({**case_data(found), "files": written}, text, found.exit_code)


def _check_outputs(trace: str | None, plot: str | None) -> None:
    # Before anything runs: a long simulation must not end with a name that nobody can write.
    if trace is not None and not trace.endswith((".json", ".pftrace", ".perfetto-trace")):
        raise click.UsageError(f"--trace {trace}: a name that ends in .json, .pftrace or .perfetto-trace is needed")
    if plot is not None and not plot.endswith(".svg"):
        raise click.UsageError(f"--plot {plot}: a name that ends in .svg is needed")


def _seeds(seeds: tuple[int, ...], count: int | None) -> tuple[int, ...]:
    if len(seeds) > 1:
        if count is not None:
            raise click.UsageError("--seeds counts from one --seed on")
        return tuple(dict.fromkeys(seeds))
    first = seeds[0] if seeds else 1
    return tuple(range(first, first + (count or (1 if seeds else _DEFAULT_SEEDS))))


def _write(contest: Contest, found: Simulated, *, trace: str | None, plot: str | None) -> list[str]:
    # A policy that never ran has no events.
    if (trace is None and plot is None) or not all(run.result.tasks for run in found.first):
        return []
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.pipeline.simulation_files import plot_file, trace_file

    if plot is not None:
        write_whole(Path(plot), plot_file(contest, found))
    if trace is not None:
        write_whole(Path(trace), trace_file(contest, found, json=trace.endswith(".json")))
    return [name for name in (plot, trace) if name is not None]


def _describe(path: str) -> Answer:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.adapters.host_machine import describe_host
    from schedops.report.machine_file import machine_file
    from schedops.schema.decode import encode

    found = describe_host()
    text = machine_file(found.machine, comments=found.notes)
    data = {"machine": encode(found.machine), "notes": list(found.notes), "file": None if path == "-" else path}
    if path == "-":
        return Answer(data, text.rstrip("\n"))
    write_whole(Path(path), text.encode())
    return Answer(data, f"{path}: {len(found.machine.cpus)} CPUs; read it before you rely on it")
