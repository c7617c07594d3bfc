"""``schedops kernel``: kernels for the micro-VM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import Group, answers, output_option
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.adapters.kernel.kernel_archive import Offer
    from schedops.adapters.kernel.known_offers import KnownKernel
    from schedops.ports import KernelImage

_MIRROR = click.option("--mirror", metavar="URL", help="Debian archive to use instead of this machine's own")


@click.group(cls=Group)
def kernel() -> None:
    """Kernels for the micro-VM: list, fetch, add.

    \b
    Example:
      schedops kernel fetch 6.16 7.3
      schedops kernel list
    """


@kernel.command("list")
@click.option("--available", is_flag=True, help="what the Debian archive offers, with what is known of it")
@_MIRROR
@output_option
@answers("kernel list")
def list_(*, available: bool, mirror: str | None) -> Answer:
    """Kernels in the store, and what is known of the others; with --available the archive is asked now.

    good: in the store, policies run on it. broken: it was fetched and no policy can run on it, with the reason.
    absent: the archive has it, nobody has looked at it.

    \b
    Example:
      schedops kernel list
      schedops kernel list --available
    """
    return _offers(mirror) if available else _store()


@kernel.command()
@click.argument("wanted", nargs=-1)
@click.option("--available", is_flag=True, help="fetch nothing, list what is on offer")
@_MIRROR
@output_option
@answers("kernel fetch")
def fetch(*, wanted: tuple[str, ...], available: bool, mirror: str | None) -> Answer:
    """Fetch kernels from the Debian archive; without WANTED, those the fleet file names.

    WANTED is a release or the beginning of one; the newest that policies can run on is taken. Nothing is installed.

    \b
    Example:
      schedops kernel fetch 7.3
      schedops kernel fetch
    """
    if available:
        return _offers(mirror)
    from schedops.adapters.console import console_progress
    from schedops.adapters.kernel.kernel_archive import KernelArchive
    from schedops.adapters.kernel.kernels import KernelStore

    with console_progress() as progress:
        archive = KernelArchive(KernelStore(), progress=progress, mirror=mirror)
        return _answer([archive.fetch(name) for name in wanted or fleet_kernels()])


@kernel.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--name", help="name in the store; by default its release")
@output_option
@answers("kernel add")
def add(*, path: Path, name: str | None) -> Answer:
    """Add a kernel of your own: any bzImage (/boot/vmlinuz-*) or vmlinux that policies can run on.

    \b
    Example:
      schedops kernel add /boot/vmlinuz-7.3.4 --name ours
    """
    from schedops.adapters.kernel.kernel_file import read_kernel
    from schedops.adapters.kernel.kernels import KernelStore

    return _answer([KernelStore().put(read_kernel(path), source="added", name=name)])


def fleet_kernels() -> tuple[str, ...]:
    """What the fleet file of this repository (else the starter one) asks for: releases, or BTF digests.

    :raises InputError: the file is wrong.
    """
    from schedops.pipeline.kernels import fleet_of
    from schedops.repository import open_tree

    fleet = fleet_of(open_tree(Path.cwd()).root)
    return tuple(kernel.btf_sha256 or kernel.release for kernel in fleet.kernels)


def _store() -> Answer:
    from schedops.adapters.kernel.kernels import KernelStore
    from schedops.adapters.kernel.known_offers import known_kernels

    store = KernelStore()
    images, known = store.list(), known_kernels(store)
    broken = [one for one in known if one.state == "broken"]
    absent = [one for one in known if one.state == "absent"]
    data = {
        "kernels": [{**_row(image), "state": "good"} for image in images],
        "broken": [{"release": one.release, "suite": one.suite, "reason": one.reason} for one in broken],
        "absent": [{"release": one.release, "suite": one.suite, "download_bytes": one.size_bytes} for one in absent],
    }
    lines = [f"good    {_line(image)}" for image in images]
    lines += [f"broken  {one.release:32}  {one.reason.removeprefix(f'{one.release}: ')}" for one in _newest(broken)]
    lines += [f"absent  {one.release:32}  {one.size_bytes / 1e6:.1f} MB from {one.suite}" for one in _newest(absent)]
    if not images:
        lines = ["no kernel yet; `schedops kernel fetch` fetches those the fleet file names", *lines]
    more = len(known) - len(_newest(broken)) - len(_newest(absent))
    others = f"{more} more of the same series; " if more else ""
    lines.append(f"{others}`schedops kernel list --available` asks the archive")
    return Answer(data, "\n".join(lines))


def _newest(known: list[KnownKernel]) -> list[KnownKernel]:
    """The newest of each series, such as 7.2."""
    found: dict[str, KnownKernel] = {}
    for one in known:
        found.setdefault(".".join(one.release.split(".")[:2]), one)
    return list(found.values())


def _answer(images: list[KernelImage] | tuple[KernelImage, ...]) -> Answer:
    return Answer({"kernels": [_row(image) for image in images]}, "\n".join(_line(image) for image in images))


def _row(image: KernelImage) -> dict[str, str]:
    return {
        "name": image.kernel.name,
        "release": image.kernel.release,
        "btf_sha256": image.kernel.btf_sha256,
        "vmlinux_sha256": image.kernel.vmlinux_sha256,
        "source": image.kernel.source,
        "directory": str(image.directory),
    }


def _line(image: KernelImage) -> str:
    kernel = image.kernel
    alias = "" if kernel.name == kernel.release else f"  called {kernel.name}"
    return f"{kernel.release:32}  btf {kernel.btf_sha256[:8]}  {kernel.source}{alias}"


def _offers(mirror: str | None) -> Answer:
    from schedops.adapters.console import console_progress
    from schedops.adapters.kernel.kernel_archive import KernelArchive
    from schedops.adapters.kernel.kernels import KernelStore

    store = KernelStore()
    at_hand = {image.kernel.release for image in store.list() if image.kernel.source == "debian"}
    with console_progress() as progress:
        offers = list(KernelArchive(store, progress=progress, mirror=mirror).offers())
    rows = [
        {
            "release": offer.release,
            "suite": offer.suite,
            "download_bytes": offer.size_bytes,
            "verdict": _verdict(offer, at_hand),
            "reason": offer.refused,
        }
        for offer in offers
    ]
    lines = [f"{o.release:32}  {o.suite:16}  {o.size_bytes / 1e6:5.1f} MB  {_in_words(o, at_hand)}" for o in offers]
    return Answer({"available": rows}, "\n".join(lines))


def _verdict(offer: Offer, at_hand: set[str]) -> str:
    if offer.refused:
        return "refused"
    return "good" if offer.release in at_hand else "not-looked-at"


def _in_words(offer: Offer, at_hand: set[str]) -> str:
    if offer.refused:
        return "refused: " + offer.refused.removeprefix(f"{offer.release}: ")
    return "good, in the store" if offer.release in at_hand else "not looked at yet: fetching it decides"
