from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from schedops.cli.main import schedops
from schedops.model.verdict import Verdict
from schedops.repository import load_history
from schedops.schema.write import yaml_bytes
from tests.fakes.dossier import POLICY, documents_of, dossier

RUN = "20261121-190000-ab12"


@pytest.fixture
def root(tmp_path, monkeypatch):
    folder = tmp_path / "policies/library/p"
    folder.mkdir(parents=True)
    (folder / "policy.yaml").write_bytes(yaml_bytes(POLICY))
    (folder / "p.bpf.c").write_text('struct sched_ext_ops ops = { .name = "ours" };\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(place: Path, **options: float) -> Path:
    place.mkdir(parents=True)
    for file in documents_of(dossier(**options)):
        (place / file.path.rpartition("/")[2]).write_bytes(file.content)
    return place


def say(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(schedops, ["library", "record", *words])
    assert done.exit_code == code, done.output + done.stderr
    return done.stdout if code == 0 else done.stderr


def test_a_run_that_failed_is_remembered_once(root):
    kept(root / ".schedops/runs" / RUN, candidate=1.1)
    text = say(RUN)
    assert "p: FAIL on w (makespan" in text
    assert "+++ b/policies/library/p/history.jsonl" in text
    (one,) = load_history(root, "p").outcomes
    assert (one.verdict, one.workload) == (Verdict.FAIL, "w")
    assert "known already" in say(RUN)
    assert json.loads(say(RUN, "--output", "json"))["data"]["added"] is False
    assert load_history(root, "p").outcomes == (one,)


def test_documents_that_the_evidence_does_not_name_are_refused(root):
    place, other = kept(root / "bundle"), kept(root / "other", candidate=1.1)
    (place / "decision.json").write_bytes((other / "decision.json").read_bytes())
    assert "error[not-the-evidence]: the evidence is over another Decision" in say("./bundle", code=2)
    (place / "evidence.json").unlink()
    assert "error[file-missing]" in say("./bundle", code=2)
    assert load_history(root, "p").outcomes == ()


def test_what_there_is_not(root):
    assert "error[unknown-run]" in say("no-such-run", code=2)
    kept(root / "bundle")
    (root / "policies/library/p").rename(root / "policies/library/q")
    assert "error[unknown-policy]" in say("./bundle", code=2)
