"""Keys and bundles of signed statements as files."""

from __future__ import annotations

import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from schedops.adapters.disk.cachedir import write_whole
from schedops.errors import InputError
from schedops.evidence.signing import SUFFIX, Bundles, bundle_bytes, read_bundle
from schedops.schema.files import read_bounded

_MOST_BYTES = 16 << 20
_MOST_BUNDLES = 64


def read_key(path: Path) -> Ed25519PrivateKey:
    """A private key as OpenSSH or OpenSSL writes it, without a passphrase.

    :raises InputError: ``bad-key``: unreadable, not Ed25519, or others than its owner may read it.
    """
    data = read_bounded(path, limit=64 << 10)
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            "bad-key", "others than its owner may read this key", where=str(path), hint=f"chmod 600 {path}"
        )
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        key = load(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(
            "bad-key",
            "not a private key without a passphrase",
            where=str(path),
            hint="ssh-keygen -t ed25519 -N '' -f FILE makes one",
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("bad-key", "not an Ed25519 key", where=str(path), hint="ssh-keygen -t ed25519 -f FILE")
    return key


def read_bundles(directory: Path) -> Bundles:
    """All bundles of a directory. :raises InputError: ``bad-envelope``, or a file cannot be read."""
    found = sorted(directory.glob(f"*{SUFFIX}"))
    if len(found) > _MOST_BUNDLES:
        raise InputError("bad-envelope", f"{len(found)} bundles; {_MOST_BUNDLES} at most", where=str(directory))
    return {path.name: read_bundle(read_bounded(path, limit=_MOST_BYTES), where=str(path)) for path in found}


def write_bundles(directory: Path, bundles: Bundles) -> None:
    """Each whole or not at all."""
    for name, envelopes in bundles.items():
        write_whole(directory / name, bundle_bytes(envelopes))
