"""A/A: the default scheduler against itself. Any gate that sees a difference is wrong.

    python benchmarks/aa_gates.py --gates 60 --busy 2

Each gate follows the workload's own sequential plan, as far as --rounds. Bar: at most 2 wrong verdicts in 60 gates.
Exits 1 above it. Ten rounds of ci-builds take about 50 s on two idle cores, and most gates take more than ten; with
--work 0.25 jobs are a quarter as long, and so is the wait.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from gates import without, wrong_about
from measuring import Setting, busy, options, setting, show

from schedops.model.decision import Decision
from schedops.model.workload import Workload
from schedops.pipeline.compare import compare
from schedops.report.bench_page import change


def main() -> int:
    parser = options(__doc__ or "", workload="ci-builds", rounds=None)
    parser.add_argument("--gates", type=int, default=60)
    parser.add_argument("--work", type=float, default=1.0, metavar="SHARE", help="of the length of every job")
    asked = parser.parse_args()
    here = setting(asked, "fifo")  # a name for the documents; nothing is attached
    here = replace(here, workload=_shorter(here.workload, asked.work))
    with busy(asked.busy):
        decisions = [_gate(here, asked.rounds, asked.seed + 1000 * number) for number in range(asked.gates)]
    wrong = [number for number, decision in enumerate(decisions) if wrong_about(decision)]
    show(
        ["gate", "verdict", "rounds", "recommendation", "objective against itself", "wrong about"],
        [_row(number, decision) for number, decision in enumerate(decisions)],
        {"gates": asked.gates, "wrong": len(wrong), "busy": asked.busy, "work": asked.work, "workload": asked.workload},
    )
    return 1 if len(wrong) > asked.gates // 30 else 0


def _shorter(workload: Workload, share: float) -> Workload:
    kind = workload.model_kind
    model = getattr(workload, kind)
    return replace(workload, **{kind: replace(model, job_work=max(1, round(model.job_work * share)))})


def _gate(here: Setting, rounds: int | None, seed: int) -> Decision:
    decision = compare(
        here.workload,
        here.source,
        None,
        None,
        here.image,
        replace(here.size, seed=seed),
        looks=here.workload.looks_until(rounds),
        world=here.world,
        # The default scheduler is its own candidate: no policy is ever in charge.
        judged=without(here.workload, here.source.policy.name, frozenset({"policy in charge"})),
    ).decision
    print(f"{decision.verdict.value} {decision.recommendation} {wrong_about(decision)}", file=sys.stderr, flush=True)
    return decision


def _row(number: int, decision: Decision) -> list[str]:
    first = next(reason for reason in decision.reasons if reason.role == "objective")
    wrong = "; ".join(wrong_about(decision)) or "-"
    verdict = decision.verdict.value
    return [str(number), verdict, str(decision.rounds), decision.recommendation, change(first), wrong]


if __name__ == "__main__":
    sys.exit(main())
