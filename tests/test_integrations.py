"""What other people's repositories use: the pre-commit hooks, run by pre-commit itself, and the GitHub action."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_manifest

from schedops.cli.main import COMMANDS
from schedops.cli.verify import verify

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
ACTION = ROOT / ".github/actions/verify"
GOOD = (ROOT / "policies/library/fifo/fifo.bpf.c").read_text()
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


def environment(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(tmp_path), "SCHEDOPS_CACHE": str(tmp_path / "c"), **more}


def hooked(tmp_path: Path, *ids: str) -> Path:
    """A repository of policies with our hooks, run from this installation."""
    repository = tmp_path / "theirs"
    (repository / "policies/library").mkdir(parents=True)
    hooks = [{**hook, "language": "system"} for hook in HOOKS if hook["id"] in ids]
    config = {"repos": [{"repo": "local", "hooks": hooks}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    return repository


def pre_commit(repository: Path) -> subprocess.CompletedProcess[str]:
    env = environment(repository.parent)
    for words in (["git", "init", "-q"], ["git", "add", "-A"]):
        subprocess.run(words, cwd=repository, env=env, check=True)
    words = ["pre-commit", "run", "--all-files", "--verbose"]
    return subprocess.run(words, cwd=repository, env=env, capture_output=True, text=True, check=False, timeout=120)


def test_the_manifest_is_one_that_pre_commit_takes() -> None:
    assert [hook["id"] for hook in load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))] == [
        "schedops-verify-static",
        "schedops-schema",
    ]


def test_the_hook_checks_all_sources_and_names_the_flaw(tmp_path: Path) -> None:
    repository = hooked(tmp_path, "schedops-verify-static")
    (repository / "one.bpf.c").write_text(GOOD)
    (repository / "two.bpf.c").write_text(GOOD)
    (repository / "other.c").write_text("int x;\n")
    done = pre_commit(repository)
    assert done.returncode == 0, done.stdout
    assert "only the rules on the source are checked" in done.stdout
    assert (done.stdout.count("PASS: one"), done.stdout.count("PASS: two")) == (1, 1)
    name = re.search(r'\.name\s*=\s*"\w+"', GOOD)
    assert name is not None
    (repository / "two.bpf.c").write_text(GOOD.replace(name.group(), '.name = "no such-name"'))
    done = pre_commit(repository)
    assert done.returncode == 1
    assert re.search(r"^two\.bpf\.c:\d+:\d+: error: .*\[NAME\]$", done.stdout, re.MULTILINE), done.stdout


def test_the_schema_hook(tmp_path: Path) -> None:
    repository = hooked(tmp_path, "schedops-schema")
    (repository / "policies/fleet.yaml").write_text((ROOT / "policies/fleet.yaml").read_text().split("groups:")[0])
    done = pre_commit(repository)
    assert done.returncode == 1
    assert "policies/fleet.yaml::$" in done.stdout


def test_no_input_is_part_of_a_script_and_everything_is_pinned() -> None:
    action = yaml.safe_load((ACTION / "action.yml").read_text())
    steps = action["runs"]["steps"]
    assert action["runs"]["using"] == "composite"
    for step in steps:
        assert "${{" not in step.get("run", "")
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40}", step["uses"])
    given = steps[-1]["env"].values()
    assert {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} <= set(given)
    assert re.search(r"(?<!codeql-action)/upload-sarif", str(steps)) is None


def acted(tmp_path: Path, **inputs: str) -> tuple[int, list[str]]:
    program = tmp_path / "schedops"
    program.write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n')
    program.chmod(0o755)
    env = environment(tmp_path, SCHEDOPS=str(program), **inputs)
    words = ["bash", str(ACTION / "verify.sh")]
    done = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split("\0")[:-1]


def test_the_action_gives_its_inputs_as_they_are(tmp_path: Path) -> None:
    evil = "$(touch pwned)\n`touch pwned`; touch pwned\n--write-docs=.\n  a b.bpf.c  \n\n'\"*\n"
    code, words = acted(tmp_path, POLICY=evil, KERNEL="6.16\n7.3\n", DECLARE="weights", JUNIT="x.xml", SARIF="s.sarif")
    assert code == 0
    assert words == [
        "verify", "--full", "--kernel=6.16", "--kernel=7.3", "--declare=weights", "--junit=x.xml",
        "--sarif=s.sarif", "--",
        "$(touch pwned)", "`touch pwned`; touch pwned", "--write-docs=.", "a b.bpf.c", "'\"*",
    ]  # fmt: skip
    assert not (tmp_path / "pwned").exists()
    assert acted(tmp_path, POLICY="x", DEPTH="static")[1] == ["verify", "--static", "--", "x"]
    assert acted(tmp_path, POLICY="x", DEPTH="quick; touch pwned")[0] == 2
    assert not (tmp_path / "pwned").exists()


def test_the_words_of_the_action_are_words_of_the_command() -> None:
    known = {option for parameter in verify.params for option in parameter.opts}
    said = set(re.findall(r"^add (\w+) ", (ACTION / "verify.sh").read_text(), re.MULTILINE)) | {
        "full",
        "quick",
        "static",
    }
    assert {f"--{word}" for word in said} <= known


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_starts_a_command_there_is(hook: dict[str, Any]) -> None:
    program, command, *_ = hook["entry"].split()
    assert program == "schedops"
    assert command in COMMANDS
