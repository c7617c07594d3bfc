"""The kernel store: one directory per kernel under the cache directory, whole or not there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.disk.staging import publish, staging
from schedops.adapters.kernel.api import api_of
from schedops.adapters.kernel.kernel_file import KernelFile
from schedops.errors import InputError
from schedops.model.kernel import Kernel, KernelApi
from schedops.ports import KernelImage
from schedops.schema.canonical import canonical_bytes
from schedops.schema.decode import decode

_FILES = ("vmlinux", "btf", "kernel.json")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,63}")


class KernelStore:
    """Implements the port ``Kernels``."""

    def __init__(self, root: Path | None = None) -> None:
        """:param root: where it lies; by default ``kernels`` in the cache directory."""
        self.root = root if root is not None else cache_dir() / "kernels"

    def list(self) -> tuple[KernelImage, ...]:
        """Sorted by version, oldest first. Damaged entries are not kernels."""
        images = [image for path in self.root.glob("*-*") if (image := _image(path)) is not None]
        return tuple(sorted(images, key=lambda image: (version_key(image.kernel.release), image.kernel.btf_sha256)))

    def find(self, wanted: str) -> KernelImage | None:
        """By name, release, release prefix ("6.16") or BTF digest (8 digits or more); the newest match."""
        images = self.list()
        for matches in (_by_name, _by_release, _by_prefix, _by_digest):
            found = [image for image in images if matches(image.kernel, wanted)]
            if found:
                return found[-1]
        return None

    def api(self, image: KernelImage) -> KernelApi:
        """See the port."""
        return api_of(image)

    def put(self, file: KernelFile, *, source: str, name: str | None = None) -> KernelImage:
        """Keep a kernel. Safe to repeat; a repeat with another *name* renames it.

        :param source: debian | added.
        :raises InputError: *name* is taken or no name; another build with this release and BTF is here already.
        """
        kernel = Kernel(
            name=name or file.release,
            release=file.release,
            btf_sha256=file.btf_sha256,
            vmlinux_sha256=file.vmlinux_sha256,
            source=source,
        )
        kernel = self._with_free_name(kernel, given=name is not None)
        target = self.root / f"{kernel.release}-{kernel.btf_sha256[:8]}"
        if (there := _image(target)) is not None:
            return self._again(there, kernel, given=name is not None)
        with staging(self.root) as place:
            entry = place / "kernel"
            _write(entry, file, kernel)
            publish(entry, target)
        return KernelImage(kernel, target)

    def _with_free_name(self, kernel: Kernel, *, given: bool) -> Kernel:
        if not _NAME.fullmatch(kernel.name):
            raise InputError("bad-name", f"{kernel.name!r} is no name: letters, digits, . _ + ~ - and at most 64")
        others = [image.kernel for image in self.list() if image.kernel.btf_sha256 != kernel.btf_sha256]
        if all(other.name != kernel.name for other in others):
            return kernel
        if given:
            raise InputError("name-taken", f"another kernel is called {kernel.name}", hint="`schedops kernel list`")
        return replace(kernel, name=f"{kernel.name}-{kernel.btf_sha256[:8]}")

    def _again(self, there: KernelImage, kernel: Kernel, *, given: bool) -> KernelImage:
        if there.kernel.vmlinux_sha256 != kernel.vmlinux_sha256:
            raise InputError(
                "kernel-differs",
                f"another build of {kernel.release} with the same BTF is in the store",
                where=str(there.directory),
                hint=f"rm -r '{there.directory}', then run it again",
            )
        if not given or there.kernel.name == kernel.name:
            return there
        renamed = replace(there.kernel, name=kernel.name)
        write_whole(there.directory / "kernel.json", canonical_bytes(renamed))
        return KernelImage(renamed, there.directory)


def version_key(release: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts releases as people do: 6.9 < 6.16, 7.3-rc1 and 7.3~rc1 < 7.3, +deb13 < +deb14."""
    text = re.sub(r"[-~]rc", "~rc", release)
    pieces = re.findall(r"\d+|[^\d]+", text)
    key = [
        (2, int(piece), "") if piece.isdigit() else (0 if piece.startswith("~") else 3, 0, piece) for piece in pieces
    ]
    return (*key, (1, 0, ""))


def matches_prefix(release: str, wanted: str) -> bool:
    """*wanted* is the beginning of *release* and does not end inside a number: "6.1" is not the beginning of 6.16."""
    if not wanted or not release.startswith(wanted):
        return False
    rest = release[len(wanted) :]
    return not (rest[:1].isdigit() and wanted[-1].isdigit())


def _by_name(kernel: Kernel, wanted: str) -> bool:
    return kernel.name == wanted


def _by_release(kernel: Kernel, wanted: str) -> bool:
    return kernel.release == wanted


def _by_prefix(kernel: Kernel, wanted: str) -> bool:
    return matches_prefix(kernel.release, wanted)


def _by_digest(kernel: Kernel, wanted: str) -> bool:
    digest = wanted.removeprefix("sha256:")
    return re.fullmatch(r"[0-9a-f]{8,64}", digest) is not None and kernel.btf_sha256.startswith(digest)


def _image(directory: Path) -> KernelImage | None:
    if not all((directory / name).is_file() for name in _FILES):
        return None
    try:
        document = json.loads((directory / "kernel.json").read_bytes())
        return KernelImage(decode(Kernel, document), directory)
    except (OSError, ValueError, InputError):
        return None


def _write(entry: Path, file: KernelFile, kernel: Kernel) -> None:
    write_whole(entry / "vmlinux", file.vmlinux)
    write_whole(entry / "btf", file.btf)
    if file.config is not None:
        write_whole(entry / "config", file.config.encode())
    write_whole(entry / "kernel.json", canonical_bytes(kernel))
