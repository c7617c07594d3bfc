"""``schedops evidence`` on directories, with keys that ssh-keygen makes."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from schedops.adapters.clock import SystemClock
from schedops.cli.evidence import evidence
from tests.fakes.dossier import documents_of, dossier

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """The documents of a proposal that was measured a moment ago."""
    made = dossier()
    made = replace(made, evidence=replace(made.evidence, created=SystemClock().now_utc()))
    directory = tmp_path / "bundle"
    directory.mkdir()
    for file in documents_of(made):
        (directory / Path(file.path).name).write_bytes(file.content)
    return directory


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture
def trust(tmp_path: Path, key: Path) -> Path:
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    path = tmp_path / "trust.yaml"
    path.write_text(
        "apiVersion: schedops/v1\nkind: Trust\nkeys:\n"
        f"  - name: ci\n    key: {public}\n    roles: [build, verify, bench, gate]\n"
    )
    return path


def run(*words: object, env: dict[str, str] | None = None):
    return CliRunner().invoke(evidence, [str(one) for one in words], env=env)


def test_shown_signed_verified(bundle: Path, key: Path, trust: Path):
    assert "nobody signed it" in run("show", bundle).output
    signed = run("sign", bundle, "--key", key)
    assert signed.exit_code == 0, signed.output
    assert "measurements.json" in run("show", bundle).output
    found = run("verify", bundle, "--trust", trust, "--output", "json")
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)["data"]
    assert {one["role"] for one in data["signed"]} == {"build", "verify", "bench", "gate"}
    assert {tuple(one["by"]) for one in data["signed"]} == {("ci",)}


def test_unsigned_evidence_does_not_hold(bundle: Path, trust: Path):
    found = run("verify", bundle, "--trust", trust)
    assert found.exit_code == 1
    assert "not-signed" in found.output


def test_samples_that_somebody_changed_are_neither_signed_nor_believed(bundle: Path, key: Path, trust: Path):
    run("sign", bundle, "--key", key)
    file = bundle / "measurements.json"
    file.write_bytes(file.read_bytes().replace(b'"value":80.0', b'"value":40.0'))
    for words in (("sign", bundle, "--key", key), ("verify", bundle, "--trust", trust)):
        found = run(*words)
        assert found.exit_code == 1
        assert "differs" in found.output


def test_nobody_signs_where_an_agent_runs(bundle: Path, key: Path):
    found = run("sign", bundle, "--key", key, env={"ANTHROPIC_API_KEY": "x"})
    assert found.exit_code == 1
    assert "two-secrets" in found.output
    assert list(bundle.glob("*.intoto.jsonl")) == []


def test_a_key_that_others_may_read(bundle: Path, key: Path):
    key.chmod(0o644)
    found = run("sign", bundle, "--key", key)
    assert (found.exit_code, "chmod 600" in found.output) == (2, True)


def test_a_key_with_a_passphrase_or_of_another_kind(bundle: Path, tmp_path: Path):
    for name, words in (("locked", ["-t", "ed25519", "-N", "secret"]), ("rsa", ["-t", "rsa", "-N", ""])):
        path = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", *words, "-f", str(path)], check=True)
        found = run("sign", bundle, "--key", path)
        assert (found.exit_code, "bad-key" in found.output) == (2, True)


def test_a_directory_without_evidence(tmp_path: Path, key: Path):
    found = run("sign", tmp_path, "--key", key)
    assert found.exit_code == 2
