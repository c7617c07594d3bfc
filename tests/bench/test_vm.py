"""Profile and bench on a real kernel, as small as they get."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.clock import SystemClock
from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.analyze import stage as analyze
from schedops.bench import stage as bench
from schedops.model.verification import BuiltObject
from schedops.repository import find_policy, load_workload
from tests.fakes.guest import Progress

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parent.parent.parent


def test_three_arms_of_a_real_policy_on_a_real_kernel(newest_kernel):
    workload = replace(load_workload(ROOT, "ci-builds"), warmup_rounds=0)
    ports = {"machines": Qemu(), "clock": SystemClock(), "progress": Progress()}
    profile, hints = analyze.run(workload, newest_kernel, cpus=2, seed=1, scale=0.5, **ports)
    assert {"saturating-groups", "cpu-bound"} & {found.name for found in profile.classes}
    source = find_policy(ROOT, "build-order")
    built = Clang().build(source, (), newest_kernel)
    assert isinstance(built, BuiltObject), built
    found = bench.run(
        workload, source.policy, built, hints, newest_kernel, cpus=2, looks=(1,), seed=10, scale=0.5, **ports
    )
    assert [(sample.arm, sample.why_invalid) for sample in found.samples] == [
        ("eevdf", ""),
        ("informed", ""),
        ("candidate", ""),
    ]
    candidate = found.samples[2]
    assert (candidate.before.state, candidate.before.ops, candidate.before.task_on_ext) == (
        "enabled",
        "build_order",
        True,
    )
    setup = candidate.setup
    assert all(setup.hint_ns)
    assert all(setup.group_hint_ns)
    assert candidate.reading.hints_accepted == len(setup.hint_ns) + len(setup.group_hint_ns) > len(setup.hint_ns)
    assert {sample.before.state for sample in found.samples[:2]} == {"disabled"}
