"""What is kept comes back whole, from its own tool, from its own files; everything else is as good as nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from schedops.adapters.disk.verdicts import MAX_ENTRY_BYTES, DiskVerdicts
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, ObjectRef, Place, VerificationReport

CHECK = Check(stage="load", kernel="7.3.4", verdict=Verdict.PASS, text="é \x1b[1m", seconds=0.25)
FINDING = Finding(rule="X", level="error", text="no", place=Place(file="a.c", line=3), advice="mend it")
FAILED = Check(stage="enable", kernel="7.3.4", verdict=Verdict.FAIL, text="no", seconds=1.0, findings=(FINDING,))
REPORT = VerificationReport(
    policy="p",
    source_sha256="sha256:" + "0" * 64,
    stages=("load", "enable"),
    verdict=Verdict.FAIL,
    checks=(CHECK, FAILED),
    objects=(ObjectRef(kernel="7.3.4", btf_sha256="b" * 64, sha256="c" * 64),),
)


def verdicts(root: Path, tool: str = "t", most: int = 100) -> DiskVerdicts:
    return DiskVerdicts(root / "v", tool=lambda: tool, most=most)


def only(root: Path) -> Path:
    (entry,) = (root / "v").iterdir()
    return entry


def test_what_is_kept_comes_back_and_is_the_users_alone(tmp_path: Path) -> None:
    assert verdicts(tmp_path).find("k") is None
    verdicts(tmp_path).keep("k", REPORT)
    assert verdicts(tmp_path).find("k") == REPORT
    assert verdicts(tmp_path).find("other") is None
    assert [oct(path.stat().st_mode & 0o777) for path in (tmp_path / "v", only(tmp_path))] == ["0o700", "0o600"]


def test_another_tool_gets_no_answer(tmp_path: Path) -> None:
    verdicts(tmp_path).keep("k", REPORT)
    assert verdicts(tmp_path, tool="changed").find("k") is None


@pytest.mark.parametrize(
    "spoil", [lambda d: d[:-2], lambda d: d.replace(b"FAIL", b"PASS"), lambda d: b"", lambda d: d + b"\n"]
)
def test_a_damaged_entry_is_none(tmp_path: Path, spoil) -> None:
    verdicts(tmp_path).keep("k", REPORT)
    entry = only(tmp_path)
    entry.write_bytes(spoil(entry.read_bytes()))
    assert verdicts(tmp_path).find("k") is None
    verdicts(tmp_path).keep("k", REPORT)
    assert verdicts(tmp_path).find("k") == REPORT


def test_an_entry_moved_to_another_key_is_none(tmp_path: Path) -> None:
    verdicts(tmp_path).keep("good", REPORT)
    entry = only(tmp_path)
    verdicts(tmp_path).keep("bad", REPORT)
    (other,) = (path for path in entry.parent.iterdir() if path != entry)
    entry.replace(other)
    assert verdicts(tmp_path).find("bad") is None


@pytest.mark.parametrize("mode", [0o644, 0o620, 0o602])
def test_a_file_that_others_could_have_written_or_read_is_none(tmp_path: Path, mode: int) -> None:
    verdicts(tmp_path).keep("k", REPORT)
    only(tmp_path).chmod(mode)
    assert verdicts(tmp_path).find("k") is None


def test_a_directory_that_others_may_write_is_neither_read_nor_written(tmp_path: Path) -> None:
    verdicts(tmp_path).keep("k", REPORT)
    (tmp_path / "v").chmod(0o777)
    assert verdicts(tmp_path).find("k") is None
    verdicts(tmp_path).keep("l", REPORT)
    assert len(list((tmp_path / "v").iterdir())) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_foreign_file_is_none(tmp_path: Path) -> None:
    verdicts(tmp_path).keep("k", REPORT)
    os.chown(only(tmp_path), 65534, 65534)
    assert verdicts(tmp_path).find("k") is None


def test_a_link_or_a_pipe_is_none(tmp_path: Path) -> None:
    verdicts(tmp_path).keep("k", REPORT)
    entry = only(tmp_path)
    entry.rename(tmp_path / "aside")
    entry.symlink_to(tmp_path / "aside")
    assert verdicts(tmp_path).find("k") is None
    entry.unlink()
    os.mkfifo(entry, 0o600)
    assert verdicts(tmp_path).find("k") is None


def test_those_not_used_for_longest_go_first(tmp_path: Path) -> None:
    kept = verdicts(tmp_path, most=4)
    for at, key in enumerate("abcd"):
        kept.keep(key, REPORT)
        os.utime(next(p for p in (tmp_path / "v").iterdir() if p.stat().st_mtime > 1e6), (at, at))
    assert kept.find("a") == REPORT  # used just now
    kept.keep("e", REPORT)
    assert [key for key in "abcde" if kept.find(key)] == ["a", "d", "e"]


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("in the way")
    verdicts(tmp_path).keep("k", REPORT)
    assert verdicts(tmp_path).find("k") is None


def test_an_endless_report_is_not_kept(tmp_path: Path) -> None:
    long = Check(stage="load", kernel="k", verdict=Verdict.PASS, text="x" * MAX_ENTRY_BYTES, seconds=0.0)
    verdicts(tmp_path).keep(
        "k", VerificationReport(**{**{n: getattr(REPORT, n) for n in REPORT.__slots__}, "checks": (long,)})
    )
    assert list((tmp_path / "v").iterdir()) == []
