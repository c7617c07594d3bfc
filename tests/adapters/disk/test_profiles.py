"""The last profile of a workload is found again, by the very same workload alone."""

from __future__ import annotations

from dataclasses import replace

from schedops.adapters.disk.profiles import KeptProfiles
from schedops.model.profile import ClassFinding, Profile
from tests.fakes.workloads import batch

FOUND = Profile(
    workload="b",
    kernel="6.18.15",
    cpus=2,
    seed=1,
    accelerator="kvm",
    figures=(),
    classes=(ClassFinding(name="uneven-batch", because="of it", confidence=0.9),),
    cpu_ms_quantiles=(),
)


def test_what_is_kept_is_found_by_the_same_workload_and_cpus(tmp_path):
    kept = KeptProfiles(tmp_path)
    assert kept.find(batch(), 2) is None
    kept.keep(batch(), FOUND)
    assert kept.find(batch(), 2) == FOUND
    assert kept.find(batch(), 4) is None
    assert kept.find(replace(batch(), rounds=7, looks=()), 2) is None
    assert (tmp_path / ".schedops" / ".gitignore").read_bytes() == b"*\n"


def test_what_cannot_be_read_is_not_there(tmp_path):
    kept = KeptProfiles(tmp_path)
    kept.keep(batch(), FOUND)
    file = next((tmp_path / ".schedops" / "profiles").iterdir())
    file.write_bytes(file.read_bytes()[:-9])
    assert kept.find(batch(), 2) is None


def test_a_tree_that_cannot_be_written_keeps_nothing(tmp_path):
    (tmp_path / ".schedops").write_text("a file where the directory belongs")
    kept = KeptProfiles(tmp_path)
    kept.keep(batch(), FOUND)
    assert kept.find(batch(), 2) is None
