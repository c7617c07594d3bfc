"""Who plans, by the options of ``schedops propose``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.disk.shelf import DiskShelf
from schedops.adapters.llm.transcript import FileTranscript
from schedops.agent.claude.planner import ClaudePlanner
from schedops.agent.offline import OfflinePlanner
from schedops.cli.agents import Transcribed, planner_for
from schedops.errors import InputError
from schedops.pipeline.measure import Request
from schedops.ports import World
from schedops.repository import load_policies, open_tree
from schedops.repository.embed import HashedEmbedder
from tests.fakes.guest import Clock, Progress

HERE = Path(__file__).parent.parent.parent
POLICIES = load_policies(open_tree(HERE).root)
REQUEST = Request(
    workload="ci-builds", group=None, kernel=None, cpus=2, scale=1.0, rounds=None, seed=1, agent="anthropic"
)


def planner(tmp_path: Path, *, only: bool = False, **changes: object):
    world = World(clock=Clock(), progress=Progress(), toolchain=None, machines=None, kernels=None)
    kept = Transcribed(tmp_path / "model", only)
    return planner_for(replace(REQUEST, **changes), POLICIES, root=HERE, kept=kept, world=world)(None)


def test_offline_needs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    assert isinstance(planner(tmp_path, agent="offline"), OfflinePlanner)


@pytest.mark.parametrize("name", ["tuner", "random", "naive"])
def test_those_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    assert planner(tmp_path, agent=name).identity["planner"] == name


def test_claude_needs_a_key_before_anything_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(InputError) as refused:
        planner(tmp_path)
    assert refused.value.code == "no-key"


def test_a_recording_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    found = planner(tmp_path, only=True)
    assert isinstance(found, ClaudePlanner)
    assert isinstance(found.conversation.transcript, FileTranscript)


def test_a_model_without_a_price_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    with pytest.raises(InputError) as refused:
        planner(tmp_path, model="claude-of-tomorrow")
    assert refused.value.code == "no-price"


def test_a_dollar_is_the_limit_unless_something_else_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    assert planner(tmp_path).conversation.account.budget.usd == 1.0
    assert planner(tmp_path, budget_usd=0.0).conversation.account.budget.usd == 0.0


def test_what_a_proposal_depends_on_is_in_its_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "x")
    one, other = planner(tmp_path), planner(tmp_path, model="claude-opus-5-5")
    assert one.identity != other.identity
    assert "x" not in one.identity.values()


def test_the_shelf_finds_by_words_and_says_why(tmp_path: Path):
    shelf = DiskShelf(HERE, POLICIES, embedder=HashedEmbedder())
    names = [name for name, _ in shelf.search("several builds share a machine", 3)]
    assert "build-order" in names
    assert all(why for _, why in shelf.search("several builds share a machine", 3))
    assert shelf.find("build-order") in POLICIES
    assert shelf.find("../build-order") is None


def test_the_shelf_shows_only_what_may_be_chosen():
    shelf = DiskShelf(HERE, POLICIES[:1], embedder=HashedEmbedder())
    assert {name for name, _ in shelf.search("builds batch latency cores", 20)} <= {POLICIES[0].policy.name}
