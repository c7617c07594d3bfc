"""The whole line with a model on loopback that writes a policy of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.messages_api import KEY, Said, call, messages_api

ROOT = Path(__file__).parent.parent.parent
FIFO = (ROOT / "policies/library/fifo/fifo.bpf.c").read_text()
SLICE = {
    "name": "slice_us",
    "type": "u64",
    "default": 5000,
    "min": 500,
    "max": 20000,
    "unit": "us",
    "meaning": "How long a turn is.",
}


def wrote(source: str) -> Said:
    policy = {"name": "in-a-row", "description": "In order of arrival.", "loses_when": "Somebody waits.", "base": ""}
    return Said([call("write_policy", {**policy, "source": source, "params": [SLICE]})])


SCRIPT = (
    Said([call("search_library", {"words": "short and long jobs at once"})]),
    wrote(FIFO.replace("scx_bpf_dsq_move_to_local(SHARED_DSQ);", "")),
    wrote(FIFO.replace('"fifo"', '"in_a_row"')),
    Said([call("simulate", {"policy": "in-a-row", "params": []})]),
    Said(
        [
            call(
                "propose",
                {
                    "policy": "in-a-row",
                    "params": [],
                    "hypothesis": "Jobs in order of arrival finish sooner; ask @everyone, closes #1.",
                    "metric": "makespan_per_floor",
                    "expected_change": -0.05,
                    "reasons": ["fewer switches"],
                },
            )
        ]
    ),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "policies", root / "policies")
    workload = root / "policies/workloads/uneven-batch.yaml"
    text = workload.read_text()
    assert "rounds: 30\nlooks: [10, 20, 30]" in text
    workload.write_text(text.replace("rounds: 30\nlooks: [10, 20, 30]", "rounds: 2\nlooks: [2]"))
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q", "-b", "trunk"], ["add", "-A"], [*who, "commit", "-q", "-m", "policies"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def propose(checkout: Path, url: str) -> tuple[int, dict[str, Any]]:
    asked = ["propose", "-w", "uneven-batch", "--agent", "anthropic", "--pathway", "create", "--dry-run"]
    done = subprocess.run(
        [sys.executable, "-m", "schedops", *asked, "--trials", "6", "--output", "json"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": url},
        stdout=subprocess.PIPE,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


@pytest.mark.vm
def test_a_policy_that_a_model_wrote_is_mended_verified_and_measured(checkout: Path) -> None:
    with messages_api(SCRIPT) as api:
        code, envelope = propose(checkout, api.url)
        assert api.problems == []
        assert len(api.requests) == len(SCRIPT)
        refused = api.requests[2]["messages"][-1]["content"][0]
        assert refused["is_error"]
        assert "in-a-row.bpf.c" in refused["content"], "the verifier's own words, with the line"
        assert code == 3, envelope  # two rounds decide nothing
        directory = checkout / ".schedops/runs" / envelope["data"]["run"]
        plan = json.loads((directory / "plan.json").read_text())
        assert (plan["planner"], plan["policy"], plan["pathway"]) == ("anthropic", "in-a-row", "create")
        assert plan["written"]["source"] == FIFO.replace('"fifo"', '"in_a_row"')
        assert 0 < plan["cost_usd"] < 0.1
        assert KEY not in "".join(path.read_text() for path in directory.rglob("*") if path.is_file())
        assert not (checkout / "policies/library/in-a-row").exists(), "a proposal does not touch the work tree"
