from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from schedops.cli.main import schedops
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, VerificationReport
from schedops.repository import check_tree, find_policy
from schedops.schema.canonical import digest_of
from schedops.schema.files import data_dir

SOURCE = """\
// SPDX-License-Identifier: GPL-2.0
#include "own.h"
const volatile u64 slice_us = 5000;
struct sched_ext_ops ops = { .name = "theirs" };
"""


class Asked:
    """Stands for the verification: keeps what it was asked, gives one verdict."""

    def __init__(self) -> None:
        self.verdict = Verdict.PASS
        self.subjects = []
        self.stages = ()

    def __call__(self, joined, subject, *, stages, **_):
        self.subjects.append(subject)
        self.stages = stages
        check = Check(stage="source", kernel="", verdict=self.verdict, text="looked at", seconds=0.1)
        return VerificationReport(
            policy=subject.policy.name, source_sha256=digest_of(subject), stages=("source",), verdict=self.verdict,
            checks=(check,), objects=(), kernels_missing=(),
        )  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    made = Asked()
    monkeypatch.setattr("schedops.pipeline.verification.verify_policy", made)
    monkeypatch.setattr("schedops.cli.verify.images_for", lambda _, stages, *__, **___: ((), (), stages))
    return made


@pytest.fixture
def root(tmp_path, monkeypatch):
    for folder in ("library/fifo", "include"):
        shutil.copytree(data_dir("policies") / folder, tmp_path / "repository/policies" / folder)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "theirs.bpf.c").write_text(SOURCE)
    (theirs / "own.h").write_text("/* theirs */\n")
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


def say(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(schedops, ["library", "import", *words])
    assert done.exit_code == code, done.output + done.stderr
    return done.stdout if code == 0 or "json" in words else done.stdout + done.stderr


@pytest.mark.parametrize("wanted", ["../theirs", "../theirs/theirs.bpf.c"])
def test_a_source_is_verified_described_and_written(root, asked, wanted):
    text = say(wanted, "--description", "Their scheduler.")
    assert "theirs: PASS (quick), imported" in text
    assert "ranges of parameters are their defaults" in text
    (subject,) = asked.subjects
    found = find_policy(root, "theirs")
    assert digest_of(found) == digest_of(subject)  # what was verified is what was written
    assert (found.policy.ops_name, found.policy.licence) == ("theirs", "GPL-2.0")
    assert [param.name for param in found.policy.params] == ["slice_us"]
    assert (root / "policies/library/theirs/own.h").read_text() == "/* theirs */\n"
    assert sorted(path.name for path in (root / "policies/library/theirs").iterdir()) == [
        "own.h", "policy.yaml", "theirs.bpf.c",
    ]  # fmt: skip
    assert not [line for line in check_tree(root) if "theirs" in line]


def test_what_does_not_pass_is_not_written(root, asked):
    asked.verdict = Verdict.FAIL
    assert "not imported" in say("../theirs", code=1)
    asked.verdict = Verdict.INCONCLUSIVE
    data = json.loads(say("../theirs", "--output", "json", code=3))["data"]
    assert (data["imported"], data["files"]) == (False, [])
    assert not (root / "policies/library/theirs").exists()


def test_names_that_are_taken(root, asked):
    assert "error[name-taken]" in say("../theirs", "--name", "fifo", code=2)
    source = Path("../theirs/theirs.bpf.c")
    source.write_text(SOURCE.replace('"theirs"', '"fifo"'))
    assert "error[ops-name-taken]" in say("../theirs", code=2)
    assert asked.subjects == []


def test_a_policy_with_a_description_keeps_it(root, asked, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(data_dir("policies") / "library/weighted-vtime", other / "weighted-vtime")
    say(f"{other}/weighted-vtime", "--depth", "static")
    assert asked.stages == ("source", "compile", "object")
    assert find_policy(root, "weighted-vtime").policy.loses_when.startswith("The machine has many CPUs")


def test_what_cannot_be_imported(root, asked, tmp_path, monkeypatch):
    assert "exactly one" in say(code=2)
    (tmp_path / "theirs/more.bpf.c").write_text(SOURCE)
    assert "2 .bpf.c files" in say("../theirs", code=2)
    (tmp_path / "empty/.git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "empty")
    assert "error[no-repository]" in say("../theirs/theirs.bpf.c", code=2)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed; it confines programs")
def test_a_program_by_its_help(root, tmp_path):
    program = tmp_path / "scx_sample"
    program.write_text(
        "#!/bin/sh\n[ $1 = --version ] && echo 'scx_sample 1.0' && exit\n"
        "printf 'A sample scheduler.\\n\\nUsage: x\\n\\n  -s US  Slice [default: 20000]\\n  -q  quiet: no\\n'\n"
    )
    program.chmod(0o755)
    text = say("--program", str(program))
    assert "scx-sample: scx_sample 1.0, 2 options; written to policies/programs/scx-sample.yaml" in text
    assert check_tree(root) == ()
    data = json.loads(say("--program", str(program), "--output", "json"))["data"]
    assert (data["changed"], data["program"]["options"][0]["default"]) == (False, "20000")
    program.write_text(program.read_text().replace("20000", "5000"))
    assert json.loads(say("--program", str(program), "--output", "json"))["data"]["changed"]
    (root / "policies/programs/scx-sample.yaml").write_text("x: 1\n")
    assert any("policies/programs/scx-sample.yaml" in line for line in check_tree(root))
