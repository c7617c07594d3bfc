"""Installing what this machine lacks: system packages by apt as root, the rest privately under the cache directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from schedops import proc
from schedops.adapters.steps import step
from schedops.adapters.toolbox.apt import DOWNLOAD_DEADLINE_S, UPDATE_DEADLINE_S, failure
from schedops.adapters.toolbox.bundles import unpack_bundle
from schedops.adapters.toolbox.needs import Needs, candidates, is_root, needs
from schedops.adapters.toolbox.tools import numbers_of
from schedops.errors import Unavailable
from schedops.ports import Progress

_LISTS = Path("/var/lib/apt/lists")
_LISTS_LAST_S = 7 * 24 * 3600
_ENV = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_INSTALL = ("apt-get", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")


def provide(*, progress: Progress, mirror: str | None = None) -> tuple[str, ...]:
    """Install every tool that is missing. Safe to repeat; quick when nothing is.

    :returns: what was installed or unpacked, one line each.
    :raises Unavailable: ``needs-root`` with the line to run, or what apt said.
    """
    lacking = needs()
    if lacking.nothing:
        return ()
    if lacking.packages and not is_root():
        raise _needs_root(lacking)
    done: list[str] = []
    if lacking.packages or is_root():
        lacking = _settle(lacking, progress)
    if lacking.packages:
        _install(lacking.packages, progress)
        done += [f"{package} installed" for package in lacking.packages]
    done += [f"{tool.package} in {unpack_bundle(tool, progress=progress, mirror=mirror)}" for tool in lacking.bundles]
    _check_again()
    return tuple(done)


def install_line(packages: Sequence[str]) -> str:
    """What a user who is not root has to run."""
    return f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"


def _needs_root(lacking: Needs) -> Unavailable:
    return Unavailable(
        "needs-root",
        f"system packages are missing and only root can install them: {', '.join(lacking.packages)}",
        hint=install_line(lacking.packages) + ", then run it again",
    )


def _settle(lacking: Needs, progress: Progress) -> Needs:
    """As root: whatever the distribution has new enough comes from its packages."""
    if shutil.which("apt-get") is None:
        names = [*lacking.packages, *(tool.package for tool in lacking.bundles)]
        raise Unavailable(
            "no-apt",
            "tools are missing, and this is no Debian machine to install them on",
            hint=f"install the equivalents of: {' '.join(names)}; `schedops doctor` checks them",
        )
    if _lists_are_old():
        _update(progress)
    known = candidates([*lacking.packages, *(tool.package for tool in lacking.bundles)])
    new_enough = [tool for tool in lacking.bundles if numbers_of(known.get(tool.package, "")) >= tool.good]
    return Needs(
        (*lacking.packages, *(tool.package for tool in new_enough)),
        tuple(tool for tool in lacking.bundles if tool not in new_enough),
    )


def _lists_are_old() -> bool:
    # The lists themselves bear the archive's dates; the directory's date is that of the last update.
    if not any(_LISTS.glob("*_Packages*")):
        return True
    return time.time() - _LISTS.stat().st_mtime > _LISTS_LAST_S  # noqa: TID251 - against a file's date


def _update(progress: Progress) -> None:
    with step(progress, "setup", "apt-get update") as going_on:
        done = proc.run(["apt-get", "-q", "update"], deadline_s=UPDATE_DEADLINE_S, env=_ENV)
        if not done.ok:
            # Somebody's own archive may be broken without harm; what matters shows when packages are installed.
            going_on.note(f"apt-get update: {failure(done).message}")


def _install(packages: Sequence[str], progress: Progress) -> None:
    names = ", ".join(packages)
    if not _run(progress, f"downloading {names}", "--download-only", *packages).ok:
        _update(progress)
        _good(_run(progress, f"downloading {names}", "--download-only", *packages))
    # Apart from the download, so that a Ctrl-C seldom meets dpkg at work.
    _good(_run(progress, f"installing {names}", *packages))


def _run(progress: Progress, text: str, *words: str) -> proc.Completed:
    with step(progress, "setup", text):
        return proc.run([*_INSTALL, "install", *words], deadline_s=DOWNLOAD_DEADLINE_S, env=_ENV)


def _good(done: proc.Completed) -> None:
    if not done.ok:
        raise failure(done)


def _check_again() -> None:
    left = needs()
    if not left.nothing:
        names = [*left.packages, *(tool.package for tool in left.bundles)]
        raise Unavailable(
            "still-missing", f"installed, and still not usable: {', '.join(names)}", hint="`schedops doctor` says why"
        )
