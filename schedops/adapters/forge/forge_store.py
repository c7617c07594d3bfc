"""The bare repository behind the local forge: objects by plumbing, references in one transaction, one writer.

Reading is plumbing too: the forge has the hash of the user's repository, and GitPython's commits, trees and blobs are
SHA-1 only and come from a process without a deadline.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from schedops.adapters.disk.locks import held
from schedops.adapters.disk.workdir import NAME, prepare
from schedops.adapters.forge.git import Git
from schedops.errors import InputError, Unavailable

FORGE = f"{NAME}/forge.git"
_LOCK_WAIT_S = 120.0
_SCRATCH = "forge-tmp-"
_DIRECTORY, _FILES = ("040000",), ("100644", "100755")


@dataclass(frozen=True, slots=True)
class RefUpdate:
    """Move *ref* from *old* (None: must not exist) to *new*."""

    ref: str
    new: str
    old: str | None


class Store:
    """:param root: the user's work tree; everything is kept below ``.schedops/`` in it, hidden from its git."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / FORGE
        self.git = Git(self.path, bare=True)

    def exists(self) -> bool:
        """Something was published here before."""
        return (self.path / "HEAD").is_file()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer. What a killed one left behind is cleared away first.

        :raises Unavailable: another one is writing for two minutes already.
        """
        own = prepare(self.root)
        with held(own / "forge.lock", wait_s=_LOCK_WAIT_S):
            self._sweep()
            if not self.exists():
                self._create()
            yield

    def fetch(self, commit: str) -> None:
        """Bring a commit of the user's repository over, shallow or not.

        Nothing refers to it yet: the transaction that follows does (``gc`` is off in this repository).
        """
        if self.git.resolve(f"{commit}^{{commit}}") is None:
            options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow")
            self.git.raw("fetch", *options, str(self.root), commit)

    def blob(self, data: bytes) -> str:
        """Store bytes."""
        return self.git.text("hash-object", "-w", "--stdin", stdin=data)

    def tree(self, base: str | None, files: Mapping[str, bytes]) -> str:
        """A tree: *base* with *files* written over it.

        :raises InputError: a path runs through something that is no directory.
        """
        if base:
            must_be_free(self.git, base, files)
        lines = "".join(f"100644 {self.blob(data)}\t{path}\0" for path, data in sorted(files.items()))
        with tempfile.TemporaryDirectory(dir=self.path.parent, prefix=_SCRATCH) as scratch:
            env = {"GIT_INDEX_FILE": f"{scratch}/index"}
            self.git.raw("read-tree", *([base] if base else ["--empty"]), env=env)
            self.git.raw("update-index", "-z", "--index-info", stdin=lines.encode(), env=env)
            return self.git.text("write-tree", env=env)

    def commit(self, tree: str, parents: Sequence[str], message: str, date: str) -> str:
        """A commit; equal inputs give the equal hash.

        :param date: ISO 8601, UTC.
        """
        when = f"@{int(datetime.fromisoformat(date).timestamp())} +0000"
        before = [word for parent in parents for word in ("-p", parent)]
        env = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        return self.git.text("commit-tree", tree, *before, stdin=message.encode(), env=env)

    def update(self, changes: Iterable[RefUpdate]) -> None:
        """All references or none."""
        lines = [_instruction(change) for change in changes if change.new != change.old]
        if lines:
            words = "start\0" + "".join(lines) + "prepare\0commit\0"
            self.git.raw("update-ref", "--stdin", "-z", stdin=words.encode())

    def read(self, name: str) -> bytes | None:
        """Bytes of a blob by its name (``REF:path``); None when there is none."""
        found = self.git.resolve(name)
        return None if found is None else self.git.raw("cat-file", "blob", found)

    def references(self, under: str) -> tuple[tuple[str, str], ...]:
        """(name, hash) of every reference below *under*."""
        listing = self.git.text("for-each-ref", "--format=%(refname) %(objectname)", under)
        return tuple((name, commit) for name, _, commit in (line.partition(" ") for line in listing.splitlines()))

    def _create(self) -> None:
        kind = Git(self.root).text("rev-parse", "--show-object-format")
        scratch = Path(tempfile.mkdtemp(dir=self.path.parent, prefix=_SCRATCH))
        # From inside: were we killed and the directory swept, a git that outlived us must not make it again.
        Git(scratch).raw("init", "--quiet", "--bare", f"--object-format={kind}", "forge.git")
        (scratch / "forge.git").rename(self.path)
        scratch.rmdir()

    def _sweep(self) -> None:
        # We hold the lock, so any scratch directory and any lock of git's own belongs to a process that was killed.
        for left in self.path.parent.glob(f"{_SCRATCH}*"):
            shutil.rmtree(left)
        if self.path.exists() and not self.exists():
            raise Unavailable(
                "forge-damaged", "this is no git repository", where=str(self.path), hint=f"move {self.path} away"
            )
        for lock in (*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")):
            lock.unlink(missing_ok=True)


def must_be_free(git: Git, base: str, paths: Collection[str]) -> None:
    """Files may be written at *paths* of the commit *base*.

    :raises InputError: a path runs through something that is no directory, or is something else than a file.
    """
    # git's index would let a file replace a directory, a link or a submodule without a word.
    above = {str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"."}
    listing = git.text("ls-tree", "-z", base, *sorted({*paths, *above}))
    for entry in filter(None, listing.split("\0")):
        mode, path = entry.partition(" ")[0], entry.partition("\t")[2]
        if (path in above and mode not in _DIRECTORY) or (path in paths and mode not in _FILES):
            raise InputError("path-taken", f"{path} is in the way of the proposal (mode {mode})", where=base)


def _instruction(change: RefUpdate) -> str:
    if change.old is None:
        return f"create {change.ref}\0{change.new}\0"
    return f"update {change.ref}\0{change.new}\0{change.old}\0"
