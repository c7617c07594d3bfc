"""docs/fidelity.md from cells: what the simulator foretells, where it is wrong, and where the VM cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from schedops.model.machine import Machine
from schedops.stats.ranks import LEAST_EFFECT, Agreement
from schedops.stats.summary import median

from .cells import DIMENSIONS, MEASURES, REFERENCE, load
from .judging import NONE, Cell, Noise, Runs, Summary, orders_of, summary_of, worst_of
from .markdown import bullets, middle, number, percent, points, prose, table, together
from .reasons import Reason, reasons_for
from .samples import Hops, Host

LARGE = 0.05  # a model ought to be within 5 points of a real kernel
SHOWN_ERRORS = 12
_WRONG = (Agreement.WRONG, Agreement.MISSED, Agreement.INVENTED)
_COUNTS = (Agreement.SAME, Agreement.NEITHER, *_WRONG, Agreement.UNSURE)
_ABSOLUTE = (("utilisation", "{:.3f}"), ("cpu_ms", "{:.0f}"), ("switches", "{:.0f}"), ("requests_per_s", "{:.0f}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the page says.

    :param rounds: that were asked for.
    :param left_out: samples that do not count, a line each.
    :param picture: file name of the scatter.
    """

    date: str
    host: Host
    machine: Machine
    hops: Mapping[str, Hops]
    simulated_hops: Mapping[str, Hops]
    rounds: int
    cells: tuple[Cell, ...]
    noise: tuple[Noise, ...]
    simulated: Runs
    measured: Runs
    reasons: tuple[Reason, ...]
    left_out: tuple[str, ...]
    picture: str


def page_of(facts: Facts) -> str:
    """The whole page."""
    sections = (_head, _short, _wrong, _noisy, _eevdf, _orders, _cells, _costs)
    return together(*(section(facts) for section in sections)) + "\n"


def _head(facts: Facts) -> str:
    policies, host = len({cell.arm for cell in facts.cells}), facts.host
    rules = (
        ("same sign, wrong sign", "the measured interval is on one side of zero"),
        ("missed", f"so it is, and the simulated change is below {100 * LEAST_EFFECT:.0f} % and not within it"),
        (
            "no effect in both",
            f"the measured interval lies within {100 * NONE:.0f} %, and so does the simulated change",
        ),
        ("invented", "so it does, and the simulated change does not"),
        ("too noisy", "the measured interval holds zero and more than that: the VM is too noisy to tell"),
    )
    return together(
        "# How far the simulator can be believed",
        prose(
            f"Made by `python benchmarks/fidelity.py` from samples of {facts.date}: {len(facts.measured)} workloads,",
            f"{policies} policies of the library against EEVDF, {facts.rounds} rounds. A *cell* is one figure of one",
            "policy on one workload: its change against EEVDF, simulated and measured, on the same plans. Measured is",
            f"in a micro-VM of two CPUs ({host.accelerator}, QEMU {host.qemu}, Linux {host.kernel}): in each round all",
            "schedulers run one after the other in one boot, EEVDF twice, in another order each round.",
            "Changes are medians of paired ratios (Hodges-Lehmann) with exact 95 % intervals (signed ranks).",
        ),
        table(("a cell reads", "when"), rules),
    )


def _short(facts: Facts) -> str:
    found = [summary_of(name, (c for c in facts.cells if c.measure.dimension == name)) for name in DIMENSIONS]
    rows = [_summary_row(one) for one in (*found, summary_of("all", facts.cells)) if one.cells]
    header = ("figures", "cells", *_COUNTS, "foretold", "Spearman", "tau-b", "median error", "worst error", "factor")
    return together(
        "## In short",
        table(header, rows),
        prose(
            "*Foretold*: same sign or no effect in both, of the cells that the VM can tell. Errors are percentage",
            "points between the two changes, correlations are over cells, the factor is how many times one side's",
            "ratio to EEVDF is the other's (median): all of them of the cells that the VM can tell.",
        ),
        f"![Simulated against measured change, a dot for each cell]({facts.picture})",
    )


def _summary_row(one: Summary) -> list[str]:
    return [
        one.title,
        str(one.cells),
        *(str(one.counts.get(said, 0)) for said in _COUNTS),
        "-" if one.foretold is None else f"{100 * one.foretold:.0f} %",
        number(one.rho),
        number(one.tau),
        "-" if one.median_error is None else f"{100 * one.median_error:.1f}",
        f"{100 * abs(one.worst.error or 0):.1f} ({one.worst.name})" if one.worst else "-",
        "-" if one.factor is None else f"{one.factor:.2f}x",
    ]


def _wrong(facts: Facts) -> str:
    worst = worst_of(facts.cells)
    wrong = [cell for cell in worst if cell.said in _WRONG]
    large = [cell for cell in worst if cell.said not in _WRONG and abs(cell.error or 0) > LARGE]
    parts = ["## Where it is wrong"]
    parts.append(f"Of the wrong sign, missed or invented: {len(wrong)} of {len(worst)} cells that the VM can tell.")
    parts += [_listed(wrong, facts.reasons)] if wrong else []
    if large:
        shown = large[:SHOWN_ERRORS]
        off = f"The sign is right and the size off by more than {100 * LARGE:.0f} points in {len(large)}"
        parts += [f"{off}; the {len(shown)} worst:", _listed(shown, facts.reasons)]
    stale = [one.line for one in facts.reasons if not any(one.fits(cell) for cell in facts.cells)]
    parts += ["Reasons that fit no cell any more:", bullets(stale)] if stale else []
    return together(*parts)


def _listed(cells: Sequence[Cell], reasons: Sequence[Reason]) -> str:
    header = ("workload", "policy", "figure", "simulated", "measured", "points off", "reads", "why")
    rows = [[cell.workload, *_cell_row(cell), "; ".join(reasons_for(cell, reasons)) or "not known"] for cell in cells]
    return table(header, rows)


def _noisy(facts: Facts) -> str:
    noisy: dict[str, list[str]] = {}
    for cell in facts.cells:
        if cell.said is Agreement.UNSURE:
            noisy.setdefault(f"{cell.workload}, {cell.measure.name}", []).append(f"{cell.arm} {percent(cell.measured)}")
    lines = [f"{figure}: {'; '.join(arms)}" for figure, arms in noisy.items()]
    parts = ["## Where the VM is too noisy to tell", bullets(lines) or "In no cell."]
    none = [cell.name for cell in facts.cells if cell.said is None]
    parts += ["No interval could be measured or simulated:", bullets(none)] if none else []
    parts += ["Samples that do not count:", bullets(facts.left_out)] if facts.left_out else []
    rows = [[one.workload, f"`{one.measure.name}`", percent(one.measured)] for one in facts.noise]
    parts.append("EEVDF against itself, its second run of each round against the first; every change is noise:")
    return together(*parts, table(("workload", "figure", "measured"), rows))


def _eevdf(facts: Facts) -> str:
    rows = [
        [workload, *(text for name, form in _ABSOLUTE for text in _absolute(facts, workload, name, form))]
        for workload in facts.measured
    ]
    header = [side for name, _ in _ABSOLUTE for side in (f"`{name}` simulated", "measured")]
    return together(
        "## EEVDF by itself",
        prose(
            "Medians over the rounds. `workers-2` and `workers-4` are tasks that work for 1 ms and sleep for 0.1 ms:",
            "how much a CPU idles there, and how many of these a second are done, is a check of the model's wake-ups",
            "and balancing.",
        ),
        table(("workload", *header), rows),
    )


def _absolute(facts: Facts, workload: str, name: str, form: str) -> Iterator[str]:
    for side in (facts.simulated, facts.measured):
        found = [arms[REFERENCE] for arms in side.get(workload, {}).values() if REFERENCE in arms]
        values = [one[name] for one in found if name in one]
        yield form.format(median(values)) if values else "-"


def _orders(facts: Facts) -> str:
    orders = orders_of(facts.cells)
    telling = [one for one in orders if one.effects >= 2]
    rho, tau = middle(one.rho for one in telling), middle(one.tau for one in telling)
    rows = [[o.workload, f"`{o.measure.name}`", str(o.effects), number(o.rho), number(o.tau)] for o in orders]
    return together(
        "## Which scheduler comes first",
        prose(
            "The policies and EEVDF, ordered by one figure on both sides. Where the VM shows an effect of two policies",
            f"or more: median Spearman {rho}, median tau-b {tau}. Where it shows none, the order is one of noise.",
        ),
        table(("workload", "figure", "policies with an effect", "Spearman", "tau-b"), rows),
    )


def _cells(facts: Facts) -> str:
    parts = ["## Every cell"]
    header = ("policy", "figure", "simulated", "measured", "points off", "reads")
    for workload in MEASURES:
        mine = [cell for cell in facts.cells if cell.workload == workload]
        if mine:
            parts += [f"### {workload}", prose(load(workload).description), table(header, map(_cell_row, mine))]
    return together(*parts)


def _cell_row(cell: Cell) -> list[str]:
    changes = [percent(cell.simulated), percent(cell.measured), points(cell.error)]
    return [cell.arm, f"`{cell.measure.name}`", *changes, str(cell.said or "-")]


def _costs(facts: Facts) -> str:
    sides = (("measured", facts.hops), ("simulated", facts.simulated_hops))
    rows = [_hops_row(f"{arm}, {side}", known[arm]) for arm in facts.hops for side, known in sides if arm in known]
    machine = facts.machine
    at_once, asleep = machine.idle_states
    wakeups = ("on the waker's CPU, us", "on the other, us", "on one that idled, us")
    header = ("scheduler", *wakeups, "work on one CPU", "on both")
    return together(
        "## What a switch costs",
        prose(
            "Wake-ups, medians, from the waker's call to running. Two tasks hand a token to and fro, both bound to one",
            "CPU or to one each; or a CPU had idled for half a millisecond. To simulated ones, here and in the cells,",
            "the switch is added, for in the guest they end after it. Work is the wall time of work by its plan: on",
            "both CPUs at once it takes longer where the host's CPUs share a core, which the simulated machine does",
            f"not know. An iteration of its loop took {_loops(facts)} ns in the runs (least, median, most).",
        ),
        table(header, rows),
        prose(
            f"The simulated machine has {len(machine.cpus)} CPUs, a tick of {machine.tick_ns / 1e6:g} ms (`CONFIG_HZ`",
            f"of the kernel), {machine.switch_ns / 1000:.1f} us for a switch, {at_once.exit_ns / 1000:.1f} us to leave",
            f"idle at once and {asleep.exit_ns / 1000:.1f} us after {asleep.after_ns / 1000:.0f} us, so that it does",
            "what EEVDF did in the guest. For a migration the documented",
            f"{machine.migrate_llc_ns / 1000:g} us stay: a token cannot tell one from a switch. What a policy's own",
            "code takes is in its measured wake-ups and nowhere in the simulator, where callbacks take no time.",
        ),
    )


def _loops(facts: Facts) -> str:
    runs = [values for rounds in facts.measured.values() for arms in rounds.values() for values in arms.values()]
    found = [values["loop_ns"] for values in runs if "loop_ns" in values]
    return ", ".join(f"{ns:.2f}" for ns in (min(found), median(found), max(found))) if found else "an unknown number of"


def _hops_row(title: str, one: Hops) -> list[str]:
    wakeups = (f"{ns / 1000:.1f}" for ns in (one.same_ns, one.other_ns, one.asleep_ns))
    return [title, *wakeups, f"{one.work:.2f}", f"{one.both:.2f}"]
