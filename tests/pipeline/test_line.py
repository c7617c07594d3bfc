"""Stages are kept, reused, told about and paid for; a failed one keeps nothing."""

from __future__ import annotations

from typing import Any

import pytest

from schedops.errors import Unavailable
from schedops.model.kept import Kept
from schedops.model.plan import Plan
from schedops.pipeline.line import Line
from tests.fakes.guest import Clock, Progress


class Memory:
    """A run that keeps documents in memory."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Kept] = {}

    def recall(self, stage: str, input_digest: str, type_: type[Any]) -> Kept | None:
        return self.documents.get((stage, input_digest))

    def keep(self, stage: str, input_digest: str, kept: Kept) -> None:
        self.documents[stage, input_digest] = kept


def plan(cost_usd: float = 0.5) -> Plan:
    return Plan(
        workload="w", planner="offline", policy="p", params=(), uses_hints=False, hypothesis="h",
        predicted_metric="m", predicted_change=-0.1, reasons=(), alternatives=(), cost_usd=cost_usd,
    )  # fmt: skip


def line(run: Memory, tool: str = "one") -> tuple[Line, Progress]:
    progress = Progress()
    return Line(run=run, clock=Clock(), progress=progress, tool_sha256=tool), progress


def stage(one: Line, made: list[str], inputs: dict[str, Any]) -> Plan:
    def make() -> Plan:
        made.append("made")
        return plan()

    return one.stage("agent", "plan", inputs, Plan, make, lambda found: found.policy)


def test_made_once_then_reused_with_what_it_cost() -> None:
    run, made = Memory(), []
    first, told = line(run)
    assert stage(first, made, {"x": 1}) == plan()
    second, told_again = line(run)
    assert stage(second, made, {"x": 1}) == plan()
    assert made == ["made"]
    assert [(event.kind, event.stage, event.text) for event in told.events] == [
        ("started", "agent", ""), ("finished", "agent", "p"),
    ]  # fmt: skip
    assert [event.kind for event in told_again.events] == ["reused"]
    assert [(cost.stage, cost.usd, cost.reused) for cost in first.costs + second.costs] == [
        ("agent", 0.5, False), ("agent", 0.5, True),
    ]  # fmt: skip
    assert first.costs[0].seconds == second.costs[0].seconds


@pytest.mark.parametrize(("inputs", "tool"), [({"x": 2}, "one"), ({"x": 1}, "two")])
def test_other_inputs_or_another_tool_mean_making_it_again(inputs: dict[str, Any], tool: str) -> None:
    run, made = Memory(), []
    stage(line(run)[0], made, {"x": 1})
    stage(line(run, tool)[0], made, inputs)
    assert made == ["made", "made"]


def test_a_failed_stage_keeps_nothing_and_says_so() -> None:
    run = Memory()
    one, told = line(run)

    def fail() -> Plan:
        raise Unavailable("vm-lost", "gone")

    with pytest.raises(Unavailable):
        one.stage("agent", "plan", {}, Plan, fail, lambda found: found.policy)
    assert run.documents == {}
    assert one.costs == []
    assert [event.kind for event in told.events] == ["started", "failed"]
