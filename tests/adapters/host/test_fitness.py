"""Machines made of files: which of them can be measured on, and what is said of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schedops.adapters.host import fitness, process
from schedops.errors import Unavailable

FILES = {
    "proc/self/status": "Name:\tpython\nUid:\t1000\t0\t0\t0\nCapInh:\t0\nCapEff:\t000001ffffffffff\n",
    "proc/self/mounts": "proc /proc proc rw 0 0\ncgroup2 {root}/cg cgroup2 rw 0 0\n",
    "proc/sys/net/core/bpf_jit_enable": "1\n",
    "sys/kernel/sched_ext/state": "disabled\n",
    "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
    "sys/kernel/btf/vmlinux": "types",
    "cg/cgroup.controllers": "cpuset cpu io memory\n",
}
Fit = Callable[..., fitness.Fit]


@pytest.fixture
def fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fit:
    """:func:`require_fit` of a machine with these files, but for changes; None: the file is not there."""
    monkeypatch.setattr(fitness, "why_unfit", lambda data, config, where: "its BTF is broken" if data == b"?" else "")
    monkeypatch.setattr(fitness, "_MAX_MOUNT_BYTES", len(str(tmp_path / "a b")))

    def ask(**changes: str | None) -> fitness.Fit:
        for name, text in {**FILES, **changes}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                path.write_text(text.replace("{root}", str(tmp_path)))
        return fitness.require_fit(sysfs=tmp_path / "sys", proc=tmp_path / "proc")

    return ask


def test_a_machine_with_everything(fit: Fit, tmp_path: Path) -> None:
    found = fit()
    assert (found.cgroups, found.btf, len(found.btf_sha256)) == (tmp_path / "cg", b"types", 64)


def test_the_kernel_writes_blanks_of_a_mount_in_octal(fit: Fit, tmp_path: Path) -> None:
    (tmp_path / "a b").symlink_to("cg")
    mounts = "cgroup2 {root}/a\\040b cgroup2 rw 0 0\n"
    assert fit(**{"proc/self/mounts": mounts}).cgroups == tmp_path / "a b"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"proc/self/status": "CapEff:\t0000000000000000\n"}, "not-root", "root"),
        ({"proc/self/status": None}, "not-root", "root"),
        ({"proc/self/status": "Uid:\t0\t1000\t0\t0\nCapEff:\t000001ffffffffff\n"}, "not-root", "root"),
        ({"proc/self/status": "Uid:\t0\t0\t0\t0\nCapEff:\t0000000000200000\n"}, "not-root", "root"),
        ({"sys/kernel/sched_ext/state": None}, "no-sched-ext", "without sched_ext"),
        (
            {"sys/kernel/sched_ext/state": "enabled\n", "sys/kernel/sched_ext/root/ops": "lavd_1.0\n"},
            "other-policy",
            "another policy schedules this machine: lavd_1.0 (enabled)",
        ),
        ({"sys/kernel/btf/vmlinux": None}, "no-btf", "No such file"),
        ({"sys/kernel/btf/vmlinux": "?"}, "kernel-unfit", "its BTF is broken"),
        ({"sys/kernel/security/lockdown": "none integrity [confidentiality]\n"}, "bpf-locked-down", "locked down"),
        ({"proc/sys/net/core/bpf_jit_enable": "0\n"}, "no-bpf-jit", "compiler is off"),
        ({"cg/cgroup.controllers": "memory pids\n"}, "no-cpu-cgroups", "cpu controller"),
        ({"proc/self/mounts": "proc /proc proc rw 0 0\n"}, "no-cpu-cgroups", "it is not mounted"),
        ({"proc/self/mounts": f"cgroup2 /{'c' * 4000} cgroup2 rw 0 0\n"}, "no-cpu-cgroups", "its path is over"),
    ],
)
def test_each_thing_that_is_missing_is_said(fit: Fit, changes: dict[str, str | None], code: str, words: str) -> None:
    with pytest.raises(Unavailable) as refused:
        fit(**changes)
    assert (refused.value.code, refused.value.exit_code) == (code, 69)
    assert words in refused.value.message
    assert refused.value.hint


def test_a_program_that_others_could_have_written_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "guest" / "init"
    program.parent.mkdir()
    program.write_bytes(b"")
    program.chmod(0o555)
    monkeypatch.setattr(process, "program_of", lambda sources: program)
    assert process.host_program() == program
    for path in (program, program.parent, tmp_path):
        mode = path.stat().st_mode
        path.chmod(mode | 0o020)
        with pytest.raises(Unavailable, match="can be written by others"):
            process.host_program()
        path.chmod(mode)
    tmp_path.chmod(0o1777)  # as /tmp: others may add to it, and rename nothing of ours
    assert process.host_program() == program
