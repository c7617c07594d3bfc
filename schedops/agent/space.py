"""What can be chosen: the policies of a list and the values of their parameters, drawn one after the other. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from schedops.agent.lab import Candidate
from schedops.model.policy import Param, ParamValue, PolicySource

_STEPS = 8  # each way from the default, in half powers of two: a sixteenth of it to sixteen times
_HOST_UNITS = {"levels"}
Decisions = dict[str, int | str]


class Draw(Protocol):
    """Whoever decides."""

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number, both ends in; neighbours are alike."""

    def choice(self, name: str, options: Sequence[str]) -> str:
        """One of them."""


class Space(Protocol):
    """Candidates that a search may draw from."""

    def draw(self, draw: Draw) -> Candidate:
        """The one that these decisions mean."""

    def begins(self) -> Sequence[Decisions]:
        """What is tried before anything is drawn."""

    def aspects(self, candidate: Candidate) -> Sequence[str]:
        """What of it could be put back."""

    def reset(self, candidate: Candidate, aspect: str) -> Candidate:
        """The same but for that, which is as simple as can be."""


@dataclass(frozen=True, slots=True)
class PolicySpace:
    """Policies with any values of their parameters.

    :param begin: one candidate a policy; what is not searched keeps its value.
    """

    begin: tuple[Candidate, ...]

    def draw(self, draw: Draw) -> Candidate:
        """See the protocol."""
        names = [one.name for one in self.begin]
        name = draw.choice("policy", names) if len(names) > 1 else names[0]
        begin = self.begin[names.index(name)]
        assert begin.source is not None
        values = values_of(begin)
        for param, steps in _searched(begin):
            values[param.name] = steps[draw.whole(f"{name}.{param.name}", 0, len(steps) - 1)]
        return with_values(begin.source, values)

    def begins(self) -> Sequence[Decisions]:
        """See the protocol."""
        found: list[Decisions] = []
        for one in self.begin:
            values = values_of(one)
            decisions: Decisions = {"policy": one.name} if len(self.begin) > 1 else {}
            for param, steps in _searched(one):
                decisions[f"{one.name}.{param.name}"] = steps.index(values[param.name])
            found.append(decisions)
        return found

    def aspects(self, candidate: Candidate) -> Sequence[str]:
        """See the protocol."""
        found, before = values_of(candidate), self._before(candidate)
        return [name for name in found if found[name] != before[name]]

    def reset(self, candidate: Candidate, aspect: str) -> Candidate:
        """See the protocol."""
        assert candidate.source is not None
        return with_values(candidate.source, {**values_of(candidate), aspect: self._before(candidate)[aspect]})

    def _before(self, candidate: Candidate) -> dict[str, int]:
        # A policy that is no finalist was never moved.
        return next((values_of(one) for one in self.begin if one.name == candidate.name), values_of(candidate))


def _searched(begin: Candidate) -> Iterator[tuple[Param, tuple[int, ...]]]:
    assert begin.source is not None
    values = values_of(begin)
    for param in begin.source.policy.params:
        steps = tuple(sorted({*grid(param), values[param.name]}))
        if is_searched(param):
            yield param, steps


def is_searched(param: Param) -> bool:
    """Its value is a matter of choice.

    Not where it describes the host, nor where 0 is the default of a quantity: then 0 says that the policy decides.
    """
    return param.unit not in _HOST_UNITS and (param.default != 0 or param.max == 1) and param.min < param.max


def grid(param: Param) -> tuple[int, ...]:
    """The values that are tried, sorted: the default, half powers of two from it, both ends of the range."""
    if param.max - param.min <= 1:
        return tuple(range(param.min, param.max + 1))
    steps = (_two_digits(param.default * 2 ** (step / 2)) for step in range(-_STEPS, _STEPS + 1))
    inside = {value for value in steps if param.min <= value <= param.max}
    return tuple(sorted({param.default, param.min, param.max, *inside}))


def with_values(source: PolicySource, values: Mapping[str, int]) -> Candidate:
    """A policy with values; those that are its defaults are left out."""
    defaults = {one.name: one.default for one in source.policy.params}
    chosen = [ParamValue(name=name, value=values[name]) for name in sorted(values) if values[name] != defaults[name]]
    return Candidate(source.policy.name, source, tuple(chosen))


def values_of(candidate: Candidate) -> dict[str, int]:
    """Every parameter of its policy with the value it has."""
    assert candidate.source is not None
    chosen = {one.name: one.value for one in candidate.params}
    return {one.name: chosen.get(one.name, one.default) for one in candidate.source.policy.params}


def _two_digits(value: float) -> int:
    whole = round(value)
    unit = 10 ** max(0, len(str(abs(whole))) - 2)
    return int(round(whole / unit) * unit)
