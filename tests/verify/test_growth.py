"""A policy's figures beside a base's: a new refusal fails, growth by more than a fifth is a warning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.guest import ProgramReading
from schedops.model.verdict import Verdict
from schedops.verify.growth import compared
from tests.verify.readings import ATTACHED

PROGRAM = ProgramReading(
    name="ours_enqueue",
    verified_instructions=1000,
    total_states=100,
    peak_states=50,
    stack_bytes=128,
    xlated_bytes=4000,
    jited_bytes=3000,
)
BASE = replace(ATTACHED, programs=(PROGRAM, replace(PROGRAM, name="ours_init")))
REFUSED = replace(ATTACHED, outcome="load-failed", log="libbpf: prog 'x': something", programs=())


def against(**changes: int) -> tuple[Verdict, list[tuple[str, str]]]:
    grown = replace(ATTACHED, programs=(replace(PROGRAM, **changes),))
    found = compared(grown, BASE, name="old.bpf.o")
    return found.verdict, [(one.level, one.text) for one in found.findings]


def test_the_same_is_the_same() -> None:
    found = compared(BASE, BASE, name="old.bpf.o")
    assert (found.verdict, found.findings) == (Verdict.PASS, ())
    assert found.text == "against old.bpf.o: 2 programs, 2000 verified instructions instead of 2000 (+0%)"


@pytest.mark.parametrize("change", [{"verified_instructions": 1200}, {"stack_bytes": 160}, {"peak_states": 69}])
def test_a_little_growth_is_none(change: dict[str, int]) -> None:
    assert against(**change) == (Verdict.PASS, [])


def test_much_growth_is_a_warning_with_the_figures() -> None:
    assert against(verified_instructions=1300, stack_bytes=256) == (
        Verdict.PASS,
        [
            (
                "warning",
                (
                    "ours_enqueue needs 1300 verified instructions instead of 1000 (+30%), "
                    "256 bytes of stack instead of 128 (+100%) against old.bpf.o"
                ),
            )
        ],
    )


def test_figures_that_the_kernel_does_not_say_are_not_compared() -> None:
    unknown = replace(ATTACHED, programs=(replace(PROGRAM, stack_bytes=0),))
    assert compared(replace(ATTACHED, programs=(replace(PROGRAM, stack_bytes=500),)), unknown, name="o").findings == ()


def test_a_new_refusal_fails_and_an_old_one_does_not() -> None:
    found = compared(REFUSED, BASE, name="old.bpf.o")
    assert (found.verdict, found.findings[0].rule) == (Verdict.FAIL, "BASE-REFUSAL")
    assert compared(REFUSED, REFUSED, name="old.bpf.o").verdict is Verdict.PASS
    assert "nothing to compare with" in compared(BASE, REFUSED, name="old.bpf.o").text


def test_programs_of_other_names() -> None:
    other = replace(ATTACHED, programs=(replace(PROGRAM, name="other"),))
    assert compared(other, BASE, name="old.bpf.o").text == "no program has the name of one of old.bpf.o"
