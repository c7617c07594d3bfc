from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.toolbox import tools
from schedops.adapters.toolbox.tools import (
    find_tool,
    libbpf_archive,
    libbpf_prefix,
    libbpf_version,
    numbers_of,
    require_tool,
    system_version,
)
from schedops.errors import Unavailable


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any tool: empty PATH directory ``bin``, empty cache ``cache``."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "_SBIN", ())
    return tmp_path


def program(path: Path, words: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{words}'\necho \"libraries: $LD_LIBRARY_PATH\" >&2\nexit {code}\n")
    path.chmod(0o755)
    return path


def qemu(path: Path, version: str) -> Path:
    return program(path, f"QEMU emulator version {version} (Debian 1:{version}+dfsg-7)")


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("10.0.2", (10, 0, 2)),
        ("1:10.0.2+ds-2+deb13u1~bpo12+1", (10, 0, 2)),
        ("1_1.4.6-1~bpo12+1", (1, 4, 6)),
        ("7.5.0+6.12.95-1", (7, 5, 0)),
        ("19", (19,)),
        ("", ()),
        ("unknown", ()),
    ],
)
def test_numbers_of_a_version(version: str, numbers: tuple[int, ...]) -> None:
    assert numbers_of(version) == numbers


@pytest.mark.parametrize(
    ("name", "words", "version"),
    [
        ("clang-19", "Debian clang version 19.1.7 (3~deb12u1)", "19.1.7"),
        ("clang-19", "Ubuntu clang version 19.1.1 (1ubuntu1)", "19.1.1"),
        ("ld.lld-19", "Debian LLD 19.1.7 (compatible with GNU linkers)", "19.1.7"),
        ("bpftool", "bpftool v7.5.0", "7.5.0"),
        ("git", "git version 2.39.5", "2.39.5"),
        ("qemu-system-x86_64", "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2)", "10.0.2"),
    ],
)
def test_every_tool_tells_its_version(machine: Path, name: str, words: str, version: str) -> None:
    path = program(machine / "bin" / name, words)
    found = find_tool(name)
    assert found is not None
    assert (found.version, found.path, found.origin, found.argv) == (version, path, "system", (str(path),))
    assert require_tool(name) == found


def test_nothing_there(machine: Path) -> None:
    assert find_tool("clang-19") is None
    with pytest.raises(Unavailable) as error:
        require_tool("clang-19")
    assert (error.value.code, error.value.hint, error.value.exit_code) == ("tool-missing", "`schedops setup`", 69)


def test_too_old_is_not_found(machine: Path) -> None:
    program(machine / "bin" / "bpftool", "bpftool v7.1.0")
    assert find_tool("bpftool") is None
    assert system_version("bpftool") == "7.1.0"
    with pytest.raises(Unavailable) as error:
        require_tool("bpftool")
    assert (error.value.code, error.value.message) == ("tool-too-old", "bpftool 7.1.0 is too old, 7.5 is needed")


def test_a_good_private_one_is_preferred_to_an_old_system_one(machine: Path) -> None:
    qemu(machine / "bin" / "qemu-system-x86_64", "7.2.22")
    assert find_tool("qemu-system-x86_64").version == "7.2.22"  # type: ignore[union-attr] - usable, with less
    roots = [machine / "cache" / "tools" / f"qemu-1_{version}+ds-1" for version in ("9.2.0", "10.0.2", "10.1.0")]
    for root in roots:
        qemu(root / "usr/bin/qemu-system-x86_64", root.name[7:].partition("+")[0])
    found = find_tool("qemu-system-x86_64")
    assert found is not None
    root = roots[2]
    assert (found.version, found.origin, found.path) == ("10.1.0", "private", root / "usr/bin/qemu-system-x86_64")
    assert found.argv == (str(found.path), "-L", f"{root}/usr/share/qemu", "-L", f"{root}/usr/share/seabios")
    assert found.env["LD_LIBRARY_PATH"] == f"{root}/usr/lib/x86_64-linux-gnu:{root}/lib/x86_64-linux-gnu"


def test_a_good_system_one_is_preferred_to_a_private_one(machine: Path) -> None:
    qemu(machine / "cache" / "tools" / "qemu-1_10.1.0" / "usr/bin/qemu-system-x86_64", "10.1.0")
    qemu(machine / "bin" / "qemu-system-x86_64", "10.0.2")
    found = find_tool("qemu-system-x86_64")
    assert found is not None
    assert (found.origin, found.version, found.env) == ("system", "10.0.2", {})


def test_a_private_one_that_does_not_run_is_passed_over(machine: Path) -> None:
    program(machine / "cache" / "tools" / "bpftool-7.7.0" / "usr/sbin/bpftool", "error while loading libraries", 127)
    program(machine / "cache" / "tools" / "bpftool-7.5.0" / "usr/sbin/bpftool", "bpftool v7.5.0")
    found = find_tool("bpftool")
    assert found is not None
    assert found.version == "7.5.0"


def test_an_upgraded_tool_is_asked_anew(machine: Path) -> None:
    path = program(machine / "bin" / "git", "git version 2.39.5")
    assert find_tool("git").version == "2.39.5"  # type: ignore[union-attr]
    path.unlink()
    program(path, "git version 2.47.10")
    assert find_tool("git").version == "2.47.10"  # type: ignore[union-attr]


def test_a_busybox_that_needs_libraries_does_not_count(machine: Path) -> None:
    program(machine / "bin" / "busybox", "BusyBox v1.35.0 multi-call binary")
    assert find_tool("busybox") is None  # a script is no static ELF program


def libbpf(prefix: Path, major: int, minor: int, *, archive: bool = True) -> Path:
    header = prefix / "include" / "bpf" / "libbpf_version.h"
    header.parent.mkdir(parents=True)
    header.write_text(f"#define LIBBPF_MAJOR_VERSION {major}\n#define LIBBPF_MINOR_VERSION {minor}\n")
    if archive:
        (prefix / "lib/x86_64-linux-gnu").mkdir(parents=True)
        (prefix / "lib/x86_64-linux-gnu/libbpf.a").write_bytes(b"!<arch>\n")
    return prefix


def test_libbpf(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = libbpf(machine / "usr", 1, 1)
    monkeypatch.setattr(tools, "_LIBBPF_SYSTEM", (old, libbpf(machine / "local", 1, 5, archive=False)))
    with pytest.raises(Unavailable) as error:
        libbpf_prefix()
    assert (error.value.code, error.value.hint) == ("tool-missing", "`schedops setup`")
    new = libbpf(machine / "cache" / "tools" / "libbpf-1_1.4.6-1" / "usr", 1, 4)
    assert libbpf_prefix() == new
    assert libbpf_archive(new) == new / "lib/x86_64-linux-gnu/libbpf.a"
    assert (libbpf_version(new), libbpf_version(old), libbpf_version(machine)) == ("1.4", "1.1", None)
