"""Cells of a suite on a real kernel: real programs and jobs, the default scheduler and a policy that takes hints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.bench.programs import Installed
from schedops.bench.run import InCharge
from schedops.model.machine import flat_machine
from schedops.model.suite import SuiteCell, SuiteGround
from schedops.model.workload_real import RealJob, RealPrograms, RealRead
from schedops.pipeline.compare import build
from schedops.pipeline.simulation import Load
from schedops.pipeline.suite import CellWork, Entrant
from schedops.pipeline.suite_guest import GuestHands
from schedops.ports import KernelImage, SimScheduler
from schedops.repository import find_policy, load_workload
from schedops.wiring import world
from tests.fakes.guest import Host, Progress
from tests.fakes.shell import shell_archive

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parent.parent.parent
SPIN = "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo p99 {i}7 us >> said; cat said; test -e made"
REAL = RealPrograms(
    packages=("busybox-static",),
    prepare=("echo ready > made",),
    before=("rm -f said",),
    jobs=(
        RealJob(name="short", command=("sh", "-c", SPIN), count=2, expect="p99"),
        RealJob(name="long", command=("sh", "-c", f"{SPIN}; {SPIN}"), long=True, expect="p99"),
    ),
    reads=(RealRead(metric="request_p99_us", job="long", pattern="p99 ([0-9]+) (us)"),),
    after=("test -e said",),
)


def test_programs_and_jobs_in_guests_of_their_own(newest_kernel: KernelImage, tmp_path: Path) -> None:
    source = find_policy(ROOT, "long-first")
    batch = replace(load_workload(ROOT, "uneven-batch"), warmup_rounds=0)
    joined, grounds, cells = world(Progress()), {}, dict[str, SuiteCell]()
    entrants = (
        Entrant(label="eevdf", scheduler=SimScheduler("eevdf"), arm="eevdf"),
        Entrant(label="long-first", scheduler=SimScheduler("long-first", source), arm="candidate"),
    )
    hands = GuestHands(
        image=newest_kernel,
        world=joined,
        host=Host(),
        policies={"long-first": InCharge(source.policy, build(source, (), newest_kernel, world=joined))},
        install=lambda workload: Installed(archive=shell_archive(tmp_path), versions=("busybox 1",)),
        grounds=grounds,
    )
    loads = [
        Load(workload=one, machine=flat_machine(2), scale=0.25, cold=False)
        for one in (replace(batch, name="programs", real=REAL), batch)
    ]
    hands.run(
        [
            CellWork(key=f"{load.workload.name} {one.label}", load=load, entrant=one, seed=1)
            for load in loads
            for one in entrants
        ],
        lambda cell: cells.update({cell.key: cell}),
    )
    assert {key: (one.end.verdict, one.end.message) for key, one in cells.items()} == dict.fromkeys(
        ("programs eevdf", "programs long-first", "uneven-batch eevdf", "uneven-batch long-first"), ("done", "")
    )
    assert all(one.invalid == () for one in cells.values())
    metrics = {one.metric: one.value for one in cells["programs long-first"].metrics}
    assert metrics["request_p99_us"] in (7, 17)  # what the programs themselves say
    assert 0 < metrics["makespan_per_floor"] < 100
    said: list[SuiteGround] = [grounds[cells[key].ground] for key in ("programs eevdf", "uneven-batch eevdf")]
    assert [one.programs for one in said] == [("busybox 1",), ()]
    assert {one.environment.kernel for one in said} == {newest_kernel.kernel.release}
