"""Figures of one rung are never beside those of another, and simulated ones prove nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.gate.decide import decide, measured
from schedops.gate.pairs import compare
from schedops.model.verdict import Verdict
from schedops.report.bench_page import bench_page
from tests.fakes.dossier import verification
from tests.fakes.measurements import measurements, three_arms, workload

WANTED = workload()
GOOD = measurements(three_arms())


def mixed(arm: str):
    samples = (replace(one, rung="simulated") if one.arm == arm else one for one in GOOD.samples)
    return replace(GOOD, samples=tuple(samples))


@pytest.mark.parametrize("rung", ["micro-vm", "bare-metal"])
def test_a_decision_names_the_rung_of_its_figures(rung: str) -> None:
    found = decide(WANTED, "p", replace(GOOD, rung=rung), verification())
    assert (found.rung, found.verdict) == (rung, Verdict.PASS)
    assert "imulated" not in found.summary
    assert "simulated" not in bench_page(WANTED, replace(GOOD, rung=rung), found)


@pytest.mark.parametrize("report", [verification(), None])
def test_simulated_figures_are_no_evidence_however_good(report) -> None:
    simulated = replace(GOOD, rung="simulated")
    found = decide(WANTED, "p", simulated, report)
    assert (found.rung, found.verdict, found.recommendation) == ("simulated", Verdict.INCONCLUSIVE, "nothing")
    assert measured(WANTED, "p", simulated).verdict is Verdict.INCONCLUSIVE
    assert found.summary.startswith("Simulated, not measured: ")
    assert "no evidence" in found.summary
    assert "simulated, not measured" in bench_page(WANTED, simulated, found)


def test_simulated_losses_recommend_no_settings_either() -> None:
    worse = replace(measurements(three_arms(informed=0.8, candidate=1.2)), rung="simulated")
    assert decide(WANTED, "p", worse, verification()).recommendation == "nothing"


@pytest.mark.parametrize("arm", ["eevdf", "informed", "candidate"])
def test_rungs_are_not_mixed(arm: str) -> None:
    found = decide(WANTED, "p", mixed(arm), verification())
    assert found.verdict is Verdict.ERROR
    reason = next(one for one in found.reasons if one.metric == "rung")
    assert (reason.verdict, reason.text) == (
        Verdict.ERROR,
        "figures of several rungs cannot be compared: micro-vm, simulated",
    )
    change = compare(mixed(arm), "makespan", unit="ms", arm="candidate", baseline="eevdf", confidence=0.95)
    assert bool(change.problem) == (arm != "informed")
    assert (change.estimate is None) == (arm != "informed")


def test_an_unknown_rung_proves_nothing() -> None:
    assert decide(WANTED, "p", replace(GOOD, rung="a dream"), verification()).verdict is Verdict.ERROR
