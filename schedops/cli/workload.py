"""``schedops workload``: what runs, what is wanted of it, and what must not get worse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from schedops.cli.common import Group, answers, output_option
from schedops.cli.workload_import import import_
from schedops.cli.workload_run import run
from schedops.model.workload import Workload
from schedops.model.workload_real import RealPrograms
from schedops.report.envelope import Answer
from schedops.report.table import paragraph, table
from schedops.repository import load_hints, load_workload, load_workloads, open_tree
from schedops.schema.decode import encode
from schedops.schema.validate import schema
from schedops.workloads.tables import metric_table

SHOWN = 16  # entries of a list
SHOWN_CHARACTERS = 60


@click.group(cls=Group)
def workload() -> None:
    """The workloads: list, show, run, import.

    Reads policies/workloads/ of the repository you are in; outside of one, the starter workloads.

    \b
    Example:
      schedops workload show ci-builds
    """


workload.add_command(import_)
workload.add_command(run)


@workload.command("list")
@output_option
@answers("workload list")
def list_() -> Answer:
    """Every workload with its objectives.

    \b
    Example:
      schedops workload list
    """
    tree = open_tree(Path.cwd())
    found = load_workloads(tree.root)
    rows = [(one.name, _model(one), ", ".join(o.metric for o in one.objectives), _first(one)) for one in found]
    text = table(("WORKLOAD", "MODEL", "OBJECTIVES", "WHAT RUNS"), rows) if rows else "there are no workloads"
    if tree.starter:
        text += "\n\nstarter workloads of schedops; there is no policies/ here"
    data = {"root": str(tree.root), "starter": tree.starter, "workloads": [encode(one) for one in found]}
    return Answer(data, text)


@workload.command()
@click.argument("name")
@output_option
@answers("workload show")
def show(name: str) -> Answer:
    """One workload: objectives, guards and the numbers of its model.

    \b
    Example:
      schedops workload show ci-builds
    """
    tree = open_tree(Path.cwd())
    found = load_workload(tree.root, name)
    hints = load_hints(tree.root, name)
    known = 0 if hints is None else len(hints.hints)
    path = f"policies/workloads/{name}.yaml"
    data = {"root": str(tree.root), "starter": tree.starter, "path": path, "workload": encode(found), "hints": known}
    return Answer(data, _page(found, path, known))


def _first(one: Workload) -> str:
    return re.split(r"[.,:;] ", one.description, maxsplit=1)[0]


def _model(one: Workload) -> str:
    return one.model_kind


def _rounds(one: Workload) -> str:
    looks = f", looks after {', '.join(map(str, one.looks))}" if one.looks else ""
    return f"{one.rounds} measured at most, {one.warmup_rounds} to warm up{looks}"


def _page(one: Workload, path: str, hints: int) -> str:
    knows = f"{hints} jobs known from measured runs" if hints else "none yet; the first run is cold"
    facts = [
        ("rounds", _rounds(one)),
        ("one run", _expected(one)),
        ("hints", knows),
        (
            "programs",
            "none" if one.real is None else f"of {', '.join(one.real.packages)}: {_how_to_run(one.name, one.real)}",
        ),
        ("tags", ", ".join(one.tags) or "none"),
        ("file", path),
    ]
    return "\n\n".join(
        [
            one.name,
            paragraph(one.description, indent=2),
            table(facts[0], facts[1:], indent=2),
            "OBJECTIVES, GUARDS AND SLOS\n" + table(("METRIC", "UNIT", "WANTED", "MEANING"), _wanted(one), indent=2),
            f"MODEL: {_model(one)}\n" + table(("NAME", "VALUE", "MEANING"), _numbers(one), indent=2),
        ]
    )


def _how_to_run(name: str, real: RealPrograms) -> str:
    return f"schedops workload run {name}{' --source DIR' if real.source else ''}"


def _wanted(one: Workload) -> Sequence[tuple[str, ...]]:
    meaning = metric_table(one)
    rows = [
        (o.metric, o.unit, f"{o.direction} by {o.min_effect:.0%} or more", meaning[o.metric][1]) for o in one.objectives
    ]
    for guard in one.guards:
        worse = "higher" if guard.direction == "lower" else "lower"
        kind = "vetoes" if guard.hard else "is reported"
        wanted = f"{kind} when {worse} by over {guard.max_harm:.0%}"
        rows.append((guard.metric, guard.unit, wanted, meaning[guard.metric][1]))
    for slo in one.slos:
        kind, most = "hard" if slo.hard else "soft", "most" if slo.direction == "lower" else "least"
        rows.append((slo.metric, slo.unit, f"{kind} SLO: {slo.bound:g} at {most}", meaning[slo.metric][1]))
    return rows


def _expected(one: Workload) -> str:
    seconds = one.expected_seconds
    known = [] if seconds is None else [(seconds.emulated_2, "two emulated CPUs"), (seconds.real_8, "eight real ones")]
    return ", ".join(f"{value:g} s on {where}" for value, where in known if value is not None) or "not measured yet"


def _numbers(one: Workload) -> Sequence[tuple[str, ...]]:
    model: Any = getattr(one, one.model_kind)
    described = schema("Workload")["$defs"][type(model).__name__]["properties"]
    return [(name, _plain(value), _meaning(described[name])) for name, value in encode(model).items()]


def _meaning(described: dict[str, str]) -> str:
    more = described.get("description")
    return f"{described['title']}: {more}" if more else described["title"]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items()))
    if isinstance(value, list):
        shown = ", ".join(_plain(item) for item in value[:SHOWN])
        return f"{shown} and {len(value) - SHOWN} more" if len(value) > SHOWN else shown
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return f"{len(value)} characters"
    return f"{value:g}" if isinstance(value, float) else str(value)
