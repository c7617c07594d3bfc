"""Digests say what the attached bytes are."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from schedops.evidence.bundle import attachments, mismatches
from schedops.model.evidence import Evidence
from schedops.schema.decode import decode
from tests.fakes.dossier import KERNEL, documents_of, dossier


def test_every_document_is_attached_as_the_bytes_that_were_digested():
    made = dossier()
    files = {file.path: file.content for file in documents_of(made)}

    assert [ref.file for ref in made.evidence.documents] == [
        "evidence/decision.json",
        "evidence/hints.json",
        "evidence/measurements.json",
        "evidence/plan.json",
        "evidence/policy.json",
        "evidence/profile.json",
        "evidence/verification-report.json",
        "evidence/workload.json",
    ]
    for ref in made.evidence.documents:
        assert ref.sha256 == f"sha256:{hashlib.sha256(files[ref.file]).hexdigest()}"
    assert decode(Evidence, json.loads(files["evidence/evidence.json"])) == made.evidence


def test_equal_documents_give_equal_evidence():
    assert dossier().evidence == dossier().evidence


def test_changed_and_missing_bytes_are_named():
    made = dossier()
    files = documents_of(made)
    changed = [replace(file, content=b"{}") if file.path.endswith("plan.json") else file for file in files]

    assert mismatches(made.evidence, files) == ()
    assert [text.partition(" ")[0] for text in mismatches(made.evidence, changed)] == ["evidence/plan.json"]
    assert len(mismatches(made.evidence, ())) == 8


def test_a_document_other_than_the_evidence_says_is_refused():
    made = dossier()

    with pytest.raises(ValueError, match=r"evidence/plan.json is missing"):
        attachments((made.workload,), made.evidence)
    with pytest.raises(ValueError, match="two different documents of kind Plan"):
        attachments((made.plan, replace(made.plan, policy="other")), made.evidence)
    with pytest.raises(ValueError, match="is no document"):
        attachments((made.evidence.tools,), made.evidence)
    assert made.evidence.kernels == (KERNEL,)
