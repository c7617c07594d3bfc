"""Port Forge on GitHub: pull requests of one repository, through PyGithub."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from schedops.adapters.forge import github_writes as writes
from schedops.adapters.forge.forge_state import inside
from schedops.adapters.forge.forge_store import must_be_free
from schedops.adapters.forge.git import Git, GitCheckout
from schedops.adapters.forge.github_api import NOT_FOUND, Api, Rejected
from schedops.adapters.forge.github_merge import merge
from schedops.adapters.forge.github_pull import (
    BRANCH,
    content_of,
    labels_of,
    not_opened,
    number_of,
    pull_of,
)
from schedops.adapters.forge.github_seal import Seal, digest, files_digest, read_seal, sealed, unsealed
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.pull import Proposal, Published, PullRequest

_DIFF = "application/vnd.github.diff"
_STEPPED_BACK = "<!-- schedops:stepped-back -->"
_STEPPED_BACK_TEXT = (
    "This branch has commits that schedops did not make, so it leaves the pull request alone from now on. "
    "Merge or close it, or take those commits off the branch to have it updated again."
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A proposal against the branch of the repository it is for."""

    proposal: Proposal
    base: str
    base_tree: str
    content: str


class GitHubForge:
    """:param root: the user's work tree, only read; what it is at must have been pushed.
    :param site: where a browser finds the repository: ``https://github.com``, or the Enterprise Server.
    :param remote: name of the git remote, for commands that are shown.
    """

    def __init__(self, root: Path, api: Api, *, site: str = "https://github.com", remote: str = "origin") -> None:
        self._root = root
        self._api = api
        self._site = site
        self.remote = remote

    def publish(self, proposal: Proposal) -> Published:
        """Create, update or leave alone the pull request with this key. Safe to repeat, also after a kill.

        :raises Refused: ``already-there``: the base says what the proposal wants, and no pull request of it is known.
            ``closed-by-reviewer``: somebody closed it without merging. ``human-commits``: somebody worked on it.
        :raises InputError: the base commit was not pushed, or a path or the branch is taken.
        """
        wanted, empty = self._wanted(proposal)
        latest = max(self._of_branch(proposal.branch), key=number_of, default=None)
        if latest is None or (latest["state"] != "open" and latest["merged_at"]):
            return self._anew(wanted, latest, empty=empty)
        if latest["state"] != "open":
            raise Refused(
                "closed-by-reviewer",
                f"pull request {latest['number']} of this intent was closed without merging; it stays closed",
                where=self.address(latest["number"]),
                hint="reopen it there if it is wanted after all, then run this again",
            )
        if content_of(latest) == wanted.content:
            return Published(pull=pull_of(latest), action="unchanged")
        return Published(pull=self._renew(wanted, latest), action="updated")

    def pulls(self) -> tuple[PullRequest, ...]:
        """All of them, by number."""
        listed = self._api.pages("/pulls", state="all", sort="created", direction="asc")
        return tuple(sorted((pull_of(one) for one in listed if self._is_ours(one)), key=lambda pull: pull.number))

    def body(self, number: int) -> str:
        """Markdown. :raises InputError: no such pull request."""
        return unsealed(self._read(number)["body"])

    def attachment(self, number: int, path: str) -> bytes:
        """:raises InputError: no such pull request or attachment."""
        blobs = self._blobs(number)
        if inside(path) not in blobs:
            have = ", ".join(sorted(blobs)) or "none"
            raise InputError(
                "no-attachment", f"pull request {number} has no attachment {path}", hint=f"there are: {have}"
            )
        return base64.b64decode(self._api.get(f"/git/blobs/{blobs[path]}")["content"])

    def attachments(self, number: int) -> tuple[str, ...]:
        """Paths of the attachments, sorted."""
        return tuple(sorted(self._blobs(number)))

    def diff(self, number: int) -> str:
        """Unified diff against the base."""
        self._read(number)
        found = self._api.get(f"/pulls/{number}", accept=_DIFF)
        return str(found["data"]) if found else ""

    def checkout(self, number: int) -> str:
        """Refused: fetching takes the user's own access to the repository, which is not ours to use.

        :raises Refused: with the commands that do it.
        """
        self._read(number)
        raise Refused(
            "checkout-yourself",
            "a pull request on GitHub is fetched with your own access to it, not with the token",
            where=self.address(number),
            hint=f"git fetch {self.remote} pull/{number}/head && git switch --detach FETCH_HEAD",
        )

    def merge(self, number: int) -> PullRequest:
        """As far as the repository's rules let the token.

        :raises InputError: not open, still a draft, or in conflict. :raises Refused: the rules of the repository.
        """
        return merge(self._api, lambda: self._read(number))

    def address(self, number: int) -> str:
        """Where a browser shows it."""
        return f"{self._site}/{self._api.repository}/pull/{number}"

    def _wanted(self, proposal: Proposal) -> tuple[_Wanted, bool]:
        """What is to be there, and whether the base says all of it already."""
        git = Git(self._root)
        changes = {change.path: change.content for one in proposal.commits for change in one.changes}
        must_be_free(git, proposal.base_commit, changes)
        for file in proposal.attachments:
            inside(file.path)
        base = GitCheckout(self._root).branch() or str(self._api.get("")["default_branch"])
        if base == "schedops" or base.startswith("schedops/agent/"):
            raise InputError(
                "branch-taken", f"{base!r} is where proposals live", hint="git switch -c another-name, then again"
            )
        base_tree = git.text("rev-parse", "--verify", f"{proposal.base_commit}^{{tree}}")
        wanted = _Wanted(proposal, base, base_tree, digest(proposal, base=base))
        return wanted, all(_blob(git, f"{proposal.base_commit}:{path}") == data for path, data in changes.items())

    def _anew(self, wanted: _Wanted, merged: Mapping[str, Any] | None, *, empty: bool) -> Published:
        if merged is not None and (empty or content_of(merged) == wanted.content):
            return Published(pull=pull_of(merged), action="unchanged")
        if empty:
            text = "the base already says what this proposal would change"
            raise Refused("already-there", text, where=wanted.base)
        before = read_seal(merged["body"]) if merged is not None else None
        files = self._files(wanted.proposal, before)
        head = writes.push(self._api, wanted.proposal, base_tree=wanted.base_tree, onto=None)
        opened = self._opened(wanted, files)
        return Published(pull=self._finish(wanted, opened, head=head, files=files), action="created")

    def _opened(self, wanted: _Wanted, files: str) -> Mapping[str, Any]:
        proposal = wanted.proposal
        body = sealed(proposal, _seal(wanted, files, content=""), site=self._site, repository=self._api.repository)
        asked = {
            "title": proposal.title,
            "head": proposal.branch,
            "base": wanted.base,
            "body": body,
            "draft": proposal.draft,
        }
        try:
            opened: Mapping[str, Any] = self._api.write("POST", "/pulls", asked)
        except Rejected as error:
            if "already exists" not in error.words:
                raise not_opened(wanted.base, error) from None
            # Made by an attempt whose answer was lost, or by a run just before this one; the list may not say so yet.
            found = self._api.patiently(lambda: next(iter(self._of_branch(proposal.branch, state="open")), None))
            if found is None:
                text = "GitHub has this pull request and does not list it yet"
                raise Unavailable("github-not-listed", text, hint="run it again in a minute") from None
            return dict(found)
        return opened

    def _renew(self, wanted: _Wanted, known: Mapping[str, Any]) -> PullRequest:
        proposal = wanted.proposal
        try:
            head = writes.push(self._api, proposal, base_tree=wanted.base_tree, onto=known["head"]["sha"])
        except writes.HumanCommits:
            self._step_back(known["number"])
            raise Refused(
                "human-commits",
                f"pull request {known['number']} has commits that schedops did not make; it is left alone",
                where=self.address(known["number"]),
                hint="merge or close it, or take those commits off its branch, then run this again",
            ) from None
        files = self._files(proposal, read_seal(known["body"]))
        return self._finish(wanted, known, head=head, files=files)

    def _files(self, proposal: Proposal, before: Seal | None) -> str:
        if not proposal.attachments:
            return ""
        if before is not None and before.files_sha256 == files_digest(proposal):
            return before.files
        return writes.keep_files(self._api, proposal, before=before.files if before is not None else "")

    def _finish(self, wanted: _Wanted, known: Mapping[str, Any], *, head: str, files: str) -> PullRequest:
        """Labels, draft or not, and last of all title and body with the seal."""
        proposal, number = wanted.proposal, known["number"]
        if known["draft"] != proposal.draft:
            self._api.mutate(
                "convertPullRequestToDraft" if proposal.draft else "markPullRequestReadyForReview", known["node_id"]
            )
        before = read_seal(known["body"])
        labels = self._label(number, proposal, have=labels_of(known), ours=before.labels if before else ())
        body = sealed(proposal, _seal(wanted, files), site=self._site, repository=self._api.repository)
        based = {"base": wanted.base} if known["base"]["ref"] != wanted.base else {}
        said = self._api.write("PATCH", f"/pulls/{number}", {"title": proposal.title, "body": body, **based})
        # What GitHub answers may be of a moment before.
        return replace(pull_of(said), head_commit=head, labels=labels, draft=proposal.draft)

    def _label(self, number: int, proposal: Proposal, *, have: set[str], ours: tuple[str, ...]) -> tuple[str, ...]:
        missing = sorted(set(proposal.labels) - have)
        stale = sorted((set(ours) - set(proposal.labels)) & have)
        if missing:
            self._api.write("POST", f"/issues/{number}/labels", {"labels": missing})
        for name in stale:
            try:
                self._api.write("DELETE", f"/issues/{number}/labels/{quote(name, safe='')}")
            except Rejected as error:
                if error.status != NOT_FOUND:
                    raise
        return tuple(sorted((have | set(missing)) - set(stale)))

    def _step_back(self, number: int) -> None:
        """Say so once: the comment is looked for before each attempt to write it."""
        for last in (False, True):
            if any(_STEPPED_BACK in (one["body"] or "") for one in self._api.pages(f"/issues/{number}/comments")):
                return
            try:
                text = f"{_STEPPED_BACK_TEXT}\n\n{_STEPPED_BACK}\n"
                self._api.write("POST", f"/issues/{number}/comments", {"body": text}, repeat=False)
            except Unavailable:
                if last:
                    raise
            else:
                return

    def _of_branch(self, branch: str, *, state: str = "all") -> list[dict[str, Any]]:
        listed = self._api.pages("/pulls", state=state, head=f"{self._api.owner}:{branch}")
        return [one for one in listed if self._is_ours(one) and one["head"]["ref"] == branch]

    def _is_ours(self, raw: Mapping[str, Any]) -> bool:
        # A fork may name a branch as we do, and copy a body with its seal.
        home = (raw["head"]["repo"] or {}).get("full_name", "")
        return home.lower() == self._api.repository.lower() and bool(BRANCH.fullmatch(raw["head"]["ref"]))

    def _read(self, number: int) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._api.get(f"/pulls/{number}")
        except Rejected:
            found = {}
        if not found or not self._is_ours(found):
            raise InputError(
                "no-pull",
                f"there is no pull request {number} of schedops",
                where=self._api.repository,
                hint="schedops pr list --forge github",
            )
        return found

    def _blobs(self, number: int) -> dict[str, str]:
        """Hash by path."""
        seal = read_seal(self._read(number)["body"])
        if seal is None or not seal.files:
            return {}
        listing = self._api.get(f"/git/trees/{seal.files}", recursive="1")
        return {entry["path"]: entry["sha"] for entry in listing["tree"] if entry["type"] == "blob"}


def _seal(wanted: _Wanted, files: str, *, content: str | None = None) -> Seal:
    proposal = wanted.proposal
    return Seal(
        content=wanted.content if content is None else content,
        files=files,
        files_sha256=files_digest(proposal) if files else "",
        verdict=proposal.verdict,
        labels=tuple(sorted(proposal.labels)),
    )


def _blob(git: Git, name: str) -> bytes | None:
    found = git.resolve(name)
    return None if found is None else git.raw("cat-file", "blob", found)
