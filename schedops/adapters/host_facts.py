"""The machine at hand for the environment fingerprint: what sysfs and /proc say, and nothing guessed."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from schedops.adapters.host_machine import cpu_list
from schedops.model.environment import HostFacts

_MAX_TEXT = 1 << 16  # /proc/cpuinfo of many CPUs: the first one says it all
_CPU = "devices/system/cpu"


class Host:
    """The port ``Host``, read anew each time it is asked."""

    def __init__(self, *, sysfs: Path = Path("/sys"), proc: Path = Path("/proc")) -> None:
        self._sysfs = sysfs
        self._proc = proc

    def facts(self) -> HostFacts:
        """See the port. Takes a few milliseconds."""
        first = _cpuinfo(self._proc)
        online = cpu_list(_text(self._sysfs / _CPU / "online"))
        return HostFacts(
            kernel=platform.release(),
            cpu_model=first.get("model name", "") or platform.machine(),
            cpus=len(online) or os.cpu_count() or 1,
            governor=self._governor(),
            smt=_text(self._sysfs / _CPU / "smt/control"),
            turbo=self._turbo(),
            mitigations=self._mitigations(),
            microcode=first.get("microcode", ""),
            virtualisation=self._virtualisation(first.get("flags", "").split()),
        )

    def _governor(self) -> str:
        found = {_text(path) for path in (self._sysfs / _CPU).glob("cpu[0-9]*/cpufreq/scaling_governor")}
        return ",".join(sorted(found)) or "none"

    def _turbo(self) -> str:
        # intel_pstate says what it forbids, acpi-cpufreq and amd_pstate what they allow.
        off = {"1": "off", "0": "on"}.get(_text(self._sysfs / _CPU / "intel_pstate/no_turbo"), "")
        return off or {"1": "on", "0": "off"}.get(_text(self._sysfs / _CPU / "cpufreq/boost"), "")

    def _mitigations(self) -> tuple[str, ...]:
        return tuple(
            f"{path.name}: {_text(path)}"[:400] for path in sorted((self._sysfs / _CPU / "vulnerabilities").glob("*"))
        )

    def _virtualisation(self, flags: list[str]) -> str:
        named = (_text(self._sysfs / "class/dmi/id" / name) for name in ("sys_vendor", "product_name"))
        machine = _text(self._sysfs / "hypervisor/type") or " ".join(name for name in named if name)
        return (machine or "unknown hypervisor") if "hypervisor" in flags else "none"


def _cpuinfo(proc: Path) -> dict[str, str]:
    # Of the first CPU; the CPUs of a machine differ in these in no case that sched_ext meets on x86.
    first, _, _ = _text(proc / "cpuinfo").partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip()[:4096] for name, _, value in pairs}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_TEXT).decode("utf-8", "replace").strip()
    except OSError:
        return ""
