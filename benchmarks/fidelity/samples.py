"""What the guest showed, kept in one file of JSON, so that a run that was broken off goes on and a page needs no VM."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from schedops.errors import InputError
from schedops.schema.files import read_bounded

from .judging import Values

FORMAT = 1
MAX_BYTES = 16 << 20
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Host:
    """Where it was measured; samples of two of these are never mixed."""

    kernel: str
    accelerator: str
    qemu: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hops:
    """What it takes in the guest under one scheduler: medians of wake-ups in ns, from the waker's call to running.

    :param same_ns: of a task that is handed a token on its waker's CPU, which waits then.
    :param other_ns: the same on the other CPU; tokens are handed to and fro so quickly that it hardly falls asleep.
    :param asleep_ns: the same on the other CPU, which idled for half a millisecond.
    :param work: wall time of planned work by its plan, while nothing else runs; *both*: while both CPUs work.
    """

    same_ns: float
    other_ns: float
    asleep_ns: float
    work: float
    both: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run.

    :param order: place in its round.
    :param digest: of the workload and the policy that ran.
    :param values: figures by name; none where *why* says why the run does not count.
    """

    workload: str
    number: int
    arm: str
    order: int
    digest: str
    values: Values
    why: str = ""
    seconds: float = 0.0


@dataclass
class Samples:
    """Everything measured, in the order it was."""

    host: Host
    date: str = ""
    hops: dict[str, Hops] = field(default_factory=dict)
    runs: list[Sample] = field(default_factory=list)

    def has(self, workload: str, number: int, digests: Mapping[str, str]) -> bool:
        """The round is there with all of these arms, of just these inputs."""
        found = {one.arm: one.digest for one in self.runs if one.workload == workload and one.number == number}
        return all(found.get(arm) == digest for arm, digest in digests.items())

    def put(self, runs: list[Sample]) -> None:
        """A round of a workload; what was known of it goes."""
        places = {(one.workload, one.number) for one in runs}
        self.runs = [one for one in self.runs if (one.workload, one.number) not in places] + runs

    def save(self, path: Path) -> None:
        """Whole or not at all; a line for each run."""
        head = {"format": FORMAT, "host": asdict(self.host), "date": self.date}
        head["hops"] = {arm: asdict(hops) for arm, hops in self.hops.items()}
        lines = ",\n".join(json.dumps(_entry(one), sort_keys=True, allow_nan=False) for one in self.runs)
        text = f'{json.dumps(head, allow_nan=False)[:-1]}, "runs": [\n{lines}\n]}}\n'
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)


def read(path: Path) -> Samples | None:
    """What is there; None when there is nothing. :raises InputError: it is something else."""
    if not path.exists():
        return None
    try:
        return _samples(json.loads(read_bounded(path, limit=MAX_BYTES)))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("bad-samples", f"{path} holds no samples: {error}", hint="give another --samples") from None


def _samples(data: dict[str, Any]) -> Samples:
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']}, not {FORMAT}")
    hops = {arm: Hops(**one) for arm, one in data["hops"].items()}
    return Samples(Host(**data["host"]), data["date"], hops, [Sample(**one) for one in data["runs"]])


def _entry(sample: Sample) -> dict[str, Any]:
    entry = asdict(sample)
    entry["values"] = {name: float(f"{value:.{_DIGITS}g}") for name, value in sorted(sample.values.items())}
    return entry
