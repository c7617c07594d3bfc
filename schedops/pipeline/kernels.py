"""Which kernels a line runs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from schedops.errors import InputError, Refused, Unavailable
from schedops.model.fleet import Fleet, FleetKernel
from schedops.ports import Archive, KernelImage, Kernels
from schedops.repository.documents import FLEET, load_fleet
from schedops.repository.tree import POLICIES
from schedops.schema.files import data_dir

Note = Callable[[str], None]


def fleet_of(root: Path) -> Fleet:
    """The fleet file of this tree; where there is none, the one that comes with schedops, whose kernels are the oldest
    and the newest good one on offer.

    :raises InputError: the file is wrong.
    """
    has_its_own = (root / POLICIES / FLEET).exists()
    return load_fleet(root if has_its_own else data_dir(POLICIES).parent)


def default_images(
    wanted: Sequence[str], fleet: Fleet, kernels: Kernels, *, archive: Archive | None, note: Note
) -> tuple[tuple[KernelImage, ...], tuple[str, ...]]:
    """The kernels to verify on: those asked for, else the fleet's; what is not in the store is fetched.

    :param wanted: names, releases, their beginnings or BTF digests.
    :param fleet: of the repository, or the one that comes with schedops: the oldest and the newest good kernel.
    :param archive: None: nothing is fetched.
    :param note: told why one could not be fetched.
    :return: images, and the names of the fleet's kernels that are not at hand.
    :raises InputError: one that was asked for by name is neither in the store nor in the archive.
    :raises Unavailable: none is at hand, or one that was asked for cannot be fetched now.
    """
    if wanted:
        asked = (kernels.find(one) or _fetched(one, archive) for one in wanted)
        return tuple(dict.fromkeys(asked)), ()
    for one in fleet.kernels:
        if archive is not None and not one.btf_sha256 and kernels.find(one.release) is None:
            try:
                archive.fetch(one.release)
            except (Unavailable, Refused) as error:
                note(f"{error.message} ({error.code})")
    images, missing = fleet_kernels(fleet, kernels)
    if not images:
        names = ", ".join(missing) or "none: the fleet file names no kernel"
        text = f"no kernel to verify on is at hand; wanted: {names}"
        raise Unavailable("no-kernel", text, hint="`schedops kernel fetch` fetches those the fleet file names")
    return images, missing


def _fetched(wanted: str, archive: Archive | None) -> KernelImage:
    try:
        if archive is not None:
            return archive.fetch(wanted)
    except Unavailable as error:
        if error.code != "no-such-kernel":
            raise
    raise _no_such(wanted)


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
            raise _no_such(wanted)
        return image
    stored = kernels.list()
    if not stored:
        raise Unavailable("no-kernel", "there is no kernel to run a guest on", hint="schedops kernel fetch")
    of_fleet = [image for image in stored if image in fleet]
    return (of_fleet or stored)[-1]


def _name(wanted: FleetKernel) -> str:
    return f"{wanted.release} ({wanted.btf_sha256[:12]})" if wanted.btf_sha256 else wanted.release


def _no_such(wanted: str) -> InputError:
    hint = f"schedops kernel fetch {wanted}   (`schedops kernel list` shows what is at hand)"
    return InputError("no-such-kernel", f"kernel {wanted} is not in the store", hint=hint)
