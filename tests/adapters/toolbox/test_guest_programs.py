"""The real apt on a small signed archive of our own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.toolbox import apt
from schedops.adapters.toolbox.guest_programs import ALWAYS, SUITE, programs_archive, versions_of
from schedops.errors import InputError, Unavailable
from tests.fakes.archive import Archive
from tests.fakes.guest import Progress

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb", "gpg")), reason="needs apt, dpkg-deb and gpg"
)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    made = Archive(tmp_path / "a")
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(apt, "machine_sources", lambda: ())
    monkeypatch.setattr(apt, "KEYRINGS", (made.keyring,))
    for name in ALWAYS:
        made.deb(SUITE, name, "1:1.0", {f"bin/{name.partition('-')[0]}": b"program"})
    files = {"usr/bin/tool": b"tool", "usr/share/doc/tool/README": b"words", "usr/include/tool.h": b"int tool;"}
    made.deb(SUITE, "tool", "2.0", files, depends="libtool1")
    made.deb(SUITE, "libtool1", "2.1", {"lib/libtool.so": b"library"})
    made.deb(SUITE, "other", "3.0", {"usr/bin/other": b"other"}, depends="libtool1")
    made.publish(SUITE)
    return made


def members(path: Path) -> dict[str, bytes]:
    """Name -> content of an archive in the format newc."""
    data, at, found = path.read_bytes(), 0, {}
    while at < len(data):
        size, name_size = int(data[at + 54 : at + 62], 16), int(data[at + 94 : at + 102], 16)
        name = data[at + 110 : at + 110 + name_size - 1].decode()
        begin = (at + 110 + name_size + 3) // 4 * 4
        found[name] = data[begin : begin + size]
        at = (begin + size + 3) // 4 * 4
    return found


def test_packages_are_unpacked_with_what_they_need_and_furnished(archive: Archive) -> None:
    path = programs_archive(["tool"], progress=Progress(), mirror=archive.uri)
    found = members(path)
    assert found["usr/bin/tool"] == b"tool"
    assert found["usr/lib/libtool.so"] == b"library"  # /lib is a link
    assert (found["lib"], found["usr/bin/sh"], found["usr/bin/grep"]) == (b"usr/lib", b"dash", b"busybox")
    assert found["usr/include/tool.h"] == b"int tool;"
    assert {"job", "tmp", "etc/passwd"} <= set(found)
    assert not any(name.startswith(("usr/share/doc", "dev", "init", "usr/bin/other")) for name in found)
    assert versions_of(path) == ("busybox-static 1:1.0", "dash 1:1.0", "libtool1 2.1", "tool 2.0")


def test_what_was_made_or_downloaded_before_is_not_again(archive: Archive) -> None:
    path = programs_archive(["tool"], progress=Progress(), mirror=archive.uri)
    made = path.stat().st_mtime_ns
    debs = {deb.name: deb.stat().st_ino for deb in (cache_dir() / "programs/debs").iterdir()}
    shutil.rmtree(archive.root / "pool")
    assert programs_archive(["tool", "tool"], progress=Progress(), mirror=archive.uri) == path
    assert path.stat().st_mtime_ns == made
    with pytest.raises(Unavailable):  # other's own package is gone, and nothing half-made is left
        programs_archive(["other"], progress=Progress(), mirror=archive.uri)
    assert {deb.name: deb.stat().st_ino for deb in (cache_dir() / "programs/debs").iterdir()} == debs
    again = programs_archive(["libtool1"], progress=Progress(), mirror=archive.uri)  # all of it came with tool
    assert "usr/lib/libtool.so" in members(again)
    left = {one.name for one in (cache_dir() / "programs").iterdir() if one.is_dir()}
    assert left == {path.parent.name, again.parent.name, "debs"}


@pytest.mark.parametrize("name", ["Tool", "-o", "../x", "a b"])
def test_what_is_no_package_s_name_reaches_no_program(name: str) -> None:
    with pytest.raises(InputError, match="no Debian package"):
        programs_archive([name], progress=Progress())


def test_a_package_that_is_not_there_is_named(archive: Archive) -> None:
    with pytest.raises(Unavailable) as error:
        programs_archive(["nothing"], progress=Progress(), mirror=archive.uri)
    assert "nothing" in error.value.detail
