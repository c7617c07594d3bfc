"""Merging a pull request on GitHub: only the state that was looked at, and only when GitHub says that it fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schedops.adapters.forge.github_api import Api, Rejected
from schedops.adapters.forge.github_pull import not_merged, pull_of
from schedops.errors import InputError, Unavailable
from schedops.model.pull import PullRequest

Read = Callable[[], dict[str, Any]]


def merge(api: Api, read: Read) -> PullRequest:
    """:param read: the pull request as it is now.

    :raises InputError: not open, still a draft, or in conflict. :raises Refused: the rules of the repository.
    """
    found = _mergeable(api, read)
    number = found["number"]
    try:
        api.write("PUT", f"/pulls/{number}/merge", {"sha": found["head"]["sha"], "merge_method": "merge"})
    except Rejected as error:
        if not read()["merged_at"]:  # else: the answer to an earlier attempt was lost
            raise not_merged(number, error) from None
    return replace(pull_of(read()), state="merged")


def _mergeable(api: Api, read: Read) -> dict[str, Any]:
    found = read()
    pull = pull_of(found)
    if pull.state != "open":
        raise InputError("not-open", f"pull request {pull.number} is {pull.state} already", hint="schedops pr list")
    if pull.draft:
        text = f"pull request {pull.number} is a draft: its verdict is {pull.verdict.value}"
        raise InputError("still-a-draft", text, hint="measure more rounds; a PASS makes it ready")
    known = found if found["mergeable"] is not None else api.patiently(lambda: _decided(read()))
    if known is None:
        raise Unavailable("github-undecided", "GitHub has not found out yet whether it merges", hint="run it again")
    if not known["mergeable"]:
        raise InputError(
            "conflict",
            f"pull request {pull.number} does not fit {pull.base} any more",
            where=pull.branch,
            hint="git pull, then the same `schedops propose` again: it proposes against the new base",
        )
    return dict(known)


def _decided(raw: dict[str, Any]) -> dict[str, Any] | None:
    return raw if raw["mergeable"] is not None else None
