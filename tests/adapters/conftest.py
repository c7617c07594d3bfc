"""Real git repositories in tmp_path."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from schedops.model.pull import Commit, FileChange, Proposal
from schedops.model.verdict import Verdict


class Repo:
    """A user's repository; ``repo("git", "words")`` runs git in it as the user would."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, *args: str) -> str:
        env = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(
            ["git", "-c", "user.name=U", "-c", "user.email=u@example.org", "-c", "core.hooksPath=.git/hooks", *args],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.removesuffix("\n")

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def commit(self, path: str, text: str) -> str:
        self.write(path, text)
        self("add", path)
        self("commit", "-q", "-m", f"write {path}")
        return self("rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def _no_user_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one policy file on branch ``main``; its path has a space."""
    root = tmp_path / "my policies"
    root.mkdir()
    made = Repo(root)
    made("init", "-q", "-b", "main")
    made.commit("policies/fleet.yaml", "kernels: []\n")
    return made


class FixedClock:
    def now_utc(self) -> str:
        return "2026-02-01T00:00:00Z"

    def monotonic_s(self) -> float:
        return 0.0


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def make_proposal(base_commit: str, *, content: bytes = b"policy: build-order\n", **other) -> Proposal:
    values = {
        "key": "0123abcd",
        "branch": "schedops/agent/ci-builds/build-order-0123abcd",
        "base_commit": base_commit,
        "title": "builders: run ci-builds under build-order",
        "body": "# PASS\n",
        "draft": False,
        "verdict": Verdict.PASS,
        "labels": ("schedops",),
        "commits": (
            Commit(
                message="desired: build-order for ci-builds\n",
                changes=(FileChange(path="policies/desired/builders.ci-builds.yaml", content=content),),
            ),
        ),
        "attachments": (FileChange(path="evidence/decision.json", content=b"{}\n"),),
        "created": "2026-01-01T00:00:00Z",
    }
    return Proposal(**{**values, **other})


@pytest.fixture
def proposal():
    return make_proposal
