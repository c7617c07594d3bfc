"""A pull request as the forge port speaks of it."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file the proposal writes; *path* is relative to the repository."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of a proposal, on top of the one before it."""

    message: str
    changes: tuple[FileChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Everything a forge needs to open or update a pull request.

    :param key: stable identity of the intent; the same key updates the same pull request.
    :param attachments: what a reviewer may want beside the diff (pictures, evidence documents); not in the branch.
    :param created: ISO 8601, UTC; the date of the commits, so equal proposals have equal commits.
    """

    key: str
    branch: str
    base_commit: str
    title: str
    body: str
    draft: bool
    verdict: Verdict
    labels: tuple[str, ...]
    commits: tuple[Commit, ...]
    attachments: tuple[FileChange, ...]
    created: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request as the forge knows it."""

    number: int
    key: str
    title: str
    state: str  # open | merged | closed
    draft: bool
    verdict: Verdict
    branch: str
    base: str  # branch name
    head_commit: str
    labels: tuple[str, ...]
    created: str
    updated: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """:param action: created | updated | unchanged."""

    pull: PullRequest
    action: str
