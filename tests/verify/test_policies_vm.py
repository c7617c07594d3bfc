"""The library's policies pass on every kernel at hand; flawed ones fail at the stage where the flaw shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.clock import SystemClock
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.crew import Threads
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.vm.qemu import Qemu
from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, VerificationReport
from schedops.ports import KernelImage
from schedops.repository import load_policies, resolve_policy
from schedops.verify import stage
from schedops.verify.stages import OBJECT, QUICK, SOURCE
from tests.fakes.guest import Progress

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[2]
LIBRARY = {source.policy.name: source for source in load_policies(ROOT)}


# Without the rules, which would say most of it before.
IN_GUESTS = tuple(name for name in QUICK if name not in (SOURCE, OBJECT))


def verify(source: PolicySource, *images: KernelImage, stages: tuple[str, ...] = QUICK) -> VerificationReport:
    """What a person would do on a busy machine: an inconclusive verification is repeated."""
    for _ in range(3):
        report = stage.run(
            source,
            (),
            images,
            stages=stages,
            toolchain=Clang(),
            machines=Qemu(),
            kernels=KernelStore(),
            clock=SystemClock(),
            progress=Progress(),
            crew=Threads(),
        )
        if report.verdict is not Verdict.INCONCLUSIVE:
            break
    return report


def flawed(name: str) -> PolicySource:
    return resolve_policy(ROOT, f"tests/data/policies/{name}.bpf.c", cwd=ROOT)


def failure(name: str, image: KernelImage) -> Check:
    report = verify(flawed(name), image, stages=IN_GUESTS)
    assert report.verdict is Verdict.FAIL, report
    return report.checks[-1]


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_library_passes_on_every_kernel(name: str, kernels: tuple[KernelImage, ...]) -> None:
    report = verify(LIBRARY[name], *kernels)
    assert [(c.kernel, c.stage, c.text) for c in report.checks if c.verdict is not Verdict.PASS] == []
    assert report.verdict is Verdict.PASS
    assert len(report.objects) == len(kernels)


@pytest.mark.parametrize(
    ("name", "at", "line", "words"),
    [
        ("does_not_compile", "compile", 9, "no member named 'vruntime'"),
        ("refused", "load", 19, "invalid mem access 'map_value_or_null'"),
        ("missing_kfunc", "load", 11, "'scx_bpf_no_such_thing': not found"),
        ("never_enabled", "enable", 0, "never enabled"),
        ("partial", "enable", 0, "ordinary tasks are not scheduled by it"),
        ("ejected", "liveness", 0, "non-existent DSQ"),
        ("stalls", "liveness", 0, "niced hogs (nice 5)"),
    ],
)
def test_a_flaw_shows_at_its_stage(name: str, at: str, line: int, words: str, newest_kernel: KernelImage) -> None:
    check = failure(name, newest_kernel)
    assert check.stage == at
    assert words in check.text
    place = check.findings[0].place
    assert (place.line if place else 0) == line


def test_a_policy_of_another_name_than_described_does_not_pass(newest_kernel: KernelImage) -> None:
    source = flawed("other_name")
    described = replace(source, policy=replace(source.policy, ops_name="mine"))
    report = verify(described, newest_kernel, stages=IN_GUESTS)
    assert (report.checks[-1].stage, report.verdict) == ("enable", Verdict.FAIL)
    assert "'other'" in report.checks[-1].text
