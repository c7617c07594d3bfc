"""Fresh samples, and an environment that stayed what it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.gate.decide import decide
from schedops.model.environment import differences
from schedops.model.verdict import Verdict
from tests.fakes.measurements import ENVIRONMENT, measurements, report, three_arms, workload

GOOD = measurements(three_arms())


def judged(given):
    return decide(workload(), "p", given, report())


def test_samples_of_the_search_prove_nothing_however_good() -> None:
    for used in ({0}, set(range(30))):
        samples = tuple(replace(one, origin="search") if at in used else one for at, one in enumerate(GOOD.samples))
        found = judged(replace(GOOD, samples=samples))
        assert (found.verdict, found.recommendation) == (Verdict.INCONCLUSIVE, "nothing")
        assert found.summary.endswith(f"{len(used)} of 30 samples helped to find the candidate; measure fresh ones.")


def test_samples_of_the_search_recommend_no_settings_either() -> None:
    given = measurements(three_arms(informed=0.8, candidate=1.2))
    given = replace(given, samples=tuple(replace(one, origin="search") for one in given.samples))
    assert judged(given).recommendation == "nothing"


@pytest.mark.parametrize("missing", ["environment", "environment_after"])
def test_an_environment_that_nobody_recorded_is_no_pass(missing) -> None:
    assert judged(replace(GOOD, **{missing: None})).verdict is Verdict.INCONCLUSIVE


def test_an_environment_that_changed_meanwhile_is_no_pass_and_said() -> None:
    later = replace(ENVIRONMENT, host=replace(ENVIRONMENT.host, governor="powersave"))
    found = judged(replace(GOOD, environment_after=later))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the environment changed meanwhile: host governor: performance and powersave" in found.summary


def test_differences_name_what_differs() -> None:
    host = replace(
        ENVIRONMENT.host, microcode="", mitigations=("meltdown: Vulnerable", "mds: Not affected"), virtualisation="KVM"
    )
    other = replace(ENVIRONMENT, kernel="7.3", cpus=4, qemu="9.2", host=host)
    assert differences(ENVIRONMENT, other) == (
        "kernel: 6.18 and 7.3",
        "cpus: 2 and 4",
        "qemu: 10.0.2 and 9.2",
        "host mitigations: meltdown: Not affected and meltdown: Vulnerable; mds: Not affected",
        "host microcode: 0x1 and not known",
        "host virtualisation: none and KVM",
    )
    assert differences(other, other) == ()
