"""git, without the surroundings: no hooks, no signing, no user configuration needed, an environment of our own.

The user's repository is read through GitPython's ``Repo``; writing is git's plumbing by :mod:`schedops.proc`, because
a crash-safe write needs one reference transaction and a child that dies with its parent.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from schedops import proc
from schedops.errors import InputError, Unavailable

GIT_DEADLINE_S = 300.0
_MAX_OUTPUT_BYTES = 256 << 20
AUTHOR = {"NAME": "schedops", "EMAIL": "schedops@localhost"}
# What a user's or a repository's configuration could otherwise run, ask or change.
_OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "core.logAllRefUpdates=false",
    "commit.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "color.ui=false",
    "advice.detachedHead=false",
    "protocol.file.allow=always",
    "init.templateDir=",
)


class Git:
    """The ``git`` command bound to one repository (a work tree, or a bare one by its path)."""

    def __init__(self, directory: Path, *, bare: bool = False) -> None:
        self.directory = directory
        self._where = [f"--git-dir={directory}"] if bare else ["-C", str(directory)]

    def run(self, *args: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> proc.Completed:
        """Run to the end, whatever the exit code.

        :raises Unavailable: no git, or past the deadline.
        """
        options = [word for option in _OPTIONS for word in ("-c", option)]
        return proc.run(
            ["git", *self._where, *options, *args],
            deadline_s=GIT_DEADLINE_S,
            env={**_environment(), **(env or {})},
            stdin=stdin,
            max_output_bytes=_MAX_OUTPUT_BYTES,
        )

    def raw(self, *args: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> bytes:
        """What a command that has no business failing said.

        :raises Unavailable: ``git-failed`` with the command's own words.
        """
        done = self.run(*args, stdin=stdin, env=env)
        if not done.ok:
            raise Unavailable(
                "git-failed",
                f"git {args[0]} exited with {done.returncode}",
                where=str(self.directory),
                detail=said(done),
            )
        return done.stdout

    def text(self, *args: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """As :meth:`raw`, as text without the last newline."""
        return self.raw(*args, stdin=stdin, env=env).decode("utf-8", errors="surrogateescape").removesuffix("\n")

    def resolve(self, name: str) -> str | None:
        """Hash of an object by its name (a ref, ``HEAD^{commit}``, ``REF:path``); None when there is none."""
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return done.stdout.decode("ascii").strip() if done.ok else None

    def is_ancestor(self, old: str, new: str) -> bool:
        """*new* holds everything *old* holds (also when they are the same)."""
        return self.run("merge-base", "--is-ancestor", old, new).ok


class GitCheckout:
    """Port Checkout: the user's repository, read only.

    :param start: any directory inside the work tree.
    :raises InputError: there is none, or git refuses it.
    :raises Unavailable: no git, or past the deadline.
    """

    def __init__(self, start: Path) -> None:
        code, words = _ask(start, "rev_parse", "--show-toplevel")
        if code:
            raise _no_work_tree(start, words)
        self.root = Path(words)

    def head(self) -> str:
        """Commit hash of HEAD. :raises InputError: no commit yet."""
        code, commit = _ask(self.root, "rev_parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}")
        if code:
            raise InputError(
                "no-commit",
                "this git repository has no commit yet, so there is nothing to propose a change to",
                where=str(self.root),
                hint="git add policies && git commit -m 'scheduler policies'",
            )
        return commit

    def branch(self) -> str | None:
        """The branch HEAD is on; None when detached."""
        code, name = _ask(self.root, "symbolic_ref", "--quiet", "HEAD")
        return None if code else name.removeprefix("refs/heads/")

    def changed_paths(self, under: str) -> tuple[str, ...]:
        """Paths below *under* that differ from HEAD (modified, staged, untracked), sorted."""
        form = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
        code, listing = _ask(self.root, "status", *form, "--", f":(top,literal){under}")
        if code:
            raise Unavailable("git-failed", f"git status exited with {code}", where=str(self.root), detail=listing)
        return tuple(sorted({entry[3:] for entry in listing.split("\0") if entry}))


def said(done: proc.Completed) -> str:
    """The last words of a git command, printable."""
    return proc.printable((done.stderr or done.stdout)[-2000:]).strip()


def _ask(start: Path, command: str, *words: str) -> tuple[int, str]:
    """Exit code of a git command that reads, and what it said.

    git itself answers (``Repo.git``), not ``Repo.head`` and the like: those read ``.git`` by themselves, know neither
    SHA-256 nor reftable, ask nobody whose repository it is, and read objects by a process without a deadline.
    """
    if shutil.which("git") is None:
        raise Unavailable("tool-missing", "git was not found", hint="`schedops doctor` says how to get it")
    # GitPython looks for GIT_DIR and the like in our environment, and hands all of it on to git.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    from git import Repo  # noqa: PLC0415 - 0.08 s
    from git.exc import InvalidGitRepositoryError, NoSuchPathError  # noqa: PLC0415 - as above

    try:
        with Repo(start, search_parent_directories=True, expand_vars=False) as repo:
            repo.git.update_environment(**_environment())
            # GitPython falls back to the current directory when it may not enter the other one; -C does not.
            repo.git.set_persistent_git_options(C=str(start.absolute()), c=_OPTIONS)
            code, out, err = getattr(repo.git, command)(
                *words, with_extended_output=True, with_exceptions=False, kill_after_timeout=GIT_DEADLINE_S
            )
    except (InvalidGitRepositoryError, NoSuchPathError):
        raise _no_work_tree(start, "not a git repository") from None
    if code < 0:
        raise Unavailable("command-timeout", f"git {command} was killed", where=str(start), detail=err)
    return code, proc.printable((err or out)[-2000:].encode(errors="surrogateescape")).strip() if code else out


def _no_work_tree(start: Path, words: str) -> InputError:
    if "must be run in a work tree" in words:
        return InputError(
            "bare-repository",
            "this is a bare git repository (or the inside of .git): there is no work tree to read policies from",
            where=str(start),
            hint=f"git clone {start} my-policies && cd my-policies",
        )
    if "dubious ownership" in words:
        return InputError(
            "git-owner",
            "git refuses this repository because it belongs to another user",
            where=str(start),
            hint=f"git config --global --add safe.directory {start}",
            detail=words,
        )
    return InputError(
        "not-a-repository",
        "this is not a git repository, and a proposal is a change to one",
        where=str(start),
        hint="git init && git add policies && git commit -m 'scheduler policies'",
        detail="" if "not a git repository" in words else words,
    )


def _environment() -> dict[str, str]:
    # proc builds the environment from nothing, so GIT_DIR, GIT_INDEX_FILE and the like of a caller (a git hook, a
    # rebase in progress) never reach git. Optional locks: reading the user's repository must not write its index.
    names = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in AUTHOR.items()}
    return {
        **names,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file",
        "GIT_LITERAL_PATHSPECS": "0",
    }
