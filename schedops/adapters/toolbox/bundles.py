"""Tools that the distribution has too old: unpacked from its backports into the cache directory, never installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.disk.locks import held
from schedops.adapters.disk.staging import publish, staging
from schedops.adapters.steps import Step, step
from schedops.adapters.toolbox.apt import DOWNLOAD_DEADLINE_S, Package, PrivateApt, debian_archive, unpack
from schedops.adapters.toolbox.apt_sources import debian_only, machine_sources
from schedops.adapters.toolbox.needs import has
from schedops.adapters.toolbox.tools import numbers_of, tools_dir
from schedops.adapters.toolbox.wanted import LIBBPF, Wanted
from schedops.errors import Unavailable
from schedops.ports import Progress

_DPKG_STATUS = Path("/var/lib/dpkg/status")


def unpack_bundle(wanted: Wanted, *, progress: Progress, mirror: str | None = None) -> Path:
    """Unpack *wanted*'s package from backports, with the libraries that this machine lacks. Safe to repeat.

    :returns: the directory; :func:`schedops.adapters.toolbox.tools.find_tool` finds the tool in it.
    :raises Unavailable: not Debian, archive unreachable, disk full, or backports are too old as well.
    """
    suites = (_codename(), f"{_codename()}-backports")
    with (
        step(progress, "setup", f"{wanted.package} from {suites[1]}") as going_on,
        held(tools_dir() / f"{wanted.bundle}.lock", wait_s=DOWNLOAD_DEADLINE_S),
    ):
        apt = _apt(suites, mirror)
        apt.update()
        packages = _with_libraries(apt, wanted, suites)
        version = next(package.version for package in packages if package.name == wanted.package)
        target = tools_dir() / f"{wanted.bundle}-{re.sub(r'[^A-Za-z0-9.+~-]', '_', version)}"
        if not (target.is_dir() and has(wanted)):
            shutil.rmtree(target, ignore_errors=True)  # damaged, or it would do
            _fill(apt, packages, target, going_on)
        going_on.said = f"{wanted.package} {version} unpacked into {target}"
    return target


def _fill(apt: PrivateApt, packages: tuple[Package, ...], target: Path, going_on: Step) -> None:
    going_on.size_bytes = sum(package.size_bytes for package in packages)
    going_on.said = f"{packages[0].name}, {going_on.size_bytes / 1e6:.1f} MB"
    with staging(tools_dir()) as place:
        debs = place / "debs"
        root = place / "root"
        debs.mkdir()
        for deb in apt.download(packages, debs, going_on.arrived):
            unpack(deb, root)
        listing = "\n".join(f"{package.name} {package.version}" for package in packages)
        write_whole(root / "PACKAGES", f"{listing}\n".encode())
        publish(root, target)


def _with_libraries(apt: PrivateApt, wanted: Wanted, suites: Sequence[str]) -> tuple[Package, ...]:
    """From the first suite that has it new enough, with the dependencies that are not installed."""
    for suite in suites:
        needed = apt.needed(wanted.package, suite=suite)
        own = [package for package in needed if package.name == wanted.package]
        if own and numbers_of(own[0].version) >= wanted.good:
            # libbpf: a static archive and headers; what it links to comes with the system's packages.
            return tuple(own) if wanted.bundle == LIBBPF.bundle else needed
    text = ".".join(str(number) for number in wanted.good)
    raise Unavailable(
        "tool-too-old", f"neither {' nor '.join(suites)} has {wanted.package} >= {text}", hint="`schedops doctor`"
    )


def _apt(suites: tuple[str, ...], mirror: str | None) -> PrivateApt:
    main = replace(debian_archive(mirror), suites=suites, components=("main",))
    security = [
        replace(source, components=("main",))
        for source in debian_only(machine_sources())
        if any(name.endswith("-security") for name in source.suites) and mirror is None
    ]
    return PrivateApt(f"tools-{suites[0]}", [main, *security], installed=_DPKG_STATUS)


def _codename() -> str:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        text = ""
    fields: dict[str, str] = dict(re.findall(r"^([A-Z_]+)=\"?([^\"\n]*)\"?$", text, re.MULTILINE))
    if fields.get("ID") != "debian" or not fields.get("VERSION_CODENAME"):
        raise Unavailable(
            "not-debian",
            f"private tools come from Debian's backports, and this is {fields.get('PRETTY_NAME') or 'another system'}",
            hint="install QEMU >= 10, bpftool >= 7.5 and libbpf >= 1.4 yourself; `schedops doctor` checks them",
        )
    return fields["VERSION_CODENAME"]
