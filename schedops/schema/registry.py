"""Which documents exist. By hand: a document is a promise to users, so adding one is a decision."""

from __future__ import annotations

import importlib
from typing import Any

API_VERSION = "schedops/v1"

# kind -> (module of its type, schema file). Names, not types: `library list` imports one model module, not all.
_DOCUMENTS = {
    "Assignment": ("schedops.model.fleet", "assignment.schema.json"),
    "Decision": ("schedops.model.decision", "decision.schema.json"),
    "Evidence": ("schedops.model.evidence", "evidence.schema.json"),
    "Fleet": ("schedops.model.fleet", "fleet.schema.json"),
    "Hints": ("schedops.model.jobs", "hints.schema.json"),
    "Kernel": ("schedops.model.kernel", "kernel.schema.json"),
    "Machine": ("schedops.model.machine", "machine.schema.json"),
    "Measurements": ("schedops.model.measurements", "measurements.schema.json"),
    "Outcome": ("schedops.model.outcome", "outcome.schema.json"),
    "Plan": ("schedops.model.plan", "plan.schema.json"),
    "Policy": ("schedops.model.policy", "policy.schema.json"),
    "Profile": ("schedops.model.profile", "profile.schema.json"),
    "ProgramPolicy": ("schedops.model.program_policy", "program-policy.schema.json"),
    "PullRequest": ("schedops.model.pull", "pull-request.schema.json"),
    "Search": ("schedops.model.search", "search.schema.json"),
    "Standing": ("schedops.model.outcome", "standing.schema.json"),
    "SuiteResults": ("schedops.model.suite", "suite-results.schema.json"),
    "Trust": ("schedops.model.trust", "trust.schema.json"),
    "VerificationReport": ("schedops.model.verification", "verification-report.schema.json"),
    "Workload": ("schedops.model.workload", "workload.schema.json"),
}
KINDS = tuple(sorted(_DOCUMENTS))


def kind_of(type_: type) -> str | None:
    """The document kind of a type; None for values that only occur inside documents."""
    entry = _DOCUMENTS.get(type_.__name__)
    return type_.__name__ if entry is not None and entry[0] == type_.__module__ else None


def type_of(kind: str) -> type[Any]:
    """The type of a document kind. :raises KeyError: there is no such kind."""
    found: type[Any] = getattr(importlib.import_module(_DOCUMENTS[kind][0]), kind)
    return found


def schema_file(kind: str) -> str:
    """Name of the kind's JSON Schema file. :raises KeyError: there is no such kind."""
    return _DOCUMENTS[kind][1]
