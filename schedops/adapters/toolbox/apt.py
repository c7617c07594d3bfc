"""A private apt: own lists, cache and sources under a directory of ours; the system's stay as they are.

Works without root. What may be trusted is decided by apt and the machine's keyring, never here.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schedops import proc
from schedops.adapters.disk.cachedir import cache_dir, write_whole
from schedops.adapters.disk.locks import held
from schedops.adapters.toolbox.apt_sources import KEYRINGS, Source, archive_of, debian_only, machine_sources, render
from schedops.errors import InputError, Unavailable

UPDATE_DEADLINE_S = 300
DOWNLOAD_DEADLINE_S = 1800
_LISTS_LAST_S = 24 * 3600

# Post-Invoke hooks (docker-clean, packagekit) concern the system's apt; insecure settings of the machine end here.
_CONFIG = """\
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "{home}/state";
Dir::State::lists "{home}/state/lists";
Dir::State::status "{status}";
Dir::Cache "{home}/cache";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{home}/sources.d";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
APT::Sandbox::User "";
APT::Architecture "amd64";
APT::Architectures {{ "amd64"; }};
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A version of a package that the archive offers."""

    name: str
    version: str
    size_bytes: int = 0
    architecture: str = ""


class PrivateApt:
    """One set of sources, with a directory of its own for everything apt writes."""

    def __init__(self, label: str, sources: Sequence[Source], *, installed: Path | None = None) -> None:
        """:param installed: dpkg's status file, when what is installed already should count; None: nothing is."""
        self._text = render(sources)
        self._installed = installed
        digest = hashlib.sha256(f"{self._text}\0{installed}".encode()).hexdigest()
        self._home = (cache_dir() / "apt" / f"{label}-{digest[:8]}").absolute()

    def update(self, *, force: bool = False) -> None:
        """Fetch the package lists unless they are of today and of these sources.

        :raises Unavailable: no apt, archive unreachable, signature not good, disk full; the message says which.
        """
        need_apt()
        with held(self._home / "lock", wait_s=UPDATE_DEADLINE_S):
            self._write_config()
            stamp = self._home / "updated"
            if not force and stamp.is_file() and time.time() - stamp.stat().st_mtime < _LISTS_LAST_S:  # noqa: TID251 - against a file's date
                return
            self._apt("apt-get", "update", deadline_s=UPDATE_DEADLINE_S)
            write_whole(stamp, b"")

    def names(self, prefix: str) -> tuple[str, ...]:
        """Names of all packages that begin with *prefix*, sorted."""
        done = self._apt("apt-cache", "pkgnames", prefix)
        return tuple(sorted(set(proc.printable(done.stdout).split())))

    def offered(self, names: Iterable[str]) -> tuple[Package, ...]:
        """All versions of these packages."""
        wanted = list(names)
        if not wanted:
            return ()
        text = proc.printable(self._apt("apt-cache", "show", *wanted).stdout)
        return tuple(_package(stanza) for stanza in text.split("\n\n") if stanza.strip())

    def needed(self, *names: str, suite: str) -> tuple[Package, ...]:
        """*names* from *suite* and every dependency that is not installed (or too old).

        :raises Unavailable: it does not have one of them.
        """
        done = self._apt("apt-get", "--simulate", "--no-install-recommends", "-t", suite, "install", *names)
        found = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", proc.printable(done.stdout), re.MULTILINE)
        offered = {(package.name, package.version): package for package in self.offered(name for name, _ in found)}
        return tuple(offered[pair] for pair in found if pair in offered)

    def download(
        self, packages: Iterable[Package], into: Path, on_bytes: Callable[[int], None] | None = None
    ) -> tuple[Path, ...]:
        """Download the ``.deb`` files into the empty directory *into*; apt checks their digests.

        :param on_bytes: told now and then how many bytes have arrived, from another thread.
        """
        words = [f"{package.name}={package.version}" for package in packages]
        with _Watch(into, on_bytes):
            self._apt("apt-get", "download", *words, deadline_s=DOWNLOAD_DEADLINE_S, cwd=into)
        return tuple(sorted(into.glob("*.deb")))

    def _write_config(self) -> None:
        for part in ("state/lists/partial", "cache/archives/partial", "sources.d"):
            (self._home / part).mkdir(parents=True, exist_ok=True)
        empty = self._home / "nothing-installed"
        empty.touch()
        config = _CONFIG.format(home=self._home, status=self._installed or empty)
        write_whole(self._home / "apt.conf", config.encode())
        write_whole(self._home / "sources.d/debian.sources", self._text.encode())

    def _apt(self, program: str, *words: str, deadline_s: float = 120, cwd: Path | None = None) -> proc.Completed:
        argv = (program, "-q", "-c", str(self._home / "apt.conf"), *words)
        done = proc.run(argv, deadline_s=deadline_s, cwd=cwd, max_output_bytes=64 << 20)
        if not done.ok:
            raise failure(done)
        return done


def debian_archive(mirror: str | None = None) -> Source:
    """The archive to take other suites from: *mirror*, else this machine's own.

    :raises InputError: *mirror* is no archive address.
    :raises Unavailable: this is no Debian machine, or its keyring is missing.
    """
    own = archive_of(debian_only(machine_sources()))
    if mirror is not None:
        if not re.fullmatch(r"(https?|file):/[^\s\[\]]+", mirror):
            raise InputError("bad-mirror", f"not an archive address: {mirror!r}", hint="--mirror http://HOST/debian")
        return Source(uri=mirror, suites=(), components=("main",), signed_by=_keyring(own))
    if own is None:
        raise Unavailable(
            "no-debian-archive",
            "this machine's apt sources name no Debian archive",
            where="/etc/apt/sources.list.d",
            hint="give one with --mirror, or add a kernel of your own with `schedops kernel add PATH`",
        )
    return own


def need_apt() -> None:
    """:raises Unavailable: no apt on this machine."""
    if not all(shutil.which(program) for program in ("apt-get", "apt-cache", "dpkg-deb")):
        raise Unavailable(
            "no-apt",
            "this needs apt and dpkg-deb, which are not here",
            hint="`schedops kernel add PATH` works anywhere",
        )


def unpack(deb: Path, into: Path) -> None:
    """Unpack a package's files; no script of it is run, nothing is installed."""
    done = proc.run(["dpkg-deb", "-x", deb, into], deadline_s=300)
    if not done.ok:
        raise failure(done)


def failure(done: proc.Completed) -> Unavailable:
    """What apt's or dpkg's words mean."""
    words = proc.printable((done.stderr + b"\n" + done.stdout)[-8000:])
    detail = "\n".join(line for line in words.splitlines() if line.startswith(("E:", "W:", "dpkg")))[:2000]
    for code, pattern, message, hint in _MEANINGS:
        if re.search(pattern, words):
            return Unavailable(code, message, detail=detail, hint=hint)
    return Unavailable("apt-failed", f"{done.argv[0]} exited with {done.returncode}", detail=detail or words[-2000:])


_MEANINGS = (
    ("dpkg-interrupted", "dpkg was interrupted", "an earlier installation was interrupted", "dpkg --configure -a"),
    ("disk-full", "No space left on device", "the disk is full", "make room, or set SCHEDOPS_CACHE to another disk"),
    (
        "archive-untrusted",
        "NO_PUBKEY|not signed|GPG error|EXPKEYSIG|BADSIG",
        "the archive's signature does not hold against this machine's keyring",
        "apt-get install debian-archive-keyring",
    ),
    (
        "suite-missing",
        "does not have a Release file|404 +Not Found|is not available|was not found|Unable to locate",
        "the archive does not offer that",
        "`schedops kernel list --available` lists what it offers; --mirror names another archive",
    ),
    (
        "archive-unreachable",
        r"Could not (resolve|connect)|Unable to connect|Connection (failed|timed)|Temporary failure|Failed to fetch",
        "the Debian archive cannot be reached",
        "check the network, or give another archive with --mirror, then run it again",
    ),
)


def _keyring(own: Source | None) -> str:
    if own is not None and own.signed_by:
        return own.signed_by
    for path in KEYRINGS:
        if path.is_file():
            return str(path)
    raise Unavailable(
        "no-keyring", "Debian's archive keyring is not on this machine", hint="apt-get install debian-archive-keyring"
    )


def _package(stanza: str) -> Package:
    fields = dict(re.findall(r"^(Package|Version|Size|Architecture): (.*)$", stanza, re.MULTILINE))
    return Package(
        name=fields["Package"],
        version=fields["Version"],
        size_bytes=int(fields.get("Size", 0)),
        architecture=fields.get("Architecture", ""),
    )


class _Watch:
    """Tells how many bytes lie in a directory while somebody else fills it."""

    def __init__(self, directory: Path, on_bytes: Callable[[int], None] | None) -> None:
        self._directory = directory
        self._on_bytes = on_bytes
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> None:
        if self._on_bytes is not None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._on_bytes is not None:
            self._thread.join()

    def _look(self) -> None:
        assert self._on_bytes is not None
        while not self._over.wait(0.2):
            self._on_bytes(_bytes_in(self._directory))


def _bytes_in(directory: Path) -> int:
    total = 0
    for path in directory.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
