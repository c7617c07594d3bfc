"""What is signed about a policy's objects: in-toto statements, made of the evidence's documents and nothing else.

Equal evidence gives equal bytes, so whoever has the documents checks a statement by making it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schedops.model.decision import Decision
from schedops.model.evidence import Evidence
from schedops.model.measurements import Measurements
from schedops.model.verdict import Verdict, worst
from schedops.model.verification import ObjectRef, VerificationReport
from schedops.schema.canonical import digest_of

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY = "https://schedops.dev/evidence/v1"
_RESULT = {Verdict.PASS: "PASSED", Verdict.INCONCLUSIVE: "WARNED"}
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The documents that the statements speak of, checked against each other before."""

    evidence: Evidence
    verification: VerificationReport
    measurements: Measurements
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """:param role: of :data:`schedops.model.trust.ROLES`: who has to sign it.

    :param what: in a word or two, for people.
    """

    role: str
    what: str
    payload: bytes


def statements(proved: Proved, ref: ObjectRef, *, expires: str) -> tuple[Statement, ...]:
    """All that is said about one object.

    :param expires: ISO 8601, UTC; from then on the summary is worth nothing.
    """
    first = (
        Statement(role="build", what="build", payload=_payload(proved, ref, PROVENANCE, _provenance(proved, ref))),
        *(
            Statement(role="verify", what=f"verified on {one.kernel}", payload=_verified(proved, ref, one))
            for one in proved.evidence.objects
            if one.sha256 == ref.sha256
        ),
        Statement(role="bench", what="measured", payload=_payload(proved, ref, TEST_RESULT, _measured(proved))),
    )
    summary = _payload(proved, ref, SUMMARY, _summary(proved, ref, expires))
    return (*first, Statement(role="gate", what="gate", payload=summary))


def expiry(evidence: Evidence, days: int) -> str:
    """When evidence of now is too old. :raises ValueError: *created* is no time."""
    made = datetime.strptime(evidence.created, _TIME)  # noqa: DTZ007 - UTC by its form
    return (made + timedelta(days=days)).strftime(_TIME)


def expiry_in(payload: bytes) -> str:
    """What a verified summary says about when it ends; empty for another statement."""
    value = json.loads(payload)
    predicate = value.get("predicate") if isinstance(value, dict) else None
    expires = predicate.get("expires", "") if isinstance(predicate, dict) else ""
    return expires if isinstance(expires, str) else ""


def _payload(proved: Proved, ref: ObjectRef, kind: str, predicate: Mapping[str, Any]) -> bytes:
    evidence = proved.evidence
    subject = [
        {"name": f"{evidence.policy}.bpf.o", "digest": _sha256(ref.sha256)},
        {"name": evidence.policy, "digest": _sha256(evidence.policy_sha256)},
    ]
    value = {"_type": STATEMENT, "subject": subject, "predicateType": kind, "predicate": predicate}
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _provenance(proved: Proved, ref: ObjectRef) -> dict[str, Any]:
    evidence, tools = proved.evidence, proved.evidence.tools
    return {
        "buildDefinition": {
            "buildType": "https://schedops.dev/build/v1",
            "externalParameters": {"policy": evidence.policy},
            "resolvedDependencies": [
                {"name": "policy source", "digest": _sha256(evidence.policy_sha256)},
                {"name": f"BTF of {ref.kernel}", "digest": _sha256(ref.btf_sha256)},
                {"name": "base", "digest": {"gitCommit": evidence.base_commit}},
            ],
        },
        "runDetails": {
            "builder": {
                "id": "https://schedops.dev/builder/v1",
                "version": {"schedops": tools.schedops, "clang": tools.clang, "bpftool": tools.bpftool},
                "builderDependencies": [{"name": "schedops", "digest": _sha256(tools.schedops_sha256)}],
            },
        },
    }


def _verified(proved: Proved, ref: ObjectRef, there: ObjectRef) -> bytes:
    checks = [one for one in proved.verification.checks if one.kernel in {"", there.kernel}]
    predicate = {
        "result": _result(worst(one.verdict for one in checks) if checks else Verdict.ERROR),
        "configuration": [
            {"name": there.kernel, "digest": _sha256(there.btf_sha256)},
            _document("verification-report.json", proved.verification),
        ],
        "passedTests": [one.stage for one in checks if one.verdict is Verdict.PASS],
        "warnedTests": [one.stage for one in checks if one.verdict is Verdict.INCONCLUSIVE],
        "failedTests": [one.stage for one in checks if one.verdict in {Verdict.FAIL, Verdict.ERROR}],
    }
    return _payload(proved, ref, TEST_RESULT, predicate)


def _measured(proved: Proved) -> dict[str, Any]:
    reasons = [one for one in proved.decision.reasons if one.role != "condition"]
    by = {
        verdict: [f"{one.role} {one.metric} against {one.baseline}" for one in reasons if one.verdict is verdict]
        for verdict in Verdict
    }
    return {
        "result": _result(proved.decision.verdict),
        "configuration": [
            {"name": "workload", "digest": _sha256(proved.evidence.workload_sha256)},
            _document("measurements.json", proved.measurements),
            _document("decision.json", proved.decision),
        ],
        "passedTests": by[Verdict.PASS],
        "warnedTests": by[Verdict.INCONCLUSIVE],
        "failedTests": [*by[Verdict.FAIL], *by[Verdict.ERROR]],
    }


def _summary(proved: Proved, ref: ObjectRef, expires: str) -> dict[str, Any]:
    evidence, decision = proved.evidence, proved.decision
    return {
        "verifier": {"id": "https://schedops.dev/gate/v1", "version": {"schedops": evidence.tools.schedops}},
        "timeCreated": evidence.created,
        "expires": expires,
        "source": {"base": evidence.base_commit},
        "evidence": _document("evidence.json", evidence),
        "kernels": [
            {"name": one.kernel, "btfSha256": one.btf_sha256.removeprefix("sha256:")}
            for one in evidence.objects
            if one.sha256 == ref.sha256
        ],
        "bench": {
            "workload": evidence.workload,
            "rung": decision.rung,
            "rounds": decision.rounds,
            "samples": _document("measurements.json", proved.measurements),
            "verdict": decision.verdict.value,
        },
        "verificationResult": _result(worst((proved.verification.verdict, decision.verdict))),
    }


def _result(verdict: Verdict) -> str:
    return _RESULT.get(verdict, "FAILED")


def _document(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "digest": _sha256(digest_of(value))}


def _sha256(digest: str) -> dict[str, str]:
    return {"sha256": digest.removeprefix("sha256:")}
