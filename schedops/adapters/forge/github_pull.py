"""A pull request as GitHub shows it, in the words of the forge port; and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schedops.adapters.forge.github_api import CONFLICT, Rejected
from schedops.adapters.forge.github_seal import read_seal
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.pull import PullRequest
from schedops.model.verdict import Verdict

BRANCH = re.compile(r"schedops/agent/.+-([0-9a-f]{8})")


def pull_of(raw: Mapping[str, Any]) -> PullRequest:
    """Its verdict is what the seal says; a body without one has none."""
    branch, seal = raw["head"]["ref"], read_seal(raw["body"])
    named = BRANCH.fullmatch(branch)
    return PullRequest(
        number=raw["number"],
        key=named[1] if named else "",
        title=raw["title"],
        state="merged" if raw["merged_at"] else raw["state"],
        draft=bool(raw["draft"]),
        verdict=seal.verdict if seal else Verdict.ERROR,
        branch=branch,
        base=raw["base"]["ref"],
        head_commit=raw["head"]["sha"],
        labels=tuple(sorted(labels_of(raw))),
        created=raw["created_at"],
        updated=raw["updated_at"],
    )


def labels_of(raw: Mapping[str, Any]) -> set[str]:
    """Names."""
    return {label["name"] for label in raw["labels"]}


def content_of(raw: Mapping[str, Any]) -> str:
    """Digest of what it says; empty when it is not finished."""
    seal = read_seal(raw["body"])
    return seal.content if seal else ""


def number_of(raw: Mapping[str, Any]) -> int:
    """To sort by."""
    return int(raw["number"])


def not_opened(base: str, error: Rejected) -> Exception:
    """Why a pull request against *base* was not opened."""
    if "draft" in error.words.lower():
        return Unavailable(
            "no-drafts",
            "this repository has no draft pull requests, and what is no PASS is proposed as a draft only",
            hint="measure more rounds, or make the repository one that has drafts",
        )
    if "no commits between" in error.words.lower():
        return Refused("already-there", "the base already says what this proposal would change", where=base)
    return InputError(
        "github-rejected",
        f"GitHub does not open this pull request against {base}: {error.words}",
        hint=f"git push, so that the branch {base} is there",
    )


def not_merged(number: int, error: Rejected) -> Exception:
    """Why it was not merged."""
    if error.status == CONFLICT:
        text = f"pull request {number} was changed meanwhile: {error.words}"
        return InputError("head-moved", text, hint="look at it again, then merge it")
    return Refused("merge-refused", f"GitHub does not merge pull request {number}: {error.words}")
