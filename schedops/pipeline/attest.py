"""Evidence as it lies in a directory, checked before anybody signs it or believes a signature under it."""

from __future__ import annotations

from schedops.errors import InputError, Refused
from schedops.evidence.statement import Proved
from schedops.model.kept import StoredResult
from schedops.model.workload import Workload
from schedops.pipeline.replay import replay
from schedops.schema.canonical import digest_of


def proved(stored: StoredResult) -> Proved:
    """The documents, when they are all there, are those that the evidence names, and say what the samples say.

    :raises InputError: ``no-evidence``: a document is missing.
    :raises Refused: ``evidence-differs``, ``decision-differs``.
    """
    evidence, verification = stored.evidence, stored.verification
    workload = _need(stored.workload, "workload.json", stored)
    if evidence is None or verification is None or stored.decision is None:
        raise _missing("evidence.json, verification-report.json and decision.json", stored)
    decision = replay(stored, workload).decision
    unnamed = {"Workload", "VerificationReport", "Measurements", "Decision"} - {ref.kind for ref in evidence.documents}
    if unnamed:
        text = f"the evidence does not name every document that it needs: {', '.join(sorted(unnamed))}"
        raise Refused("evidence-differs", text, where=stored.where)
    if verification.policy != evidence.policy or verification.source_sha256 != evidence.policy_sha256:
        raise Refused("evidence-differs", "another policy was verified than the evidence is about", where=stored.where)
    if digest_of(workload) != evidence.workload_sha256:
        raise Refused("evidence-differs", "the workload is not the one that the evidence is about", where=stored.where)
    if set(verification.objects) != set(evidence.objects):
        raise Refused("evidence-differs", "the objects are not those that were verified", where=stored.where)
    return Proved(evidence=evidence, verification=verification, measurements=stored.measurements, decision=decision)


def _need(value: Workload | None, name: str, stored: StoredResult) -> Workload:
    if value is None:
        raise _missing(name, stored)
    return value


def _missing(names: str, stored: StoredResult) -> InputError:
    return InputError(
        "no-evidence",
        f"not all documents of an evidence bundle are here: {names}",
        where=stored.where,
        hint="schedops evidence show --pr NUMBER --save DIR",
    )
