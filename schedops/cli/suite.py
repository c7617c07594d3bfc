"""``schedops suite``: policies on all workloads, the score that follows, and the parts of it on several machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedops.cli.common import FiniteRange, Group, answers, output_option
from schedops.cli.suite_files import joined, kept, loaded, written
from schedops.cli.suite_hands import hands_of
from schedops.cli.suite_options import VM, asked_of, suite_options, terms_of
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.suite import SuiteResults, SuiteScore
    from schedops.suite.score import Terms


@click.group(cls=Group)
def suite() -> None:
    """The benchmark of policies: run, score, plan, merge.

    \b
    Example:
      schedops suite run --policy build-order --policy long-first
    """


@suite.command()
@suite_options
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="raw samples go there")
@click.option("--resume", is_flag=True, help="go on with what is in --out: cells of the same inputs are not run again")
@click.option("--shard", metavar="I/N", help="only this part of the cells; `suite merge` joins them")
@click.option("--executor", default="local", show_default=True, metavar="local|dask:ADDRESS", help="who runs the cells")
@output_option
@answers("suite run")
def run(*, out: Path | None, resume: bool, shard: str | None, executor: str, **options: Any) -> Answer:
    """Run every workload under every policy and the baseline, with every seed; print the score.

    In the simulator the same inputs give the same bytes on every machine, and figures are simulated, never measured.
    With --on vm they are measured on a real kernel in micro-VMs: real programs of workloads that have some, the jobs
    of the model of others, workload by workload in one guest, schedulers alternating. A run that is not valid is
    repeated once. What only the simulator runs is left out.

    \b
    Example:
      schedops suite run --policy build-order --policy long-first:slice_us=3000 --out suite
      schedops suite run --policy my-policy.bpf.c --workload ci-builds --workload uneven-batch --seeds 20
      schedops suite run --policy build-order --out suite-2 --shard 2/4
      schedops suite run --on vm --policy long-first --runs 6 --out measured --resume

    Exit codes: 0 every policy has a result on every workload, 1 one was ejected or broke, 2 bad input, 3 a result is
    missing, 69 no compiler, no kernel or no emulator.
    """
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.console import console_progress
    from schedops.cli.suite_guest import run_in_guests
    from schedops.pipeline.suite import run_suite
    from schedops.suite.cells import places, shard_of

    place, kernel = options["place"], options["kernel"]
    if place == VM and executor != "local":
        raise click.UsageError("--executor is for the simulator; guests run here, or in shards elsewhere")
    if out is None and (resume or shard):
        raise click.UsageError("--resume and --shard need --out DIR")
    part = None if shard is None else shard_of(shard)
    spec = asked_of(**options)
    with kept(out, resume=resume) as before, console_progress() as progress:
        if place == VM:
            results = run_in_guests(spec, kernel, before, progress=progress, shard=part)
        else:
            hands = hands_of(executor, tool_sha256=spec.tool_sha256)
            results = run_suite(
                spec,
                hands=hands,
                clock=SystemClock(),
                progress=progress,
                shard=part,
                known=before.cells,
                keep=before.keep,
            )
    files = [] if out is None else written(out, results)
    if part is not None:
        whole = len(places(results))
        text = f"shard {part}: {len(results.cells)} of {whole} cells"
        data = {"shard": str(part), "cells": len(results.cells), "of": whole, "files": files}
        return Answer(data, "\n".join([text, *(f"written: {name}" for name in files)]))
    return _scored(results, files)


@suite.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--alpha", "alphas", multiple=True, metavar="WORKLOAD.METRIC=W", help="weight of an objective; repeatable"
)
@click.option("--budget", type=FiniteRange(1e-9, 1e12), help="what an agent may spend, in any one unit")
@click.option("--spent", "spent", multiple=True, metavar="POLICY=X", help="what a policy's agent spent; repeatable")
@click.option("--lambda", "price", type=FiniteRange(0, 1e9), help="points that an overuse of a whole budget costs")
@click.option("--track", type=click.Choice(["T1", "T2"]), help="only policies of this track")
@output_option
@answers("suite score")
def score(
    *,
    results: tuple[Path, ...],
    alphas: tuple[str, ...],
    budget: float | None,
    spent: tuple[str, ...],
    price: float | None,
    track: str | None,
) -> Answer:
    """The score of RESULTS: files that `suite run --out` wrote, or their directories; several are shards of one suite.

    \b
    Example:
      schedops suite score suite
      schedops suite score suite --alpha nginx-like.request_p99_us=3 --budget 5 --spent build-order=6 --lambda 2
    """
    terms = terms_of(alphas, budget, spent, price)
    return _scored(joined(results), [], terms=terms, track=track)


@suite.command()
@suite_options
@click.option("--shards", type=click.IntRange(1, 256), required=True, help="how many machines there are")
@output_option
@answers("suite plan")
def plan(*, shards: int, **options: Any) -> Answer:
    """A matrix for GitHub Actions that runs the suite in parts: JSON on one line.

    \b
    Example:
      echo "matrix=$(schedops suite plan --policy build-order --shards 4)" >> "$GITHUB_OUTPUT"
    """
    from dataclasses import replace

    from schedops.cli.suite_guest import site_of
    from schedops.model.rung import MICRO_VM
    from schedops.pipeline.suite import head_of
    from schedops.suite.cells import Shard, places

    spec = asked_of(**options)
    if options["place"] == VM:
        # Which kernel it will be does not matter for who runs what.
        spec = replace(spec, site=site_of(MICRO_VM, "any", "", cpus=len(spec.machine.cpus)))
    head = head_of(spec)
    parts = [Shard(number, shards) for number in range(1, shards + 1)]
    include = [{"shard": str(part), "number": part.number, "cells": len(places(head, part))} for part in parts]
    matrix = {"include": [one for one in include if one["cells"]]}
    return Answer({"matrix": matrix, "cells": len(places(head))}, json.dumps(matrix, separators=(",", ":")))


@suite.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, metavar="DIR")
@output_option
@answers("suite merge")
def merge(*, results: tuple[Path, ...], out: Path) -> Answer:
    """Join the shards of one suite: the same bytes as one run of all of it, and its score.

    \b
    Example:
      schedops suite merge suite-1 suite-2 suite-3 suite-4 --out suite
    """
    from schedops.suite.cells import joined as all_of

    whole = all_of(loaded(results))
    return _scored(whole, written(out, whole))


def _scored(results: SuiteResults, files: list[str], *, terms: Terms | None = None, track: str | None = None) -> Answer:
    from dataclasses import replace

    from schedops.report.suite import score_page
    from schedops.schema.decode import encode
    from schedops.suite.score import score as scored

    found = scored(results, terms)
    if track is not None:
        kept = [one for one in found.schedulers[1:] if one.track == track]
        found = replace(found, schedulers=(found.schedulers[0], *kept))
    text = "\n".join([score_page(results, found), *(f"written: {name}" for name in files)])
    return Answer({"score": encode(found), "files": files}, text, _exit_code(found))


def _exit_code(found: SuiteScore) -> int:
    from schedops.errors import EXIT_DONE, EXIT_FAIL, EXIT_INCONCLUSIVE

    workloads = [scored for one in found.schedulers for scored in one.workloads]
    if any(scored.broke for scored in workloads):
        return EXIT_FAIL
    missing = any(scored.points is None for scored in workloads) or any(one.score is None for one in found.schedulers)
    return EXIT_INCONCLUSIVE if missing else EXIT_DONE
