"""The fingerprint of a machine made of files, and of this one."""

from __future__ import annotations

import platform

from schedops.adapters.host_facts import Host

CPUINFO = """processor\t: 0
model name\t: A CPU @ 2 GHz
microcode\t: 0x2006e05
flags\t\t: fpu vme{more}

processor\t: 1
model name\t: Another
"""


def machine(tmp_path, files, more=""):
    for name, text in {"proc/cpuinfo": CPUINFO.format(more=more), **files}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Host(sysfs=tmp_path / "sys", proc=tmp_path / "proc").facts()


def test_everything_that_sysfs_says(tmp_path) -> None:
    cpu = "sys/devices/system/cpu"
    found = machine(
        tmp_path,
        {
            f"{cpu}/online": "0-3\n",
            f"{cpu}/cpu0/cpufreq/scaling_governor": "performance\n",
            f"{cpu}/cpu1/cpufreq/scaling_governor": "powersave\n",
            f"{cpu}/smt/control": "on\n",
            f"{cpu}/intel_pstate/no_turbo": "1\n",
            f"{cpu}/vulnerabilities/mds": "Not affected\n",
            f"{cpu}/vulnerabilities/l1tf": "Mitigation: PTE Inversion\n",
            "sys/class/dmi/id/sys_vendor": "QEMU\n",
        },
        more=" hypervisor",
    )
    assert (found.cpu_model, found.microcode, found.cpus) == ("A CPU @ 2 GHz", "0x2006e05", 4)
    assert (found.governor, found.smt, found.turbo) == ("performance,powersave", "on", "off")
    assert found.mitigations == ("l1tf: Mitigation: PTE Inversion", "mds: Not affected")
    assert found.virtualisation == "QEMU"


def test_what_nobody_says_stays_empty(tmp_path) -> None:
    found = machine(tmp_path, {})
    assert (found.governor, found.smt, found.turbo, found.mitigations) == ("none", "", "", ())
    assert found.virtualisation == "none"


def test_boost_of_other_drivers(tmp_path) -> None:
    assert machine(tmp_path, {"sys/devices/system/cpu/cpufreq/boost": "0\n"}).turbo == "off"


def test_this_machine_is_the_same_when_asked_twice() -> None:
    assert Host().facts() == Host().facts()
    assert Host().facts().kernel == platform.release()
    assert Host().facts().cpus >= 1
