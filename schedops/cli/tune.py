"""``schedops tune``: the parameters of a policy for a workload, searched in the simulator."""

from __future__ import annotations

from pathlib import Path

import click

from schedops.cli.common import FiniteRange, answers, output_option
from schedops.cli.contestants import DEFAULT_CPUS, machine_of, scheduler_of
from schedops.errors import EXIT_DONE, EXIT_INCONCLUSIVE
from schedops.report.envelope import Answer

_DEFAULT_TRIALS = 60


@click.command()
@click.argument("policy")
@click.option("-w", "--workload", required=True, metavar="NAME", help="`schedops workload list` names them")
@click.option(
    "--trials", type=click.IntRange(3, 10000), default=_DEFAULT_TRIALS, show_default=True, help="candidates at most"
)
@click.option("--budget-s", type=FiniteRange(0), default=0.0, help="seconds at most [default: no limit]")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="of the search and of its runs")
@click.option("--cpus", type=click.IntRange(1, 512), help=f"so many equal CPUs [default: {DEFAULT_CPUS}]")
@click.option("--machine", metavar="NAME|FILE", help="a machine file, or one that comes along")
@click.option("--scale", type=FiniteRange(0.01, 1000), default=1.0, show_default=True, help="factor on the work")
@click.option("--cold", is_flag=True, help="without hints, as on the first run of a workload")
@click.option(
    "--sampler", type=click.Choice(["tpe", "random"]), default="tpe", show_default=True, help="who draws candidates"
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="what to begin with; repeatable")
@output_option
@answers("tune")
def tune(
    *,
    policy: str,
    workload: str,
    trials: int,
    budget_s: float,
    seed: int,
    cpus: int | None,
    machine: str | None,
    scale: float,
    cold: bool,
    sampler: str,
    params: tuple[str, ...],
) -> Answer:
    """Search the parameters of POLICY for a workload in the simulator, and confirm the best on fresh seeds.

    What is searched for is what the gate asks: better objectives, and nothing worse than guards, SLOs and the informed
    default allow. The same seed gives the same answer, to the byte, unless --budget-s ends it. The figures are a
    model's, never measured: `schedops bench --param` measures what comes out.

    \b
    Example:
      schedops tune long-first --workload uneven-batch
      schedops tune build-order --workload ci-builds --trials 200 --cpus 8 --output json

    Exit codes: 0 done, 2 bad input, 3 the simulator cannot run the policy or the workload, 69 no compiler.
    """
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.console import console_progress
    from schedops.agent.lab import Candidate
    from schedops.agent.search import search
    from schedops.model.event import Event
    from schedops.pipeline.lab import Budget, workbench
    from schedops.pipeline.simulation import Load
    from schedops.pipeline.suite import LocalHands
    from schedops.report.search import chosen_words, search_page
    from schedops.repository import load_workload, open_tree
    from schedops.schema.decode import encode
    from schedops.wiring import crew, simulator

    tree = open_tree(Path.cwd())
    begin = scheduler_of(tree, policy, params)
    if begin.source is None:
        raise click.UsageError(f"{policy} is built in and has no parameters")
    load = Load(workload=load_workload(tree.root, workload), machine=machine_of(cpus, machine), scale=scale, cold=cold)
    with console_progress() as progress:
        progress.emit(Event(kind="started", stage="tune", text=f"{begin.name} on {workload}, {trials} trials"))
        bench = workbench(
            load,
            Budget(trials=trials, seconds=budget_s),
            seed=seed,
            sampler=sampler,
            hands=LocalHands(simulator(), crew()),
            clock=SystemClock(),
            progress=progress,
            stage="tune",
        )
        begins = [(Candidate(begin.name, begin.source, begin.params), "default")]
        found = search(bench.terms, begins, lab=bench.lab, told=bench.told)
        progress.emit(Event(kind="finished", stage="tune", text=f"{len(found.trials)} tried; {chosen_words(found)}"))
    return Answer(encode(found), search_page(found), EXIT_DONE if found.chosen >= 0 else EXIT_INCONCLUSIVE)
