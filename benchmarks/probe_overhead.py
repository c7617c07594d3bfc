"""What the probes cost a workload: plain and probed plays by turns, in pairs with random first order, in one guest.

``python benchmarks/probe_overhead.py [--workload pipe-groups] [--scale 4] [--rounds 20] [--kernel 7.3] [--busy N]``.
Bar: the estimate of the pairs' change of elapsed time is at most 5 %. Loading the probes and reading what they counted
is not in it: they watch a run that is there.
"""

from __future__ import annotations

import math
import random
import sys

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
    asked = options(__doc__ or "", workload="pipe-groups", rounds=20).parse_args()
    now = setting(asked, "fifo")
    elf = probes(now.world)(now.image)
    machine = flat_machine(asked.cpus)
    run = planned(now.workload, machine=machine, seed=asked.seed, arm="candidate", scale=asked.scale)
    order = random.Random(asked.seed)
    walls, cpus = [], []
    with busy(asked.busy), now.world.machines.boot(now.image, cpus=asked.cpus) as guest:
        for number in range(asked.rounds + WARM_UP):
            turns = [True, False] if order.random() < 0.5 else [False, True]
            seen = {probed: _play(guest, run, elf if probed else None) for probed in turns}
            if number >= WARM_UP:
                walls.append(math.log(seen[True][0] / seen[False][0]))
                cpus.append(math.log(seen[True][1] / seen[False][1]))
            print(f"# pair {number}: {seen[True][0] / seen[False][0] - 1:+.1%}", file=sys.stderr)
    rows, data = [], {}
    for name, logs in (("elapsed time", walls), ("CPU time of the tasks", cpus)):
        found = paired_interval(logs, confidence=0.95)
        low, middle, high = (math.expm1(one) for one in (found.low, found.estimate, found.high))
        rows.append((name, f"{middle:+.1%}", f"{low:+.1%} .. {high:+.1%}", str(len(logs))))
        data[name] = {"estimate": middle, "low": low, "high": high}
    show(("with probes", "change", "95 % interval", "pairs"), rows, {"workload": asked.workload, "bar": BAR, **data})
    if data["elapsed time"]["estimate"] > BAR:
        raise SystemExit(1)


def _play(guest: Guest, run: Planned, elf: bytes | None) -> tuple[int, int]:
    """Elapsed and CPU time in ns."""
    if elf is not None:
        guest.probe_start(elf, slot_ns=SLOT_NS)
    reading = guest.play(run.plan, name_seed=0, deadline_s=DEADLINE_S)
    if elf is not None:
        guest.probe_stop()
    if reading.result.end.verdict != SimVerdict.DONE:
        raise SystemExit(f"the play: {reading.result.end}")
    return reading.wall_ns, reading.cpu_ns


if __name__ == "__main__":
    main()
