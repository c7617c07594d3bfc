"""Port Forge on this machine: a bare repository in ``.schedops/``, pull requests under ``refs/schedops/``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from schedops.adapters.forge import forge_state as states
from schedops.adapters.forge import forge_verbs as verbs
from schedops.adapters.forge.forge_state import State
from schedops.adapters.forge.forge_store import FORGE, RefUpdate, Store
from schedops.adapters.forge.git import Git, GitCheckout
from schedops.errors import InputError, Refused
from schedops.model.pull import Commit, Proposal, Published, PullRequest
from schedops.ports import Clock

_DEFAULT_BRANCH = "main"


class LocalForge:
    """:param root: the user's work tree. Only :meth:`checkout` touches it.

    One branch of the forge per branch of the user's that proposals were made against; it holds what the user's has,
    and the merges.
    """

    remote = FORGE

    def __init__(self, root: Path, *, clock: Clock) -> None:
        self._store = Store(root)
        self._root = root
        self._clock = clock

    def publish(self, proposal: Proposal) -> Published:
        """Create, update or leave alone the pull request with this key. Safe to repeat, also after a kill.

        :raises Refused: ``already-there``: the base says what the proposal wants, and no pull request of it is known.
        """
        with self._store.writing():
            base, updates = self._base(proposal.base_commit)
            head, empty = self._branch_of(proposal)
            known = [pull for pull in self.pulls() if pull.key == proposal.key]
            latest = known[-1] if known else None
            if latest is not None and latest.state == "open":
                return self._renew(latest, proposal, head=head, base=base, updates=updates)
            if latest is not None and (empty or self._same_files(latest, proposal)):
                return Published(pull=latest, action="unchanged")
            if empty:
                raise Refused("already-there", "the base already says what this proposal would change", where=base)
            return self._open(proposal, head=head, base=base, updates=updates)

    def pulls(self) -> tuple[PullRequest, ...]:
        """All of them, by number."""
        if not self._store.exists():
            return ()
        return tuple(states.read_pull(self._store, number) for number in states.numbers(self._store))

    def body(self, number: int) -> str:
        """Markdown. :raises InputError: no such pull request."""
        return states.read_body(self._store, number)

    def attachment(self, number: int, path: str) -> bytes:
        """:raises InputError: no such pull request or attachment."""
        states.read_body(self._store, number)
        return states.read_attachment(self._store, number, path)

    def attachments(self, number: int) -> tuple[str, ...]:
        """Paths of the attachments, sorted."""
        return states.attachment_paths(self._store, number)

    def diff(self, number: int) -> str:
        """Unified diff against the base."""
        pull, base = states.read_pull(self._store, number), states.read_base(self._store, number)
        options = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color")
        return self._store.git.text("diff", *options, base, pull.head_commit)

    def checkout(self, number: int) -> str:
        """Check the branch out in the user's work tree; returns the branch name.

        :raises InputError: the work tree has changes that would be lost.
        """
        pull = states.read_pull(self._store, number)
        return verbs.checkout(self._store, Git(self._root), pull)

    def merge(self, number: int) -> PullRequest:
        """:raises InputError: not open, still a draft, or in conflict."""
        states.read_body(self._store, number)
        with self._store.writing():
            return verbs.merge(self._store, number, when=self._clock.now_utc())

    def address(self, number: int) -> str:
        """No browser shows it."""
        return ""

    def _base(self, commit: str) -> tuple[str, tuple[RefUpdate, ...]]:
        self._store.fetch(commit)
        users = GitCheckout(self._root).branch()
        branch = users or verbs.default_branch(self._store) or _DEFAULT_BRANCH
        if branch == "schedops" or branch.startswith("schedops/agent/"):
            raise InputError(
                "branch-taken", f"{branch!r} is where proposals live", hint="git switch -c another-name, then again"
            )
        return branch, verbs.follow(self._store, branch, commit, tip=users is not None)

    def _branch_of(self, proposal: Proposal) -> tuple[str, bool]:
        """Head commit of the proposal's branch, and whether it changes nothing."""
        head = proposal.base_commit
        for commit in proposal.commits:
            head = self._commit(head, commit, date=proposal.created)
        tree = f"{proposal.base_commit}^{{tree}}"
        return head, self._store.git.resolve(f"{head}^{{tree}}") == self._store.git.resolve(tree)

    def _commit(self, parent: str, commit: Commit, *, date: str) -> str:
        tree = self._store.tree(parent, {change.path: change.content for change in commit.changes})
        return self._store.commit(tree, (parent,), commit.message, date)

    def _same_files(self, pull: PullRequest, proposal: Proposal) -> bool:
        changes = [change for commit in proposal.commits for change in commit.changes]
        return all(self._store.read(f"{pull.head_commit}:{change.path}") == change.content for change in changes)

    def _open(self, proposal: Proposal, *, head: str, base: str, updates: Sequence[RefUpdate]) -> Published:
        number = max(states.numbers(self._store), default=0) + 1
        state = _state(proposal, number=number, head=head, base=base)
        self._write(state, parents=(), message=f"open pull request {number}", updates=updates)
        verbs.settle_default(self._store, base)
        return Published(pull=state.pull, action="created")

    def _renew(
        self, known: PullRequest, proposal: Proposal, *, head: str, base: str, updates: Sequence[RefUpdate]
    ) -> Published:
        state = _state(proposal, number=known.number, head=head, base=base)
        state = replace(state, pull=replace(state.pull, created=known.created))
        before = states.read_state(self._store, known.number)
        if self._says_the_same(before, state):
            self._store.update(updates)
            return Published(pull=known, action="unchanged")
        parent = self._store.git.resolve(states.reference(known.number))
        message = f"update pull request {known.number}"
        self._write(state, parents=(parent,) if parent else (), message=message, updates=updates)
        return Published(pull=state.pull, action="updated")

    def _says_the_same(self, before: State, after: State) -> bool:
        # A later date alone is no news, so dates and the hash that holds one are taken from what is known.
        heads = [f"{state.pull.head_commit}^{{tree}}" for state in (before, after)]
        dated = replace(after.pull, updated=before.pull.updated, head_commit=before.pull.head_commit)
        same_tree = self._store.git.resolve(heads[0]) == self._store.git.resolve(heads[1])
        return same_tree and states.files_of(before) == states.files_of(replace(after, pull=dated))

    def _write(self, state: State, *, parents: tuple[str, ...], message: str, updates: Sequence[RefUpdate]) -> None:
        commit = states.write_state(self._store, state, parents=parents, message=message)
        branch = f"refs/heads/{state.pull.branch}"
        moved = RefUpdate(branch, state.pull.head_commit, self._store.git.resolve(branch))
        told = RefUpdate(states.reference(state.pull.number), commit, parents[0] if parents else None)
        self._store.update((*updates, moved, told))


def _state(proposal: Proposal, *, number: int, head: str, base: str) -> State:
    pull = PullRequest(
        number=number,
        key=proposal.key,
        title=proposal.title,
        state="open",
        draft=proposal.draft,
        verdict=proposal.verdict,
        branch=proposal.branch,
        base=base,
        head_commit=head,
        labels=tuple(sorted(proposal.labels)),
        created=proposal.created,
        updated=proposal.created,
    )
    attachments = tuple(sorted(proposal.attachments, key=lambda file: file.path))
    return State(pull=pull, base_commit=proposal.base_commit, body=proposal.body, attachments=attachments)
