"""What makes two proposals the same intent: the same pull request is updated instead of a second one opened."""

from __future__ import annotations

import hashlib
import json
import re

from schedops.propose.dossier import Dossier

INFORMED_DEFAULT = "informed-default"
_KEY_DIGITS = 8


def subject(dossier: Dossier) -> str:
    """What is proposed, in a word: the policy's name, or ``informed-default`` for settings."""
    return INFORMED_DEFAULT if dossier.settings_only else dossier.policy.name


def key_of(dossier: Dossier) -> str:
    """Eight hex digits over policy, workload, group and objective; parameters and figures are content, not intent."""
    intent = {
        "policy": subject(dossier),
        "workload": dossier.workload.name,
        "group": dossier.group,
        "objective": sorted(objective.metric for objective in dossier.workload.objectives),
    }
    text = json.dumps(intent, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:_KEY_DIGITS]


def branch_of(dossier: Dossier) -> str:
    """``schedops/agent/<workload>/<policy>-<key>``."""
    return f"schedops/agent/{_slug(dossier.workload.name)}/{_slug(subject(dossier))}-{key_of(dossier)}"


def _slug(name: str) -> str:
    # Names are held to a pattern by their schemas; a branch name has rules of its own, so this does not rely on it.
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"
