"""docs/library.md from the policies' own words and a sweep's figures. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Any

from schedops.model.policy import Policy
from schedops.stats.summary import median

Rows = Sequence[Mapping[str, Any]]
# Where the idea of each comes from; the code is the library's own.
_AFTER = {
    "build-order": "shortest remaining processing time first (Schrage 1968), of builds instead of tasks",
    "earliest-deadline": "earliest deadline first (Liu, Layland 1973), with the virtual deadlines of EEVDF (Stoica, "
    "Abdel-Wahab 1995)",
    "fifo": "first come, first served",
    "interactive": "latency by the rate of wake-ups, as scx_lavd and scx_bpfland weigh it",
    "layered": "shares of groups before shares of tasks: hierarchical fair queueing, the kernel's cpu controller, "
    "scx_layered, scx_flatcg",
    "llc-aware": "domains of CPUs that share a cache, as scx_rusty has them",
    "long-first": "longest processing time first (Graham 1969); published for batches by SchedCP (arXiv 2509.01245)",
    "long-slices": "weighted round robin with a long quantum; SCHED_BATCH",
    "neighbour-guard": "noisy neighbours of hosts with several tenants, held back by what they used, not by a quota",
    "prev-cpu": "processor-cache affinity (Squillante, Lazowska 1993)",
    "short-first": "shortest job first, with the exponential mean of bursts that textbooks have for it",
    "smt-aware": "whole idle cores first, as the kernel's select_idle_core() and scx_rusty do on waking up",
    "tickless": "one CPU that decides for all, as scx_central, for nohz_full",
    "warm-cores": "few warm cores (Nest: Lawall and others, EuroSys 2022; scx_nest)",
    "weighted-vtime": "weighted fair queueing (Demers, Keshav, Shenker 1989)",
    "work-stealing": "work stealing (Blumofe, Leiserson 1999) between queues of single CPUs",
}
_ABOUT = {
    "flat-4": "four equal CPUs",
    "smt-16": "eight cores with two threads each",
    "nodes-2": "32 CPUs: two nodes of two caches of four cores with two threads each",
}
_MADE = """
Made by `python benchmarks/library_table.py`, by which anybody gets the same digits from the same sources. All of
this is **simulated, not measured**: seeds 1 to {seeds}, default parameters, hints of one earlier run for those that
take hints. Machines: {machines}.
"""
_READING = """
A figure is by how much an objective is better than under EEVDF, above 1 being better (baseline / policy where lower
is better, else policy / baseline), with its exact 95 % interval, paired by seed. Of each policy those figures come
first in which it stands out most among all policies: what every policy with one queue does better than EEVDF says
little of any one. The same sweep as data: [library-sweep.json](library-sweep.json).
"""
_LIMITS = """
The simulator has no caches: what a switch and a migration cost are fixed numbers of the machine, so policies that
keep caches warm look smaller here than on hardware; and no interrupts, so `tickless` shows its price and not its
gain. On which kernels the policies pass `schedops verify`: [matrix.md](matrix.md).
"""
_CLEAR = 1.05  # a change that the whole interval says is at least so large
_TIE = 0.01
_MOST = 4  # best and worst figures that are told of each policy


def page(policies: Sequence[Policy], sweeps: Sequence[Mapping[str, Any]]) -> str:
    """:raises KeyError: nobody wrote down where a policy's idea comes from."""
    return "\n".join((*_head(sweeps), *_policies(policies, sweeps), *_tables(sweeps)))


def _head(sweeps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    seeds = sweeps[0]["seeds"]
    machines = "; ".join(f"`{one['machine']}`: {_ABOUT[one['machine']]}" for one in sweeps)
    yield "# The policies of the library, and what they do"
    for text in (_MADE.format(seeds=seeds, machines=machines), _READING, _LIMITS):
        yield from ("", fill(" ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False))
    yield ""


def _policies(policies: Sequence[Policy], sweeps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in policies:
        honours = [name for name in ("weights", "hints", "group_hints", "cgroups") if getattr(one.capabilities, name)]
        yield from (f"## {one.name}", "", one.description, "")
        yield f"- *After*: {_AFTER[one.name]}."
        yield f"- *For*: {', '.join(one.classes)}. *Honours*: {', '.join(honours).replace('_', ' ') or 'nothing'}."
        params = (f"`{p.name}` {p.default} ({p.min} to {p.max} {p.unit})" for p in one.params)
        yield f"- *Parameters*: {', '.join(params)}."
        figures = sorted(figure for sweep in sweeps for figure in _of(one.name, sweep))
        better = [figure for figure in reversed(figures) if figure[1] >= _CLEAR]
        worse = [figure for figure in figures if figure[2] <= 1 / _CLEAR]
        yield f"- *Better, clearly*: {_told(better)}."
        yield f"- *Worse, clearly*: {_told(worse)}."
        yield f"- *Loses when*: {one.loses_when}"
        yield ""


def _of(policy: str, sweep: Mapping[str, Any]) -> Iterator[tuple[float, float, float, str]]:
    # By how much it stands out among all policies, interval, words.
    for row in sweep["rows"]:
        cell = row["policies"].get(policy, {})
        if cell.get("low") is None:
            continue
        where = "" if sweep["machine"] == "flat-4" else f" on {sweep['machine']}"
        words = f"{row['workload']} {row['metric']}{where} {_figure(cell)}"
        usual = median(one["factor"] for one in row["policies"].values() if one.get("factor"))
        yield cell["factor"] / usual, cell["low"], cell["high"], words


def _told(figures: Sequence[tuple[float, float, float, str]]) -> str:
    words = "; ".join(one[3] for one in figures[:_MOST])
    more = f"; and {len(figures) - _MOST} more" if len(figures) > _MOST else ""
    return words + more if words else "nothing"


def _tables(sweeps: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for sweep in sweeps:
        firsts: dict[str, Mapping[str, Any]] = {}
        for row in sweep["rows"]:
            firsts.setdefault(row["workload"], row)
        others = [row for row in sweep["rows"] if row is not firsts[row["workload"]]]
        yield from (f"## On `{sweep['machine']}`: {_ABOUT[sweep['machine']]}", "")
        yield "The first objective of every workload; the best of a row, and what is within 1 % of it, in bold."
        yield from ("", *_table(list(firsts.values())), "")
        if others:
            yield from ("Further objectives:", "", *_table(others), "")
        notes = sorted({note for row in sweep["rows"] for note in _notes(row)})
        yield from (*(f"- {note}" for note in notes), "") if notes else ()


def _table(rows: Rows) -> Iterator[str]:
    names = list(rows[0]["policies"])
    yield _line(["workload", "objective", "eevdf", *names])
    yield _line(["---"] * (3 + len(names)))
    for row in rows:
        best = max(_rank(cell, row["direction"]) for cell in row["policies"].values())
        unit = "" if row["unit"] == "ratio" else f" {row['unit']}"
        eevdf = f"{row['baseline']:.4g}{unit}" if row["baseline"] is not None else "-"
        yield _line([row["workload"], row["metric"], eevdf, *(_shown(row["policies"][name], best) for name in names)])


def _rank(cell: Mapping[str, Any], direction: str) -> float:
    if cell.get("factor") is None:
        return math.inf if cell.get("policy") == 0 and direction == "lower" else 0.0
    return float(cell["factor"])


def _shown(cell: Mapping[str, Any], best: float) -> str:
    if cell.get("factor") is None:
        return ("**0** (*)" if best == math.inf else "0 (*)") if cell.get("policy") == 0 else "-"
    bold = best > 1 + _TIE and cell["factor"] >= best * (1 - _TIE)
    text = f"**{_figure(cell)}**" if bold else _figure(cell)
    return f"{text} (!)" if cell.get("hard_slos_missed") else text


def _figure(cell: Mapping[str, Any]) -> str:
    if cell["low"] is None:
        return f"{cell['factor']:.2f}"
    return f"{cell['factor']:.2f} [{cell['low']:.2f}, {cell['high']:.2f}]"


def _notes(row: Mapping[str, Any]) -> Iterator[str]:
    for name, cell in row["policies"].items():
        if cell.get("hard_slos_missed"):
            yield f"(!) {name} on {row['workload']} misses a hard SLO: {', '.join(cell['hard_slos_missed'])}"
        if cell.get("policy") == 0 and cell.get("factor") is None:
            yield f"(*) {name} on {row['workload']}: {row['metric']} is 0 at the median, which gives no ratio"
        elif cell.get("why"):
            yield f"(-) {name} on {row['workload']}: {cell['why']}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
