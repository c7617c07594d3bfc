"""What makes this machine's figures noisy, with the command that mends it; some of it can be changed for a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schedops.adapters.host.fitness import online_cpus, text_of

_CPU = "devices/system/cpu"
_BUSY_PRESSURE = 5.0  # per cent of ten seconds in which somebody waited for a CPU
_BUSY_LOAD = 0.2  # runnable tasks for each CPU
_STOLEN = 0.01  # of all time since boot
_MAX_NAMED = 3
_EMULATORS = ("qemu", "firecracker", "cloud-hyperviso", "crosvm")  # the kernel keeps 15 characters


@dataclass(frozen=True, slots=True)
class Setting:
    """A file of the kernel's, and what to write to it."""

    path: Path
    value: str


@dataclass(frozen=True, slots=True)
class Noise:
    """One thing that makes figures vary.

    :param text: what it is and what comes of it. :param command: that mends it; empty: nothing does.
    :param settings: what the command does, where it can be undone; empty: it is left to the user.
    """

    text: str
    command: str
    settings: tuple[Setting, ...] = ()


def noise(*, sysfs: Path = Path("/sys"), proc: Path = Path("/proc")) -> tuple[Noise, ...]:
    """Look at this machine, as it is now. What cannot be read is not noise."""
    return (
        *_governor(sysfs),
        *_turbo(sysfs),
        *_switch(proc / "sys/kernel/timer_migration", "timers move to CPUs that are busy"),
        *_switch(proc / "sys/kernel/sched_autogroup_enabled", "sessions share the CPUs, whatever runs in them"),
        *_numa(sysfs, proc),
        *_siblings(sysfs),
        *_load(proc, online_cpus(sysfs)),
        *_others(proc),
        *_stolen(proc),
    )


def _governor(sysfs: Path) -> Iterator[Noise]:
    files = sorted((sysfs / _CPU / "cpufreq").glob("policy*/scaling_governor"))
    others = {value for path in files if (value := text_of(path)) not in ("performance", "")}
    if others and all(
        "performance" in text_of(path.with_name("scaling_available_governors")).split() for path in files
    ):
        yield Noise(
            f"the governor {', '.join(sorted(others))} changes the CPUs' frequency with the load",
            "echo performance | sudo tee /sys/devices/system/cpu/cpufreq/policy*/scaling_governor",
            tuple(Setting(path, "performance") for path in files),
        )


def _turbo(sysfs: Path) -> Iterator[Noise]:
    text = "turbo: how fast a CPU is depends on its temperature and on how many are busy"
    for name, off in (("intel_pstate/no_turbo", "1"), ("cpufreq/boost", "0")):
        path = sysfs / _CPU / name
        if text_of(path) == str(1 - int(off)):
            yield Noise(text, f"echo {off} | sudo tee {path}", (Setting(path, off),))


def _switch(path: Path, text: str) -> Iterator[Noise]:
    if text_of(path) == "1":
        yield Noise(text, f"echo 0 | sudo tee {path}", (Setting(path, "0"),))


def _numa(sysfs: Path, proc: Path) -> Iterator[Noise]:
    path = proc / "sys/kernel/numa_balancing"
    if len(list((sysfs / "devices/system/node").glob("node[0-9]*"))) > 1 and text_of(path) not in ("0", ""):
        command = f"echo 0 | sudo tee {path}"
        yield Noise("the kernel moves tasks and memory between nodes", command, (Setting(path, "0"),))


def _siblings(sysfs: Path) -> Iterator[Noise]:
    # Not changed by us: it takes half of the CPUs away, and that is another machine.
    path = sysfs / _CPU / "smt/control"
    if text_of(path) == "on" and text_of(path.with_name("active")) == "1":
        yield Noise("SMT: a CPU is slower while its sibling is busy", f"echo off | sudo tee {path}")


def _load(proc: Path, cpus: int) -> Iterator[Noise]:
    words = text_of(proc / "loadavg").split()
    pressure = text_of(proc / "pressure/cpu").partition("avg10=")[2].split(" ")[0]
    load = _number(words[0]) if words else 0.0
    if load > _BUSY_LOAD * cpus or _number(pressure) > _BUSY_PRESSURE:
        said = f"load average {load:g} on {cpus} CPUs" + (f", CPU pressure {pressure} %" if pressure else "")
        yield Noise(f"other work: {said}", "ps -eo pcpu,pid,comm --sort=-pcpu | head   # and end what need not run")


def _others(proc: Path) -> Iterator[Noise]:
    names = (text_of(path) for path in proc.glob("[0-9]*/comm"))
    found = sorted(name for name in names if name.startswith(_EMULATORS))
    if found:
        more = f" and {len(found) - _MAX_NAMED} more" if len(found) > _MAX_NAMED else ""
        text = f"virtual machines run beside it: {', '.join(found[:_MAX_NAMED])}{more}"
        yield Noise(text, "virsh list   # and shut them down, or measure when they are idle")


def _stolen(proc: Path) -> Iterator[Noise]:
    # "cpu user nice system idle iowait irq softirq steal ...": proc_stat(5)
    words = text_of(proc / "stat").partition("\n")[0].split()[1:9]
    ticks = [int(word) for word in words if word.isdecimal()]
    if len(ticks) == 8 and ticks[7] > _STOLEN * sum(ticks):
        share = ticks[7] / sum(ticks)
        yield Noise(f"this is a virtual machine, and {share:.0%} of its time went to others", "")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
