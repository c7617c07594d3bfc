"""Where the tools are: the system's when new enough, else what was unpacked privately under the cache directory."""

from __future__ import annotations

import functools
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from schedops import proc
from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.toolbox.wanted import LIBBPF, WANTED, Wanted
from schedops.errors import Unavailable

_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")  # not on the PATH of ordinary users; Debian's bpftool lives there
_LIBBPF_SYSTEM = (Path("/usr/local"), Path("/usr"))
_LIB_DIRS = ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTool:
    """A tool that answered when asked for its version.

    :param argv: how to start it: the program, then words it always needs (a private QEMU needs its ``-L``).
    :param env: to be added to its environment (a private QEMU's own libraries).
    :param origin: system | private.
    """

    name: str
    path: Path
    version: str
    origin: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The version as numbers, for comparing."""
        return numbers_of(self.version)


def find_tool(name: str) -> FoundTool | None:
    """The best one on this machine: a good system tool, else a private one, else a usable system tool, else None."""
    wanted = WANTED[name]
    system = _system(wanted)
    if system is not None and system.numbers >= wanted.good:
        return system
    private = _private(wanted)
    if private is not None:
        return private
    return system if system is not None and system.numbers >= wanted.usable else None


def require_tool(name: str) -> FoundTool:
    """As :func:`find_tool`.

    :raises Unavailable: ``tool-missing`` or ``tool-too-old``, with the command that mends it.
    """
    found = find_tool(name)
    if found is not None:
        return found
    wanted = WANTED[name]
    old = _system(wanted)
    text = ".".join(str(number) for number in wanted.good)
    if old is None:
        raise Unavailable("tool-missing", f"{name} (>= {text}) was not found", hint="`schedops setup`")
    raise Unavailable(
        "tool-too-old",
        f"{name} {old.version} is too old, {text} is needed",
        where=str(old.path),
        hint="`schedops setup`",
    )


def system_version(name: str) -> str | None:
    """Version of the system's own tool, however old; None when there is none (or a dynamic one must be static)."""
    found = _system(WANTED[name])
    return found.version if found else None


def libbpf_prefix() -> Path:
    """Directory with ``include/bpf/*.h`` and a ``libbpf.a`` (see :func:`libbpf_archive`), version >= 1.4.

    :raises Unavailable: ``tool-missing``, with the command that mends it.
    """
    for prefix in _libbpf_prefixes():
        version = libbpf_version(prefix)
        if version is not None and numbers_of(version) >= LIBBPF.good:
            return prefix
    raise Unavailable("tool-missing", "libbpf >= 1.4 (headers and libbpf.a) was not found", hint="`schedops setup`")


def libbpf_archive(prefix: Path) -> Path:
    """``libbpf.a`` below *prefix*, wherever its distribution puts it."""
    for place in ("lib/x86_64-linux-gnu", "lib64", "lib"):
        if (prefix / place / "libbpf.a").is_file():
            return prefix / place / "libbpf.a"
    raise Unavailable("tool-missing", f"no libbpf.a below {prefix}", hint="`schedops setup`")


def libbpf_version(prefix: Path) -> str | None:
    """Version of the libbpf below *prefix* by its own header; None when headers or archive are missing."""
    try:
        text = (prefix / "include/bpf/libbpf_version.h").read_text(encoding="utf-8", errors="replace")
        libbpf_archive(prefix)
    except (OSError, Unavailable):
        return None
    numbers = re.findall(r"#define LIBBPF_(?:MAJOR|MINOR)_VERSION (\d+)", text)
    return ".".join(numbers) if len(numbers) == 2 else None


def bundle_dirs(bundle: str) -> tuple[Path, ...]:
    """Private unpackings of *bundle*, newest version first."""
    found = [path for path in tools_dir().glob(f"{bundle}-*") if path.is_dir()]
    return tuple(sorted(found, key=lambda path: numbers_of(path.name.removeprefix(f"{bundle}-")), reverse=True))


def tools_dir() -> Path:
    """Where private tools are unpacked."""
    return cache_dir() / "tools"


def numbers_of(version: str) -> tuple[int, ...]:
    """The leading numbers of a version; a Debian epoch is dropped ("1:10.0.2+ds-2" -> 10, 0, 2)."""
    match = re.match(r"(?:\d+[:_])?(\d+(?:\.\d+)*)", version)
    return tuple(int(number) for number in match[1].split(".")) if match else ()


def is_static(path: Path) -> bool:
    """An ELF program without an interpreter, so it runs in a guest that has no libraries."""
    from elftools.common.exceptions import ELFError  # noqa: PLC0415 - slow to import, seldom needed
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    try:
        with path.open("rb") as stream:
            return all(segment["p_type"] != "PT_INTERP" for segment in ELFFile(stream).iter_segments())
    except (OSError, ELFError):
        return False


def _system(wanted: Wanted) -> FoundTool | None:
    path = shutil.which(wanted.name, path=_search_path())
    if path is None or (wanted.static and not is_static(Path(path).resolve())):
        return None
    return _asked(wanted, Path(path), "system", (path,), {})


def _private(wanted: Wanted) -> FoundTool | None:
    for root in bundle_dirs(wanted.bundle) if wanted.bundle else ():
        for place in ("usr/bin", "usr/sbin", "bin", "sbin"):
            path = root / place / wanted.name
            if path.is_file():
                env = {"LD_LIBRARY_PATH": ":".join(str(root / lib) for lib in _LIB_DIRS)}
                found = _asked(wanted, path, "private", (str(path), *_data_words(wanted, root)), env)
                if found is not None and found.numbers >= wanted.good:
                    return found
    return None


def _data_words(wanted: Wanted, root: Path) -> tuple[str, ...]:
    if wanted.bundle != "qemu":
        return ()
    return ("-L", str(root / "usr/share/qemu"), "-L", str(root / "usr/share/seabios"))


def _asked(wanted: Wanted, path: Path, origin: str, argv: tuple[str, ...], env: Mapping[str, str]) -> FoundTool | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    version = _version(wanted, path, (stat.st_mtime_ns, stat.st_size), tuple(env.items()))
    if version is None:
        return None
    frozen = MappingProxyType(dict(env))
    return FoundTool(name=wanted.name, path=path, version=version, origin=origin, argv=argv, env=frozen)


@functools.lru_cache(maxsize=64)
def _version(wanted: Wanted, path: Path, _seen: tuple[int, int], env: tuple[tuple[str, str], ...]) -> str | None:
    """What the program says; None when it does not run (a missing library) or says nothing like a version.

    :param _seen: date and size of the program, so that an upgraded one is asked anew.
    """
    try:
        done = proc.run([path, *filter(None, [wanted.version_word])], deadline_s=20, env=dict(env))
    except Unavailable:
        return None
    match = re.search(wanted.version_pattern, proc.printable(done.stdout[:4000] + done.stderr[:4000]))
    return match[1] if match else None


def _search_path() -> str:
    return os.pathsep.join((os.environ.get("PATH", os.defpath), *_SBIN))


def _libbpf_prefixes() -> tuple[Path, ...]:
    return (*_LIBBPF_SYSTEM, *(root / "usr" for root in bundle_dirs(LIBBPF.bundle)))
