"""Real programs for guests: Debian packages unpacked, never installed, and kept as one archive for the initramfs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.disk.locks import held
from schedops.adapters.disk.staging import publish, staging
from schedops.adapters.steps import Step, step
from schedops.adapters.toolbox.apt import DOWNLOAD_DEADLINE_S, Package, PrivateApt, debian_archive, unpack
from schedops.adapters.vm.cpio import tree_archive
from schedops.errors import InputError, Unavailable
from schedops.ports import Progress

SUITE = "trixie"  # not the host's: the same programs on every host
ALWAYS = ("busybox-static", "dash")  # small tools and a shell that runs programs, not its own copies of them
_FORMAT = 7
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]{1,60}")
_UNWANTED = re.compile(
    r"usr/share/(doc|man|info|locale|lintian|bash-completion|perl|zoneinfo|common-licenses|bug|icons|gcc)(/|$)"
    r"|usr/lib/systemd(/|$)|usr/lib/x86_64-linux-gnu/(gconv|perl)(/|$)"
    r"|var/(cache|lib/dpkg)(/|$)|boot(/|$)|init$|dev(/|$)|proc(/|$)|sys(/|$)|run(/|$)"
)
_APPLETS = (
    "awk cat chmod cmp cp cut date dd expr find grep head ln ls mkdir mkfifo mv od rm sed seq sha256sum sleep "
    "sort tail tar taskset tee touch tr true uniq wc xargs"
)
_USERS = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
_GROUPS = "root:x:0:\nnogroup:x:65534:\n"
_MERGED = ("bin", "sbin", "lib", "lib64")


def programs_archive(packages: Sequence[str], *, progress: Progress, mirror: str | None = None) -> Path:
    """An archive (newc) with what *packages* and their dependencies hold; downloaded and made once.

    :param packages: names of Debian packages.
    :raises InputError: something that cannot be a package's name.
    :raises Unavailable: the archive cannot be reached, does not have them, or the disk is full.
    """
    wanted = tuple(sorted({*packages, *ALWAYS}))
    if strange := [name for name in wanted if not _NAME.fullmatch(name)]:
        raise InputError("package-name", f"no Debian package is called {strange[0][:60]!r}")
    home = cache_dir() / "programs"
    key = hashlib.sha256(json.dumps([_FORMAT, SUITE, wanted]).encode()).hexdigest()[:32]
    target = home / key
    if (target / "archive.cpio").is_file():
        return target / "archive.cpio"
    with (
        step(progress, "setup", f"programs for guests: {', '.join(wanted)}") as going_on,
        held(home / f"{key}.lock", wait_s=DOWNLOAD_DEADLINE_S),
    ):
        if not (target / "archive.cpio").is_file():
            _make(wanted, home, target, going_on, mirror)
    return target / "archive.cpio"


def versions_of(archive: Path) -> tuple[str, ...]:
    """``package version`` of all that :func:`programs_archive` put into it, sorted. :raises OSError: it is gone."""
    return tuple(sorted(archive.with_name("PACKAGES").read_text(encoding="ascii").splitlines()))


def _make(wanted: Sequence[str], home: Path, target: Path, going_on: Step, mirror: str | None) -> None:
    apt = PrivateApt(f"programs-{SUITE}", [replace(debian_archive(mirror), suites=(SUITE,), components=("main",))])
    apt.update()
    packages = apt.needed(*wanted, suite=SUITE)
    try:
        _fill(apt, packages, home, target, going_on)
    except OSError as error:
        raise Unavailable(
            "cache-not-writable",
            f"programs for guests could not be kept: {error.strerror}",
            where=str(target),
            hint="make room, or point SCHEDOPS_CACHE somewhere writable",
        ) from None


def _fill(apt: PrivateApt, packages: Sequence[Package], home: Path, target: Path, going_on: Step) -> None:
    with staging(home) as place:
        debs, root, done = home / "debs", place / "root", place / "done"
        for directory in (debs, root, done):
            directory.mkdir(exist_ok=True)
        if missing := [package for package in packages if not (debs / _file_of(package)).exists()]:
            going_on.size_bytes = sum(package.size_bytes for package in missing)
            going_on.said = f"programs for guests: {len(missing)} packages, {going_on.size_bytes / 1e6:.1f} MB"
            _download(apt, missing, place / "new", debs, going_on)
        for package in packages:
            unpack(debs / _file_of(package), root)
        _merge(root)
        _furnish(root)
        with (done / "archive.cpio").open("wb") as file:
            file.writelines(tree_archive(root, lambda name: not _UNWANTED.match(name)))
            os.fsync(file.fileno())
        listing = "\n".join(f"{package.name} {package.version}" for package in packages)
        write_whole(done / "PACKAGES", f"{listing}\n".encode())
        publish(done, target)


def _download(apt: PrivateApt, packages: Sequence[Package], into: Path, debs: Path, going_on: Step) -> None:
    # Most sets of programs have libraries in common: what one of them brought stays for the next.
    into.mkdir()
    for deb in apt.download(packages, into, going_on.arrived):
        deb.replace(debs / deb.name)


def _file_of(package: Package) -> str:
    # As `apt-get download` names it.
    return f"{package.name}_{package.version.replace(':', '%3a')}_{package.architecture}.deb"


def _merge(root: Path) -> None:
    """/bin, /sbin and /lib are links into /usr, as everywhere in Debian since bookworm."""
    for name in _MERGED:
        old, new = root / name, root / "usr" / name
        new.mkdir(parents=True, exist_ok=True)
        if old.is_dir() and not old.is_symlink():
            shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(old)
        if not old.is_symlink():
            old.symlink_to(f"usr/{name}")


def _furnish(root: Path) -> None:
    """What installation scripts would have made: users, a shell, places to write to."""
    for name in ("etc", "tmp", "job", "root", "var/log/nginx", "var/lib/nginx", "var/tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/passwd").write_text(_USERS, encoding="ascii")
    (root / "etc/group").write_text(_GROUPS, encoding="ascii")
    links = {"sh": "dash", **dict.fromkeys(_APPLETS.split(), "busybox")}
    for applet, program in links.items():
        path = root / "usr/bin" / applet
        if not path.exists() and not path.is_symlink():
            path.symlink_to(program)
