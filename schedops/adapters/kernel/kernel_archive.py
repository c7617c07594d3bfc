"""Kernels that the Debian archive offers: found, downloaded, looked at, kept or refused with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import staging
from schedops.adapters.kernel.kernel_file import read_kernel
from schedops.adapters.kernel.kernels import KernelStore, matches_prefix, version_key
from schedops.adapters.kernel.known_offers import remember_offers, remember_refusal, remembered_refusal
from schedops.adapters.steps import step
from schedops.adapters.toolbox.apt import Package, PrivateApt, debian_archive, unpack
from schedops.adapters.toolbox.apt_sources import Source
from schedops.errors import Refused, Unavailable
from schedops.model.event import Event
from schedops.ports import KernelImage, Progress

# In the order they are asked: backports is small and has nearly all; the others cost 20 MB of lists.
SUITES = ("trixie-backports", "forky", "sid")
_NAME = re.compile(r"linux-(?P<part>image|binary|binary-unsigned)-(?P<release>\d\S*-cloud-amd64)")
_PREFERRED = ("binary", "binary-unsigned", "image")  # from 6.19 on the image package is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A kernel that a suite has.

    :param packages: the one with the kernel first, then the one with its configuration, if that is apart.
    :param refused: why it was refused when it was looked at; empty while nobody looked, and for good ones.
    """

    release: str
    suite: str
    packages: tuple[Package, ...]
    refused: str = ""

    @property
    def size_bytes(self) -> int:
        """Of the download."""
        return sum(package.size_bytes for package in self.packages)


class KernelArchive:
    """The Debian archive as a place where kernels come from."""

    def __init__(
        self,
        store: KernelStore,
        *,
        progress: Progress,
        mirror: str | None = None,
        suites: Sequence[str] = SUITES,
        force: bool = False,
    ) -> None:
        """:param force: fetch the package lists even when they are of today."""
        self._store = store
        self._progress = progress
        self._mirror = mirror
        self._suites = tuple(suites)
        self._force = force
        self._read: dict[str, list[Offer]] = {}

    def offers(self) -> Iterator[Offer]:
        """Suite by suite, newest first within one; a suite that is not to be had is passed over with a note.

        :raises Unavailable: no suite could be read.
        """
        archive = debian_archive(self._mirror)
        errors: list[Unavailable] = []
        for suite in self._suites:
            try:
                if suite not in self._read:
                    self._read[suite] = self._offers_of(archive, suite)
            except Unavailable as error:
                errors.append(error)
                self._note(f"{suite}: {error.message}")
                continue
            yield from (replace(offer, refused=_refusal(offer)) for offer in self._read[suite])
        if len(errors) == len(self._suites):
            raise errors[0]

    def fetch(self, wanted: str) -> KernelImage:
        """The newest good kernel whose release is *wanted* or begins with it, from the first suite that has one.

        :raises Refused: every match was looked at and is unfit.
        :raises Unavailable: nothing matches, or the archive cannot be read.
        """
        refused = []
        for offer in self.offers():
            if not matches_prefix(offer.release, wanted):
                continue
            if (there := self._store.find(offer.release)) is not None and there.kernel.source == "debian":
                return there
            try:
                return self._take(offer)
            except Refused as refusal:
                refused.append(f"{refusal.message} ({offer.suite})")
                self._note(f"refused: {refused[-1]}")
        if refused:
            raise Refused(
                "kernel-unfit",
                f"no kernel {wanted} that policies can run on",
                detail="\n".join(refused),
                hint="`schedops kernel list --available`",
            )
        raise Unavailable(
            "no-such-kernel",
            f"no kernel {wanted} in {', '.join(self._suites)}",
            hint="`schedops kernel list --available`",
        )

    def _offers_of(self, archive: Source, suite: str) -> list[Offer]:
        apt = self._apt(archive, suite)
        with step(self._progress, "kernel", f"what {suite} offers"):
            apt.update(force=self._force)
        by_release: dict[str, dict[str, str]] = {}
        for name in (*apt.names("linux-image-"), *apt.names("linux-binary-")):
            if (match := _NAME.fullmatch(name)) is not None:
                by_release.setdefault(match["release"], {})[match["part"]] = name
        chosen = {release: _names(release, parts) for release, parts in by_release.items()}
        known = {p.name: p for p in apt.offered(name for names in chosen.values() for name in names)}
        offers = [
            Offer(release=release, suite=suite, packages=tuple(known[name] for name in names if name in known))
            for release, names in chosen.items()
        ]
        offers.sort(key=lambda offer: version_key(offer.release), reverse=True)
        offers = [offer for offer in offers if offer.packages]
        remember_offers(suite, ((one.release, one.packages[0].version, one.size_bytes) for one in offers))
        return offers

    def _apt(self, archive: Source, suite: str) -> PrivateApt:
        source = replace(archive, suites=(suite,), components=("main",))
        return PrivateApt(f"kernels-{suite}", [source])

    def _take(self, offer: Offer) -> KernelImage:
        """Download, look and keep, or remember why not."""
        if offer.refused:
            raise Refused("kernel-unfit", offer.refused)
        apt = self._apt(debian_archive(self._mirror), offer.suite)
        text = f"{offer.release} from {offer.suite}, {offer.size_bytes / 1e6:.1f} MB"
        with step(self._progress, "kernel", text) as going_on, staging(cache_dir() / "downloads") as place:
            going_on.size_bytes = offer.size_bytes
            debs, root = place / "debs", place / "root"
            debs.mkdir()
            for deb in apt.download(offer.packages, debs, going_on.arrived):
                unpack(deb, root)
            try:
                file = read_kernel(_kernel_in(root), config=_config_in(root))
            except Refused as refusal:
                remember_refusal(offer.release, offer.packages[0].version, refusal.message)
                raise
            return self._store.put(file, source="debian")

    def _note(self, text: str) -> None:
        self._progress.emit(Event(kind="note", stage="kernel", text=text))


def _names(release: str, parts: dict[str, str]) -> tuple[str, ...]:
    part = next(part for part in _PREFERRED if part in parts)
    return (parts[part],) if part == "image" else (parts[part], f"linux-base-{release}")


def _kernel_in(root: Path) -> Path:
    for path in _files(root, "vmlinuz*"):
        return path
    raise Unavailable("package-empty", "the package holds no kernel", hint="`schedops kernel list --available`")


def _config_in(root: Path) -> str | None:
    # Debian keeps the signed image of a superseded kernel for longer than its linux-base package.
    for path in _files(root, "config*"):
        return path.read_text(encoding="utf-8", errors="replace")
    return None


def _files(root: Path, pattern: str) -> list[Path]:
    return sorted(path for path in root.rglob(pattern) if path.is_file() and not path.is_symlink())


def _refusal(offer: Offer) -> str:
    return remembered_refusal(offer.release, offer.packages[0].version)
