"""Machines made of files: what makes them noisy, and what of that is changed for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.host.keeper import Keeper
from schedops.adapters.host.noise import Noise, noise
from schedops.adapters.host.session import settle

CPU = "sys/devices/system/cpu"
QUIET = {
    f"{CPU}/online": "0-3\n",
    f"{CPU}/cpufreq/policy0/scaling_governor": "performance\n",
    f"{CPU}/cpufreq/policy0/scaling_available_governors": "performance powersave\n",
    f"{CPU}/intel_pstate/no_turbo": "1\n",
    f"{CPU}/smt/control": "off\n",
    "proc/sys/kernel/timer_migration": "0\n",
    "proc/loadavg": "0.10 0.20 0.30 1/200 4711\n",
    "proc/pressure/cpu": "some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
    "proc/stat": "cpu  1000 0 500 9000 0 0 0 10 0 0\n",
    "proc/17/comm": "sshd\n",
}


def look(root: Path, **changes: str) -> tuple[Noise, ...]:
    for name, text in {**QUIET, **changes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return noise(sysfs=root / "sys", proc=root / "proc")


def test_a_quiet_machine(tmp_path: Path) -> None:
    assert look(tmp_path) == ()


def test_what_nobody_says_is_not_noise(tmp_path: Path) -> None:
    assert noise(sysfs=tmp_path, proc=tmp_path) == ()


@pytest.mark.parametrize(
    ("changes", "words", "set_to"),
    [
        ({f"{CPU}/cpufreq/policy0/scaling_governor": "powersave\n"}, "the governor powersave", ["performance"]),
        ({f"{CPU}/intel_pstate/no_turbo": "0\n"}, "turbo", ["1"]),
        ({f"{CPU}/cpufreq/boost": "1\n"}, "turbo", ["0"]),
        ({"proc/sys/kernel/timer_migration": "1\n"}, "timers move", ["0"]),
        ({"proc/sys/kernel/sched_autogroup_enabled": "1\n"}, "sessions share", ["0"]),
        ({f"{CPU}/smt/control": "on\n", f"{CPU}/smt/active": "1\n"}, "SMT", []),
        ({"proc/loadavg": "3.10 0.20 0.30 1/200 4711\n"}, "load average 3.1 on 4 CPUs", []),
        ({"proc/pressure/cpu": "some avg10=12.50 avg60=0.00 total=1\n"}, "CPU pressure 12.50 %", []),
        ({"proc/18/comm": "qemu-system-x86\n"}, "virtual machines run beside it: qemu-system-x86", []),
        ({"proc/stat": "cpu  1000 0 500 9000 0 0 0 900 0 0\n"}, "8% of its time went to others", []),
    ],
)
def test_each_noise_with_what_mends_it(tmp_path: Path, changes: dict[str, str], words: str, set_to: list[str]) -> None:
    (found,) = look(tmp_path, **changes)
    assert words in found.text
    assert [setting.value for setting in found.settings] == set_to
    assert all(str(setting.path) in {str(tmp_path / name) for name in changes} for setting in found.settings)
    assert found.command or "went to others" in found.text


def test_nodes_are_balanced_where_there_are_some(tmp_path: Path) -> None:
    changes = {"proc/sys/kernel/numa_balancing": "1\n"}
    assert look(tmp_path, **changes) == ()
    for node in ("node0", "node1"):
        (tmp_path / "sys/devices/system/node" / node).mkdir(parents=True)
    assert [one.settings[0].value for one in look(tmp_path, **changes)] == ["0"]


def test_it_settles_when_nobody_else_wants_a_cpu(tmp_path: Path) -> None:
    look(tmp_path)
    assert settle(proc=tmp_path / "proc")
    look(tmp_path, **{"proc/loadavg": "0.10 0.20 0.30 3/200 4711\n"})
    assert not settle(proc=tmp_path / "proc", most_s=0.01)


def test_a_change_is_noted_before_it_is_made(tmp_path: Path) -> None:
    setting, journal = tmp_path / "setting", tmp_path / "settings"
    setting.write_text("on\n")
    keeper = Keeper(journal, lock=-1)
    assert keeper.change(setting, "on") == ""  # it is so already
    assert not journal.exists()
    assert keeper.change(setting, "off") == ""
    assert (setting.read_text(), journal.read_text()) == ("off", f"{setting} on\n")


def test_what_could_not_be_put_back_is_not_changed(tmp_path: Path) -> None:
    two_lines, spaced = tmp_path / "lines", tmp_path / "a b"
    for path, text in ((two_lines, "a\nb\n"), (spaced, "on")):
        path.write_text(text)
        assert "cannot be put back" in Keeper(tmp_path / "settings", lock=-1).change(path, "x")
        assert path.read_text() == text
    assert "No such file" in Keeper(tmp_path / "settings", lock=-1).change(tmp_path / "none", "x")
    assert not (tmp_path / "settings").exists()
