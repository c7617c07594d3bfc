"""The port ``Toolchain``: a policy's source to an object for one kernel's own types, in a directory of its own."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from schedops import proc
from schedops.adapters.compiler.compiler_output import opened_files, parse_problems
from schedops.adapters.compiler.kernel_types import kernel_types
from schedops.adapters.compiler.objects import Compiled, ObjectCache
from schedops.adapters.compiler.rodata import ParamRefused, set_params
from schedops.adapters.compiler.source_guard import asm_problems, source_problems
from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import staging
from schedops.adapters.toolbox.tools import libbpf_prefix, require_tool
from schedops.errors import Unavailable
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.verification import BuildFailure, BuiltObject, SourceProblem
from schedops.ports import KernelImage

_LIBBPF_HEADERS = ("bpf_core_read.h", "bpf_endian.h", "bpf_helper_defs.h", "bpf_helpers.h", "bpf_tracing.h")
_COMPILE_S = 60.0
_MAX_OBJECT_BYTES = 8 << 20
_MEMORY_BYTES = 3 << 30  # address space; clang 19 needs about 0.5 GB for vmlinux.h and a policy
_CPU_S = 60
_CODE = ("-g", "-O2")
# Quick, and holds every piece of inline assembly that the object can get.
_INTERMEDIATE = ("-g", "-O0", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm")
_FLAGS = (
    "-target",
    "bpf",
    "-mcpu=v3",
    "-std=gnu11",
    "-fms-extensions",  # anonymous structs of newer kernels' types
    "-Wall",
    "-Wno-microsoft-anon-tag",
    "-Wno-missing-declarations",  # vmlinux.h has many declarations of nothing
    "-Werror=date-time",  # equal inputs give equal bytes
    "-D__TARGET_ARCH_x86",
    "-nostdinc",
    "-I.",
    "-fno-caret-diagnostics",
    "-fno-color-diagnostics",
    "-ferror-limit=20",
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_HEADER = re.compile(rf"(?:{_NAME.pattern}/){{0,8}}{_NAME.pattern}")


class Clang:
    """Implements ``Toolchain`` with clang-19, bpftool and libbpf's headers."""

    def __init__(self, root: Path | None = None) -> None:
        """:param root: cache of types and objects; by default the cache directory."""
        self._root = root if root is not None else cache_dir()
        self._objects = ObjectCache(self._root / "objects")

    def versions(self) -> dict[str, str]:
        """``clang`` and ``bpftool`` -> version. :raises Unavailable: one of them is missing."""
        return {"clang": require_tool("clang-19").version, "bpftool": require_tool("bpftool").version}

    def build(
        self, source: PolicySource, params: Sequence[ParamValue], image: KernelImage
    ) -> BuiltObject | BuildFailure:
        """See the port. A source that asks for files it has no business with is a BuildFailure."""
        compiled = self._compiled(source, image)
        if isinstance(compiled, BuildFailure):
            return compiled
        try:
            elf = set_params(compiled.elf, source.policy.params, params)
        except ParamRefused as refused:
            problem = _at_param(source, refused)
            return BuildFailure(kernel=image.kernel.name, problems=(problem,))
        digest = hashlib.sha256(elf).hexdigest()
        return BuiltObject(elf=elf, sha256=digest, kernel=image.kernel.name, warnings=compiled.warnings)

    def _compiled(self, source: PolicySource, image: KernelImage) -> Compiled | BuildFailure:
        problems = _guarded(source)
        if problems:
            return BuildFailure(kernel=image.kernel.name, problems=problems)
        types = kernel_types(image, self._root / "vmlinux")
        headers = _libbpf_headers()
        key = _key(source, types.sha256, headers, self.versions()["clang"])
        if (found := self._objects.find(key)) is not None:
            return found
        with staging(self._root / "scratch") as place:
            _lay_out(place, source, types.path, headers)
            outcome = _compile(place, source)
        if isinstance(outcome, tuple):
            return BuildFailure(kernel=image.kernel.name, problems=outcome)
        self._objects.keep(key, outcome)
        return outcome


def _guarded(source: PolicySource) -> tuple[SourceProblem, ...]:
    problems = list(source_problems(source.text, source.path))
    for name, text in source.headers:
        if not _HEADER.fullmatch(name) or name == "vmlinux.h" or name.startswith("bpf/"):
            problems.append(_problem(source.path, f"a header cannot be called {name[:60]!r}"))
        problems.extend(source_problems(text, name, posixpath.dirname(name)))
    return tuple(problems)


def _lay_out(place: Path, source: PolicySource, types: Path, headers: Sequence[tuple[str, bytes]]) -> None:
    """Everything the compiler may read, and nothing else."""
    (place / "vmlinux.h").symlink_to(types)
    (place / "bpf").mkdir()
    for name, data in headers:
        (place / "bpf" / name).write_bytes(data)
    for name, text in source.headers:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    (place / _main_file(source)).write_text(source.text, encoding="utf-8")


def _compile(place: Path, source: PolicySource) -> Compiled | tuple[SourceProblem, ...]:
    """First to intermediate code, where hidden assembler directives show, then, from the source again, to the object.

    (From intermediate code clang 19 would be quicker, but the order of types in its ``.BTF`` then varies from run to
    run, and equal inputs are to give equal bytes.)
    """
    main = _main_file(source)
    done = _clang(place, *_FLAGS, "-H", *_INTERMEDIATE, main, "-o", "policy.ll")
    strangers = _strangers(place, source, opened_files(done.stderr))
    if strangers:
        # What clang said about it is not shown: it could quote the file.
        return (_problem(source.path, f"the source reads {strangers[0]!r}, which is no header of the library"),)
    if not done.ok:
        return _failure(done, source)
    refused = asm_problems((place / "policy.ll").read_text(encoding="utf-8", errors="replace"), source.path)
    if refused:
        return refused
    code = _clang(place, *_FLAGS, *_CODE, *_where(place), "-c", main, "-o", "policy.o")
    if not code.ok:
        return _failure(code, source)
    elf = (place / "policy.o").read_bytes()
    if len(elf) > _MAX_OBJECT_BYTES:
        return (_problem(source.path, f"the object has {len(elf)} bytes, at most {_MAX_OBJECT_BYTES} are allowed"),)
    return Compiled(elf, parse_problems(code.stderr, _names(source)))


def _clang(place: Path, *words: str) -> proc.Completed:
    clang = require_tool("clang-19")
    limits = (f"--as={_MEMORY_BYTES}", f"--fsize={4 * _MAX_OBJECT_BYTES}", f"--cpu={_CPU_S}", "--core=0")
    argv = ("prlimit", *limits, "--", *clang.argv, *words)
    return proc.run(argv, deadline_s=_COMPILE_S, cwd=place, env={**clang.env, "TMPDIR": str(place)})


def _where(place: Path) -> tuple[str, ...]:
    # The object's debug information names no directory of this machine.
    return (f"-ffile-prefix-map={place}=.", "-fdebug-compilation-dir=.")


def _failure(done: proc.Completed, source: PolicySource) -> tuple[SourceProblem, ...]:
    problems = parse_problems(done.stderr, _names(source))
    if any(problem.severity == "error" for problem in problems):
        return problems
    if done.returncode < 0 or done.returncode > 128:
        return (_problem(source.path, "the compiler was stopped: the source asks for too much memory or time"),)
    return (_problem(source.path, proc.printable(done.stderr[-400:]).strip() or "the compiler refused it"),)


def _strangers(place: Path, source: PolicySource, opened: Sequence[str]) -> tuple[str, ...]:
    allowed = {"vmlinux.h", *(name for name, _ in source.headers), *(f"bpf/{name}" for name in _LIBBPF_HEADERS)}
    return tuple(name for name in opened if name.removeprefix(f"{place}/") not in allowed)


def _names(source: PolicySource) -> dict[str, str]:
    return {_main_file(source): source.path}


def _main_file(source: PolicySource) -> str:
    name = Path(source.path).name
    return name if _NAME.fullmatch(name) and name.endswith(".c") else "policy.bpf.c"


def _libbpf_headers() -> tuple[tuple[str, bytes], ...]:
    directory = libbpf_prefix() / "include" / "bpf"
    try:
        return tuple((name, (directory / name).read_bytes()) for name in _LIBBPF_HEADERS)
    except OSError as error:
        hint = "`schedops setup`"
        raise Unavailable("tool-missing", f"libbpf's header cannot be read: {error.filename}", hint=hint) from None


def _key(source: PolicySource, types_sha256: str, headers: Sequence[tuple[str, bytes]], version: str) -> str:
    """Everything that the bytes of the object depend on; parameters are set afterwards."""
    digest = hashlib.sha256()
    texts = [(name, text.encode("utf-8")) for name, text in source.headers]
    # The path is in the problems that are kept with the object.
    own = [("path", source.path.encode()), ("source", source.text.encode("utf-8")), ("types", types_sha256.encode())]
    tool = [("clang", version.encode()), ("flags", " ".join((*_FLAGS, *_CODE)).encode())]
    for name, data in (*own, *tool, *texts, *headers):
        digest.update(f"{len(name)} {name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _at_param(source: PolicySource, refused: ParamRefused) -> SourceProblem:
    """The line of the source that declares the parameter, if there is one."""
    pattern = re.compile(rf"\bconst\s+volatile\s+\w+\s+({re.escape(refused.name)})\b")
    for number, line in enumerate(source.text.splitlines(), start=1):
        if match := pattern.search(line):
            return _problem(source.path, refused.text, number, match.start(1) + 1)
    return _problem(source.path, refused.text)


def _problem(file: str, text: str, line: int = 0, column: int = 0) -> SourceProblem:
    return SourceProblem(file=file, line=line, column=column, severity="error", text=text)
