"""Trees, commits and references through GitHub's git data API; each of these requests may arrive twice.

Blobs, trees and commits are named by what they hold (a commit's author, committer and date are given, so it is too).
A reference that is there already, or not there any more, is read again.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schedops.adapters.forge.git import AUTHOR
from schedops.adapters.forge.github_api import INVALID, NOT_FOUND, Api, Rejected
from schedops.errors import InputError
from schedops.model.pull import Proposal

_TRAILER = "Schedops-Key"
_HEADS = "refs/heads"


class HumanCommits(Exception):
    """The branch holds something that was not written here."""


@dataclass(frozen=True, slots=True)
class Tip:
    """A commit a branch is at, as far as it matters."""

    sha: str
    tree: str
    ours: bool


def tree(api: Api, files: Mapping[str, bytes], *, base_tree: str | None) -> str:
    """*base_tree* with *files* written over it.

    :raises InputError: GitHub does not have *base_tree*: the commit was not pushed.
    """
    entries = [{"path": path, "mode": "100644", "type": "blob", **_content(api, data)} for path, data in files.items()]
    body = {"tree": entries, **({"base_tree": base_tree} if base_tree else {})}
    try:
        return str(api.write("POST", "/git/trees", body)["sha"])
    except Rejected as error:
        raise _not_pushed(api, error) from None


def commit(api: Api, tree_sha: str, parents: Sequence[str], message: str, date: str) -> str:
    """A commit; equal inputs give the equal hash."""
    who = {"name": AUTHOR["NAME"], "email": AUTHOR["EMAIL"], "date": date}
    body = {"message": message, "tree": tree_sha, "parents": list(parents), "author": who, "committer": who}
    try:
        return str(api.write("POST", "/git/commits", body)["sha"])
    except Rejected as error:
        raise _not_pushed(api, error) from None


def push(api: Api, proposal: Proposal, *, base_tree: str, onto: str | None) -> str:
    """Head of the proposal's branch, moved if it has to be.

    An open pull request's branch only moves forward, onto its last state, so that a commit that somebody pushes
    meanwhile is never lost.

    :param onto: head of the open pull request; None: there is none, the branch starts at the base commit.
    :raises HumanCommits: the branch has a commit that was not made here.
    """
    at = None if onto is None else _ours(_tip(api, onto, proposal.key))
    trees = _trees(api, proposal, base_tree)
    if at is not None and at.tree == trees[-1]:
        return at.sha
    head = _chain(api, proposal, trees, parents=(*([at.sha] if at else []), proposal.base_commit))
    ref = f"{_HEADS}/{proposal.branch}"
    if at is not None:
        try:
            api.write("PATCH", f"/git/{ref}", {"sha": head, "force": False})
        except Rejected:
            raise HumanCommits from None
    elif not _created(api, ref, head):
        return _taken_over(api, proposal, ref, head, trees[-1])
    return head


def keep_files(api: Api, proposal: Proposal, *, before: str) -> str:
    """The commit that holds the attachments, below ``refs/schedops``: no branch, so it starts no workflow.

    :param before: the one of the last state; it stays reachable, so what an older text shows is still there.
    """
    made = tree(api, {file.path: file.content for file in proposal.attachments}, base_tree=None)
    parents = (before,) if before else ()
    sha = commit(api, made, parents, f"evidence of {proposal.branch}\n", proposal.created)
    ref = f"refs/schedops/evidence/{proposal.branch.removeprefix('schedops/agent/')}"
    moved = {"sha": sha, "force": True}
    try:
        if before:
            api.write("PATCH", f"/git/{ref}", moved)
            return sha
    except Rejected:
        pass  # somebody deleted it
    if not _created(api, ref, sha):
        api.write("PATCH", f"/git/{ref}", moved)
    return sha


def _taken_over(api: Api, proposal: Proposal, ref: str, head: str, tree_sha: str) -> str:
    """The branch is there, and no pull request is open: what a killed run left, or a merge."""
    found = api.patiently(lambda: _read_ref(api, ref))
    if found == head:
        return head
    tip = _tip(api, found, proposal.key) if found else None
    if tip is None or not tip.ours:
        raise InputError(
            "branch-taken",
            f"{proposal.branch} is there already, and schedops did not make it",
            where=api.repository,
            hint=f"git push REMOTE --delete {proposal.branch}, if nobody needs it",
        )
    if tip.tree != tree_sha:
        api.write("PATCH", f"/git/{ref}", {"sha": head, "force": True})
        return head
    return tip.sha


def _trees(api: Api, proposal: Proposal, base_tree: str) -> list[str]:
    trees = [base_tree]
    for one in proposal.commits:
        trees.append(tree(api, {change.path: change.content for change in one.changes}, base_tree=trees[-1]))
    return trees[1:]


def _chain(api: Api, proposal: Proposal, trees: Sequence[str], *, parents: tuple[str, ...]) -> str:
    for one, tree_sha in zip(proposal.commits, trees, strict=True):
        message = f"{one.message.rstrip()}\n\n{_TRAILER}: {proposal.key}\n"
        parents = (commit(api, tree_sha, parents, message, proposal.created),)
    return parents[0]


def _created(api: Api, ref: str, sha: str) -> bool:
    """False: it was there before."""
    try:
        api.write("POST", "/git/refs", {"ref": ref, "sha": sha})
    except Rejected as error:
        if error.status != INVALID or "already exists" not in error.words.lower():
            raise _not_pushed(api, error) from None
        return False
    return True


def _read_ref(api: Api, ref: str) -> str | None:
    try:
        return str(api.get(f"/git/ref/{ref.removeprefix('refs/')}")["object"]["sha"])
    except Rejected as error:
        if error.status != NOT_FOUND:
            raise
        return None


def _tip(api: Api, sha: str, key: str) -> Tip:
    found: dict[str, Any] = api.get(f"/git/commits/{sha}")
    # Whoever amends or rebases becomes the committer, so one that only builds on ours is told apart from ours.
    by = {found["author"]["email"], found["committer"]["email"]}
    ours = by == {AUTHOR["EMAIL"]} and f"\n{_TRAILER}: {key}" in found["message"]
    return Tip(sha=sha, tree=found["tree"]["sha"], ours=ours)


def _ours(tip: Tip) -> Tip:
    if not tip.ours:
        raise HumanCommits
    return tip


def _content(api: Api, data: bytes) -> dict[str, str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return {"content": text}
    blob = api.write("POST", "/git/blobs", {"content": base64.b64encode(data).decode("ascii"), "encoding": "base64"})
    return {"sha": str(blob["sha"])}


def _not_pushed(api: Api, error: Rejected) -> InputError:
    return InputError(
        "base-not-pushed",
        f"GitHub does not take a change on top of your commit: {error.words}",
        where=api.repository,
        hint="git push, and check that the token may write to this repository; then again",
    )
