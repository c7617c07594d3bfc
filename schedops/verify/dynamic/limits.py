"""The thresholds. They separated a corpus of labelled good and bad policies on kernels 6.16 to 7.3 under emulation."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.guest import LoadGroup

NICED = 10  # from this nice value on a task may be made to wait longer

MIN_JAIN = 0.90
MIN_JAIN_CROWD = 0.80
MIN_CPU_USED = 0.80
# CPU time of nice 0 to that of nice 5 on one CPU; by the kernel's own weights it is 1024 : 335 = 3.05.
MIN_WEIGHT_RATIO = 2.0
MAX_WEIGHT_RATIO = 5.5
MAX_UPSIDE_DOWN = 1.5
MAX_WAKE_P99_US = 524_288  # upper edge of a power-of-two bucket

# Means of emulated CPUs (good policies: 0.5 to 9 us and 2 to 30 us); on hardware, some ten times as fast, generous.
MAX_ENQUEUE_NS = 20_000
MAX_DISPATCH_NS = 80_000
MIN_RUNS = 200  # a mean of fewer says nothing
MAX_SWITCHES_PER_S = 2000

MIN_ENQUEUES = 100_000

MAX_UNLOAD_S = 2.0
# The watcher is real-time: when even it is late, the host did not run the guest, and waits prove nothing.
MAX_JITTER_MS = 250.0
# Of a load: what a CPU may have stood still in sum, by bits of 10 ms and more.
MAX_STOLEN = 0.20
# A host that starves the guest with a policy attached, again and again, must not run it better than this without.
QUIET_JITTER_MS = 100.0

# The kernel's watchdog finds a task that waits between 1.0 and 1.5 times as long as this. Above every wait that is
# allowed below, so that it speaks only of what is wrong, and short enough to speak while the guest still runs.
TIMEOUT_MS = 4000


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a task that is ready to run may be kept waiting, in ms."""

    most_ms: float = 2000.0
    niced_ms: float = 3500.0

    def of(self, group: LoadGroup) -> float:
        """The limit of the tasks of a group."""
        return self.niced_ms if group.nice >= NICED else self.most_ms


# A task that never ran has waited all the time; one that only did not get through a whole turn of its work has not.
NEVER = 0.9
NEVER_MS = 1000.0  # less is no time in which everybody must have run

FEW = Waits()
CROWDED = Waits(most_ms=3000.0)
