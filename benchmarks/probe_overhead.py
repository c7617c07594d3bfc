"""What the probes cost a workload: plain and probed plays by turns, in pairs with random first order, in one guest.

``python benchmarks/probe_overhead.py [--workload pipe-groups] [--scale 4] [--rounds 20] [--kernel 7.3] [--busy N]``;
with ``--events`` what the performance events of tier ``profile`` cost, each play in a guest of its own: they stay open.
Bar: the estimate of the pairs' change of the CPU time that the host gave the guest is at most 5 %. Elapsed time and the
tasks' own CPU time are shown as well; a busy host is in both, and they need many more pairs. Loading the probes and
reading what they counted is not in it: they watch a run that is there.
"""

from __future__ import annotations

import math
import random
import sys
from contextlib import AbstractContextManager, nullcontext

from measuring import busy, options, setting, show

from schedops.model.machine import flat_machine
from schedops.model.simulation import SimVerdict
from schedops.ports import Guest
from schedops.sim.programs.plan import Planned, planned
from schedops.stats.interval import paired_interval
from schedops.wiring import probes

BAR = 0.05
SLOT_NS = 20_000_000
DEADLINE_S = 120.0
WARM_UP = 1  # pairs that do not count: the first play of a guest touches its memory first


def main() -> None:
    parser = options(__doc__ or "", workload="pipe-groups", rounds=20)
    parser.add_argument("--events", action="store_true", help="performance events instead of probes")
    asked = parser.parse_args()
    now = setting(asked, "fifo")
    elf = probes(now.world)(now.image)
    machine = flat_machine(asked.cpus)
    run = planned(now.workload, machine=machine, seed=asked.seed, arm="candidate", scale=asked.scale)
    order = random.Random(asked.seed)
    names = ("CPU time of the guest", "elapsed time", "CPU time of the tasks")
    logs: dict[str, list[float]] = {name: [] for name in names}

    def boot() -> AbstractContextManager[Guest]:
        return now.world.machines.boot(now.image, cpus=asked.cpus)

    def counted(*, with_events: bool) -> tuple[int, int, int]:
        with boot() as own:
            if with_events:
                own.accounting()
            return _play(own, run, None)

    with busy(asked.busy), nullcontext() if asked.events else boot() as guest:

        def played(*, watched: bool) -> tuple[int, int, int]:
            return counted(with_events=watched) if guest is None else _play(guest, run, elf if watched else None)

        for number in range(asked.rounds + WARM_UP):
            turns = [True, False] if order.random() < 0.5 else [False, True]
            seen = {watched: played(watched=watched) for watched in turns}
            if number >= WARM_UP:
                for name, watched, plain in zip(names, seen[True], seen[False], strict=True):
                    logs[name].append(math.log(watched / plain))
            print(f"# pair {number}: {seen[True][0] / seen[False][0] - 1:+.1%}", file=sys.stderr)
    rows, data = [], {}
    for name, differences in logs.items():
        found = paired_interval(differences, confidence=0.95)
        low, middle, high = (math.expm1(one) for one in (found.low, found.estimate, found.high))
        rows.append((name, f"{middle:+.1%}", f"{low:+.1%} .. {high:+.1%}", str(len(differences))))
        data[name] = {"estimate": middle, "low": low, "high": high}
    show(
        ("with events" if asked.events else "with probes", "change", "95 % interval", "pairs"),
        rows,
        {"workload": asked.workload, "bar": BAR, **data},
    )
    if data[names[0]]["estimate"] > BAR:
        raise SystemExit(1)


def _play(guest: Guest, run: Planned, elf: bytes | None) -> tuple[int, int, int]:
    """CPU time of the guest in us, elapsed time and CPU time of the tasks in ns."""
    if elf is not None:
        guest.probe_start(elf, slot_ns=SLOT_NS)
    reading = guest.play(run.plan, name_seed=0, deadline_s=DEADLINE_S)
    if elf is not None:
        guest.probe_stop()
    if reading.result.end.verdict != SimVerdict.DONE:
        raise SystemExit(f"the play: {reading.result.end}")
    if not reading.machine_cpu_us:
        raise SystemExit("nobody sees the guest's CPU time here")
    return reading.machine_cpu_us, reading.wall_ns, reading.cpu_ns


if __name__ == "__main__":
    main()
