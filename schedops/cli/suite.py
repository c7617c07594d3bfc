"""``schedops suite``: policies on all workloads, the score that follows, and the parts of it on several machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedops.cli.common import answers, output_option
from schedops.cli.suite_hands import hands_of
from schedops.cli.suite_options import asked_of, suite_options, terms_of
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.suite import SuiteCell, SuiteResults, SuiteScore
    from schedops.suite.score import Terms

_RESULTS, _SUM, _CELLS = "results.json", "results.sha256", "cells.jsonl"


@click.group()
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
    """Run every workload under every policy and the baseline, with every seed, in the simulator; print the score.

    The same inputs give the same bytes on every machine. Figures are simulated, never measured.

    \b
    Example:
      schedops suite run --policy build-order --policy long-first:slice_us=3000 --out suite
      schedops suite run --policy my-policy.bpf.c --workload ci-builds --workload uneven-batch --seeds 20
      schedops suite run --policy build-order --out suite-2 --shard 2/4

    Exit codes: 0 every policy has a result on every workload, 1 one was ejected or broke, 2 bad input, 3 a result is
    missing, 69 no compiler.
    """
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.console import console_progress
    from schedops.pipeline.suite import run_suite
    from schedops.suite.cells import places, shard_of

    if out is None and (resume or shard):
        raise click.UsageError("--resume and --shard need --out DIR")
    part = None if shard is None else shard_of(shard)
    spec = asked_of(**options)
    hands = hands_of(executor, tool_sha256=spec.tool_sha256)
    with _kept(out, resume=resume) as (known, keep), console_progress() as progress:
        results = run_suite(
            spec, hands=hands, clock=SystemClock(), progress=progress, shard=part, known=known, keep=keep
        )
    files = [] if out is None else _written(out, results)
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
@click.option("--budget", type=click.FloatRange(1e-9, 1e12), help="what an agent may spend, in any one unit")
@click.option("--spent", "spent", multiple=True, metavar="POLICY=X", help="what a policy's agent spent; repeatable")
@click.option("--lambda", "price", type=click.FloatRange(0, 1e9), help="points that an overuse of a whole budget costs")
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
    return _scored(_joined(results), [], terms=terms, track=track)


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
    from schedops.pipeline.suite import head_of
    from schedops.suite.cells import Shard, places

    head = head_of(asked_of(**options))
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
    from schedops.suite.cells import joined

    whole = joined(_loaded(results))
    return _scored(whole, _written(out, whole))


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


@contextmanager
def _kept(
    out: Path | None, *, resume: bool
) -> Iterator[tuple[dict[str, SuiteCell], Callable[[SuiteCell], None] | None]]:
    # What an earlier run left, and where new cells go.
    if out is None:
        yield {}, None
        return
    from schedops.adapters.disk.journal import open_journal
    from schedops.schema.canonical import canonical_bytes

    with open_journal(out / _CELLS, resume=resume) as journal:
        known = {cell.key: cell for cell in map(_cell, journal.lines) if cell is not None}
        yield known, lambda cell: journal.append(canonical_bytes(cell))


def _cell(line: bytes) -> SuiteCell | None:
    from schedops.errors import InputError
    from schedops.model.suite import SuiteCell
    from schedops.schema.decode import decode

    try:
        return decode(SuiteCell, json.loads(line))
    except (InputError, ValueError, RecursionError):
        return None  # damaged is as good as not there


def _written(out: Path, results: SuiteResults) -> list[str]:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.schema.canonical import canonical_bytes, digest_of

    write_whole(out / _RESULTS, canonical_bytes(results))
    write_whole(out / _SUM, f"{digest_of(results).removeprefix('sha256:')}  {_RESULTS}\n".encode())
    return [str(out / _RESULTS), str(out / _SUM)]


def _loaded(paths: tuple[Path, ...]) -> list[SuiteResults]:
    from schedops.model.suite import SuiteResults
    from schedops.schema.read import load

    return [load(path / _RESULTS if path.is_dir() else path, SuiteResults) for path in paths]


def _joined(paths: tuple[Path, ...]) -> SuiteResults:
    from schedops.suite.cells import joined

    parts = _loaded(paths)
    return parts[0] if len(parts) == 1 else joined(parts)
