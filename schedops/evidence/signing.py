"""Bundles of envelopes: made by those who hold keys, checked by those who hold the documents and the trust file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schedops.errors import InputError, Refused
from schedops.evidence.dsse import Envelope, PublicKey, also_signed, line_of, opened, public_key, read_line, signed
from schedops.evidence.statement import Proved, Statement, expiry_in, statements
from schedops.model.trust import Trust
from schedops.model.verdict import Verdict
from schedops.model.verification import ObjectRef
from schedops.schema.canonical import digest_of

SUFFIX = ".intoto.jsonl"
_MOST_LINES = 256
Bundles = Mapping[str, tuple[Envelope, ...]]  # file name -> its envelopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A statement that enough keys signed.

    :param by: names of the trust file, sorted.
    """

    object_sha256: str
    role: str
    what: str
    by: tuple[str, ...]


def file_of(ref: ObjectRef) -> str:
    """Name of an object's bundle."""
    return f"{ref.sha256.removeprefix('sha256:')}{SUFFIX}"


def sign(
    proved: Proved, present: Bundles, key: Ed25519PrivateKey, *, roles: Iterable[str], expires: str
) -> dict[str, tuple[Envelope, ...]]:
    """The bundles with the signatures of *key* for what *roles* sign; others' signatures stay.

    :param expires: ISO 8601, UTC; a summary that is there already and ends earlier is signed as it is.
    :raises Refused: ``no-objects``; ``not-passed``: a gate signs only what passed; ``ends-later``: the summary that is
        there holds longer than *expires*.
    """
    wanted = set(roles)
    _require_objects(proved)
    if "gate" in wanted:
        _require_pass(proved)
    made: dict[str, tuple[Envelope, ...]] = {}
    for ref in objects_of(proved):
        there = list(present.get(file_of(ref), ()))
        ends = _agreed_end(there, expires, file_of(ref))
        for one in (one for one in statements(proved, ref, expires=ends) if one.role in wanted):
            at = next((at for at, envelope in enumerate(there) if envelope.payload == one.payload), None)
            if at is None:
                there.append(signed(one.payload, key))
            else:
                there[at] = also_signed(there[at], key)
        made[file_of(ref)] = tuple(there)
    return made


def verify(proved: Proved, bundles: Bundles, trust: Trust, *, now: str, where: str) -> tuple[Signed, ...]:
    """Every statement about every object, each signed by enough keys of its role.

    :param now: ISO 8601, UTC. :param where: of the bundles, for messages.
    :raises Refused: ``no-objects``, ``not-signed``, ``expired``, ``revoked``, ``not-passed``.
    """
    _require_objects(proved)
    _require_pass(proved)
    found = []
    for ref in objects_of(proved):
        place = f"{where}/{file_of(ref)}"
        envelopes = bundles.get(file_of(ref), ())
        _refuse_revoked(proved, ref, envelopes, trust, place)
        holders = _keys(trust, "gate", now)
        ends = _end(envelopes, [key for _, key in holders], trust.threshold("gate"), place)
        if ends <= now:
            raise Refused("expired", f"the evidence ended {ends}", where=place, hint="measure again")
        found += [_signed(one, ref, envelopes, trust, now, place) for one in statements(proved, ref, expires=ends)]
    return tuple(found)


def objects_of(proved: Proved) -> tuple[ObjectRef, ...]:
    """Each object once, by the first kernel that it is for."""
    return tuple({one.sha256: one for one in reversed(proved.evidence.objects)}.values())


def read_bundle(data: bytes, *, where: str) -> tuple[Envelope, ...]:
    """:raises InputError: ``bad-envelope``: a line is none, or there are too many."""
    lines = [line for line in data.split(b"\n") if line.strip()]
    if len(lines) > _MOST_LINES:
        raise InputError("bad-envelope", f"{len(lines)} lines; a bundle has {_MOST_LINES} at most", where=where)
    return tuple(read_line(line, where=f"{where}:{number}") for number, line in enumerate(lines, 1))


def bundle_bytes(envelopes: Sequence[Envelope]) -> bytes:
    """A bundle as a file."""
    return "".join(f"{line_of(one)}\n" for one in envelopes).encode()


def _signed(
    one: Statement, ref: ObjectRef, envelopes: Sequence[Envelope], trust: Trust, now: str, where: str
) -> Signed:
    keys = _keys(trust, one.role, now)
    envelope = next((envelope for envelope in envelopes if envelope.payload == one.payload), None)
    if envelope is None:
        raise Refused(
            "not-signed",
            f"nobody signed what these documents say about {one.what}",
            where=where,
            hint="a statement about other documents does not count for these",
        )
    opened(envelope, [key for _, key in keys], threshold=trust.threshold(one.role), where=f"{where} ({one.what})")
    by = [name for name, key in keys if _did_sign(envelope, key)]
    return Signed(object_sha256=ref.sha256, role=one.role, what=one.what, by=tuple(sorted(by)))


def _did_sign(envelope: Envelope, key: PublicKey) -> bool:
    try:
        opened(envelope, [key], threshold=1, where="")
    except Refused:
        return False
    return True


def _keys(trust: Trust, role: str, now: str) -> list[tuple[str, PublicKey]]:
    # A key that has ended signs nothing more, and when it signed is only what it says itself.
    return [
        (one.name, public_key(one.key, where=f"trust.yaml, {one.name}"))
        for one in trust.holders(role)
        if one.not_after is None or now < one.not_after
    ]


def _end(envelopes: Sequence[Envelope], keys: Sequence[PublicKey], threshold: int, where: str) -> str:
    # Only what enough keys of the gate signed is read.
    for envelope in envelopes:
        try:
            ends = expiry_in(opened(envelope, keys, threshold=threshold, where=where))
        except (Refused, ValueError, RecursionError):
            continue
        if ends:
            return ends
    raise Refused("not-signed", "no summary is signed by enough keys of the gate", where=where)


def _agreed_end(envelopes: Sequence[Envelope], latest: str, where: str) -> str:
    # A second signer signs the very words of the first: what they say is made again from the documents but for this.
    # Nobody has checked who wrote it, so it may end what is signed earlier, never later.
    for envelope in envelopes:
        try:
            ends = expiry_in(envelope.payload)
        except (ValueError, RecursionError):
            continue
        if ends > latest:
            raise Refused(
                "ends-later",
                f"the summary that is there ends {ends[:40]!r}, later than this key is to sign for: {latest}",
                where=where,
                hint="as many --days as who signed first, or a directory without that bundle",
            )
        if ends:
            return ends
    return latest


def _refuse_revoked(proved: Proved, ref: ObjectRef, envelopes: Sequence[Envelope], trust: Trust, where: str) -> None:
    named = {ref.sha256, digest_of(proved.evidence), proved.evidence.policy_sha256, *(one.sha256 for one in envelopes)}
    plain = {one.removeprefix("sha256:") for one in named}
    if gone := sorted(one for one in trust.revoked if one.removeprefix("sha256:") in plain):
        raise Refused("revoked", f"{gone[0]} is revoked", where=where, hint="see revoked in policies/trust.yaml")


def _require_objects(proved: Proved) -> None:
    # Without any there is nothing to sign, and nothing that could be missing either.
    if not proved.evidence.objects:
        raise Refused("no-objects", "the evidence is about no object, so there is nothing to sign")


def _require_pass(proved: Proved) -> None:
    wrong = [
        f"{what} is {verdict.value}"
        for what, verdict in (
            ("the verification", proved.verification.verdict),
            ("the decision", proved.decision.verdict),
        )
        if verdict is not Verdict.PASS
    ]
    checked = {one.kernel for one in proved.verification.checks}
    unchecked = sorted({one.kernel for one in proved.evidence.objects} - checked)
    wrong += [f"nothing was checked on {kernel}" for kernel in unchecked]
    if wrong:
        raise Refused("not-passed", " and ".join(wrong), hint="only what passed is signed by a gate")
