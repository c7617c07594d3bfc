"""Envelopes against the protocol's own vectors and another implementation."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey

from schedops.errors import InputError, Refused
from schedops.evidence.dsse import (
    IN_TOTO,
    also_signed,
    keyid_of,
    line_of,
    opened,
    pae,
    public_key,
    read_line,
    signed,
    signers,
)

KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2))
# protocol.md of DSSE v1.0.2, "Test Vectors": ECDSA over NIST P-256 with SHA-256.
VECTOR = (
    b'{"payload":"aGVsbG8gd29ybGQ=","payloadType":"http://example.com/HelloWorld","signatures":[{"sig":'
    b'"A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]}'
)


def opened_by(line: str | bytes, *keys, threshold=1):
    data = line if isinstance(line, bytes) else line.encode()
    return opened(read_line(data, where="x"), [key.public_key() for key in keys], threshold=threshold, where="x")


def test_what_is_signed_is_the_protocols_encoding():
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_protocols_vector_has_its_payload_and_its_type():
    envelope = read_line(VECTOR, where="vector")
    assert (envelope.payload, envelope.payload_type) == (b"hello world", "http://example.com/HelloWorld")


def test_an_envelope_of_ours_opens_and_is_read_by_another_implementation():
    line = line_of(signed(b'{"a":1}', KEY))
    assert opened_by(line, KEY) == b'{"a":1}'
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    theirs = TheirEnvelope.from_dict(json.loads(line))
    keyid = keyid_of(KEY.public_key())
    theirs.verify([SSlibKey(keyid, "ed25519", "ed25519", {"public": _raw(KEY)})], 1)
    assert pem.startswith("-----BEGIN PUBLIC KEY")
    with pytest.raises(VerificationError):
        theirs.verify([SSlibKey(keyid, "ed25519", "ed25519", {"public": _raw(OTHER)})], 1)


def test_an_envelope_of_theirs_opens_here():
    theirs = TheirEnvelope(b"{}", IN_TOTO, {})
    theirs.sign(CryptoSigner(KEY))
    assert opened_by(json.dumps(theirs.to_dict()), KEY) == b"{}"


def test_a_p256_key_may_sign_too():
    # The vector's signature is raw r and s; OpenSSL wants DER, so what fits is a signature that we make here.
    private = generate_private_key(SECP256R1())
    sig = private.sign(pae(IN_TOTO, b"{}"), ECDSA(hashes.SHA256()))
    body = {
        "payload": base64.b64encode(b"{}").decode(),
        "payloadType": IN_TOTO,
        "signatures": [{"sig": base64.b64encode(sig).decode()}],
    }
    assert opened_by(json.dumps(body), private) == b"{}"


def test_two_of_two_keys():
    once = signed(b"{}", KEY)
    both = also_signed(once, OTHER)
    assert opened_by(line_of(both), KEY, OTHER, threshold=2) == b"{}"
    with pytest.raises(Refused, match="1 of the 2 keys"):
        opened_by(line_of(once), KEY, OTHER, threshold=2)


def test_one_key_twice_is_one_key():
    again = also_signed(also_signed(signed(b"{}", KEY), KEY), KEY)
    assert len(again.signatures) == 1
    doubled = json.loads(line_of(again))
    doubled["signatures"] *= 2
    with pytest.raises(Refused):
        opened_by(json.dumps(doubled), KEY, KEY, OTHER, threshold=2)


def test_another_type_of_payload_is_not_an_in_toto_statement():
    with pytest.raises(Refused) as refused:
        opened_by(line_of(signed(b"{}", KEY, payload_type="text/plain")), KEY)
    assert refused.value.code == "wrong-payload"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b"payload: e30=\n",
        b'{"payload":"e30=","payloadType":"x","signatures":[]}',
        b'{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA==","keyid":5}]}',
        b'{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA==","cert":"x"}]}',
        b'{"payload":"e30=","payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}]}',
        b'{"payload":"e3 0=","payloadType":"x","signatures":[{"sig":"AA=="}]}',
        b'{"payload":"e30","payloadType":"x","signatures":[{"sig":"AA=="}]}',
        b'{"payload":5,"payloadType":"x","signatures":[{"sig":"AA=="}]}',
        b'{"payload":"e30=","payloadType":"\\ud800","signatures":[{"sig":"AA=="}]}',
        b'{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA==","keyid":"\\u001b[2J"}]}',
        b'{"payload":"e30=","payloadType":null,"signatures":[{"sig":"AA=="}]}',
        b'{"payload":"e30=","payloadType":"x","signatures":[{"sig":"AA=="}],"more":1}',
        b'{"payload":"e30=","payloadType":"x","signatures":[' + b'{"sig":"AA=="},' * 40 + b'{"sig":"AA=="}]}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_envelope_is_refused(line: bytes):
    with pytest.raises(InputError) as wrong:
        read_line(line, where="x")
    assert wrong.value.code == "bad-envelope"


def test_the_base64_of_urls_is_taken():
    line = json.loads(line_of(signed(b"\xff\xfe\xfd", KEY)))
    line["payload"] = line["payload"].replace("/", "_").replace("+", "-")
    assert opened_by(json.dumps(line), KEY) == b"\xff\xfe\xfd"


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7), what=st.sampled_from(["payload", "sig", "payloadType"]))
def test_a_flipped_bit_anywhere_opens_nothing(position: int, bit: int, what: str):
    envelope = signed(b'{"_type":"statement","subject":[]}', KEY)
    line = json.loads(line_of(envelope))
    old = line["signatures"][0]["sig"] if what == "sig" else line[what]
    raw = bytearray(old.encode() if what == "payloadType" else base64.b64decode(old))
    raw[position % len(raw)] ^= 1 << bit
    new = raw.decode("latin-1") if what == "payloadType" else base64.b64encode(bytes(raw)).decode()
    if what == "sig":
        line["signatures"][0]["sig"] = new
    else:
        line[what] = new
    with pytest.raises((Refused, InputError)):
        opened_by(json.dumps(line), KEY)


def test_keys_as_openssh_writes_them():
    text = KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    assert keyid_of(public_key(text)) == keyid_of(KEY.public_key())
    assert signers(signed(b"{}", KEY), [public_key(text)]) != ()
    for wrong in ("", "ssh-ed25519 AAAA", "ssh-rsa AAAA", text[:-8]):
        with pytest.raises(InputError):
            public_key(wrong)


def _raw(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
