"""Which kernels a line runs on."""

from __future__ import annotations

from schedops.errors import InputError, Unavailable
from schedops.model.fleet import Fleet, FleetKernel
from schedops.ports import KernelImage, Kernels


def fleet_kernels(fleet: Fleet, kernels: Kernels) -> tuple[tuple[KernelImage, ...], tuple[str, ...]]:
    """The fleet's kernels that are at hand, in the order of the file, and the names of those that are not."""
    images: list[KernelImage] = []
    missing: list[str] = []
    for wanted in fleet.kernels:
        image = kernels.find(wanted.btf_sha256 or wanted.release)
        if image is None:
            missing.append(_name(wanted))
        elif image not in images:
            images.append(image)
    return tuple(images), tuple(missing)


def bench_kernel(wanted: str | None, fleet: tuple[KernelImage, ...], kernels: Kernels) -> KernelImage:
    """The kernel to profile and measure on: the one asked for, else the newest of the fleet, else of the store.

    :raises InputError: the one asked for is not in the store.
    :raises Unavailable: the store has none.
    """
    if wanted is not None:
        image = kernels.find(wanted)
        if image is None:
            raise InputError(
                "no-such-kernel",
                f"kernel {wanted} is not in the store",
                hint=f"schedops kernel fetch {wanted}   (`schedops kernel list` shows what is at hand)",
            )
        return image
    stored = kernels.list()
    if not stored:
        raise Unavailable("no-kernel", "there is no kernel to run a guest on", hint="schedops kernel fetch")
    of_fleet = [image for image in stored if image in fleet]
    return (of_fleet or stored)[-1]


def _name(wanted: FleetKernel) -> str:
    return f"{wanted.release} ({wanted.btf_sha256[:12]})" if wanted.btf_sha256 else wanted.release
