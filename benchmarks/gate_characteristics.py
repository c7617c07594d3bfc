"""How often the gate is right: its operating characteristics, into docs/gate.md.

    python benchmarks/gate_characteristics.py [--part rules|power|against-itself] [--gates 2000]

Three parts: the rule for a guard on made-up noise beside two other gates; the whole gate on planted effects at the
noise of the simulator and of guests; and the default scheduler against itself in real runs of the simulator. Bar: at
most 2 % of the gates of the last part are wrong. Exits 1 above it. No VM is needed.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import accumulate
from multiprocessing import get_context
from pathlib import Path

from gates import Figures, one_gate, wrong_about
from measuring import markdown

from schedops.bench.design import derived_seed
from schedops.gate.pairs import Change
from schedops.gate.rules import held
from schedops.model.machine import Machine, flat_machine
from schedops.model.verdict import Verdict
from schedops.model.workload import Workload
from schedops.ports import SimScheduler, Simulator
from schedops.repository import load_workload
from schedops.sim.programs.measure import metrics_of_result
from schedops.sim.programs.plan import planned
from schedops.stats.exact import shift
from schedops.stats.interval import paired_interval
from schedops.wiring import simulator

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/gate.md"
LOOKS = (10, 20, 30)
LEVEL = 1 - 0.05 / len(LOOKS)
MARGIN = 0.03
HARMS = (-0.02, 0.0, 0.015, 0.03, 0.05, 0.10)
EFFECTS = (0.0, 0.05, 0.10, 0.20)
SIMULATED = ("uneven-batch", "ci-builds")
POOL = 8000  # runs of each that comparisons draw theirs from, none twice
# ln of one run's figure in a guest; a pair of runs has this times the square root of 2 (docs/gate.md, "Noise").
GUEST_OBJECTIVE, GUEST_GUARD = 0.064, 0.025
BAR = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=list(PARTS), action="append", help="only this one; repeatable")
    parser.add_argument("--gates", type=int, default=2000, help="of the default scheduler against itself")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    missed = 0
    for name in asked.part or PARTS:
        started = time.monotonic()
        if name != "rules":
            simulate_all(asked.processes)
        # Made after the runs, which its processes inherit.
        with ProcessPoolExecutor(asked.processes, mp_context=get_context("fork")) as pool:
            table, data = PARTS[name](pool, asked.gates)
        seconds = round(time.monotonic() - started)
        write(name, table)
        print(table)
        print(json.dumps({"part": name, "seconds": seconds, **data}, sort_keys=True), flush=True)
        missed += data.get("share_wrong", 0.0) > BAR
    return 1 if missed else 0


def write(part: str, table: str) -> None:
    """Put a table between its marks in the page; the rest of the page is written by hand."""
    text = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {part}: written by benchmarks/gate_characteristics.py -->\n", f"<!-- {part}: end -->\n"
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    PAGE.write_text(f"{head}{begin}{table}\n{end}{tail}", encoding="utf-8")


# The rule for a guard beside other gates, on made-up noise


Series = Callable[[random.Random, int], list[float]]  # ln of so many runs, one after the other
Verdicts = tuple[str, int]  # verdict, pairs it took


def steady(draw: random.Random, runs: int, *, cv: float) -> list[float]:
    return [draw.gauss(0, cv) for _ in range(runs)]


def drifting(draw: random.Random, runs: int, *, cv: float) -> list[float]:
    return [value + 0.06 * at / (runs - 1) for at, value in enumerate(steady(draw, runs, cv=cv))]


def wandering(draw: random.Random, runs: int, *, cv: float) -> list[float]:
    walk = accumulate((draw.gauss(0, 0.02) for _ in range(runs - 1)), lambda at, step: 0.9 * at + step, initial=0.0)
    return [value + off for value, off in zip(steady(draw, runs, cv=cv), walk, strict=True)]


NOISES: dict[str, Series] = {
    "cv 1 %": partial(steady, cv=0.01),
    "cv 2 %": partial(steady, cv=0.02),
    "cv 4 %": partial(steady, cv=0.04),
    "cv 2 % and 6 % drift": partial(drifting, cv=0.02),
    "cv 2 % and AR(0.9) of 2 %": partial(wandering, cv=0.02),
}


def single(draw: random.Random, series: Series, harm: float) -> Verdicts:
    """One run each, worse by more than the margin fails."""
    base, new = series(draw, 20)[:2]  # of a comparison as long as the next
    return ("FAIL" if new + harm - base > math.log1p(MARGIN) else "PASS"), 1


def blocks(draw: random.Random, series: Series, harm: float) -> Verdicts:
    """Ten runs, then ten of the other: rank-sum test, and means apart by more than the margin."""
    runs = series(draw, 20)
    base, new = runs[:10], [run + harm for run in runs[10:]]
    found = shift(base, new)
    worse = found.p <= 0.05 and found.size > 0 and (sum(new) - sum(base)) / 10 > math.log1p(MARGIN)
    return ("FAIL" if worse else "PASS"), 10


def ours(draw: random.Random, series: Series, harm: float, *, strict: bool = False) -> Verdicts:
    """Pairs in turned order, looks after 10, 20 and 30, the rule of the gate.

    :param strict: at the last look harm that is proved fails, however small it may be.
    """
    runs = series(draw, 2 * LOOKS[-1])
    pairs = []
    for at in range(LOOKS[-1]):
        first, second = runs[2 * at : 2 * at + 2]
        pairs.append((second - first if at % 2 == 0 else first - second) + harm)
    for look in LOOKS:
        interval = paired_interval(pairs[:look], confidence=LEVEL)
        estimate, low, high = (math.expm1(one) for one in (interval.estimate, interval.low, interval.high))
        verdict = held(Change(pairs=look, estimate=estimate, low=low, high=high), direction="lower", max_harm=MARGIN)
        if verdict is not Verdict.INCONCLUSIVE:
            return verdict.value, look
    return ("FAIL" if strict and low > 0 else verdict.value), look


GATES = {
    "one run each": single,
    "10, then 10": blocks,
    "pairs, signed rank": ours,
    "the same, any harm fails": partial(ours, strict=True),
}


def _cell(noise: str, gate: str, harm: float, trials: int) -> str:
    draw = random.Random(f"{noise} {gate} {harm}")
    found = [GATES[gate](draw, NOISES[noise], math.log1p(harm)) for _ in range(trials)]
    share = {word: 100 * sum(one == word for one, _ in found) / trials for word in ("PASS", "FAIL", "INCONCLUSIVE")}
    if gate in {"one run each", "10, then 10"}:
        return f"{share['PASS']:.0f}/{share['FAIL']:.0f}"
    pairs = sum(pairs for _, pairs in found) / trials
    return f"{share['PASS']:.0f}/{share['FAIL']:.0f}/{share['INCONCLUSIVE']:.0f} ({pairs:.1f})"


def rules(pool: ProcessPoolExecutor, _: int, trials: int = 1500) -> tuple[str, dict[str, float]]:
    rows = [(noise, gate) for noise in NOISES for gate in GATES]
    cells = [pool.submit(_cell, noise, gate, harm, trials) for noise, gate in rows for harm in HARMS]
    done = [cell.result() for cell in cells]
    body = [[*row, *done[at * len(HARMS) : (at + 1) * len(HARMS)]] for at, row in enumerate(rows)]
    return markdown(["noise of a run", "gate", *(f"{harm:+.1%}" for harm in HARMS)], body), {"trials": trials}


# The whole gate on planted effects


def _guest_runs(workload: Workload, draw: random.Random) -> Callable[[str, int], Figures]:
    objectives = {one.metric for one in workload.objectives}
    spreads = {
        one.metric: GUEST_OBJECTIVE if one.metric in objectives else GUEST_GUARD
        for one in (*workload.objectives, *workload.guards)
    }
    return lambda _arm, _round: {metric: math.exp(draw.gauss(0, spread)) for metric, spread in spreads.items()}


def _planted(where: str, name: str, effect: float, gates: int) -> Counter[tuple[str, int]]:
    workload = _workload(name)
    found: Counter[tuple[str, int]] = Counter()
    for at in range(gates):
        draw = random.Random(f"{where} {name} {effect} {at}")
        runs = _guest_runs(workload, draw) if where == "guest" else _simulated_runs(name, draw)
        gain = {one.metric: 1 - effect for one in workload.objectives}

        def run(arm: str, number: int, runs=runs, gain=gain) -> Figures:  # noqa: ANN001 - types are those above
            figures = runs(arm, number)
            better = gain if arm == "candidate" else {}
            return {metric: value * better.get(metric, 1.0) for metric, value in figures.items()}

        decision = one_gate(workload, LOOKS, run, first=at)
        found[decision.verdict.value, decision.rounds] += 1
    return found


def power(pool: ProcessPoolExecutor, _: int, gates: int = 300) -> tuple[str, dict[str, object]]:
    places = [("guest", "ci-builds"), *(("simulator", name) for name in SIMULATED)]
    asked = [(where, name, effect) for where, name in places for effect in EFFECTS]
    # By place, so that a process fills a pool once.
    done = list(pool.map(_planted, *zip(*((*one, gates) for one in asked), strict=True), chunksize=len(EFFECTS)))
    rows, passed = [], {}
    for (where, name, effect), found in zip(asked, done, strict=True):
        share = {
            word: 100 * sum(count for (verdict, _), count in found.items() if verdict == word) / gates
            for word in ("PASS", "FAIL", "INCONCLUSIVE")
        }
        rounds = sum(look * count for (_, look), count in found.items()) / gates
        cells = f"{share['PASS']:.0f} %", f"{share['FAIL']:.0f} %", f"{share['INCONCLUSIVE']:.0f} %", f"{rounds:.1f}"
        rows.append([where, name, f"{effect:.0%}", *cells])
        passed[f"{where} {name} {effect:.0%}"] = share["PASS"]
    header = ["noise of", "workload", "true gain", "PASS", "FAIL", "INCONCLUSIVE", "rounds, mean"]
    return markdown(header, rows), {"gates": gates, "passed": passed}


# The default scheduler against itself, in real runs of the simulator


RUNS: dict[str, list[Figures]] = {}  # by workload


def simulate_all(processes: int) -> None:
    """Real runs under the default scheduler, each with lengths and arrivals of its own. With equal ones a deterministic
    simulator would differ by nothing.
    """
    for name in SIMULATED:
        if name not in RUNS:
            with ProcessPoolExecutor(processes) as pool:
                RUNS[name] = list(pool.map(partial(_simulated, name), range(POOL), chunksize=50))


def _simulated_runs(name: str, draw: random.Random) -> Callable[[str, int], Figures]:
    drawn = iter(draw.sample(RUNS[name], 3 * LOOKS[-1]))
    return lambda _arm, _round: next(drawn)


@cache
def _engine() -> tuple[Simulator, SimScheduler, Machine]:
    return simulator(), SimScheduler("eevdf"), flat_machine(2)


@cache
def _workload(name: str) -> Workload:
    return load_workload(ROOT, name)


def _simulated(name: str, at: int) -> Figures:
    engine, eevdf, machine = _engine()
    plan = planned(
        _workload(name),
        machine=machine,
        seed=derived_seed(at, name),
        arm="eevdf",
        hints=None,
        takes_hints=False,
        takes_group_hints=False,
        scale=1.0,
    )
    found = metrics_of_result(plan, engine.run(plan.plan, machine, eevdf, trace=False))
    return {one.metric: one.value for one in found}


def _against_itself(name: str, at: int) -> tuple[str, int, list[str]]:
    runs = _simulated_runs(name, random.Random(f"against itself {name} {at}"))
    decision = one_gate(_workload(name), LOOKS, runs, first=at)
    return decision.verdict.value, decision.rounds, wrong_about(decision)


def against_itself(pool: ProcessPoolExecutor, gates: int) -> tuple[str, dict[str, object]]:
    rows, wrong = [], []
    for name in SIMULATED:
        count = gates // len(SIMULATED)
        found = list(pool.map(partial(_against_itself, name), range(count), chunksize=10))
        bad = [why for _, _, why in found if why]
        looks = Counter(look for _, look, _ in found)
        verdicts = Counter(verdict for verdict, _, _ in found)
        rows.append(
            [
                name,
                str(count),
                *(str(verdicts[word]) for word in ("PASS", "FAIL", "INCONCLUSIVE")),
                ", ".join(f"{look}: {looks[look]}" for look in LOOKS),
                f"{len(bad)} ({len(bad) / count:.1%})",
            ]
        )
        wrong += bad
    header = ["workload", "gates", "PASS", "FAIL", "INCONCLUSIVE", "rounds: gates", "wrong"]
    data = {
        "gates": gates,
        "runs": POOL * len(SIMULATED),
        "wrong": len(wrong),
        "share_wrong": len(wrong) / gates,
        "about": sorted({one.split(":")[0] for why in wrong for one in why}),
    }
    return markdown(header, rows), data


PARTS = {"rules": rules, "power": power, "against-itself": against_itself}


if __name__ == "__main__":
    sys.exit(main())
