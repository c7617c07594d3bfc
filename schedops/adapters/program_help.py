"""What a scheduler binary says of itself. It is a stranger's: confined, without network, rights or a way to write.

It sees the system's programs and libraries and a copy of itself, and nothing else of this machine: no files of users,
no processes, no BPF. It has seconds, and what it writes is bounded.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from schedops import proc
from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import staging
from schedops.errors import InputError, Unavailable
from schedops.repository.help_text import MAX_TEXT, options_of
from schedops.schema.files import read_bounded

MAX_PROGRAM_BYTES = 512 << 20
_DEADLINE_S = 10.0
_LIMITS = ("--cpu=5:6", "--core=0", "--fsize=0", "--nofile=256", f"--as={16 << 30}")
_SYSTEM = ("lib", "lib32", "lib64", "bin", "sbin")


@dataclass(frozen=True, slots=True)
class ProgramSays:
    """:param help: what ``--help`` wrote; printable.

    :param version: first line of ``--version``; empty when there is none.
    :param sha256: of the file that said so.
    """

    help: str
    version: str
    sha256: str


def ask_program(path: Path) -> ProgramSays:
    """Run a program for ``--help`` and ``--version``.

    :raises InputError: the file cannot be read, or its help names no options.
    :raises Unavailable: ``no-jail``: bubblewrap is missing or does not work; ``command-timeout``, ``command-flood``.
    """
    if shutil.which("bwrap") is None:
        raise Unavailable("no-jail", "a stranger's program is only run confined", hint="apt install bubblewrap")
    data = read_bounded(path, limit=MAX_PROGRAM_BYTES)
    with staging(cache_dir() / "programs") as place:
        inside = place / "in"
        inside.mkdir()
        copy = inside / path.name
        copy.write_bytes(data)
        copy.chmod(0o755)
        helped = _run(inside, path.name, "--help")
        text = _which_has_options(helped)
        if not options_of(text):
            said = proc.printable((helped.stdout or helped.stderr)[:300]).strip()
            raise InputError("no-options", f"the help of {path.name} names no options", where=str(path), detail=said)
        version = _version(_run(inside, path.name, "--version"))
    return ProgramSays(text, version, f"sha256:{hashlib.sha256(data).hexdigest()}")


def _which_has_options(done: proc.Completed) -> str:
    """Programs with getopt write their help to stderr as often as not."""
    texts = [proc.printable(stream) for stream in (done.stdout, done.stderr)]
    return next((text for text in texts if options_of(text)), texts[0])


def _version(done: proc.Completed) -> str:
    if not done.ok:
        return ""
    lines = [line.strip() for line in proc.printable(done.stdout or done.stderr).splitlines() if line.strip()]
    return lines[0].replace("\t", " ")[:200] if lines else ""


def _run(inside: Path, name: str, word: str) -> proc.Completed:
    jail = ("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL",
            "--setenv", "PATH", "/usr/bin:/usr/sbin", "--setenv", "LC_ALL", "C.UTF-8", "--setenv", "COLUMNS", "200",
            "--ro-bind", "/usr", "/usr", *_system(), "--ro-bind", str(inside), "/program", "--dev", "/dev",
            "--remount-ro", "/", "--chdir", "/program", "--")  # fmt: skip
    argv = ("prlimit", *_LIMITS, "--", *jail, f"/program/{name}", word)
    done = proc.run(argv, deadline_s=_DEADLINE_S, max_output_bytes=MAX_TEXT)
    if not done.ok and done.stderr.startswith(b"bwrap: ") and not done.stdout:
        text = proc.printable(done.stderr[:300]).strip()
        raise Unavailable("no-jail", f"the program cannot be run confined: {text}", hint="does it fit this machine?")
    return done


def _system() -> list[str]:
    words = []
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    return [*words, "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
