"""Real programs in a guest: a shell of the host's busybox is enough to show how they are run and measured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from schedops.adapters.host_programs import LAUNCHER, hint_launcher
from schedops.adapters.toolbox.guest_files import with_files
from schedops.adapters.vm.guest_session import GuestSession
from schedops.adapters.vm.qemu import Qemu
from schedops.errors import Unavailable
from schedops.model.jobs import Hint, Hints
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading, ProgramServer
from schedops.pipeline.real_hints import noted, table_lines
from schedops.ports import KernelImage
from schedops.workloads.learn.job_key import key_of_name
from tests.fakes.shell import shell_archive

pytestmark = pytest.mark.vm
SPIN = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    return shell_archive(tmp_path)


@pytest.fixture
def equipped(newest_kernel: KernelImage, programs: Path) -> Iterator[GuestSession]:
    with Qemu().boot(newest_kernel, cpus=2, programs=programs) as guest:
        yield guest


def run(guest: GuestSession, *lines: str, **more: object) -> ProgramReading:
    jobs = tuple(ProgramJob(argv=("sh", "-c", line), group=number) for number, line in enumerate(lines))
    reading = guest.run_programs(ProgramPlan(jobs=jobs, **more), deadline_s=60)
    assert reading is not None
    return reading


def test_programs_are_prepared_named_measured_and_gone(equipped: GuestSession) -> None:
    assert equipped.run_programs(ProgramPlan(shell=("echo ready > made",)), deadline_s=60) is None
    shown = "cat /proc/$$/comm made"
    found = run(equipped, SPIN, f"({SPIN}); " * 4, shown, "exit 3", cgroup_per_group=True, name_seed=7)
    assert found.exit_codes == (0, 0, 0, 3)
    name, made = found.outputs[2].split()
    assert made == "ready"  # preparing is there for later runs
    assert name.isalpha()
    assert name != "sh"  # and says nothing
    assert found.cpu_us[1] > found.cpu_us[0] * 1.2  # the children's time is the job's
    assert sum(found.cpu_us) == pytest.approx(found.cgroup_us, rel=0.3)
    assert all(begun <= ended <= found.wall_us for begun, ended in zip(found.start_us, found.end_us, strict=True))
    assert found.clean
    assert run(equipped, shown, random_names=False).outputs[0].split()[0] in ("sh", "cat")


def test_a_server_is_there_before_the_jobs_and_gone_after_them(equipped: GuestSession) -> None:
    server = ProgramServer(argv=("sh", "-c", "while true; do echo hello | nc -l -p 7000; done"), tcp_port=7000)
    jobs = (ProgramJob(argv=("sh", "-c", "sleep 0.5; nc 127.0.0.1 7000 < /dev/null"), arrival_us=20_000),)
    found = equipped.run_programs(ProgramPlan(servers=(server,), jobs=jobs), deadline_s=60)
    assert found is not None
    assert found.exit_codes == (0,)
    assert found.outputs == ("hello\n",)
    assert found.server_codes == (None,)
    assert found.start_us[0] >= 20_000
    assert found.clean


def test_what_a_job_writes_goes_where_it_is_told_and_a_server_that_ends_is_noticed(equipped: GuestSession) -> None:
    server = ProgramServer(argv=("sh", "-c", "echo tired; exit 3"))
    jobs = (
        ProgramJob(argv=("sh", "-c", "echo data; echo words >&2"), output="kept"),
        ProgramJob(argv=("sh", "-c", "sleep 0.5; cat kept")),
        ProgramJob(argv=("sh", "-c", "echo lost"), output="none/kept"),
    )
    found = equipped.run_programs(ProgramPlan(servers=(server,), jobs=jobs), deadline_s=60)
    assert found is not None
    assert found.outputs == ("words\n", "data\n", "")
    assert found.exit_codes == (0, 0, 126)
    assert (found.server_codes, found.server_outputs) == ((3,), ("tired\n",))


def test_what_goes_wrong_is_said_in_the_program_s_own_words(equipped: GuestSession) -> None:
    with pytest.raises(Unavailable) as failed:
        equipped.run_programs(ProgramPlan(shell=("true", "echo no such disk; exit 4")), deadline_s=60)
    assert failed.value.code == "program-failed"
    assert "failed with 4" in failed.value.message
    assert failed.value.detail == "no such disk\n"
    ends = ProgramServer(argv=("cat",), tcp_port=7001)
    with pytest.raises(Unavailable, match="server did not come up"):
        equipped.run_programs(ProgramPlan(servers=(ends,), jobs=(ProgramJob(argv=("cat",)),)), deadline_s=60)
    late = equipped.run_programs(ProgramPlan(jobs=(ProgramJob(argv=("sleep", "100")),)), deadline_s=1)
    assert late is not None
    assert late.exit_codes == (137,)
    assert run(equipped, "nonsense").exit_codes == (127,)  # and the guest is well


def test_a_launcher_of_compilers_knows_its_table_and_notes_what_it_ran(
    newest_kernel: KernelImage, programs: Path, tmp_path: Path
) -> None:
    programs.with_name("PACKAGES").write_text("")
    tree = tmp_path / "sources"
    tree.mkdir()
    (tree / "build").write_text(f"{LAUNCHER} --nice 4 --key short sh -c '{SPIN}; cat /proc/$$/stat'\n")
    archive = with_files(programs, {LAUNCHER: hint_launcher().read_bytes()}, tree=tree)
    times = {"short": 1000, "long": 9000}
    known = tuple(
        Hint(key=key_of_name(name), cpu_us=us, n=1, spread=0, measured="2026-11-21") for name, us in times.items()
    )
    with Qemu().boot(newest_kernel, cpus=2, programs=archive) as guest:
        for hints, nicer in ((None, 0), (Hints(workload="build", hints=known), 4)):
            guest.run_programs(ProgramPlan(shell=table_lines(hints)), deadline_s=60)
            found = run(guest, "cd source; . ./build")
            assert found.exit_codes == (0,)
            assert int(found.outputs[0].rpartition(")")[2].split()[16]) == nicer
            (learnt,) = noted(guest, "build", today="9999-12-31").hints
            assert learnt.key == key_of_name("short")
            assert learnt.cpu_us > 1000
