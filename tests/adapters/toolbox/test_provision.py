from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.toolbox import needs, provision, tools
from schedops.adapters.toolbox.needs import Needs
from schedops.adapters.toolbox.wanted import LIBBPF, WANTED
from schedops.errors import Unavailable
from tests.fakes.guest import Progress

QEMU, BPFTOOL = WANTED["qemu-system-x86_64"], WANTED["bpftool"]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing: an empty PATH directory, an empty cache, no libraries; not root."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "_SBIN", ())
    monkeypatch.setattr(tools, "_LIBBPF_SYSTEM", ())
    monkeypatch.setattr(needs, "_ARCHIVE_DIRS", (str(tmp_path / "lib"),))
    monkeypatch.setattr(needs.os, "geteuid", lambda: 1000)
    return tmp_path


def test_what_a_bare_machine_needs(bare: Path) -> None:
    lacking = needs.needs()
    assert lacking.packages == (
        "clang-19", "lld-19", "busybox-static", "git", "bubblewrap", "libc6-dev", "libelf-dev",
        "zlib1g-dev", "libzstd-dev",
    )  # fmt: skip
    assert lacking.bundles == (QEMU, BPFTOOL, LIBBPF)
    assert not lacking.nothing


def test_an_ordinary_user_is_not_asked_for_what_nothing_needs(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "has", lambda tool: not tool.optional)
    monkeypatch.setattr(needs, "missing_libraries", list)
    assert needs.needs().nothing
    monkeypatch.setattr(needs.os, "geteuid", lambda: 0)
    assert needs.needs().packages == ("lld-19", "busybox-static", "bubblewrap")


def test_libraries_that_are_there_are_not_needed(bare: Path) -> None:
    (bare / "lib").mkdir()
    for name in ("libc.a", "libelf.a", "libz.a"):
        (bare / "lib" / name).touch()
    assert needs.missing_libraries() == ["libzstd-dev"]


def test_who_is_not_root_gets_the_line_to_run(bare: Path) -> None:
    with pytest.raises(Unavailable) as error:
        provision.provide(progress=Progress())
    assert (error.value.code, error.value.exit_code) == ("needs-root", 69)
    assert error.value.hint == (
        "sudo apt-get install -y --no-install-recommends clang-19 lld-19 busybox-static git bubblewrap "
        "libc6-dev libelf-dev zlib1g-dev libzstd-dev, then run it again"
    )


def test_another_architecture_is_told_so(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.platform, "machine", lambda: "aarch64")
    with pytest.raises(Unavailable) as error:
        provision.provide(progress=Progress())
    assert error.value.code == "not-x86-64"


def test_root_on_a_machine_without_apt(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs.os, "geteuid", lambda: 0)
    with pytest.raises(Unavailable) as error:
        provision.provide(progress=Progress())
    assert error.value.code == "no-apt"
    assert "qemu-system-x86" in error.value.hint


@pytest.mark.parametrize(
    ("known", "packages", "bundles"),
    [
        (  # Debian 12
            {"qemu-system-x86": "1:7.2+dfsg-7", "bpftool": "7.1.0+6.1.192-2", "libbpf-dev": "1:1.1.2-0"},
            ("git",),
            (QEMU, BPFTOOL, LIBBPF),
        ),
        (  # Debian 13
            {"qemu-system-x86": "1:10.0.13+ds-0", "bpftool": "7.5.0+6.12.94-1", "libbpf-dev": "1:1.5.0-3"},
            ("git", "qemu-system-x86", "bpftool", "libbpf-dev"),
            (),
        ),
        ({}, ("git",), (QEMU, BPFTOOL, LIBBPF)),
    ],
)
def test_what_the_distribution_has_new_enough_comes_from_it(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, str], packages: tuple[str, ...], bundles: tuple[object, ...]
) -> None:
    monkeypatch.setattr(provision, "candidates", lambda names: known)
    monkeypatch.setattr(provision, "_lists_are_old", lambda: False)
    monkeypatch.setattr(provision.shutil, "which", lambda name: f"/usr/bin/{name}")
    settled = provision._settle(Needs(("git",), (QEMU, BPFTOOL, LIBBPF)), Progress())
    assert (settled.packages, settled.bundles) == (packages, bundles)


def test_nothing_missing_is_nothing_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision, "needs", lambda: Needs((), ()))
    progress = Progress()
    assert provision.provide(progress=progress) == ()
    assert progress.events == []
