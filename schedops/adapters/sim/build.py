"""C to WebAssembly: the engine from its sources, a policy from its source, the shim's headers and the runtime."""

from __future__ import annotations

import hashlib
import posixpath
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import schedops
from schedops import proc
from schedops.adapters.compiler.compile import main_file
from schedops.adapters.compiler.compiler_output import parse_problems
from schedops.adapters.compiler.jail import CPU_S, FILE_BYTES, MEMORY_BYTES, Cell, cell_in, find_jail
from schedops.adapters.compiler.source_guard import source_problems
from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.disk.staging import staging
from schedops.adapters.toolbox.tools import require_tool
from schedops.errors import Unavailable
from schedops.model.policy import PolicySource
from schedops.model.verification import SourceProblem
from schedops.schema.files import data_dir

_SIM = Path(schedops.__file__).parent / "sim"
_ERRNO = "asm-generic/errno.h"  # the same for BPF and for WebAssembly
_COMMON = ("--target=wasm64", "-std=gnu11", "-ffreestanding", "-nostdinc", "-mbulk-memory", "-fno-color-diagnostics")
_ENGINE = (*_COMMON, "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter")
_POLICY = (
    *_COMMON,
    "-O2",
    "-flto",  # the runtime is small functions: they have to become part of the policy
    "-fms-extensions",
    "-fno-raw-string-literals",
    "-fno-caret-diagnostics",
    "-ferror-limit=20",
    "-Wno-everything",
    "-Werror=implicit-function-declaration",
    "-fdebug-compilation-dir=.",
    "-I.",
    "-D__bpf__",  # headers that loaders share with policies ask for it
    "-D__BPF__",
)
_RUNTIME = (*_POLICY, "-fno-strict-aliasing")  # it looks at lists and trees of the policy by types of its own
# What the kernel's verifier would refuse at load, null pointers and indexes out of bounds, traps where it happens.
_CHECKED = (
    *_POLICY,
    "-g",  # not the runtime: what of it becomes part of a callback then belongs to the line of its call
    "-fno-delete-null-pointer-checks",
    "-fsanitize=null,bounds",
    "-fsanitize-trap=null,bounds",
    "-mllvm",
    "-ubsan-unique-traps",  # each with its own line
)
_LINK = ("-mwasm64", "--no-entry", "--export-table")
_LINK_ENGINE = (*_LINK, "--growable-table", "-z", "stack-size=262144")
# Unresolved functions become imports, which tell what the simulator does not have. 1 GiB of memory is the policy's
# limit. The stack lies first, so that one that is too small traps.
_LINK_POLICY = (
    *_LINK,
    "--import-undefined",
    "--max-memory=1073741824",
    "--lto-O3",
    "--stack-first",
    "-mllvm",
    "-enable-tail-merge=0",  # traps have lines of their own
    "-z",
    "stack-size=65536",
)
_SCX = "scx/"
_LINK_S = 60.0
# The linker optimises what the policy says: as much as the compiler may use up.
_LINK_LIMITS = (f"--as={MEMORY_BYTES}", f"--fsize={FILE_BYTES}", f"--cpu={CPU_S}:{CPU_S + 1}", "--core=0")
POLICY_MODULE = "policy.wasm"  # what wasmtime calls it in a backtrace
Built = bytes | tuple[SourceProblem, ...]


class Builder:
    """Modules by the digest of everything that they are made of."""

    def __init__(self, root: Path) -> None:
        """:param root: the cache."""
        self._root = root
        self._engine: bytes | None = None
        self._policies: dict[PolicySource, Built] = {}

    def engine(self) -> bytes:
        """:raises Unavailable: a tool is missing, or our own source does not compile."""
        if self._engine is None:
            self._engine = self._made_engine()
        return self._engine

    def policy(self, source: PolicySource) -> Built:
        """The module, or why there is none."""
        if source not in self._policies:
            self._policies[source] = self._made_policy(source)
        return self._policies[source]

    def _made_engine(self) -> bytes:
        files = _files(_SIM / "engine")
        built = self._built(files, "engine.c", _ENGINE, _LINK_ENGINE, ())
        if not isinstance(built, bytes):
            text = "; ".join(f"{one.file}:{one.line}: {one.text}" for one in built[:3])
            raise Unavailable("sim-engine", f"the simulator's engine does not compile: {text}")
        return built

    def _made_policy(self, source: PolicySource) -> Built:
        problems = list(source_problems(source.text, source.path))
        for name, text in source.headers:
            problems += source_problems(text, name, posixpath.dirname(name))
        if problems:
            return tuple(problems)
        own = {name: text.encode() for name, text in source.headers}
        theirs = {name: own.pop(name) for name in tuple(own) if name.startswith(_SCX)}
        # Headers of sched-ext/scx are for BPF and for their kernel: the library's have the same names, also for
        # WebAssembly. Whoever wants more than those have gets what came along.
        ours = {f"{_SCX}{name}": data for name, data in _files(data_dir("policies") / "include" / _SCX).items()}
        built = self._made_with(source, {**own, **(ours if theirs else {})})
        if isinstance(built, bytes) or theirs in ({}, ours):
            return built
        again = self._made_with(source, own | theirs)
        return again if isinstance(again, bytes) else built

    def _made_with(self, source: PolicySource, headers: Mapping[str, bytes]) -> Built:
        shim, main = _shim(), main_file(source)
        runtime = self._object(shim, "runtime.c", _RUNTIME, {})
        assert isinstance(runtime, bytes), runtime  # our own
        files = {**headers, **shim, main: source.text.encode()}
        return self._built(files, main, _CHECKED, _LINK_POLICY, (runtime,), {main: source.path})

    def _built(
        self,
        files: Mapping[str, bytes],
        main: str,
        flags: Sequence[str],
        link: Sequence[str],
        others: Sequence[bytes],
        names: Mapping[str, str] | None = None,
    ) -> Built:
        digest = _digest((*flags, *link, main), {**files, **{f"{n}.o": data for n, data in enumerate(others)}})
        path = self._root / digest[:2] / f"{digest}.wasm"
        if (found := _sealed(path)) is not None:
            return found
        made = self._object(files, main, flags, names or {})
        if not isinstance(made, bytes):
            return made
        linked = self._linked((made, *others), link)
        if not isinstance(linked, bytes):
            return linked
        write_whole(path, hashlib.sha256(linked).digest() + linked, sync=False)
        return linked

    def _object(self, files: Mapping[str, bytes], main: str, flags: Sequence[str], names: Mapping[str, str]) -> Built:
        path = self._root / "objects" / f"{_digest((*flags, main), files)}.o"
        if (found := _sealed(path)) is not None:
            return found
        with staging(self._root / "scratch") as place:
            cell = cell_in(place)
            _lay_out(cell, files)
            done = find_jail(self._root / "jail").run(cell, (*flags, "-c", main, "-o", "../out/made.o"))
            if not done.ok:
                errors = tuple(one for one in parse_problems(done.stderr, names) if one.severity == "error")
                return errors or (SourceProblem(file=main, line=0, column=0, severity="error", text="clang failed"),)
            made = (cell.out / "made.o").read_bytes()
        write_whole(path, hashlib.sha256(made).digest() + made, sync=False)
        return made

    def _linked(self, objects: Sequence[bytes], link: Sequence[str]) -> Built:
        with staging(self._root / "scratch") as place:
            names = [f"{number}.o" for number in range(len(objects))]
            for name, data in zip(names, objects, strict=True):
                (place / name).write_bytes(data)
            name = "engine.wasm" if link is _LINK_ENGINE else POLICY_MODULE
            argv = ("prlimit", *_LINK_LIMITS, "--", *_linker(), *link, *names, "-o", name)
            done = proc.run(argv, deadline_s=_LINK_S, cwd=place)
            if not done.ok:
                words = proc.printable(done.stderr).strip().splitlines()[:1]
                text = f"it does not link: {words[0][:300] if words else done.returncode}"
                return (SourceProblem(file=POLICY_MODULE, line=0, column=0, severity="error", text=text),)
            return (place / name).read_bytes()


def _linker() -> tuple[str, ...]:
    lld = require_tool("ld.lld-19").path.resolve()
    beside = lld.with_name("wasm-ld")
    found = str(beside) if beside.exists() else shutil.which("wasm-ld-19")
    if found is None:
        raise Unavailable("tool-missing", "wasm-ld-19 was not found", hint="it is in the package lld-19")
    return (found,)


def _shim() -> dict[str, bytes]:
    return {**_files(_SIM / "shim"), _ERRNO: (data_dir("policies") / "include" / _ERRNO).read_bytes()}


def _files(directory: Path) -> dict[str, bytes]:
    found = sorted(path for path in directory.rglob("*") if path.suffix in (".c", ".h"))
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


def _lay_out(cell: Cell, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = cell.inside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _digest(words: Sequence[str], files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256(" ".join((require_tool("clang-19").version, *words)).encode())
    for name in sorted(files):
        digest.update(f"\0{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()


def _sealed(path: Path) -> bytes | None:
    """What was kept, if it is whole."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data[32:] if hashlib.sha256(data[32:]).digest() == data[:32] else None
