"""What keeps a workload from being done sooner, from its figures. Pure; docs/profile.md has the thresholds."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.model.profile import Bottleneck, Figure

SATURATED = 0.85  # of the CPUs' time
QUEUES = 0.2  # of the tasks' life, runnable without running
ONE_CPU = (0.75, 1.25)  # CPUs in use: one task after the other
ASLEEP = 0.3  # of the CPUs' time; with less work than that nobody waits for a CPU


def bottleneck_of(figures: Sequence[Figure], cpus: int) -> Bottleneck:
    """The first that fits, in this order.

    - ``cpu-saturated``: the CPUs are busy; less work or more CPUs would help, and order decides who is done first.
    - ``queueing``: tasks wait for a CPU although not all are busy: placement, pinning, bursts.
    - ``serial``: about one CPU is in use, and nobody waits for another: one task after the other, or a lock.
    - ``dependency-chain``: CPUs idle and tasks do not wait for CPUs but for each other.
    - ``waiting``: mostly asleep: for timers, devices, clients.
    """
    values = {figure.name: figure.value for figure in figures}
    busy, queued = values["parallelism"], values["runnable_share"]
    used = busy * cpus
    wait = f"tasks are runnable without running for {queued:.0%} of their life"
    if busy >= SATURATED:
        return Bottleneck(name="cpu-saturated", because=f"the CPUs are {busy:.0%} busy and {wait}")
    if busy < ASLEEP / cpus or (busy < ASLEEP and values.get("timer_wakeup_share", 0) > 0.5):
        return Bottleneck(name="waiting", because=f"the CPUs are {busy:.0%} busy and {wait}")
    if queued >= QUEUES:
        return Bottleneck(name="queueing", because=f"{wait}, and the CPUs are only {busy:.0%} busy")
    if cpus > 1 and ONE_CPU[0] <= used <= ONE_CPU[1]:
        return Bottleneck(name="serial", because=f"{used:.1f} of {cpus} CPUs are in use and {wait}")
    because = f"{used:.1f} of {cpus} CPUs are in use and {wait}: tasks wait for each other"
    return Bottleneck(name="dependency-chain", because=because)
