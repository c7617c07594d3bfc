"""What one measured run of a workload looked like, and the class that follows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure, with how it was measured."""

    name: str
    value: float
    unit: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFinding:
    """A workload class and the figures that decided it, in words."""

    name: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Made by running the workload once under the default scheduler."""

    workload: str
    kernel: str
    cpus: int
    seed: int
    accelerator: str
    figures: tuple[Figure, ...]
    classes: tuple[ClassFinding, ...]
    cpu_ms_quantiles: tuple[float, ...]  # CPU time per job: min, 25, 50, 75, 95 %, max
