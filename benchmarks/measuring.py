"""What the benchmarks that run the bench stage have in common."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schedops.model.event import Event
from schedops.model.policy import PolicySource
from schedops.model.workload import Workload
from schedops.pipeline.compare import Size
from schedops.pipeline.kernels import bench_kernel
from schedops.ports import KernelImage, World
from schedops.repository import find_policy, load_workload
from schedops.wiring import world

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything a benchmark needs."""

    workload: Workload
    source: PolicySource
    image: KernelImage
    size: Size
    world: World


class Lines:
    """Progress on stderr."""

    def emit(self, event: Event) -> None:
        """See the port ``Progress``."""
        print(f"{event.stage}: {event.text}", file=sys.stderr, flush=True)


def options(description: str, *, workload: str, rounds: int | None) -> argparse.ArgumentParser:
    """The options all of them take."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--workload", default=workload)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--cpus", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kernel", help="default: the newest of the store")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="busy processes on the host meanwhile")
    return parser


def setting(asked: argparse.Namespace, policy: str) -> Setting:
    """This repository's own workload and policy, the machine's own kernels."""
    joined = world(Lines())
    return Setting(
        workload=load_workload(ROOT, asked.workload),
        source=find_policy(ROOT, policy),
        image=bench_kernel(asked.kernel, (), joined.kernels),
        size=Size(cpus=asked.cpus, scale=asked.scale, seed=asked.seed),
        world=joined,
    )


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep *count* processes spinning on the host; they are gone afterwards, also after an error."""
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(count)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.join()


def show(header: Sequence[str], rows: Sequence[Sequence[str]], data: Mapping[str, object]) -> None:
    """A markdown table for people, then one JSON line for scripts."""
    print(markdown(header, rows))
    print(json.dumps(data, sort_keys=True, allow_nan=False))


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(line) + " |" for line in (header, ["---"] * len(header), *rows))


def _spin() -> None:
    while True:
        pass
