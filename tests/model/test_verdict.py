"""How several verdicts become one."""

from __future__ import annotations

import pytest

from schedops.model.verdict import Verdict, worst


@pytest.mark.parametrize(
    ("verdicts", "whole"),
    [
        ([Verdict.PASS, Verdict.PASS], Verdict.PASS),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.ERROR], Verdict.ERROR),
        ([Verdict.ERROR, Verdict.FAIL, Verdict.PASS], Verdict.FAIL),
    ],
)
def test_worst_wins(verdicts: list[Verdict], whole: Verdict) -> None:
    assert worst(verdicts) is whole


def test_nothing_judged_is_no_pass() -> None:
    assert worst([]) is Verdict.ERROR


def test_exit_codes() -> None:
    assert {verdict.value: verdict.exit_code for verdict in Verdict} == {
        "PASS": 0,
        "FAIL": 1,
        "INCONCLUSIVE": 3,
        "ERROR": 69,
    }
