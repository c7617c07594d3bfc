"""--base on each kernel: a check more in the report, an error where it cannot be measured."""

from __future__ import annotations

from dataclasses import replace

from schedops.errors import GuestLost
from schedops.model.policy import PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import VerificationReport
from schedops.pipeline.base import against_base
from schedops.ports import World
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.report.reports import check, report
from tests.verify.fakes import Guest, Machines, Toolchain
from tests.verify.readings import ATTACHED, POLICY, SOURCE
from tests.verify.rules_fakes import Kernels

BASE = PrebuiltPolicy(policy=POLICY, path="old.bpf.o", elf=b"old")
REFUSED = replace(ATTACHED, outcome="load-failed", log="libbpf: prog 'x': no")
LOADED = report(check("load", IMAGE.kernel.name, Verdict.PASS), verdict=Verdict.PASS, stages=("load",))


def beside(before: VerificationReport, *guests: Guest | Exception) -> tuple[VerificationReport, Machines]:
    machines = Machines(list(guests))
    joined = World(clock=Clock(), progress=Progress(), toolchain=Toolchain(), machines=machines, kernels=Kernels())
    return against_base(joined, before, SOURCE, BASE, (IMAGE,)), machines


def test_a_check_more() -> None:
    found, machines = beside(LOADED, Guest(), Guest())
    assert (found.verdict, machines.boots, len(found.checks)) == (Verdict.PASS, 2, 2)
    assert found.checks[0] == LOADED.checks[0]


def test_a_new_refusal_fails_the_whole() -> None:
    found, _ = beside(LOADED, Guest(attached=REFUSED), Guest())
    assert found.verdict is Verdict.FAIL
    assert found.checks[1].findings[0].text.startswith("old.bpf.o is accepted by this kernel, and this is not")


def test_a_lost_guest_is_no_answer() -> None:
    found, _ = beside(LOADED, GuestLost("gone", attached=False))
    assert (found.verdict, found.checks[1].verdict) == (Verdict.ERROR, Verdict.ERROR)


def test_what_was_never_loaded_is_not_compared() -> None:
    before = report(check("compile", IMAGE.kernel.name, Verdict.FAIL), verdict=Verdict.FAIL)
    found, machines = beside(before)
    assert (found, machines.boots) == (before, 0)
