"""A pull request as git keeps it: a chain of commits, one per state, under ``refs/schedops/pulls/<number>``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath

from schedops.adapters.forge.forge_store import Store
from schedops.errors import InputError
from schedops.model.pull import FileChange, PullRequest
from schedops.schema.canonical import canonical_bytes
from schedops.schema.decode import decode

PULLS = "refs/schedops/pulls"
_PULL, _BODY, _BASE, _ATTACHMENTS = "pull.json", "body.md", "base", "attachments"


@dataclass(frozen=True, slots=True)
class State:
    """:param base_commit: the commit the branch grows from; ``base_commit..head_commit`` is the proposal."""

    pull: PullRequest
    base_commit: str
    body: str
    attachments: tuple[FileChange, ...]


def reference(number: int) -> str:
    """Where the pull request's states are."""
    return f"{PULLS}/{number}"


def files_of(state: State) -> dict[str, bytes]:
    """The tree of a state.

    :raises InputError: an attachment's path leads elsewhere.
    """
    files = {f"{_ATTACHMENTS}/{inside(file.path)}": file.content for file in state.attachments}
    return {
        **files,
        _PULL: canonical_bytes(state.pull),
        _BODY: state.body.encode("utf-8"),
        _BASE: f"{state.base_commit}\n".encode("ascii"),
    }


def write_state(store: Store, state: State, *, parents: tuple[str, ...], message: str) -> str:
    """The commit that holds a state; nothing refers to it yet."""
    return store.commit(store.tree(None, files_of(state)), parents, message, state.pull.updated)


def numbers(store: Store) -> tuple[int, ...]:
    """Numbers of all pull requests, ascending."""
    names = (name.removeprefix(f"{PULLS}/") for name, _ in store.references(PULLS))
    return tuple(sorted(int(name) for name in names if name.isascii() and name.isdigit()))


def read_pull(store: Store, number: int) -> PullRequest:
    """:raises InputError: no such pull request, or its state is damaged."""
    data = _must(store, number, _PULL)
    try:
        return decode(PullRequest, json.loads(data))
    except ValueError as error:
        raise InputError(
            "pull-damaged", f"pull request {number} cannot be read: {error}", where=str(store.path)
        ) from None


def read_body(store: Store, number: int) -> str:
    """Markdown."""
    return _must(store, number, _BODY).decode("utf-8")


def read_base(store: Store, number: int) -> str:
    """The commit the branch grows from."""
    return _must(store, number, _BASE).decode("ascii").strip()


def read_attachment(store: Store, number: int, path: str) -> bytes:
    """:raises InputError: no such pull request or attachment."""
    data = store.read(f"{reference(number)}:{_ATTACHMENTS}/{inside(path)}") if number in numbers(store) else None
    if data is None:
        have = ", ".join(attachment_paths(store, number)) or "none"
        raise InputError("no-attachment", f"pull request {number} has no attachment {path}", hint=f"there are: {have}")
    return data


def attachment_paths(store: Store, number: int) -> tuple[str, ...]:
    """Sorted, without the directory they are kept in."""
    _must(store, number, _PULL)
    listing = store.git.text("ls-tree", "-r", "-z", "--name-only", reference(number), f"{_ATTACHMENTS}/")
    return tuple(sorted(path.removeprefix(f"{_ATTACHMENTS}/") for path in listing.split("\0") if path))


def read_state(store: Store, number: int) -> State:
    """All of it."""
    paths = attachment_paths(store, number)
    attachments = tuple(FileChange(path=path, content=read_attachment(store, number, path)) for path in paths)
    return State(read_pull(store, number), read_base(store, number), read_body(store, number), attachments)


def _must(store: Store, number: int, name: str) -> bytes:
    data = store.read(f"{reference(number)}:{name}") if store.exists() else None
    if data is None:
        raise InputError(
            "no-pull", f"there is no pull request {number}", where=str(store.path), hint="schedops pr list"
        )
    return data


def inside(path: str) -> str:
    """*path*, which stays inside a directory. :raises InputError: it does not."""
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or str(pure) != path or not path.isprintable():
        raise InputError("bad-path", f"{path!r} is no path inside a directory")
    return path
