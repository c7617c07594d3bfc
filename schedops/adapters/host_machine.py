"""The machine at hand as a machine to simulate, from what the kernel says in sysfs; everything else is said."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path

from schedops.errors import Unavailable
from schedops.model.machine import FULL_CAPACITY, MAX_CPUS, IdleState, Machine, SimCpu

_CPUS = "devices/system/cpu"
_MAX_IDLE_STATES = 4
_MAX_TEXT = 4096


@dataclass(frozen=True, slots=True)
class Described:
    """:param notes: where the figures are from, and which are assumed; for the top of a machine file."""

    machine: Machine
    notes: tuple[str, ...]


def describe_host(*, sysfs: Path = Path("/sys"), boot: Path = Path("/boot"), release: str = "") -> Described:
    """CPUs that are online, numbered anew from 0.

    :param release: of the running kernel, for its configuration file; by default what ``uname -r`` says.
    :raises Unavailable: sysfs does not name the CPUs, or there are more than a simulation can have.
    """
    cpus = sysfs / _CPUS
    online = cpu_list(_text(cpus / "online")) or _numbered(cpus)
    if not online:
        raise Unavailable("no-topology", f"{cpus} does not say which CPUs are online", where=str(cpus))
    if len(online) > MAX_CPUS:
        raise Unavailable("too-many-cpus", f"{len(online)} CPUs, a simulation has {MAX_CPUS} at most", where=str(cpus))
    capacities, speed_note = _capacities(cpus, online)
    tick_ns, tick_note = _tick(boot / f"config-{release or os.uname().release}")
    idle_states = _idle_states(cpus / f"cpu{online[0]}" / "cpuidle")
    idle_note = (
        "idle states: cpuidle of the first CPU" if idle_states else "no idle states in sysfs: leaving idle costs 0"
    )
    machine = Machine(name="host", cpus=_topology(cpus, online, capacities), tick_ns=tick_ns, idle_states=idle_states)
    notes = (
        f"Described by schedops from {cpus}: cores, last-level caches, nodes of {len(online)} CPUs.",
        f"{speed_note}; {tick_note}; {idle_note}.",
        "Assumed, not measured: costs of switches and migrations, speed beside an SMT sibling, full frequency.",
    )
    return Described(machine, notes)


def cpu_list(text: str) -> tuple[int, ...]:
    """``0-2,5`` to numbers, sorted (``bitmap_parselist`` without strides); empty when it is something else."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal()) or int(last or first) > 1 << 16:
            return ()
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))


def _topology(cpus: Path, online: tuple[int, ...], capacities: tuple[int, ...]) -> tuple[SimCpu, ...]:
    cores = _groups(online, lambda cpu: _siblings(cpus / f"cpu{cpu}"))
    nodes = _groups(online, lambda cpu: _node(cpus / f"cpu{cpu}"))
    # With sub-NUMA clusters a cache is said to be shared by the whole socket; nodes split it, as the scheduler does.
    node_of = dict(zip(online, nodes, strict=True))
    llcs = _groups(online, lambda cpu: (_cache(cpus / f"cpu{cpu}"), node_of[cpu]))
    return tuple(
        SimCpu(core=core, llc=llc, node=node, capacity=capacity)
        for core, llc, node, capacity in zip(cores, llcs, nodes, capacities, strict=True)
    )


def _groups(online: tuple[int, ...], key: Callable[[int], Hashable]) -> tuple[int, ...]:
    # Numbers from 0 in order of first appearance.
    numbers: dict[Hashable, int] = {}
    return tuple(numbers.setdefault(key(cpu), len(numbers)) for cpu in online)


def _siblings(cpu: Path) -> Hashable:
    topology = cpu / "topology"
    shared = cpu_list(_text(topology / "core_cpus_list") or _text(topology / "thread_siblings_list"))
    return shared or cpu.name


def _cache(cpu: Path) -> Hashable:
    levels = {}
    for index in sorted((cpu / "cache").glob("index[0-9]*")):
        level, kind = _text(index / "level").strip(), _text(index / "type").strip()
        if level.isdecimal() and kind != "Instruction":
            levels[int(level)] = cpu_list(_text(index / "shared_cpu_list"))
    last = levels[max(levels)] if levels else ()
    return last or ("package", _text(cpu / "topology" / "physical_package_id").strip())


def _node(cpu: Path) -> int:
    found = [entry.name.removeprefix("node") for entry in cpu.glob("node[0-9]*")]
    return min((int(name) for name in found if name.isdecimal()), default=0)


def _capacities(cpus: Path, online: tuple[int, ...]) -> tuple[tuple[int, ...], str]:
    """As the kernel ranks its CPUs, the fastest 1024; then how it is known."""
    for name, note in (("cpu_capacity", "cpu_capacity"), ("acpi_cppc/highest_perf", "highest_perf of ACPI CPPC")):
        words = [_text(cpus / f"cpu{cpu}" / name).strip() for cpu in online]
        if all(word.isdecimal() and int(word) > 0 for word in words):
            most = max(map(int, words))
            return tuple(max(1, int(word) * FULL_CAPACITY // most) for word in words), f"speeds: {note}"
    return (FULL_CAPACITY,) * len(online), "speeds: the kernel does not rank its CPUs, taken as equal"


def _tick(config: Path) -> tuple[int, str]:
    for line in _text(config, limit=1 << 20).splitlines():
        hertz = line.removeprefix("CONFIG_HZ=")
        if hertz != line and hertz.isdecimal() and 10 <= int(hertz) <= 10_000:
            return 1_000_000_000 // int(hertz), f"tick: CONFIG_HZ={hertz}"
    return 1_000_000, "tick: assumed, 1000 Hz"


def _idle_states(directory: Path) -> tuple[IdleState, ...]:
    # By rising residency, each deeper than the one before; at most four: the first and the deepest ones.
    found: list[IdleState] = []
    for state in sorted(directory.glob("state[0-9]*"), key=lambda path: int(path.name.removeprefix("state"))):
        latency, residency = _text(state / "latency").strip(), _text(state / "residency").strip()
        off = _text(state / "disable").strip() not in {"", "0"}
        if off or not (latency.isdecimal() and residency.isdecimal()) or int(latency) == 0:
            continue
        after_ns = int(residency) * 1000 if found else 0  # however short it idles, the first state is what it is in
        if not found or after_ns > found[-1].after_ns:
            found.append(IdleState(after_ns=after_ns, exit_ns=int(latency) * 1000))
    kept = found if len(found) <= _MAX_IDLE_STATES else [found[0], *found[1 - _MAX_IDLE_STATES :]]
    return tuple(kept)


def _numbered(cpus: Path) -> tuple[int, ...]:
    names = (entry.name.removeprefix("cpu") for entry in cpus.glob("cpu[0-9]*"))
    return tuple(sorted(int(name) for name in names if name.isdecimal()))


def _text(path: Path, *, limit: int = _MAX_TEXT) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
