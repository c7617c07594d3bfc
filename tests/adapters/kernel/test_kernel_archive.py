"""The real apt on a small signed archive of our own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.kernel.kernel_archive import KernelArchive, Offer
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.kernel.known_offers import known_kernels
from schedops.adapters.toolbox import apt
from schedops.errors import InputError, Refused, Unavailable
from tests.fakes.archive import Archive
from tests.fakes.guest import Progress
from tests.fakes.kernels import BROKEN, GOOD, btf, bzimage, vmlinux

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb", "gpg")), reason="needs apt, dpkg-deb and gpg"
)
SUITES = ("backports", "testing")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    made = Archive(tmp_path / "a")
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(apt, "machine_sources", lambda: ())
    monkeypatch.setattr(apt, "KEYRINGS", (made.keyring,))
    return made


def add_kernel(archive: Archive, suite: str, version: str, functions: dict[str, tuple[str, ...]] | None) -> None:
    release = f"{version}+deb13-cloud-amd64"
    types = None if functions is None else btf(functions)
    image = {f"usr/lib/modules/{release}/vmlinuz.unsigned": bzimage(vmlinux(release, types))}
    archive.deb(suite, f"linux-binary-unsigned-{release}", f"{version}-1", image)
    config = "CONFIG_SCHED_CLASS_EXT=y\n" if functions else "# CONFIG_SCHED_CLASS_EXT is not set\n"
    archive.deb(suite, f"linux-base-{release}", f"{version}-1", {f"usr/lib/modules/{release}/config": config.encode()})
    archive.deb(suite, f"linux-image-{release}", f"{version}-1", {})


def fetcher(archive: Archive, progress: Progress | None = None) -> KernelArchive:
    return KernelArchive(KernelStore(), progress=progress or Progress(), mirror=archive.uri, suites=SUITES, force=True)


def offers(archive: Archive) -> list[Offer]:
    return list(fetcher(archive).offers())


def test_newest_good_kernel_of_the_first_suite_is_taken(archive: Archive) -> None:
    add_kernel(archive, "backports", "7.2.9", GOOD)
    add_kernel(archive, "backports", "7.2.12", BROKEN)
    add_kernel(archive, "backports", "7.20.1", GOOD)
    add_kernel(archive, "testing", "7.2.13", GOOD)
    for suite in SUITES:
        archive.publish(suite)
    progress = Progress()
    image = fetcher(archive, progress).fetch("7.2")
    assert image.kernel.release == "7.2.9+deb13-cloud-amd64"
    assert image.kernel.source == "debian"
    assert (image.directory / "config").read_text() == "CONFIG_SCHED_CLASS_EXT=y\n"
    assert KernelStore().find("7.2") == image
    notes = [event.text for event in progress.events if event.kind == "note"]
    assert len(notes) == 1
    assert notes[0].startswith("refused: 7.2.12+deb13-cloud-amd64: its BTF is broken: 2 scheduler kfuncs")
    left = {path.name for path in (image.directory.parent.parent / "downloads").iterdir()}
    assert left == set()  # nothing of the download stays


def test_refusals_are_remembered_and_listed_with_their_reason(archive: Archive) -> None:
    add_kernel(archive, "backports", "6.12.1", None)
    add_kernel(archive, "backports", "7.1.13", BROKEN)
    for suite in SUITES:
        archive.publish(suite)
    for wanted in ("6.12", "7.1"):
        with pytest.raises(Refused) as refusal:
            fetcher(archive).fetch(wanted)
        assert refusal.value.code == "kernel-unfit"
    shutil.rmtree(archive.root / "pool")  # a second look would need the packages
    with pytest.raises(Refused) as refusal:
        fetcher(archive).fetch("7.1")
    assert "argument 'aux'" in refusal.value.detail
    assert [(offer.release[:6], bool(offer.refused)) for offer in offers(archive)] == [
        ("7.1.13", True),
        ("6.12.1", True),
    ]
    assert "without CONFIG_SCHED_CLASS_EXT" in offers(archive)[1].refused


def test_second_suite_when_the_first_has_no_match(archive: Archive) -> None:
    add_kernel(archive, "backports", "7.3.4", GOOD)
    add_kernel(archive, "testing", "6.16.12", GOOD)
    for suite in SUITES:
        archive.publish(suite)
    assert fetcher(archive).fetch("6.16").kernel.release == "6.16.12+deb13-cloud-amd64"


def test_no_such_kernel_and_no_such_suite(archive: Archive) -> None:
    add_kernel(archive, "backports", "7.3.4", GOOD)
    archive.publish("backports")  # testing does not exist in this archive
    progress = Progress()
    assert fetcher(archive, progress).fetch("7.3").kernel.release.startswith("7.3.4")
    with pytest.raises(Unavailable) as error:
        fetcher(archive, progress).fetch("9.9")
    assert error.value.code == "no-such-kernel"
    assert "testing: the archive does not offer that" in [event.text for event in progress.events]


def test_unsigned_archive_is_refused(archive: Archive) -> None:
    add_kernel(archive, "backports", "7.3.4", GOOD)
    for suite in SUITES:
        archive.publish(suite, signed=False)
    with pytest.raises(Unavailable) as error:
        fetcher(archive).fetch("7.3")
    assert error.value.code == "archive-untrusted"
    assert KernelStore().list() == ()


def test_archive_signed_with_a_strange_key_is_refused(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_kernel(archive, "backports", "7.3.4", GOOD)
    archive.publish("backports")
    monkeypatch.setattr(apt, "KEYRINGS", (Archive(tmp_path / "b").keyring,))
    with pytest.raises(Unavailable) as error:
        fetcher(archive).fetch("7.3")
    assert error.value.code == "archive-untrusted"


def test_package_that_was_tampered_with_is_refused(archive: Archive) -> None:
    add_kernel(archive, "backports", "7.3.4", GOOD)
    for suite in SUITES:
        archive.publish(suite)
    for path in (archive.root / "pool").glob("linux-binary*"):
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Unavailable):
        fetcher(archive).fetch("7.3")
    assert KernelStore().list() == ()


@pytest.mark.parametrize(
    "mirror", ["foo", "http://x/debian [trusted=yes]", "http://x/debian\nTrusted: yes", "ftp://x/y"]
)
def test_what_is_no_archive_address_is_bad_input(archive: Archive, mirror: str) -> None:
    with pytest.raises(InputError) as error:
        apt.debian_archive(mirror)
    assert error.value.code == "bad-mirror"


def test_machine_without_a_debian_archive(archive: Archive) -> None:
    with pytest.raises(Unavailable) as error:
        apt.debian_archive()
    assert (error.value.code, error.value.exit_code) == ("no-debian-archive", 69)


def test_machine_without_a_keyring(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "KEYRINGS", ())
    with pytest.raises(Unavailable) as error:
        apt.debian_archive(archive.uri)
    assert error.value.hint == "apt-get install debian-archive-keyring"


def test_machine_without_apt(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(Unavailable) as error:
        fetcher(archive).fetch("7.3")
    assert error.value.code == "no-apt"


def test_what_was_seen_is_known_without_asking_again(archive: Archive) -> None:
    assert known_kernels(KernelStore()) == ()
    add_kernel(archive, "backports", "7.1.13", BROKEN)
    add_kernel(archive, "backports", "7.3.4", GOOD)
    add_kernel(archive, "testing", "7.10.1", GOOD)
    for suite in SUITES:
        archive.publish(suite)
    offers(archive)
    fetcher(archive).fetch("7.3")
    with pytest.raises(Refused):
        fetcher(archive).fetch("7.1")
    shutil.rmtree(archive.root)
    known = known_kernels(KernelStore())
    assert [(one.release[:6], one.suite, one.state) for one in known] == [
        ("7.10.1", "testing", "absent"),
        ("7.1.13", "backports", "broken"),
    ]
    assert "argument 'aux'" in known[1].reason
    (cache_dir() / "kernels" / "offers" / "backports.json").write_text('[{"release": 3}]')
    assert [one.suite for one in known_kernels(KernelStore())] == ["testing"]
