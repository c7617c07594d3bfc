"""Where the compiler runs: it sees itself, its libraries, the sources and one directory to write to; no network.

There are three ways to build such a place. Each is proved by compiling in it once, with a source that also tries to
read a file outside; what held is remembered until the machine starts anew. The last way only limits what may be used
up, and leaves it to the reading of the source that no other file is opened.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from schedops import proc
from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.disk.staging import staging
from schedops.adapters.toolbox.tools import FoundTool, require_tool
from schedops.errors import Unavailable

MEMORY_BYTES = 3 << 30  # address space; clang 19 needs about 0.5 GB for vmlinux.h and a policy
CPU_S = 20  # a policy takes 0.5 s
FILE_BYTES = 32 << 20
_WALL_S = 120.0  # only a starved machine gets here before CPU_S
_TRY_S = 20.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_ROOT_SCRIPT = Path(__file__).with_name("jail_root.py")
_LIBRARY = re.compile(r"(?:^|=> )\s*(/[^\s()]+) \(0x", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One compilation's directories: *inside* is read, *out* is written; both below one scratch directory.

    :param files: files elsewhere that are read as well.
    """

    inside: Path
    out: Path
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Jail:
    """:param isolates: other files and the network are out of reach, whatever the source does."""

    name: str
    isolates: bool

    def run(self, cell: Cell, words: tuple[str, ...]) -> proc.Completed:
        """Run clang with *words* in the cell, in the directory *inside*; *out* is ``../out`` from there.

        :raises Unavailable: the machine is too busy, or the jail no longer works.
        """
        return _run(self.name, require_tool("clang-19"), cell, words, deadline_s=_WALL_S)


def find_jail(cache: Path) -> Jail:
    """The best one that works here. :param cache: where the answer is remembered."""
    clang = require_tool("clang-19")
    stat = clang.path.stat()
    asked = f"{_boot_id()} {os.geteuid()} {clang.path} {stat.st_mtime_ns} {shutil.which('bwrap')}"
    memory = cache / f"{os.geteuid()}.json"
    name = _remembered(memory, asked) or _proved(clang, cache, memory, asked)
    return Jail(name, isolates=name != "rlimits")


def forget(cache: Path) -> None:
    """What was remembered is no longer true."""
    (cache / f"{os.geteuid()}.json").unlink(missing_ok=True)


def _proved(clang: FoundTool, cache: Path, memory: Path, asked: str) -> str:
    name = next((name for name in ("bubblewrap", "namespaces") if _holds(name, clang, cache)), "rlimits")
    write_whole(memory, json.dumps({"asked": asked, "name": name}).encode())
    return name


def _holds(name: str, clang: FoundTool, cache: Path) -> bool:
    """A harmless source compiles there, and one that reads a file outside does not."""
    with staging(cache) as place:
        secret = place / "secret.h"
        secret.write_text("int secret;\n", encoding="utf-8")
        cell = cell_in(place)
        (cell.inside / "good.c").write_text("int x;\n", encoding="utf-8")
        (cell.inside / "bad.c").write_text(f'#include "{secret}"\n', encoding="utf-8")
        (cell.inside / "bad.h").symlink_to(secret)
        (cell.inside / "link.c").write_text('#include "bad.h"\n', encoding="utf-8")
        return [_compiles(name, clang, cell, file) for file in ("good.c", "bad.c", "link.c")] == [True, False, False]


def cell_in(place: Path, files: tuple[Path, ...] = ()) -> Cell:
    """An empty cell below the scratch directory *place*."""
    cell = Cell(place / "in", place / "out", files)
    cell.inside.mkdir()
    cell.out.mkdir()
    return cell


def _compiles(name: str, clang: FoundTool, cell: Cell, file: str) -> bool:
    try:
        done = _run(name, clang, cell, ("-target", "bpf", "-c", file, "-o", f"../out/{file}.o"), deadline_s=_TRY_S)
    except Unavailable:
        return False
    return done.ok and (cell.out / f"{file}.o").is_file()


def _run(name: str, clang: FoundTool, cell: Cell, words: tuple[str, ...], *, deadline_s: float) -> proc.Completed:
    limits = (f"--as={MEMORY_BYTES}", f"--fsize={FILE_BYTES}", f"--cpu={CPU_S}:{CPU_S + 1}", "--core=0")
    before = _WAYS[name](clang, cell)
    program = (str(clang.path.resolve()), *clang.argv[1:]) if before else clang.argv
    env = {**clang.env, **({} if before else {"TMPDIR": str(cell.out)})}
    done = proc.run(
        ("prlimit", *limits, "--", *before, *program, *words), deadline_s=deadline_s, cwd=cell.inside, env=env
    )
    if not done.ok and done.stderr.startswith((b"bwrap: ", b"jail_root: ", b"unshare: ")):
        text = proc.printable(done.stderr[:400]).strip()
        raise Unavailable("jail-broken", f"the compiler cannot be jailed any more: {text}", hint="try again")
    return done


def _bubblewrap(clang: FoundTool, cell: Cell) -> tuple[str, ...]:
    # No /proc, no /dev, no /tmp: clang needs none of them.
    shown = [word for file in (*_program(clang), *cell.files) for word in ("--ro-bind", str(file), str(file))]
    own = ("--ro-bind", str(cell.inside), "/in", "--bind", str(cell.out), "/out", "--remount-ro", "/", "--chdir", "/in")
    env = [word for name, value in _env(clang).items() for word in ("--setenv", name, value)]
    return ("bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", *env, *shown, *own, "--")


def _namespaces(clang: FoundTool, cell: Cell) -> tuple[str, ...]:
    spaces = ("--user", "--map-root-user", "--mount", "--net", "--ipc", "--uts", "--pid")
    files = [str(file) for file in (*_program(clang), *cell.files)]
    env = [f"{name}={value}" for name, value in _env(clang).items()]
    script = (sys.executable, "-I", "-S", str(_ROOT_SCRIPT), str(cell.inside), str(cell.out))
    return ("unshare", *spaces, "--fork", "--kill-child=KILL", "--", *script, *files, "--", *env, "--")


def _nothing(_clang: FoundTool, _cell: Cell) -> tuple[str, ...]:
    return ()


_WAYS: dict[str, Callable[[FoundTool, Cell], tuple[str, ...]]] = {
    "bubblewrap": _bubblewrap,
    "namespaces": _namespaces,
    "rlimits": _nothing,
}


def _env(clang: FoundTool) -> dict[str, str]:
    # The loader finds what is relative to the program by /proc, which is not there.
    folders = dict.fromkeys(str(file.parent) for file in _program(clang)[1:])
    return {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin", "TMPDIR": "/out", "LD_LIBRARY_PATH": ":".join(folders)}


def _program(clang: FoundTool) -> tuple[Path, ...]:
    """The compiler and the shared libraries that the loader takes for it."""
    path = clang.path.resolve()
    return (path, *_libraries(path, path.stat().st_mtime_ns))


@functools.lru_cache(maxsize=4)
def _libraries(program: Path, _mtime_ns: int) -> tuple[Path, ...]:
    done = proc.run(("ldd", str(program)), deadline_s=_TRY_S)
    return tuple(Path(os.path.normpath(found)) for found in _LIBRARY.findall(proc.printable(done.stdout)))


def _remembered(memory: Path, asked: str) -> str | None:
    try:
        known = json.loads(memory.read_bytes())
        return known["name"] if known["asked"] == asked and known["name"] in _WAYS else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
