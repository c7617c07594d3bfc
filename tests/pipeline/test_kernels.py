"""Which kernels a line runs on, and which it says are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.errors import InputError, Unavailable
from schedops.model.fleet import Fleet, FleetKernel
from schedops.model.kernel import Kernel
from schedops.pipeline.kernels import bench_kernel, default_images, fleet_kernels, fleet_of
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


class Archive:
    """Has some releases; what is fetched is in the store from then on."""

    def __init__(self, store: Kernels, *releases: str, reachable: bool = True) -> None:
        self.store, self.releases, self.reachable = store, releases, reachable
        self.fetched: list[str] = []

    def fetch(self, wanted: str) -> KernelImage:
        self.fetched.append(wanted)
        if not self.reachable:
            raise Unavailable("archive-unreachable", "the Debian archive cannot be reached")
        found = [release for release in self.releases if release.startswith(wanted)]
        if not found:
            raise Unavailable("no-such-kernel", f"no kernel {wanted}")
        self.store._images = (*self.store._images, image(found[-1]))
        return image(found[-1])


def releases(images: tuple[KernelImage, ...]) -> list[str]:
    return [one.kernel.release for one in images]


def test_missing_kernels_of_the_fleet_are_fetched() -> None:
    store = Kernels("7.3.4")
    archive = Archive(store, "6.16.12")
    images, missing = default_images((), FLEET, store, archive=archive, note=print)
    assert (releases(images), missing, archive.fetched) == (["6.16.12", "7.3.4"], (), ["6.16"])


def test_what_cannot_be_fetched_is_named_as_missing_with_the_reason() -> None:
    notes: list[str] = []
    store = Kernels("7.3.4")
    images, missing = default_images((), FLEET, store, archive=Archive(store, reachable=False), note=notes.append)
    assert (releases(images), missing) == (["7.3.4"], ("6.16",))
    assert notes == ["the Debian archive cannot be reached (archive-unreachable)"]
    assert default_images((), FLEET, store, archive=None, note=print) == (images, missing)


@pytest.mark.parametrize("archive", [None, Archive(Kernels(), reachable=False)])
def test_none_at_hand_could_not_verify(archive: Archive | None) -> None:
    with pytest.raises(Unavailable) as caught:
        default_images((), FLEET, Kernels(), archive=archive, note=lambda _: None)
    assert (caught.value.code, caught.value.exit_code) == ("no-kernel", 69)
    assert "6.16, 7.3" in caught.value.message
    assert "schedops kernel fetch" in caught.value.hint


def test_those_asked_for_are_found_or_fetched_and_no_others() -> None:
    store = Kernels("7.3.4")
    archive = Archive(store, "6.18.15")
    images, missing = default_images(("7.3", "6.18", "7.3.4"), FLEET, store, archive=archive, note=print)
    assert (releases(images), missing) == (["7.3.4", "6.18.15"], ())
    for source in (None, Archive(store)):
        with pytest.raises(InputError) as caught:
            default_images(("9.9",), FLEET, store, archive=source, note=print)
        assert caught.value.code == "no-such-kernel"
    with pytest.raises(Unavailable):
        default_images(("9.9",), FLEET, store, archive=Archive(store, reachable=False), note=print)


def test_a_tree_without_a_fleet_file_gets_the_oldest_and_the_newest_that_come_with_schedops(tmp_path: Path) -> None:
    (tmp_path / "policies/library").mkdir(parents=True)
    assert [one.release for one in fleet_of(tmp_path).kernels] == ["6.16", "7.3"]
    text = 'apiVersion: schedops/v1\nkind: Fleet\nkernels:\n  - release: "6.18"\ngroups: []\n'
    (tmp_path / "policies/fleet.yaml").write_text(text)
    assert [one.release for one in fleet_of(tmp_path).kernels] == ["6.18"]
    (tmp_path / "policies/fleet.yaml").write_text("kernels: 3")
    with pytest.raises(InputError):
        fleet_of(tmp_path)
