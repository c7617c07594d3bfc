"""The user's checkout and the forge, as Protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from schedops.model.pull import Proposal, Published, PullRequest


class Checkout(Protocol):
    """The user's git repository, read only: work tree, index and branches are never touched."""

    root: Path

    def head(self) -> str:
        """Commit hash of HEAD. :raises InputError: not a git repository, or no commit yet."""

    def branch(self) -> str | None:
        """The branch HEAD is on; None when detached."""

    def changed_paths(self, under: str) -> tuple[str, ...]:
        """Paths below *under* that differ from HEAD (modified, staged, untracked), sorted."""


class Forge(Protocol):
    """Where pull requests live.

    :param remote: what ``git pull`` and ``git fetch`` take to get at its branches.
    """

    remote: str

    def publish(self, proposal: Proposal) -> Published:
        """Create, update or leave alone the pull request with this key. Safe to repeat."""

    def pulls(self) -> tuple[PullRequest, ...]:
        """All of them, by number."""

    def body(self, number: int) -> str:
        """Markdown. :raises InputError: no such pull request."""

    def attachment(self, number: int, path: str) -> bytes:
        """:raises InputError: no such pull request or attachment."""

    def attachments(self, number: int) -> tuple[str, ...]:
        """Paths of the attachments, sorted."""

    def diff(self, number: int) -> str:
        """Unified diff against the base."""

    def checkout(self, number: int) -> str:
        """Check the branch out in the user's work tree (only this verb touches it); returns the branch name.

        :raises InputError: the work tree has changes that would be lost.
        """

    def merge(self, number: int) -> PullRequest:
        """:raises InputError: not open, still a draft, or in conflict."""

    def address(self, number: int) -> str:
        """Where a browser shows it; empty when nowhere."""
