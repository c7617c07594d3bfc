"""Strict order without starvation: under a watchdog of 2.5 s instead of 5 s nothing is put out, and order is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.model.jobs import Group, Job, JobPlan, RunReading, RunSetup
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage
from schedops.repository import find_policy

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[2]
SECOND_NS = 10**9
Kept = Callable[[RunReading], bool]


def run(name: str, image: KernelImage, *, groups: int, jobs: int, hint_ns: tuple[int, ...]) -> RunReading:
    """*groups* of *jobs* each, all CPU-bound, all there at once; the policy must still be in charge at the end."""
    source = find_policy(ROOT, name)
    impatient = replace(source, text=source.text.replace(".timeout_ms\t= 5000", ".timeout_ms\t= 2500"))
    assert impatient.text != source.text
    built = Clang().build(impatient, (), image)
    assert isinstance(built, BuiltObject)
    plan = JobPlan(
        seed=1,
        cpus=2,
        groups=tuple(Group(arrival_us=1000 * at, parallel=(jobs,)) for at in range(groups)),
        jobs=tuple(Job(key=str(at), group=at // jobs, phase=0, work=60_000_000) for at in range(groups * jobs)),
    )
    setup = RunSetup(cgroup_per_group=True, nice=(0,) * len(plan.jobs), hint_ns=hint_ns, name_seed=1)
    with Qemu().boot(image, cpus=2) as guest:
        assert guest.attach(built.elf, deadline_s=20).outcome == "attached"
        reading = guest.run_jobs(plan, setup, deadline_s=60)
        assert guest.state().state == "enabled", guest.kernel_log()
    assert set(reading.exit_codes) == {0}
    return reading


def in_order_of_arrival(reading: RunReading) -> bool:
    ends = [max(reading.end_us[at : at + 4]) for at in range(0, 24, 4)]
    # Two builds overlap; and fair sharing would end all of them at about the same time.
    return all(early < late for early, late in zip(ends, ends[2:], strict=False)) and ends[0] < 0.6 * ends[-1]


def long_one_first(reading: RunReading) -> bool:
    # Submitted last and as long as the others, but called long: it ends among the first. Not by rank alone.
    first = sorted(reading.end_us).index(reading.end_us[15]) <= 5
    return reading.hints_accepted == 16 and first and median(reading.end_us[:5]) < 0.7 * median(reading.end_us[10:15])


# Nothing is put out in any run. The order is that of one run at least: a host that stops one of the two emulated CPUs
# for a while swaps neighbours, and lets a job wait too long for the loader to hear its hint.
@pytest.mark.parametrize(
    ("name", "groups", "jobs", "hint_ns", "kept"),
    [
        ("build-order", 6, 4, (0,) * 24, in_order_of_arrival),
        ("long-first", 1, 16, (SECOND_NS,) * 15 + (8 * SECOND_NS,), long_one_first),
    ],
    ids=["build-order", "long-first"],
)
def test_the_order_is_kept_and_none_starves(
    newest_kernel: KernelImage, name: str, groups: int, jobs: int, hint_ns: tuple[int, ...], kept: Kept
) -> None:
    runs = (run(name, newest_kernel, groups=groups, jobs=jobs, hint_ns=hint_ns) for _ in range(3))
    assert any(kept(reading) for reading in runs)
