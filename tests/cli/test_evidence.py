"""``schedops evidence`` on directories, with keys in files."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from schedops.adapters.clock import SystemClock
from schedops.adapters.disk.attested import read_key
from schedops.cli.evidence import evidence
from tests.fakes.dossier import documents_of, dossier


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
    return written(tmp_path / "key", Ed25519PrivateKey.generate(), PrivateFormat.OpenSSH)


def written(
    path: Path,
    key,
    form: PrivateFormat,
    encryption: KeySerializationEncryption = NoEncryption(),  # noqa: B008
) -> Path:
    """A private key in a file of its owner's alone."""
    path.write_bytes(key.private_bytes(Encoding.PEM, form, encryption))
    path.chmod(0o600)
    return path


@pytest.fixture
def trust(tmp_path: Path, key: Path) -> Path:
    public = read_key(key).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
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


def test_an_evidence_that_names_no_documents_vouches_for_none(bundle: Path, key: Path):
    file = bundle / "evidence.json"
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "documents": []}))
    found = run("sign", bundle, "--key", key)
    assert (found.exit_code, "does not name" in found.output) == (1, True)


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
    locked = BestAvailableEncryption(b"secret")
    for path in (
        written(tmp_path / "locked", Ed25519PrivateKey.generate(), PrivateFormat.PKCS8, locked),
        written(tmp_path / "p256", generate_private_key(SECP256R1()), PrivateFormat.OpenSSH),
    ):
        found = run("sign", bundle, "--key", path)
        assert (found.exit_code, "bad-key" in found.output) == (2, True)


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_key_as_ssh_keygen_makes_it(bundle: Path, tmp_path: Path):
    for passphrase, code in (("", 0), ("secret", 2)):
        path = tmp_path / f"key{code}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)
        assert run("sign", bundle, "--key", path).exit_code == code


def test_a_directory_without_evidence(tmp_path: Path, key: Path):
    found = run("sign", tmp_path, "--key", key)
    assert found.exit_code == 2
