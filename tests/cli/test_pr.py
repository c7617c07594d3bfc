"""`schedops pr` on a real repository with a real proposal in its forge."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from schedops.adapters.clock import SystemClock
from schedops.adapters.forge.forge_local import LocalForge
from schedops.adapters.forge.git import GitCheckout
from schedops.cli import main
from schedops.propose.stage import run
from tests.fakes.dossier import documents_of, dossier


def git(root, *words):
    identity = ["-c", "user.name=U", "-c", "user.email=u@example.org"]
    done = subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    top = tmp_path / "fleet policies"
    (top / "policies").mkdir(parents=True)
    (top / "policies/fleet.yaml").write_text("groups: []\n")
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "start")
    monkeypatch.chdir(top / "policies")
    return top


@pytest.fixture
def pull(root):
    checkout = GitCheckout(root)
    made = dossier(base_commit=checkout.head())
    forge = LocalForge(root, clock=SystemClock())
    return run(made, documents_of(made), reads=(), forge=forge, checkout=checkout).pull


@pytest.fixture
def schedops(capsys):
    def call(*words):
        with pytest.raises(SystemExit) as done:
            main.main(list(words))
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return call


def test_list_is_empty_at_first(root, schedops):
    assert schedops("pr", "list") == (0, "no pull requests yet; `schedops propose` opens them\n", "")
    assert not (root / ".schedops").exists()


def test_list_shows_number_state_verdict_title(pull, schedops):
    code, out, _ = schedops("pr", "list")

    assert code == 0
    assert out.splitlines()[1].split() == ["1", "open", "PASS", "2026-01-01T00:00:00Z", "runners:", "w", "under", "p"]
    envelope = json.loads(schedops("pr", "list", "--output", "json")[1])
    assert [entry["number"] for entry in envelope["data"]["pulls"]] == [1]


def test_show_into_a_pipe_is_the_raw_markdown(pull, root, schedops):
    _, out, _ = schedops("pr", "show", "1")

    assert out == LocalForge(root, clock=SystemClock()).body(1)


def test_show_on_a_terminal_is_rendered(pull, schedops, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    _, out, _ = schedops("pr", "show", "1")

    assert "#1 runners: w under p  (open, schedops/agent/w/p-" in out.replace("\n", " ")
    assert "PASS: makespan -20.0 % against EEVDF" in out
    assert "Considered and not chosen" in out
    assert "Attached: comparison.svg, evidence/decision.json" in out
    assert "<!--" not in out
    assert "|---|" not in out


def test_show_json_has_body_and_attachments(pull, schedops):
    data = json.loads(schedops("pr", "show", "1", "--output", "json")[1])["data"]

    assert data["pull"]["number"] == 1
    assert data["body"].startswith("<!-- schedops:v1 ")
    assert "comparison.svg" in data["attachments"]


@pytest.mark.parametrize("verb", ["show", "diff", "checkout", "merge", "evidence"])
def test_unknown_number_is_bad_input(root, schedops, verb):
    code, out, err = schedops("pr", verb, "9")

    assert (code, out) == (2, "")
    assert err.startswith("error[no-pull]: there is no pull request 9")
    assert "try:   schedops pr list" in err


def test_outside_of_a_repository(tmp_path, monkeypatch, schedops):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    code, _, err = schedops("pr", "list")

    assert code == 2
    assert err.startswith("error[not-a-repository]")


def test_diff(pull, schedops):
    code, out, _ = schedops("pr", "diff", "1")

    assert code == 0
    assert "+++ b/policies/desired/runners.w.yaml" in out


def test_attachment_to_stdout_and_to_a_file(pull, root, schedops, tmp_path):
    exact = LocalForge(root, clock=SystemClock()).attachment(1, "comparison.svg")

    assert schedops("pr", "attachment", "1", "comparison.svg")[1].encode() == exact
    out = tmp_path / "picture.svg"
    assert schedops("pr", "attachment", "1", "comparison.svg", "--out", str(out))[0] == 0
    assert out.read_bytes() == exact
    code, _, err = schedops("pr", "attachment", "1", "none")
    assert code == 2
    assert "there are: comparison.svg, evidence/decision.json" in err


def test_evidence_is_what_it_says(pull, schedops):
    code, out, _ = schedops("pr", "evidence", "1")

    assert code == 0
    assert out.endswith("all 8 documents are what the evidence says\n")


def test_checkout_and_merge_say_what_to_type_next(pull, root, schedops):
    assert schedops("pr", "checkout", "1")[0] == 0
    assert git(root, "symbolic-ref", "--short", "HEAD") == "schedops/pr-1"
    git(root, "switch", "-q", "-")

    code, out, _ = schedops("pr", "merge", "1")
    assert code == 0
    assert out.splitlines()[-1].strip() == "git pull .schedops/forge.git main"
    git(root, "pull", "-q", ".schedops/forge.git", "main")
    assert (root / "policies/desired/runners.w.yaml").exists()
