"""A look at real tasks on a real kernel: roles, class, and that what was measured twice agrees."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.model.event import Event
from schedops.pipeline.profiling import Asked, History, look
from schedops.ports import KernelImage
from schedops.repository import load_workload
from schedops.wiring import probes, world

pytestmark = pytest.mark.vm

ROOT = Path(__file__).parent.parent.parent


class Quiet:
    def emit(self, event: Event) -> None:
        pass


def test_a_look_with_probes_measures_twice_what_agrees(newest_kernel: KernelImage) -> None:
    joined = world(Quiet())
    workload = load_workload(ROOT, "ci-builds")
    asked = Asked(cpus=2, seed=1, tier="probe", scale=0.25)
    found = look(workload, lambda: newest_kernel, probes(joined), asked, world=joined, history=History()).profile
    figures = {one.name: one.value for one in found.figures}
    # The bars are 5 % and 2 % (docs/profile.md has what was measured); here a machine may be as busy as it likes.
    assert figures["cgroup_agreement"] == pytest.approx(1, abs=0.15)
    assert figures["rusage_agreement"] == pytest.approx(1, abs=0.05)  # of the very same tasks
    assert figures["probe_agreement"] == pytest.approx(1, abs=0.15)
    assert figures["clock_agreement"] == pytest.approx(1, abs=0.15)
    roles = {one.name: one.role for one in found.tasks}
    assert roles == {"make": "starter", "compile": "job", "link": "job", "test": "job"}
    assert any(one.woken == "make" for one in found.wakes)  # jobs that are done wake their make
    assert figures["task_clock_ms"] >= sum(one.cpu_ms for one in found.tasks) * 0.5
    assert figures["task_switches"] > 0
    missing = [one.reason for one in found.missing if one.what.startswith("cycles")]
    assert ("cycles" in figures) != any("perf_event_open: E" in reason for reason in missing)  # KVM may have counters
    assert found.tier == "probe"
    assert found.bottleneck is not None
    assert found.words.startswith("ci-builds is ")
