"""A small Debian archive on disk, signed with a key of its own, for the real apt to read."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from pathlib import Path


class Archive:
    """``deb()`` adds packages, ``publish()`` makes a suite of them, signed unless told otherwise."""

    def __init__(self, root: Path) -> None:
        self.root = root / "debian"
        self.home = root / "gnupg"
        self.keyring = root / "archive-keyring.gpg"
        self.home.mkdir(mode=0o700, parents=True)
        self._gpg("--quick-gen-key", "--passphrase", "", "archive@example.org", "rsa2048", "sign", "never")
        self._gpg("--output", str(self.keyring), "--export")
        self._stanzas: dict[str, list[str]] = {}

    @property
    def uri(self) -> str:
        return f"file:{self.root}"

    def deb(self, suite: str, name: str, version: str, files: dict[str, bytes], depends: str = "") -> None:
        tree = self.root.parent / "build" / f"{suite}-{name}-{version}"
        for path, content in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_bytes(content)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: M <m@example.org>\n"
        control += f"Depends: {depends}\n" if depends else ""
        control += "Description: a test\n"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(control)
        pool = Path("pool") / f"{name}_{version.replace(':', '_')}_{suite}.deb"
        (self.root / "pool").mkdir(parents=True, exist_ok=True)
        run("dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(self.root / pool))
        data = (self.root / pool).read_bytes()
        stanza = f"{control}Filename: {pool}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        self._stanzas.setdefault(suite, []).append(stanza)

    def publish(self, suite: str, *, signed: bool = True) -> None:
        index = self.root / "dists" / suite / "main" / "binary-amd64" / "Packages.gz"
        index.parent.mkdir(parents=True, exist_ok=True)
        plain = "\n".join(self._stanzas.get(suite, [])).encode()
        index.write_bytes(gzip.compress(plain))
        data = index.read_bytes()
        release = (
            f"Origin: Debian\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
            "Date: Sat, 01 Aug 2026 00:00:00 UTC\nSHA256:\n"
            f" {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-amd64/Packages.gz\n"
            f" {hashlib.sha256(plain).hexdigest()} {len(plain)} main/binary-amd64/Packages\n"
        )
        directory = self.root / "dists" / suite
        (directory / "Release").write_text(release)
        (directory / "InRelease").unlink(missing_ok=True)
        if signed:
            self._gpg("--clearsign", "--output", str(directory / "InRelease"), str(directory / "Release"))

    def _gpg(self, *words: str) -> None:
        run("gpg", "--homedir", str(self.home), "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", *words)
        run("gpgconf", "--homedir", str(self.home), "--kill", "all")  # else its agent outlives the test


def run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
