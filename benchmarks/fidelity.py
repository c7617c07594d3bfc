"""How far the simulator can be believed: the same workloads and policies on it and on a kernel, to docs/fidelity.md.

    python benchmarks/fidelity.py [--rounds N] [--minutes M] [--workload W...] [--policy P...] [--kernel K]
                                  [--samples FILE] [--page-only] [--to FILE]

What the guest shows is kept in --samples after every round of a workload; a round that is there is not played again, so
a run that was broken off goes on, and --page-only makes the page anew without a VM. Samples of a workload or a policy
that has changed since do not count. Why cells are off is kept by hand in a file beside the page, of the same name in
.txt: `workload / policy / figure: reason` a line, with patterns; the page takes it in.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from fidelity import samples as kept
from fidelity.cells import AGAIN, DEFAULTS, MEASURES, POLICIES, REFERENCE, Arm, inputs_digest, load
from fidelity.costs import lab, machine_of, simulated
from fidelity.judging import Values, cells_of, noise_of
from fidelity.measured import Bed, blocks_of, measure
from fidelity.page import Facts, page_of
from fidelity.picture import picture_of
from fidelity.reasons import read_reasons
from fidelity.samples import Host, Samples
from fidelity.simulated import simulate
from measuring import Lines
from simulating import ROOT, simulator

from schedops.errors import InputError, SchedopsError
from schedops.pipeline.compare import build
from schedops.pipeline.kernels import bench_kernel
from schedops.ports import SimScheduler
from schedops.repository import find_policy
from schedops.wiring import world

KERNEL = "6.18"
ROUNDS = 8  # as many as schedulers: then the order is balanced, and intervals are exact


def main(words: Sequence[str] | None = None) -> int:
    asked = _asked(words)
    arms = (Arm(REFERENCE), Arm(AGAIN), *(Arm(name, find_policy(ROOT, name)) for name in asked.policy))
    try:
        samples = kept.read(asked.samples)
        if not asked.page_only:
            samples = _measured(asked, arms, samples)
        if samples is None:
            raise InputError("no-samples", f"{asked.samples} is not there")
        _write(asked, arms, samples)
    except SchedopsError as error:
        print(f"{error.code}: {error.message}\n{error.detail}".rstrip(), file=sys.stderr)
        return error.exit_code
    return 0


def _measured(asked: argparse.Namespace, arms: Sequence[Arm], samples: Samples | None) -> Samples:
    joined = world(Lines())
    image = bench_kernel(asked.kernel, (), joined.kernels)
    accelerator = joined.machines.accelerator()
    host = Host(image.kernel.release, accelerator.name, accelerator.qemu_version)
    if samples is not None and samples.host != host:
        raise InputError("other-host", f"{asked.samples} is of {samples.host}, this is {host}: give another --samples")
    samples = samples or Samples(host)
    samples.date = f"{datetime.now(tz=UTC):%Y-%m-%d}"  # noqa: TID251 - the day of the measurement
    objects = {arm.name: build(arm.source, (), image, world=joined).elf for arm in arms if arm.source}
    bed = Bed(
        machines=joined.machines,
        image=image,
        arms=arms,
        objects=objects,
        clock=joined.clock,
        tell=_tell,
        budget_s=60 * asked.minutes,
    )
    measure(bed, blocks_of(asked.workload, asked.rounds, arms), samples, asked.samples)
    return samples


def _write(asked: argparse.Namespace, arms: Sequence[Arm], samples: Samples) -> None:
    measured, left_out = _usable(asked.workload, arms, samples)
    rounds = sorted({number for workload in measured.values() for number in workload})
    if not rounds or REFERENCE not in samples.hops:
        raise InputError("no-samples", f"{asked.samples} has none of these workloads as they are now")
    _tell(f"simulating {len(measured)} workloads, {len(rounds)} rounds")
    machine = machine_of(samples.hops[REFERENCE], simulator())
    ours = simulate(measured, arms, rounds, machine=machine, simulator=simulator())
    picture = asked.to.with_suffix(".svg")
    facts = Facts(
        date=samples.date,
        host=samples.host,
        machine=machine,
        hops=samples.hops,
        simulated_hops={
            arm.name: simulated(machine, simulator(), SimScheduler(arm.name, arm.source))
            for arm in arms
            if arm.name != AGAIN
        },
        rounds=len(rounds),
        cells=cells_of(ours, measured, [arm.name for arm in arms if arm.name not in DEFAULTS]),
        noise=noise_of(measured),
        simulated=ours,
        measured=measured,
        reasons=read_reasons(asked.to.with_suffix(".txt")),
        left_out=tuple(left_out),
        picture=picture.name,
    )
    asked.to.parent.mkdir(parents=True, exist_ok=True)
    asked.to.write_text(page_of(facts), encoding="utf-8")
    picture.write_bytes(picture_of(facts.cells))
    _tell(f"{asked.to} and {picture} are of {len(facts.cells)} cells")


def _usable(
    workloads: Sequence[str], arms: Sequence[Arm], samples: Samples
) -> tuple[dict[str, dict[int, dict[str, Values]]], list[str]]:
    """Workload, round, arm: what counts; and why the others do not."""
    loaded, known, machine = {name: load(name) for name in workloads}, {arm.name: arm for arm in arms}, lab()
    found: dict[str, dict[int, dict[str, Values]]] = {name: {} for name in workloads}
    left_out = []
    for one in samples.runs:
        if one.workload not in loaded or one.arm not in known:
            continue
        now = inputs_digest(loaded[one.workload], known[one.arm], number=one.number, machine=machine)
        why = one.why if one.digest == now else "the workload or the policy changed since"
        if why:
            left_out.append(f"{one.workload}, round {one.number + 1}, {one.arm}: {why}")
        else:
            found[one.workload].setdefault(one.number, {})[one.arm] = one.values
    return {name: rounds for name, rounds in found.items() if rounds}, left_out


def _tell(text: str) -> None:
    print(f"fidelity: {text}", file=sys.stderr, flush=True)


def _asked(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--minutes", type=float, default=math.inf, help="no round of a workload begins after so long")
    parser.add_argument("--workload", nargs="+", default=list(MEASURES), choices=list(MEASURES), metavar="W")
    parser.add_argument("--policy", nargs="+", default=list(POLICIES), choices=POLICIES, metavar="P")
    parser.add_argument("--kernel", default=KERNEL, help=f"default: {KERNEL}, whose rules the simulator follows")
    parser.add_argument("--samples", type=Path, default=ROOT / "docs" / "fidelity.json")
    parser.add_argument("--page-only", action="store_true", help="from the samples that are there, without a VM")
    parser.add_argument("--to", type=Path, default=ROOT / "docs" / "fidelity.md")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
