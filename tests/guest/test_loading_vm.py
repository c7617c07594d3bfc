"""What loading tells: the verifier's figures, its log, enumerators for foreign code, and what is dumped at the end."""

from __future__ import annotations

import time

import pytest

from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.guest import LoadGroup, LoadPlan
from schedops.ports import KernelImage
from tests.conftest import FifoPolicies
from tests.guest.test_load_vm import either, image

__all__ = ["either", "image"]
pytestmark = pytest.mark.vm


def test_the_verifiers_figures(image: KernelImage, either: GuestSession) -> None:
    reading = either.attach(FifoPolicies(image)("BRANCHES"), deadline_s=20)
    assert (reading.outcome, reading.log) == ("attached", "")
    programs = {program.name: program for program in reading.programs}
    assert list(programs) == ["test_dispatch", "test_enqueue", "test_init"]
    busy = programs["test_enqueue"]
    assert busy.verified_instructions > 100
    assert busy.total_states >= busy.peak_states > 0
    assert 32 <= busy.stack_bytes <= 512
    for program in programs.values():
        assert program.verified_instructions > 0
        assert program.xlated_bytes > 0
        assert program.jited_bytes > 0
    assert reading.verified_instructions == sum(program.verified_instructions for program in reading.programs)


def test_a_refusal_still_has_the_whole_log(image: KernelImage, either: GuestSession) -> None:
    reading = either.attach(FifoPolicies(image)("REFUSED"), deadline_s=20)
    assert (reading.outcome, reading.programs) == ("load-failed", ())
    assert "*(volatile int *)prev = 1; /* a task is not the policy's to write to" in reading.log
    assert "@ fifo.bpf.c:" in reading.log
    assert reading.log.count("BEGIN PROG LOAD LOG") == 1


def test_foreign_code_finds_its_enumerators(image: KernelImage, either: GuestSession) -> None:
    """Left at 0, the variables would make it insert nothing at all, and the kernel would put it out."""
    assert either.attach(FifoPolicies(image)("FOREIGN"), deadline_s=20).outcome == "attached"
    hogs = LoadGroup(name="hogs", kind="hog", count=4)
    seen = either.mixed_load(LoadPlan(groups=(hogs,), duration_ms=600), deadline_s=20)
    assert (seen.state_after, seen.groups[0].never_ran) == ("enabled", 0)


def test_a_stall_is_dumped(image: KernelImage, either: GuestSession) -> None:
    policies = FifoPolicies(image)
    either.attach(policies(), deadline_s=20)
    either.detach(deadline_s=20)
    assert either.dump() == ""
    either.attach(policies("LOSES_TASKS"), deadline_s=20)
    groups = (LoadGroup(name="hogs", kind="hog", count=2), LoadGroup(name="lost", kind="hog", count=3, nice=7))
    either.mixed_load(LoadPlan(groups=groups, duration_ms=9000), deadline_s=30)
    until = time.monotonic() + 20
    while "Event counters" not in either.dump() and time.monotonic() < until:
        time.sleep(0.1)
    dump = either.dump()
    assert "runnable task stall" in dump
    assert "CPU states" in dump
    assert len(dump) <= 64 << 10
    either.attach(policies(), deadline_s=20)
    assert either.dump() == ""
