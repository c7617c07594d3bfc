from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from schedops import proc
from schedops.errors import InputError
from schedops.model.outcome import EXPERIMENTAL, History, Outcome, OutcomeMachine, Standing
from schedops.model.verdict import Verdict
from schedops.repository.check import check_tree
from schedops.repository.history import (
    appended,
    history_files,
    history_path,
    load_history,
    load_outcomes,
    parse_history,
)
from schedops.schema.canonical import canonical_bytes
from schedops.schema.files import data_dir

SHA = "a" * 64


def outcome(number: int, **fields: object) -> Outcome:
    made = Outcome(
        policy="p", policy_sha256=SHA, workload="w", classes=("mixed",), kernel="7.3", rung="micro-vm",
        machine=OutcomeMachine(fingerprint=SHA, cpus=2, accelerator="kvm", cpu_model="X"),
        verdict=Verdict.PASS, effects=(), evidence_sha256=f"{number:064x}", created=f"2026-11-{number:02}T00:00:00Z",
    )  # fmt: skip
    return replace(made, **fields)


PROMOTED = Standing(policy="p", policy_sha256=SHA, state=EXPERIMENTAL, because="tried", created="2026-11-03T12:00:00Z")
LINES = [canonical_bytes(one) for one in (outcome(1), outcome(2), PROMOTED, outcome(4))]


def parsed(data: bytes) -> History:
    found = parse_history(data, "p")
    assert found.problems == ()
    assert found.value is not None
    return found.value


@pytest.mark.parametrize("seed", range(5))
def test_order_and_repetition_of_lines_mean_nothing(seed):
    mixed = [*LINES, *LINES[:2], b"\n"]
    random.Random(seed).shuffle(mixed)
    assert parsed(b"".join(mixed)) == parsed(b"".join(LINES))
    assert [one.created[8:10] for one in parsed(b"".join(mixed)).outcomes] == ["01", "02", "04"]


def test_a_line_is_appended_once():
    once = appended(b"", [outcome(1), outcome(1)])
    assert once == LINES[0]
    assert appended(once, [outcome(1)]) == once
    assert appended(once.rstrip(b"\n"), [outcome(2)]) == LINES[0] + LINES[1]
    assert parsed(appended(once, [PROMOTED])).standings == (PROMOTED,)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"<<<<<<< HEAD", "conflict"),
        (b"=======", "conflict"),
        (b"not json", "no JSON object"),
        (b"{", "line 1"),
        (b"[" * 100_000, "longer than"),
        (b'{"kind": "Policy"}', "$.kind"),
        (b'{"a": ' * 5000 + b"1" + b"}" * 5000, "nested deeper"),
        (LINES[0].replace(b'"micro-vm"', b'"oracle"'), "$.rung"),
        (LINES[0].replace(b'"policy":"p"', b'"policy":"q"'), "q in the history of p"),
        (LINES[0].replace(b'"verdict":"PASS"', b'"verdict":"PASS","verdict":"FAIL"'), "duplicate key"),
        (LINES[0].replace(b'"cpu_model":"X"', b'"cpu_model":"\\u001b[2J"'), "control character"),
        (b"\xff\xfe", "no JSON object"),
    ],
)
def test_a_bad_line_is_a_problem_with_its_number(line, said):
    found = parse_history(LINES[0] + line + b"\n", "p")
    assert found.value is None
    assert all(problem.startswith("policies/library/p/history.jsonl::line 2") for problem in found.problems)
    assert any(said.replace("line 1", "line") in problem for problem in found.problems), found.problems


def test_files(tmp_path):
    assert load_history(tmp_path, "p") == History()
    path = tmp_path / history_path("p")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(LINES))
    assert len(load_history(tmp_path, "p").outcomes) == 3
    assert load_outcomes(tmp_path) == parsed(b"".join(LINES)).outcomes
    path.write_bytes(canonical_bytes(PROMOTED))  # no outcome yet, and not to be lost when one is added
    assert history_files(tmp_path) == {"p": canonical_bytes(PROMOTED)}
    path.write_bytes(b"x\n")
    with pytest.raises(InputError, match="1 problem"):
        load_history(tmp_path, "p")
    assert any("history.jsonl::line 1" in line for line in check_tree(tmp_path))
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(InputError):
        load_history(tmp_path, "p")


def git(root: Path, *words: str) -> bytes:
    done = proc.run(
        ("git", "-c", "user.name=t", "-c", "user.email=t@t", *words), deadline_s=30, cwd=root,
        env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_DIR": str(root / ".git")},
    )  # fmt: skip
    assert done.ok, done.stdout + done.stderr
    return done.stdout


def test_histories_of_two_branches_merge_without_a_conflict(tmp_path):
    """With the attributes that come with the policies, and real git."""
    root = tmp_path
    path = root / history_path("p")
    path.parent.mkdir(parents=True)
    (root / "policies/.gitattributes").write_bytes((data_dir("policies") / ".gitattributes").read_bytes())
    git(root, "init", "--quiet", "--initial-branch=main")
    path.write_bytes(LINES[0])
    git(root, "add", "policies")
    git(root, "commit", "--quiet", "-m", "base")
    for branch, lines in (("one", LINES[1:3]), ("two", [*LINES[3:], LINES[2]])):
        git(root, "checkout", "--quiet", "-b", branch, "main")
        path.write_bytes(appended(path.read_bytes(), []) + b"".join(lines))
        git(root, "commit", "--quiet", "-am", branch)
    git(root, "merge", "--quiet", "-m", "both", "one")
    assert parsed(path.read_bytes()) == parsed(b"".join(LINES))
