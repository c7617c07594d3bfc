"""Options and choices that commands which measure have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schedops.cli.common import FiniteRange

if TYPE_CHECKING:
    from pathlib import Path

    from schedops.ports import KernelImage, Kernels

F = TypeVar("F", bound=Callable[..., Any])

_SCALE = click.option(
    "--scale", type=FiniteRange(0.25, 16), default=1.0, show_default=True, help="factor on the number of jobs"
)
_GUEST = (
    click.option("--kernel", metavar="K", help="kernel to measure on [default: the newest that the fleet file names]"),
    click.option("--cpus", type=click.IntRange(1, 64), default=2, show_default=True, help="CPUs of the guest"),
    click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="of job lengths and arrivals"),
)


def size_options(function: F) -> F:
    """Add --kernel, --cpus, --seed and --scale."""
    return guest_options(_SCALE(function))


def guest_options(function: F) -> F:
    """Add --kernel, --cpus and --seed."""
    for option in reversed(_GUEST):
        function = option(function)
    return function


def bench_image(root: Path, wanted: str | None, kernels: Kernels) -> KernelImage:
    """The kernel to measure on. Raises as :func:`schedops.pipeline.kernels.bench_kernel`."""
    from schedops.errors import InputError
    from schedops.pipeline.kernels import bench_kernel, fleet_kernels
    from schedops.repository import load_fleet

    if wanted is not None:
        return bench_kernel(wanted, (), kernels)
    try:
        fleet, _ = fleet_kernels(load_fleet(root), kernels)
    except InputError:
        fleet = ()  # a broken or missing fleet file is no reason not to measure
    return bench_kernel(None, fleet, kernels)
