"""Which kernels a line runs on, and which it says are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.errors import InputError, Unavailable
from schedops.model.fleet import Fleet, FleetKernel
from schedops.model.kernel import Kernel
from schedops.pipeline.kernels import bench_kernel, fleet_kernels
from schedops.ports import KernelImage


def image(release: str) -> KernelImage:
    kernel = Kernel(name=release, release=release, btf_sha256=release * 4, vmlinux_sha256="0" * 64, source="added")
    return KernelImage(kernel, Path("/nowhere") / release)


class Kernels:
    def __init__(self, *releases: str) -> None:
        self._images = tuple(image(release) for release in releases)

    def list(self) -> tuple[KernelImage, ...]:
        return self._images

    def find(self, wanted: str) -> KernelImage | None:
        return next((one for one in reversed(self._images) if one.kernel.release.startswith(wanted)), None)


FLEET = Fleet(kernels=(FleetKernel(release="6.16"), FleetKernel(release="7.3")), groups=())


def test_what_is_not_at_hand_is_said() -> None:
    images, missing = fleet_kernels(FLEET, Kernels("7.3.4"))
    assert ([one.kernel.release for one in images], missing) == (["7.3.4"], ("6.16",))


def test_two_names_of_one_kernel_are_one() -> None:
    fleet = Fleet(kernels=(FleetKernel(release="7.3"), FleetKernel(release="7.3.4")), groups=())
    images, missing = fleet_kernels(fleet, Kernels("7.3.4"))
    assert (len(images), missing) == (1, ())


def test_the_newest_of_the_fleet_is_measured_on_even_when_the_store_has_newer_ones() -> None:
    store = Kernels("6.16.12", "7.3.4", "8.0.1")
    images, _ = fleet_kernels(FLEET, store)
    assert bench_kernel(None, images, store).kernel.release == "7.3.4"


def test_without_a_kernel_of_the_fleet_the_newest_of_the_store() -> None:
    assert bench_kernel(None, (), Kernels("6.18.1", "7.0.1")).kernel.release == "7.0.1"


def test_an_empty_store_could_not_measure() -> None:
    with pytest.raises(Unavailable) as caught:
        bench_kernel(None, (), Kernels())
    assert (caught.value.code, caught.value.hint) == ("no-kernel", "schedops kernel fetch")


def test_a_kernel_that_was_asked_for_is_not_replaced_by_another() -> None:
    with pytest.raises(InputError) as caught:
        bench_kernel("9.9", (), Kernels("7.3.4"))
    assert caught.value.code == "no-such-kernel"
