"""Bundles: what is signed about a policy's objects, and everything that is refused under it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from schedops.errors import Refused
from schedops.evidence.dsse import read_line, signed
from schedops.evidence.signing import bundle_bytes, file_of, objects_of, read_bundle, sign, verify
from schedops.evidence.statement import Proved, expiry, statements
from schedops.model.trust import Threshold, Trust, TrustedKey
from schedops.schema.canonical import digest_of
from tests.fakes.dossier import dossier

BUILDER, GATE, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([number] * 32)) for number in (1, 2, 3))
NOW = "2026-01-02T00:00:00Z"
ROLES = ("build", "verify", "bench", "gate")


def proved(**other) -> Proved:
    made = dossier(**other)
    return Proved(
        evidence=made.evidence,
        verification=made.verification,
        measurements=made.measurements,
        decision=made.decision,
    )


def trusted(name: str, key: Ed25519PrivateKey, *roles: str, not_after: str | None = None) -> TrustedKey:
    text = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return TrustedKey(name=name, key=text, roles=roles, not_after=not_after)


TRUST = Trust(keys=(trusted("ci", BUILDER, "build", "verify", "bench"), trusted("gate", GATE, "gate")))


def bundles_of(found: Proved, *, days: int = 14):
    ends = expiry(found.evidence, days)
    first = sign(found, {}, BUILDER, roles=("build", "verify", "bench"), expires=ends)
    return sign(found, first, GATE, roles=("gate",), expires=ends)


def check(found: Proved, bundles, trust: Trust = TRUST, now: str = NOW):
    return verify(found, bundles, trust, now=now, where="bundle")


def refusal(*args, **kwargs) -> str:
    with pytest.raises(Refused) as refused:
        check(*args, **kwargs)
    return refused.value.code


def changed(bundles, change):
    """Every bundle with its lines as JSON changed."""
    found = {}
    for name, envelopes in bundles.items():
        lines = [json.loads(line) for line in bundle_bytes(envelopes).splitlines()]
        found[name] = tuple(read_line(json.dumps(line).encode(), where=name) for line in change(lines))
    return found


def test_every_statement_about_every_object_is_signed_by_who_may():
    found = proved()
    signed_by = check(found, bundles_of(found))
    assert {(one.role, one.by) for one in signed_by} == {
        ("build", ("ci",)),
        ("verify", ("ci",)),
        ("bench", ("ci",)),
        ("gate", ("gate",)),
    }
    assert {one.object_sha256 for one in signed_by} == {one.sha256 for one in objects_of(found)}


def test_a_bundle_comes_back_from_its_bytes():
    found = proved()
    (envelopes,) = bundles_of(found).values()
    assert read_bundle(bundle_bytes(envelopes), where="x") == envelopes


def test_equal_evidence_gives_equal_statements():
    found, ref = proved(), objects_of(proved())[0]
    again = proved()
    assert statements(found, ref, expires=NOW) == statements(again, ref, expires=NOW)


def test_signing_again_changes_nothing():
    found = proved()
    once = bundles_of(found)
    again = sign(found, once, GATE, roles=("gate",), expires="2027-01-01T00:00:00Z")
    assert again == once


def test_nobody_signs_for_longer_than_was_asked_because_a_bundle_says_so():
    found = proved()
    planted = sign(found, {}, STRANGER, roles=("gate",), expires="9999-01-01T00:00:00Z")
    with pytest.raises(Refused) as refused:
        sign(found, planted, GATE, roles=("gate",), expires=expiry(found.evidence, 14))
    assert refused.value.code == "ends-later"


def test_payloads_that_are_no_statements_say_nothing_about_the_end():
    found = proved()
    (name,) = bundles_of(found)
    planted = {name: tuple(signed(one, STRANGER) for one in (b"\xff", b"[" * 100_000, b"[]", b"{}"))}
    ends = expiry(found.evidence, 14)
    made = sign(
        found, sign(found, planted, BUILDER, roles=ROLES[:3], expires=ends), GATE, roles=("gate",), expires=ends
    )
    assert check(found, made)


def test_evidence_about_nothing_holds_nothing():
    found = proved()
    nothing = replace(found, evidence=replace(found.evidence, objects=()))
    assert refusal(nothing, {}) == "no-objects"
    with pytest.raises(Refused, match="no object"):
        sign(nothing, {}, GATE, roles=ROLES, expires=NOW)


def test_a_kernel_that_nothing_was_checked_on_is_not_passed():
    found = proved()
    elsewhere = tuple(replace(one, kernel="7.3") for one in found.evidence.objects)
    assert refusal(replace(found, evidence=replace(found.evidence, objects=elsewhere)), {}) == "not-passed"


def test_two_gates_sign_the_same_words():
    found, trust = proved(), replace(TRUST, thresholds=(Threshold(role="gate", keys=2),))
    trust = replace(trust, keys=(*trust.keys, trusted("second", STRANGER, "gate")))
    once = bundles_of(found)
    assert refusal(found, once, trust) == "not-signed"
    twice = sign(found, once, STRANGER, roles=("gate",), expires="2026-02-02T00:00:00Z")
    assert [one.by for one in check(found, twice, trust) if one.role == "gate"] == [("gate", "second")]


def test_a_gate_does_not_sign_what_did_not_pass():
    found = proved(candidate=1.1)
    with pytest.raises(Refused) as refused:
        bundles_of(found)
    assert refused.value.code == "not-passed"


# --- tampering ---


def test_a_stranger_may_not_sign():
    found = proved()
    bundles = sign(found, {}, STRANGER, roles=ROLES, expires=expiry(found.evidence, 14))
    assert refusal(found, bundles) == "not-signed"


def test_who_may_build_may_not_be_the_gate():
    found = proved()
    bundles = sign(found, {}, BUILDER, roles=ROLES, expires=expiry(found.evidence, 14))
    assert refusal(found, bundles) == "not-signed"


def test_a_line_that_is_missing():
    found = proved()
    whole = bundles_of(found)
    (name,) = whole
    for at in range(len(whole[name])):
        rest = tuple(one for number, one in enumerate(whole[name]) if number != at)
        assert refusal(found, {name: rest}) == "not-signed"


def test_signatures_swapped_between_lines():
    def swap(lines):
        lines[0]["signatures"], lines[1]["signatures"] = lines[1]["signatures"], lines[0]["signatures"]
        return lines

    found = proved()
    assert refusal(found, changed(bundles_of(found), swap)) == "not-signed"


def test_a_keyid_of_another_is_only_a_hint():
    def rename(lines):
        for line in lines:
            line["signatures"][0]["keyid"] = "0" * 64
        return lines

    found = proved()
    assert check(found, changed(bundles_of(found), rename))


def test_evidence_of_another_proposal():
    ours, theirs = proved(), proved(candidate=0.7)
    assert refusal(ours, bundles_of(theirs)) == "not-signed"


def test_an_older_bundle_of_the_same_policy():
    older = proved()
    newer = replace(older, evidence=replace(older.evidence, created="2026-01-01T12:00:00Z"))
    assert refusal(newer, bundles_of(older)) == "not-signed"


def test_a_bundle_under_the_name_of_another_object():
    found = proved()
    (envelopes,) = bundles_of(found).values()
    assert refusal(found, {"0" * 64 + ".intoto.jsonl": envelopes}) == "not-signed"


def test_a_payload_written_in_other_bytes():
    found = proved()
    (ref,) = objects_of(found)
    ends = expiry(found.evidence, 14)
    spaced = [
        signed(json.dumps(json.loads(one.payload), indent=1).encode(), GATE if one.role == "gate" else BUILDER)
        for one in statements(found, ref, expires=ends)
    ]
    assert refusal(found, {file_of(ref): tuple(spaced)}) == "not-signed"


def test_it_ends():
    found = proved()
    assert refusal(found, bundles_of(found), now="2026-01-15T00:00:00Z") == "expired"


def test_an_end_that_somebody_moved():
    def later(lines):
        for line in lines:
            text = base64.b64decode(line["payload"]).replace(b"2026-01-15", b"2029-01-15")
            line["payload"] = base64.b64encode(text).decode()
        return lines

    found = proved()
    assert refusal(found, changed(bundles_of(found), later), now="2026-02-01T00:00:00Z") == "not-signed"


def test_a_key_that_has_ended():
    found = proved()
    keys = (trusted("ci", BUILDER, "build", "verify", "bench"), trusted("gate", GATE, "gate", not_after=NOW))
    assert refusal(found, bundles_of(found), Trust(keys=keys)) == "not-signed"


@pytest.mark.parametrize("what", ["object", "policy", "evidence", "envelope"])
def test_what_is_revoked(what: str):
    found = proved()
    bundles = bundles_of(found)
    (envelopes,) = bundles.values()
    digest = {
        "object": found.evidence.objects[0].sha256,
        "policy": found.evidence.policy_sha256,
        "evidence": digest_of(found.evidence),
        "envelope": envelopes[0].sha256,
    }[what]
    trust = replace(TRUST, revoked=(f"sha256:{digest.removeprefix('sha256:')}",))
    assert refusal(found, bundles, trust) == "revoked"
