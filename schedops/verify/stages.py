"""The stages of a verification, in the order in which they run: each costs more than the one before it."""

from __future__ import annotations

SOURCE = "source"  # rules on the text; the only stage that needs no kernel
COMPILE = "compile"
OBJECT = "object"  # rules on the object, against what the kernel offers
SIMULATE = "simulate"  # the policy's own code on simulated machines of many shapes; needs no kernel
LOAD = "load"
ENABLE = "enable"
LIVENESS = "liveness"
CROWD = "crowd"  # many more tasks than CPUs
CHURN = "churn"  # tasks that come, go and change, until the policy has seen 100,000 enqueues
FAIRNESS = "fairness"
OVERHEAD = "overhead"
UNLOAD = "unload"
HOTPLUG = "hotplug"  # after unload, since the policy may leave when a CPU goes; it is attached anew for it
KERNEL_LOG = "kernel-log"
TOPOLOGY = "topology"  # once more in a larger guest: four CPUs, two last-level caches

STATIC = (SOURCE, COMPILE, OBJECT)
IN_GUESTS = (LOAD, ENABLE, LIVENESS, CROWD, CHURN, FAIRNESS, OVERHEAD, UNLOAD, HOTPLUG, KERNEL_LOG, TOPOLOGY)
QUICK = (*STATIC, SIMULATE, LOAD, ENABLE, LIVENESS, UNLOAD, KERNEL_LOG)
FULL = (*STATIC, SIMULATE, *IN_GUESTS)
WITHOUT_KERNEL = (SOURCE, SIMULATE)


# How many CPUs there are, and what they share, is the same on every kernel: asked on the last one only.
LAST_KERNEL = (TOPOLOGY,)


def on_kernel(wanted: tuple[str, ...], *, last: bool) -> tuple[str, ...]:
    """Those of *wanted* that are asked on one of several kernels."""
    return wanted if last else tuple(stage for stage in wanted if stage not in LAST_KERNEL)


def up_to(stage: str) -> tuple[str, ...]:
    """*stage* and all that come before it. :raises ValueError: there is no such stage."""
    return FULL[: FULL.index(stage) + 1]
