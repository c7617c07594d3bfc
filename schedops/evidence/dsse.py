"""DSSE envelopes (github.com/secure-systems-lab/dsse, v1.0.2): what is signed, and by which keys. Pure.

What was verified is what is parsed: :func:`opened` gives the payload's own bytes, and nothing else of an envelope is
ever read as content.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from schedops.errors import InputError, Refused
from schedops.schema.strict import parse

IN_TOTO = "application/vnd.in-toto+json"
PublicKey = Ed25519PublicKey | EllipticCurvePublicKey
_MOST_SIGNATURES = 32
_MOST_KEYID = 256
_FIELDS = {"payload", "payloadType", "signatures"}
_SIGNATURE_FIELDS = {"keyid", "sig"}


@dataclass(frozen=True, slots=True)
class Signature:
    """:param keyid: a hint only; whether it fits is decided by the key."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """:param payload: the bytes that were signed, whatever they say of themselves."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    @property
    def sha256(self) -> str:
        """Of the payload and its type: the same whoever signed it."""
        return f"sha256:{hashlib.sha256(pae(self.payload_type, self.payload)).hexdigest()}"


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of protocol.md."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def signed(payload: bytes, key: Ed25519PrivateKey, *, payload_type: str = IN_TOTO) -> Envelope:
    """One signature over *payload*."""
    signature = Signature(keyid_of(key.public_key()), key.sign(pae(payload_type, payload)))
    return Envelope(payload, payload_type, (signature,))


def also_signed(envelope: Envelope, key: Ed25519PrivateKey) -> Envelope:
    """With the signature of one more key; one that signed already signs no second time."""
    another = signed(envelope.payload, key, payload_type=envelope.payload_type).signatures[0]
    others = tuple(one for one in envelope.signatures if one.keyid != another.keyid)
    return Envelope(envelope.payload, envelope.payload_type, (*others, another))


def line_of(envelope: Envelope) -> str:
    """One line of a ``.jsonl``, without its end."""
    body = {
        "payload": base64.b64encode(envelope.payload).decode(),
        "payloadType": envelope.payload_type,
        "signatures": [{"keyid": one.keyid, "sig": base64.b64encode(one.sig).decode()} for one in envelope.signatures],
    }
    return json.dumps(body, sort_keys=True, separators=(",", ":"))


def read_line(line: bytes, *, where: str) -> Envelope:
    """:raises InputError: ``bad-envelope``: not what DSSE calls an envelope, to the last field."""
    value, problems = parse(line) if line.lstrip().startswith(b"{") else (None, ())
    if problems or not isinstance(value, dict) or set(value) != _FIELDS:
        raise _bad(where, "it is no JSON object of payload, payloadType and signatures")
    signatures, kind = value["signatures"], value["payloadType"]
    if not isinstance(kind, str) or not kind.isascii():
        raise _bad(where, "payloadType is a media type, in ASCII")
    if not isinstance(signatures, list) or not 0 < len(signatures) <= _MOST_SIGNATURES:
        raise _bad(where, f"there are 1 to {_MOST_SIGNATURES} signatures")
    return Envelope(_bytes(value["payload"], where), kind, tuple(_signature(one, where) for one in signatures))


def signers(envelope: Envelope, keys: Sequence[PublicKey]) -> tuple[PublicKey, ...]:
    """Those of *keys* that signed the envelope, each once, in their order."""
    message = pae(envelope.payload_type, envelope.payload)
    return tuple(key for key in keys if any(_fits(key, one.sig, message) for one in envelope.signatures))


def opened(envelope: Envelope, keys: Sequence[PublicKey], *, threshold: int, where: str) -> bytes:
    """The payload, if enough of *keys* signed it as what an in-toto statement is.

    :raises Refused: ``not-signed``: too few of them did; ``wrong-payload``: it is signed as something else.
    """
    if envelope.payload_type != IN_TOTO:
        raise Refused("wrong-payload", f"it is signed as {envelope.payload_type[:100]!r}, not {IN_TOTO}", where=where)
    found = {keyid_of(key) for key in signers(envelope, keys)}
    if threshold < 1 or len(found) < threshold:
        raise Refused(
            "not-signed",
            f"{len(found)} of the {len(keys)} keys that may sign this did, and {threshold} have to",
            where=where,
            hint="the keys and their roles are in policies/trust.yaml of the base branch",
        )
    return envelope.payload


def public_key(text: str, *, where: str = "") -> PublicKey:
    """A key as OpenSSH writes it. :raises InputError: ``bad-key``: unreadable, or neither Ed25519 nor P-256."""
    try:
        key = load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError("bad-key", f"not a public key: {error}", where=where) from None
    if isinstance(key, Ed25519PublicKey) or (
        isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    ):
        return key
    raise InputError("bad-key", "only Ed25519 and ECDSA P-256 keys are taken", where=where)


def keyid_of(key: PublicKey) -> str:
    """SHA-256 of the key in DER (SubjectPublicKeyInfo), as hex."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _fits(key: PublicKey, sig: bytes, message: bytes) -> bool:
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(sig, message)
        else:
            key.verify(sig, message, ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _signature(value: Any, where: str) -> Signature:
    if not isinstance(value, dict) or not {"sig"} <= set(value) <= _SIGNATURE_FIELDS:
        raise _bad(where, "a signature has sig and perhaps keyid, nothing else")
    keyid = value.get("keyid", "")
    if not isinstance(keyid, str) or not keyid.isprintable() or len(keyid) > _MOST_KEYID:
        raise _bad(where, f"keyid is printable text of at most {_MOST_KEYID} characters")
    return Signature(keyid, _bytes(value["sig"], where))


def _bytes(value: Any, where: str) -> bytes:
    # Standard or URL-safe, as the protocol allows; padding is needed, and nothing beside the alphabet is skipped.
    try:
        plain = value.replace("-", "+").replace("_", "/")
        return base64.b64decode(plain, validate=True)
    except (AttributeError, binascii.Error, ValueError):
        raise _bad(where, "payload and sig are base64") from None


def _bad(where: str, why: str) -> InputError:
    return InputError("bad-envelope", f"not a DSSE envelope: {why}", where=where)
