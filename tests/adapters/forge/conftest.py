"""A local forge on a real repository; a GitHub forge on a loopback GitHub that the user pushes to."""

from __future__ import annotations

import pytest

from schedops.adapters.forge.forge_local import LocalForge
from schedops.adapters.forge.github_api import Api, Pace
from schedops.adapters.forge.github_forge import GitHubForge
from tests.fakes.github import TOKEN, served
from tests.fakes.github_routes import NAME


class PushedForge(GitHubForge):
    """The user pushes what a proposal is made on first; GitHub's clock is at the proposal's date."""

    def __init__(self, repo, hub, api):
        super().__init__(repo.root, api)
        self.repo, self.hub = repo, hub

    def publish(self, proposal):
        if self.hub.git.sha("refs/heads/main") != proposal.base_commit:
            self.repo("push", "-qf", str(self.hub.git.path), f"{proposal.base_commit}:refs/heads/main")
        self.hub.now = proposal.created
        return super().publish(proposal)


@pytest.fixture
def forge(repo, clock) -> LocalForge:
    return LocalForge(repo.root, clock=clock)


@pytest.fixture
def hub(tmp_path):
    with served(tmp_path / "hub.git") as made:
        yield made
    assert made.problems == []


@pytest.fixture
def slept():
    """What the forge waited for, in seconds."""
    return []


@pytest.fixture
def github(repo, hub, slept):
    api = Api(hub.url, NAME, TOKEN, pace=Pace(between_s=None, sleep=slept.append, now_s=lambda: 1000.0))
    yield PushedForge(repo, hub, api)
    api.close()


@pytest.fixture
def head(repo):
    return repo("rev-parse", "HEAD")
