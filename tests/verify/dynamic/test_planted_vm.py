"""Planted flaws show in a guest, at the stage that asks for them; the same policy without one passes them all.

Each is asked by its own stage only: what earlier stages would have said is not needed for it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.clock import SystemClock
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.model.policy import Capabilities, Policy, PolicySource, Provenance
from schedops.model.verdict import Verdict
from schedops.model.verification import BuiltObject, Check
from schedops.ports import KernelImage
from schedops.repository import load_policies
from schedops.verify import kernel, stages
from schedops.verify.record import Record
from tests.fakes.guest import Progress

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "tests/data/policies/planted.bpf.c").read_text(encoding="utf-8")
HEADERS = load_policies(ROOT)[0].headers
IN_GUEST = stages.IN_GUESTS


def planted(define: str, *declared: str) -> PolicySource:
    policy = Policy(
        name="planted",
        description="",
        tags=(),
        classes=(),
        source="planted.bpf.c",
        ops_name="planted",
        capabilities=Capabilities(**dict.fromkeys(declared, True)),
        loses_when="it is for tests",
        provenance=Provenance(author="human", pathway="create"),
    )
    return PolicySource(policy=policy, path="planted.bpf.c", text=f"#define {define}\n{TEXT}", headers=HEADERS)


def verify(source: PolicySource, image: KernelImage, *wanted: str) -> list[Check]:
    """What a person would do on a busy machine: an inconclusive verification is repeated."""
    clock = SystemClock()
    built = Clang().build(source, (), image)
    assert isinstance(built, BuiltObject), built
    bench = kernel.Bench(source, (), 2, Clang(), Qemu(), clock, Progress())
    for _ in range(3):
        record = Record(source, image.kernel.name, clock, clock.monotonic_s())
        checks = kernel.in_guests(bench, image, built, record, wanted)
        if all(check.verdict is not Verdict.INCONCLUSIVE for check in checks):
            break
    return checks


def test_without_a_flaw_it_passes_all_stages(newest_kernel: KernelImage) -> None:
    checks = verify(planted("NO_FLAW", "hotplug"), newest_kernel, *IN_GUEST)
    assert [
        (check.stage, check.verdict.value, check.text) for check in checks if check.verdict is not Verdict.PASS
    ] == []
    assert tuple(check.stage for check in checks) == IN_GUEST


@pytest.mark.parametrize(
    ("define", "stage", "rules"),
    [
        ("ENTRIES 256", stages.CROWD, {"STALL", "NEVER-RAN", "STARVED"}),
        ("LATE 60000", stages.CHURN, {"STALL", "STARVED"}),
        ("STICKY", stages.FAIRNESS, {"NOT-WORK-CONSERVING"}),
        ("LOSES_LAST", stages.FAIRNESS, {"STALL", "NEVER-RAN", "STARVED"}),
        ("HEAVY 16000", stages.OVERHEAD, {"OVERHEAD"}),
        ("LOSES_AFTER_OFFLINE", stages.HOTPLUG, {"HOTPLUG"}),
    ],
)
def test_a_flaw_shows_at_the_stage_that_asks_for_it(
    define: str, stage: str, rules: set[str], newest_kernel: KernelImage
) -> None:
    check = verify(planted(define, "hotplug"), newest_kernel, stage)[-1]
    assert (check.stage, check.verdict) == (stage, Verdict.FAIL), check
    assert check.findings[0].rule in rules, check


def test_equal_turns_whatever_the_weights_are_a_broken_promise_only(newest_kernel: KernelImage) -> None:
    promised = verify(planted("NO_FLAW", "weights"), newest_kernel, stages.FAIRNESS)[-1]
    assert (promised.verdict, promised.findings[0].rule) == (Verdict.FAIL, "UNFAIR-WEIGHT"), promised


def test_without_hotplug_callbacks_it_may_leave_when_a_cpu_goes(newest_kernel: KernelImage) -> None:
    assert verify(planted("WITHOUT_HOTPLUG"), newest_kernel, stages.HOTPLUG)[-1].text.startswith("left for a restart")
    declared = verify(planted("WITHOUT_HOTPLUG", "hotplug"), newest_kernel, stages.HOTPLUG)[-1]
    assert (declared.verdict, declared.findings[0].rule) == (Verdict.FAIL, "HOTPLUG"), declared
