"""The port ``Toolchain``: a policy's source to an object for one kernel's own types, in a jail."""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from schedops.adapters.compiler.compile import (
    FINGERPRINT,
    LIBBPF_HEADERS,
    PLAIN_NAME,
    Problems,
    compile_source,
    main_file,
)
from schedops.adapters.compiler.jail import find_jail, forget
from schedops.adapters.compiler.kernel_types import KernelTypes, kernel_types
from schedops.adapters.compiler.objects import Compiled, ObjectCache
from schedops.adapters.compiler.rodata import ParamRefused, set_params
from schedops.adapters.compiler.source_guard import MAX_SOURCE_BYTES, source_problems
from schedops.adapters.disk.cachedir import cache_dir
from schedops.adapters.disk.staging import staging
from schedops.adapters.kernel.kernels import KernelStore
from schedops.adapters.toolbox.tools import libbpf_prefix, require_tool
from schedops.errors import Unavailable
from schedops.model.policy import ParamValue, PolicySource
from schedops.model.verification import BuildFailure, BuiltObject, SourceProblem
from schedops.ports import KernelImage
from schedops.schema.files import data_dir

_HEADER = re.compile(rf"(?:{PLAIN_NAME.pattern}/){{0,8}}{PLAIN_NAME.pattern}")
_MAX_HEADERS = 400
_MAX_HEADER_BYTES = 16 * MAX_SOURCE_BYTES


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
        if not isinstance(compiled, Compiled):
            return BuildFailure(kernel=image.kernel.name, problems=compiled)
        try:
            elf = set_params(compiled.elf, source.policy.params, params)
        except ParamRefused as refused:
            return BuildFailure(kernel=image.kernel.name, problems=(_at_param(source, refused),))
        return BuiltObject(
            elf=elf,
            sha256=hashlib.sha256(elf).hexdigest(),
            kernel=image.kernel.name,
            warnings=compiled.warnings,
            jail=compiled.jail,
        )

    def _compiled(self, source: PolicySource, image: KernelImage) -> Compiled | Problems:
        problems = _guarded(source)
        if problems:
            return problems
        if problems := _beyond_ours(source):
            return problems
        outcome = self._for(source, image)
        if isinstance(outcome, Compiled) or not _brings_its_own(source):
            return outcome
        # sched-ext/scx's headers are written for the types of the newest kernel; on an older one the loader adapts the
        # object (CO-RE). So do they themselves, with a vmlinux.h that comes with them.
        newest = next(reversed(KernelStore(self._root / "kernels").list()), image)
        other = outcome if newest.kernel == image.kernel else self._for(source, newest)
        return (
            _adapted(other, source, newest.kernel.name, image.kernel.name) if isinstance(other, Compiled) else outcome
        )

    def _for(self, source: PolicySource, image: KernelImage) -> Compiled | Problems:
        types = kernel_types(image, self._root / "vmlinux")
        headers = _libbpf_headers()
        key = _key(source, types.sha256, headers, self.versions()["clang"])
        if (found := self._objects.find(key)) is not None:
            return found
        outcome = self._compile(source, types, headers)
        if isinstance(outcome, Compiled):
            self._objects.keep(key, outcome)
        return outcome

    def _compile(
        self, source: PolicySource, types: KernelTypes, headers: Sequence[tuple[str, bytes]]
    ) -> Compiled | Problems:
        jails = self._root / "jail"
        try:
            with staging(self._root / "scratch") as place:
                return compile_source(find_jail(jails), place, source, types.path, headers)
        except Unavailable as error:
            if error.code == "jail-broken":
                forget(jails)
            raise


def _brings_its_own(source: PolicySource) -> bool:
    """Headers of sched-ext/scx, and not those that stand in for them."""
    ours = data_dir("policies") / "include"
    own = dict(source.headers).get("scx/common.bpf.h")
    return own is not None and own != (ours / "scx/common.bpf.h").read_text(encoding="utf-8")


def _beyond_ours(source: PolicySource) -> Problems:
    """What a cid scheduler needs is much, and the headers that stand in for sched-ext/scx's do not have it."""
    match = re.search(r"^[ \t]*SCX_OPS_CID_DEFINE\b", source.text, re.MULTILINE)
    if match is None or _brings_its_own(source):
        return ()
    text = "a cid scheduler needs sched-ext/scx's own headers: schedops verify --include DIR"
    return (_problem(source.path, text, source.text.count("\n", 0, match.start()) + 1, 1),)


def _adapted(compiled: Compiled, source: PolicySource, types: str, kernel: str) -> Compiled:
    text = f"compiled with the types of {types}: with those of {kernel} the headers do not compile"
    note = SourceProblem(file=source.path, line=0, column=0, severity="warning", text=text)
    return replace(compiled, warnings=(note, *compiled.warnings))


def _guarded(source: PolicySource) -> Problems:
    problems = list(source_problems(source.text, source.path))
    if len(source.headers) > _MAX_HEADERS or sum(len(text) for _, text in source.headers) > _MAX_HEADER_BYTES:
        limit = f"more than {_MAX_HEADERS} headers or {_MAX_HEADER_BYTES >> 20} MiB of them"
        return (*problems, _problem(source.path, f"the source brings {limit}"))
    for name, text in source.headers:
        if not _HEADER.fullmatch(name) or name in ("vmlinux.h", main_file(source)) or name.startswith("bpf/"):
            problems.append(_problem(source.path, f"a header cannot be called {name[:60]!r}"))
        problems.extend(source_problems(text, name, posixpath.dirname(name)))
    return tuple(problems)


def _libbpf_headers() -> tuple[tuple[str, bytes], ...]:
    directory = libbpf_prefix() / "include" / "bpf"
    try:
        return tuple((name, (directory / name).read_bytes()) for name in LIBBPF_HEADERS)
    except OSError as error:
        hint = "`schedops setup`"
        raise Unavailable("tool-missing", f"libbpf's header cannot be read: {error.filename}", hint=hint) from None


def _key(source: PolicySource, types_sha256: str, headers: Sequence[tuple[str, bytes]], version: str) -> str:
    """Everything that the bytes of the object depend on; parameters are set afterwards."""
    digest = hashlib.sha256()
    texts = [(name, text.encode("utf-8")) for name, text in source.headers]
    # The path is in the problems that are kept with the object.
    own = [("path", source.path.encode()), ("source", source.text.encode("utf-8")), ("types", types_sha256.encode())]
    tool = [("clang", version.encode()), ("flags", FINGERPRINT.encode())]
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
