"""The git data of a GitHub that is not there: a real bare repository."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import tempfile
import zlib
from datetime import datetime
from pathlib import Path


class GitData:
    """What is asked often is read and written as git keeps it on disk; a process for each takes too long.

    :param path: of the bare repository; a user pushes to it as to any other.
    """

    def __init__(self, path):
        self.path = Path(path)
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True, env=self._env({}))

    def __call__(self, *words, stdin=b"", env=None):
        done = subprocess.run(
            ["git", f"--git-dir={self.path}", *words],
            input=stdin,
            capture_output=True,
            check=True,
            env=self._env(env or {}),
        )
        return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")

    def has(self, name):
        return self.sha(name) is not None

    def sha(self, name):
        plain, _, kind = name.partition("^")
        if plain.startswith("refs/"):
            file = self.path / plain
            plain = file.read_text().strip() if file.is_file() else ""
        if not plain or (len(plain) == 40 and not self._file(plain).is_file()):
            return None
        if len(plain) == 40 and not kind:
            return plain
        try:
            return self("rev-parse", "--verify", "--quiet", "--end-of-options", f"{plain}^{kind}" if kind else plain)
        except subprocess.CalledProcessError:
            return None

    def is_ancestor(self, old, new):
        try:
            self("merge-base", "--is-ancestor", old, new)
        except subprocess.CalledProcessError:
            return False
        return True

    def blob(self, data):
        return self._write("blob", data)

    def tree(self, entries, base):
        lines = ""
        for entry in entries:
            sha = entry.get("sha") or self.blob(entry["content"].encode())
            lines += f"{entry['mode']} {sha}\t{entry['path']}\0"
        with tempfile.TemporaryDirectory(dir=self.path) as scratch:
            env = {"GIT_INDEX_FILE": f"{scratch}/index"}
            if base:
                self("read-tree", base, env=env)
            self("update-index", "-z", "--add", "--index-info", stdin=lines.encode(), env=env)
            return self("write-tree", env=env)

    def commit(self, tree, parents, message, author, committer):
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        for role, who in (("author", author), ("committer", committer)):
            lines.append(
                f"{role} {who['name']} <{who['email']}> {datetime.fromisoformat(who['date']).timestamp():.0f} +0000"
            )
        return self._write("commit", "\n".join([*lines, "", message]).encode())

    def read_commit(self, sha):
        head, _, message = self._read(sha).decode().partition("\n\n")
        entries = [line.split(" ", 1) for line in head.splitlines()]
        found = {
            "tree": entries[0][1],
            "parents": [sha for name, sha in entries if name == "parent"],
            "message": message,
        }
        for name, text in entries[-2:]:
            who, _, rest = text.partition(" <")
            found[name] = {"name": who, "email": rest.partition(">")[0], "date": "2026-01-01T00:00:00Z"}
        return found

    def files(self, tree):
        listing = self("ls-tree", "-r", "-t", tree)
        found = []
        for line in listing.splitlines():
            meta, path = line.split("\t")
            mode, kind, sha = meta.split()
            found.append({"path": path, "mode": mode, "type": kind, "sha": sha})
        return found

    def read_blob(self, sha):
        data = self._read(sha)
        return base64.b64encode(data).decode(), len(data)

    def merged_tree(self, base, head):
        try:
            return self("merge-tree", "--write-tree", "--no-messages", base, head)
        except subprocess.CalledProcessError:
            return None

    def _env(self, more):
        kept = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
        who = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        return {**kept, **who, "GIT_LITERAL_PATHSPECS": "0", **more}

    def _file(self, sha):
        return self.path / "objects" / sha[:2] / sha[2:]

    def _read(self, sha):
        return zlib.decompress(self._file(sha).read_bytes()).partition(b"\0")[2]

    def _write(self, kind, data):
        whole = f"{kind} {len(data)}\0".encode() + data
        sha = hashlib.sha1(whole).hexdigest()
        file = self._file(sha)
        file.parent.mkdir(exist_ok=True)
        if not file.exists():
            file.write_bytes(zlib.compress(whole))
        return sha
