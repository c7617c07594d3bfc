"""A laboratory whose runs are a formula of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from schedops.agent.lab import DEFAULT, Candidate, Reading
from schedops.agent.space import values_of
from schedops.agent.trials import Terms
from schedops.model.search import SETTINGS
from schedops.model.workload import Workload

Formula = Callable[[str, Mapping[str, int], int], Mapping[str, float] | str]


class Lab:
    """:param formula: (candidate, values, seed) -> metrics, or in words why there are none.

    :param seconds_a_run: by which its clock goes on.
    """

    def __init__(self, formula: Formula, *, seconds_a_run: float = 0.0) -> None:
        self.formula = formula
        self.seconds_a_run = seconds_a_run
        self.asked: list[tuple[str, int]] = []
        self._known: dict[tuple[str, int], Reading] = {}

    def run(self, asked: Sequence[tuple[Candidate, int]]) -> list[Reading]:
        return [self._one(*one) for one in asked]

    def runs(self) -> int:
        return len(self._known)

    def seconds(self) -> float:
        return self.seconds_a_run * len(self._known)

    def _one(self, candidate: Candidate, seed: int) -> Reading:
        key = (candidate.label, seed)
        if key not in self._known:
            self.asked.append(key)
            values = values_of(candidate) if candidate.source is not None else {}
            found = self.formula(candidate.name, values, seed)
            self._known[key] = Reading(None, found) if isinstance(found, str) else Reading(found)
        return self._known[key]


def is_default(name: str) -> bool:
    return name in {DEFAULT, SETTINGS}


def terms(workload: Workload, **changes: object) -> Terms:
    given: dict[str, object] = {
        "workload": workload,
        "workload_sha256": "0" * 64,
        "machine": "flat-2",
        "machine_sha256": "1" * 64,
        "cpus": 2,
        "scale": 1.0,
        "seed": 1,
        "trials": 40,
        "seconds": 0.0,
        "sampler": "tpe",
        "training_seeds": tuple(range(8)),
        "fresh_seeds": tuple(range(100, 110)),
    }
    return Terms(**(given | changes))
