"""A policy held to bars: profile for hints, plan for parameters, bench, then each bar by its estimate and interval."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from measuring import ROOT, busy, options, setting, show

from schedops.agent.offline import OfflinePlanner
from schedops.agent.planner import Brief
from schedops.model.decision import Decision, Reason
from schedops.pipeline.compare import build, compare, profile
from schedops.pipeline.parameters import parameters
from schedops.report.bench_page import change
from schedops.repository import load_policies


@dataclass(frozen=True, slots=True)
class Bar:
    """*metric* against *baseline*: the estimate at most *estimate*, and the interval's upper end at most *high*.

    Fractions, negative = smaller. None: no such bar.
    """

    metric: str
    baseline: str
    estimate: float
    high: float | None = None


def arguments(description: str, *, workload: str, rounds: int) -> argparse.Namespace:
    """The options of all benchmarks, and parameters for the policy."""
    parser = options(description, workload=workload, rounds=rounds)
    parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="not what the planner says")
    return parser.parse_args()


def hold(asked: argparse.Namespace, policy: str, bars: Sequence[Bar]) -> int:
    """Measure and compare with the bars; 0 when all are met."""
    here = setting(asked, policy)
    with busy(asked.busy):
        found, hints = profile(here.workload, here.image, here.size, world=here.world)
        brief = Brief(workload=here.workload, profile=found, hints=hints, library=load_policies(ROOT))
        chosen = OfflinePlanner().propose(brief, None).plan
        params = chosen.params if chosen.policy == policy else ()
        params = parameters(here.source.policy, asked.param) if asked.param else params
        built = build(here.source, params, here.image, world=here.world)
        result = compare(
            here.workload, here.source, built, hints, here.image, here.size, looks=(asked.rounds,), world=here.world
        )
    met = [_met(bar, _reason(result.decision, bar)) for bar in bars]
    show(
        ["metric", "against", "measured", "bar", "met"],
        [_row(bar, _reason(result.decision, bar), ok) for bar, ok in zip(bars, met, strict=True)],
        {
            "policy": policy,
            "chosen_by_the_planner": chosen.policy == policy,
            "params": {value.name: value.value for value in params},
            "predicted": chosen.predicted_change,
            "busy": asked.busy,
            "rounds": asked.rounds,
            "kernel": result.measurements.kernel,
            "seconds": round(result.measurements.seconds, 1),
            "verdict": result.decision.verdict.value,
            "summary": result.decision.summary,
            "met": all(met),
        },
    )
    return 0 if all(met) else 1


def _reason(decision: Decision, bar: Bar) -> Reason | None:
    wanted = (bar.metric, "candidate", bar.baseline)
    return next((one for one in decision.reasons if (one.metric, one.arm, one.baseline) == wanted), None)


def _met(bar: Bar, reason: Reason | None) -> bool:
    if reason is None or reason.estimate is None or reason.high is None:
        return False
    return reason.estimate <= bar.estimate and (bar.high is None or reason.high <= bar.high)


def _row(bar: Bar, reason: Reason | None, ok: bool) -> list[str]:  # noqa: FBT001 - a cell of the table
    wanted = f"{100 * bar.estimate:+.0f} %" + ("" if bar.high is None else f", all of it below {100 * bar.high:+.0f} %")
    return [bar.metric, bar.baseline, change(reason), wanted, "yes" if ok else "no"]
