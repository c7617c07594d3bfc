from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner

from schedops.cli.main import schedops
from schedops.model.outcome import Effect, Outcome, OutcomeMachine
from schedops.model.verdict import Verdict
from schedops.repository import find_policy, load_active, load_history
from schedops.repository.history import appended, history_path
from schedops.schema.canonical import digest_of
from schedops.schema.files import data_dir


@pytest.fixture
def root(tmp_path, monkeypatch):
    for folder in ("library/fifo", "include"):
        shutil.copytree(data_dir("policies") / folder, tmp_path / "policies" / folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def say(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(schedops, ["library", *words])
    assert done.exit_code == code, done.output + done.stderr
    return done.stdout if code == 0 or "json" in words else done.stderr


def learn(root, *outcomes: Outcome) -> None:
    path = root / history_path("fifo")
    path.write_bytes(appended(path.read_bytes() if path.exists() else b"", outcomes))


def outcome(root, number: int, machine: str = "1", **fields: object) -> Outcome:
    effect = Effect(metric="makespan_ms", direction="lower", baseline="eevdf", estimate=-0.12, low=-0.15, high=-0.09)
    made = Outcome(
        policy="fifo", policy_sha256=digest_of(find_policy(root, "fifo")), workload=f"w{number}", classes=("mixed",),
        machine=OutcomeMachine(fingerprint=machine * 64, cpus=2, accelerator="kvm", cpu_model="X"),
        kernel="7.3.1", rung="micro-vm", verdict=Verdict.PASS, effects=(effect,), evidence_sha256=f"{number:064x}",
        created=f"2026-01-{number:02}T00:00:00Z",
    )  # fmt: skip
    return replace(made, **fields)


def test_nothing_is_known_of_a_new_policy(root):
    assert say("history", "fifo").startswith("fifo: experimental\n  nobody has promoted this source")
    assert "error[not-earned]" in say("promote", "fifo", code=1)
    assert "error[unknown-policy]" in say("history", "fifoo", code=2)
    assert not (root / history_path("fifo")).exists()


def test_outcomes_are_shown_with_their_effects(root):
    learn(root, outcome(root, 1))
    text = say("history", "fifo")
    assert "may become verified" in text
    assert "makespan ms -12 % (-15 .. -9) against eevdf" in " ".join(text.split())
    data = json.loads(say("history", "fifo", "--output", "json"))["data"]
    assert (data["state"], data["supported"], data["next"]) == ("experimental", "verified", "verified")
    assert data["outcomes"][0]["workload"] == "w1"


def test_promotion_is_a_line_that_a_reviewer_reads(root):
    learn(root, outcome(root, 1), outcome(root, 2), outcome(root, 3, machine="2"))
    before = (root / history_path("fifo")).read_bytes()
    text = say("promote", "fifo")
    assert "+++ b/policies/library/fifo/history.jsonl" in text
    assert '"state":"verified"' in text
    after = (root / history_path("fifo")).read_bytes()
    assert after.startswith(before)
    assert after.count(b"\n") == before.count(b"\n") + 1
    envelope = json.loads(say("promote", "fifo", "--because", "two\x1b[2J machines\nagree", "--output", "json"))
    assert envelope["data"]["state"] == "proven"
    assert "\x1b" not in load_history(root, "fifo").standings[-1].because
    assert "error[not-earned]" in say("promote", "fifo", code=1)
    assert say("history", "fifo").startswith("fifo: proven\n")


def test_another_source_begins_anew(root):
    learn(root, outcome(root, 1))
    say("promote", "fifo")
    source = root / "policies/library/fifo/fifo.bpf.c"
    source.write_text(source.read_text() + "// another one\n")
    assert say("history", "fifo").startswith("fifo: experimental\n")


def test_a_retired_policy_is_not_found_until_it_is_promoted(root):
    assert "fifo" in say("search", "arrival", "queue")
    assert '"state":"retired"' in say("retire", "fifo", "--because", "weighted-vtime does all of it")
    assert say("history", "fifo").startswith("fifo: retired\n")
    assert say("search", "arrival", "queue") == "no policy answers that\n"
    assert load_active(root) == ()
    assert "error[retired-already]" in say("retire", "fifo", "--because", "again", code=1)
    assert '"state":"experimental"' in say("promote", "fifo")
    assert "fifo" in say("search", "arrival", "queue")


def test_a_reason_is_needed_to_retire(root):
    assert "--because" in say("retire", "fifo", code=2)
    assert "error[no-reason]" in say("retire", "fifo", "--because", " \n", code=2)


def test_the_starter_library_is_not_changed(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    assert "error[no-repository]" in say("retire", "fifo", "--because", "x", code=2)
