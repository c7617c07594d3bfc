"""A/A: the default scheduler against itself. Any gate that sees a difference is wrong.

    python benchmarks/aa_gates.py --gates 20 --busy 2

Bar: at most one wrong verdict in 20 gates. Exits 1 above it.
"""

from __future__ import annotations

import sys
from dataclasses import replace

from measuring import Setting, busy, options, setting, show

from schedops.gate.decide import judge
from schedops.model.decision import Decision
from schedops.model.verdict import Verdict
from schedops.pipeline.compare import compare
from schedops.report.bench_page import change


def main() -> int:
    parser = options(__doc__ or "", workload="ci-builds", rounds=10)
    parser.add_argument("--gates", type=int, default=20)
    asked = parser.parse_args()
    here = setting(asked, "fifo")  # a name for the documents; nothing is attached
    with busy(asked.busy):
        decisions = [_gate(here, asked.rounds, asked.seed + 1000 * number) for number in range(asked.gates)]
    wrong = [number for number, decision in enumerate(decisions) if wrong_about(decision)]
    show(
        ["gate", "verdict", "recommendation", "objective against itself", "wrong about"],
        [_row(number, decision) for number, decision in enumerate(decisions)],
        {"gates": asked.gates, "wrong": len(wrong), "busy": asked.busy, "workload": asked.workload},
    )
    return 1 if len(wrong) > max(1, asked.gates // 20) else 0


def wrong_about(decision: Decision) -> list[str]:
    """What the gate claims to see where there is nothing: a gain, or a hard guard broken."""
    wrong = [
        f"{reason.metric}, {reason.arm} against {reason.baseline}: {change(reason)}"
        for reason in decision.reasons
        if reason.role == "guard" and reason.hard and reason.verdict is Verdict.FAIL and reason.arm == "candidate"
    ]
    if decision.verdict is Verdict.PASS:
        wrong.append("PASS")
    if decision.recommendation != "nothing":
        wrong.append(f"recommends {decision.recommendation}")
    return wrong


def _gate(here: Setting, rounds: int, seed: int) -> Decision:
    size = replace(here.size, seed=seed)
    found = compare(here.workload, here.source, None, None, here.image, size, rounds=rounds, world=here.world)
    # Without the condition that a policy is in charge: here none must be.
    decision = judge(here.workload, here.source.policy.name, found.measurements, ())
    print(f"{decision.verdict.value} {decision.recommendation} {wrong_about(decision)}", file=sys.stderr, flush=True)
    return decision


def _row(number: int, decision: Decision) -> list[str]:
    first = next(reason for reason in decision.reasons if reason.role == "objective")
    wrong = "; ".join(wrong_about(decision)) or "-"
    return [str(number), decision.verdict.value, decision.recommendation, change(first), wrong]


if __name__ == "__main__":
    sys.exit(main())
