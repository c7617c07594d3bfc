"""`schedops pr --forge github` against GitHub on loopback, with a proposal as `schedops propose` makes it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from schedops.adapters.forge.git import GitCheckout
from schedops.adapters.forge.github_api import Api, Pace
from schedops.adapters.forge.github_forge import GitHubForge
from schedops.cli import main
from schedops.propose.stage import run
from tests.fakes.dossier import documents_of, dossier
from tests.fakes.github import TOKEN, served
from tests.fakes.github_routes import NAME


def git(root, *words):
    identity = ["-c", "user.name=U", "-c", "user.email=u@example.org"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    home, root = tmp_path / "home", tmp_path / "fleet"
    home.mkdir()
    (root / "policies").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(root)
    (root / "policies/fleet.yaml").write_text("groups: []\n")
    with served(tmp_path / "hub.git") as made:
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "start")):
            git(root, *words)
        git(root, "push", "-q", str(made.git.path), "main")
        monkeypatch.setenv("GITHUB_API_URL", made.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        yield made
    assert made.problems == []


@pytest.fixture
def schedops(capsys):
    def call(*words):
        with pytest.raises(SystemExit) as done:
            main.main([*words, "--forge", "github", "--repository", NAME])
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return call


def propose(hub):
    checkout = GitCheckout(Path.cwd())
    made = dossier(base_commit=checkout.head())
    api = Api(hub.url, NAME, TOKEN, pace=Pace(between_s=None))
    forge = GitHubForge(checkout.root, api)
    published = run(made, documents_of(made), reads=(), forge=forge, checkout=checkout)
    api.close()
    return published


def test_the_story_on_github(hub, schedops):
    assert schedops("pr", "list")[1] == "no pull requests yet; `schedops propose` opens them\n"
    published = propose(hub)
    assert (published.action, len(hub.calls) - 1 <= 12) == ("created", True)
    assert propose(hub).action == "unchanged"

    body = hub.pulls[1]["body"]
    picture = re.search(r"!\[[^\]]*\]\(https://github\.com/octo/policies/raw/([0-9a-f]{40})/comparison\.svg\)", body)
    assert picture is not None
    assert hub.git("show", f"{picture[1]}:comparison.svg").startswith("<svg")
    assert len(body) <= 60_000

    code, listed, _ = schedops("pr", "list", "--output", "json")
    assert (code, [pull["number"] for pull in json.loads(listed)["data"]["pulls"]]) == (0, [1])
    assert schedops("pr", "show", "1")[1].startswith("<!-- schedops:v1 ")
    assert "+policy" in schedops("pr", "diff", "1")[1]
    assert "documents are what the evidence says" in schedops("pr", "evidence", "1")[1]
    code, _, words = schedops("pr", "checkout", "1")
    assert (code, "git fetch origin pull/1/head" in words) == (1, True)
    code, merged, _ = schedops("pr", "merge", "1")
    assert (code, "git pull origin main" in merged) == (0, True)
    assert hub.pulls[1]["merged_at"]


def test_without_a_token_nothing_is_asked(hub, schedops, monkeypatch):
    monkeypatch.delenv("GITHUB_TOKEN")

    code, _, words = schedops("pr", "list")

    assert (code, "GITHUB_TOKEN is not set" in words) == (2, True)
    assert hub.calls == []


def test_the_environment_chooses(hub, monkeypatch, capsys):
    monkeypatch.setenv("SCHEDOPS_FORGE", "github")
    monkeypatch.delenv("GITHUB_API_URL")
    git(".", "remote", "add", "origin", "https://elsewhere.example/octo/policies")

    with pytest.raises(SystemExit) as done:
        main.main(["pr", "list"])

    assert done.value.code == 2
    assert "elsewhere.example" in capsys.readouterr().err
