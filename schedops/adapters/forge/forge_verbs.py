"""What the local forge does with branches: follow the user's, merge a proposal, check one out."""

from __future__ import annotations

from dataclasses import replace

from schedops.adapters.forge import forge_state as states
from schedops.adapters.forge.forge_store import RefUpdate, Store
from schedops.adapters.forge.git import Git, said
from schedops.errors import InputError, Unavailable
from schedops.model.pull import PullRequest

_CONFLICT = 1  # exit code of git merge-tree; anything else but 0 is trouble of its own
_SYNCED = "refs/schedops/synced"


def default_branch(store: Store) -> str | None:
    """The branch the forge's HEAD is on; None before the first proposal."""
    done = store.git.run("symbolic-ref", "HEAD")
    branch = done.stdout.decode().strip().removeprefix("refs/heads/")
    return branch if done.ok and store.git.resolve(f"refs/heads/{branch}") else None


def settle_default(store: Store, branch: str) -> None:
    """The first base becomes the forge's default branch."""
    if default_branch(store) is None:
        store.git.raw("symbolic-ref", "HEAD", f"refs/heads/{branch}")


def follow(store: Store, branch: str, commit: str, *, tip: bool) -> tuple[RefUpdate, ...]:
    """The updates that bring the forge's *branch* up to the user's *commit*.

    It moves forward; it moves sideways (the user rewrote the branch) only when nothing was merged here since.

    :param tip: the user's branch is at *commit*; a detached HEAD only starts a branch, it moves none.
    """
    ours, synced = store.git.resolve(f"refs/heads/{branch}"), store.git.resolve(f"{_SYNCED}/{branch}")
    moves = (RefUpdate(f"refs/heads/{branch}", commit, ours), RefUpdate(f"{_SYNCED}/{branch}", commit, synced))
    if ours is None:
        return moves
    return moves if tip and (ours == synced or store.git.is_ancestor(ours, commit)) else ()


def merge(store: Store, number: int, *, when: str) -> PullRequest:
    """A merge commit on the forge's base branch.

    :raises InputError: not open, still a draft, or in conflict.
    """
    pull = states.read_pull(store, number)
    _mergeable(pull)
    catch_up(store, pull.base)
    base = store.git.resolve(f"refs/heads/{pull.base}")
    assert base is not None  # the pull request was opened together with it
    commit = store.commit(_merged_tree(store, pull, base), (base, pull.head_commit), _merge_message(pull), when)
    merged = replace(states.read_state(store, number), pull=replace(pull, state="merged", updated=when))
    before = store.git.resolve(states.reference(number))
    parents = (before,) if before else ()
    told = states.write_state(store, merged, parents=parents, message=f"merge pull request {number}")
    store.update(
        (RefUpdate(f"refs/heads/{pull.base}", commit, base), RefUpdate(states.reference(number), told, before))
    )
    return merged.pull


def catch_up(store: Store, branch: str) -> None:
    """Take over what the user committed to *branch* meanwhile."""
    users = Git(store.root).resolve(f"refs/heads/{branch}")
    if users is not None:
        store.fetch(users)
        store.update(follow(store, branch, users, tip=True))


def checkout(store: Store, user: Git, pull: PullRequest) -> str:
    """Put the proposal on a local branch ``schedops/pr-N`` of the user's and switch to it."""
    branch = f"schedops/pr-{pull.number}"
    changed = user.text("status", "--porcelain=v1", "--untracked-files=no")
    if changed:
        raise InputError(
            "dirty-work-tree",
            "the work tree has changes that a checkout could lose",
            where=changed.splitlines()[0][3:],
            hint="git stash, or commit them; then again",
        )
    _keep_own_commits(store, user, pull, branch)
    user.raw("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(store.path), f"refs/heads/{pull.branch}")
    done = user.run("checkout", "--quiet", "--no-track", "-B", branch, pull.head_commit)
    if not done.ok:
        raise InputError("checkout-refused", "git would not switch branches", where=branch, detail=said(done))
    return branch


def _keep_own_commits(store: Store, user: Git, pull: PullRequest, branch: str) -> None:
    tip = user.resolve(f"refs/heads/{branch}")
    # Every head the pull request ever had came from the forge, so the forge has its object; a commit of the user's
    # own on top of one is unknown there.
    if tip is not None and store.git.resolve(f"{tip}^{{commit}}") is None:
        raise InputError(
            "own-commits",
            f"{branch} has commits of your own that a checkout would drop",
            where=tip,
            hint=f"git branch -m {branch} another-name, then `schedops pr checkout {pull.number}` again",
        )


def _mergeable(pull: PullRequest) -> None:
    if pull.state != "open":
        raise InputError("not-open", f"pull request {pull.number} is {pull.state} already", hint="schedops pr list")
    if pull.draft:
        raise InputError(
            "still-a-draft",
            f"pull request {pull.number} is a draft: its verdict is {pull.verdict.value}",
            hint="measure more rounds with `schedops propose --rounds`; a PASS makes it ready",
        )


def _merged_tree(store: Store, pull: PullRequest, base: str) -> str:
    done = store.git.run("merge-tree", "--write-tree", "--name-only", "--no-messages", base, pull.head_commit)
    lines = done.stdout.decode("utf-8", errors="replace").splitlines()
    if done.ok:
        return lines[0]
    if done.returncode != _CONFLICT:
        raise Unavailable("git-failed", "git could not merge; it takes git 2.38 or newer", detail=said(done))
    paths = ", ".join(sorted(set(lines[1:]))[:5])
    raise InputError(
        "conflict",
        f"pull request {pull.number} does not fit {pull.base} any more: {paths}",
        where=pull.branch,
        hint="run the same `schedops propose` again: it proposes against the new base",
    )


def _merge_message(pull: PullRequest) -> str:
    return f"Merge pull request {pull.number}: {pull.title}\n"
