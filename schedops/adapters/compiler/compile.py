"""One compilation in a jail: everything laid out that may be read, clang run, its words and its object looked at."""

from __future__ import annotations

import io
import re
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from schedops import proc
from schedops.adapters.compiler.compiler_output import opened_files, parse_problems
from schedops.adapters.compiler.jail import CPU_S, FILE_BYTES, MEMORY_BYTES, Cell, Jail, cell_in
from schedops.adapters.compiler.objects import Compiled
from schedops.adapters.compiler.source_guard import asm_problems, may_hold_asm
from schedops.errors import Unavailable
from schedops.model.policy import PolicySource
from schedops.model.verification import SourceProblem

LIBBPF_HEADERS = ("bpf_core_read.h", "bpf_endian.h", "bpf_helper_defs.h", "bpf_helpers.h", "bpf_tracing.h")
_MAX_OBJECT_BYTES = 8 << 20
_MAX_DATA_BYTES = 64 << 20  # what the object's variables take in the kernel's memory
_CODE = ("-g", "-O2")
# Quick, and holds every piece of inline assembly that the object can get. (CO-RE does not compile without -g.)
_INTERMEDIATE = ("-g", "-O0", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm")
_FLAGS = (
    "-target",
    "bpf",
    "-mcpu=v3",
    "-std=gnu11",
    "-fms-extensions",  # anonymous structs of newer kernels' types
    "-fno-raw-string-literals",  # C has none, and the guard of the source knows none
    "-Wall",
    "-Wno-microsoft-anon-tag",
    "-Wno-missing-declarations",  # vmlinux.h has many declarations of nothing
    "-Wno-microsoft-include",  # a file found beside one that includes the includer
    "-Werror=date-time",  # equal inputs give equal bytes
    "-D__TARGET_ARCH_x86",
    "-nostdinc",
    "-I.",
    "-fno-caret-diagnostics",
    "-fno-color-diagnostics",
    "-fno-crash-diagnostics",  # they would start the preprocessor again and write a report
    "-fmacro-backtrace-limit=1",
    "-ferror-limit=20",
)
# The object's debug information names no directory of this machine.
_PLACELESS = ("-fdebug-compilation-dir=.",)
FINGERPRINT = " ".join((*_FLAGS, *_CODE))
_EMPTY = re.compile(r"too many errors emitted|clang frontend command failed|unable to execute command")
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
Problems = tuple[SourceProblem, ...]


def compile_source(
    jail: Jail, place: Path, source: PolicySource, types: Path, libbpf: Sequence[tuple[str, bytes]]
) -> Compiled | Problems:
    """The object, or why there is none.

    When a source could hold assembly, or the jail does not keep it from other files, it is first compiled to
    intermediate code, where hidden assembler directives show. (Going on from there would be quicker, but the order of
    types in clang 19's ``.BTF`` then varies from run to run.)

    :param place: an empty scratch directory. :param types: the kernel's ``vmlinux.h``.
    :raises Unavailable: the machine could not do it; nothing is said about the source.
    """
    cell = cell_in(place)
    _lay_out(cell, source, types, libbpf)
    texts = (source.text, *(text for _, text in source.headers))
    suspect = not jail.isolates or any(may_hold_asm(text) for text in texts)
    if suspect and (problems := _suspected(jail, cell, source)):
        return problems
    words = (*_FLAGS, "-H", *_CODE, *_PLACELESS, f"-ffile-prefix-map={cell.inside}=.")
    done = _clang(jail, cell, source, *words, "-c", main_file(source), "-o", "../out/policy.o")
    if not isinstance(done, proc.Completed):
        return done
    if problems := _refused(done, source):
        return problems
    elf = (cell.out / "policy.o").read_bytes()
    if too_large := _too_large(elf):
        return (_problem(source.path, too_large),)
    return Compiled(elf, parse_problems(done.stderr, _names(source)), jail.name)


def main_file(source: PolicySource) -> str:
    """The name the compiler sees."""
    name = Path(source.path).name
    return name if PLAIN_NAME.fullmatch(name) and name.endswith(".c") else "policy.bpf.c"


def _lay_out(cell: Cell, source: PolicySource, types: Path, libbpf: Sequence[tuple[str, bytes]]) -> None:
    """Everything the compiler may read, and nothing else."""
    shutil.copyfile(types, cell.inside / "vmlinux.h")
    (cell.inside / "bpf").mkdir()
    for name, data in libbpf:
        (cell.inside / "bpf" / name).write_bytes(data)
    for name, text in (*source.headers, (main_file(source), source.text)):
        path = cell.inside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))  # line ends as they are


def _suspected(jail: Jail, cell: Cell, source: PolicySource) -> Problems:
    words = (*_FLAGS, "-H", *_INTERMEDIATE, main_file(source), "-o", "../out/policy.ll")
    done = _clang(jail, cell, source, *words)
    if not isinstance(done, proc.Completed):
        return done
    if problems := _refused(done, source):
        return problems
    return asm_problems((cell.out / "policy.ll").read_text(encoding="utf-8", errors="replace"), source.path)


def _clang(jail: Jail, cell: Cell, source: PolicySource, *words: str) -> proc.Completed | Problems:
    try:
        return jail.run(cell, words)
    except Unavailable as error:
        if error.code != "command-flood":
            raise
        return (_problem(source.path, "the compiler says megabytes about it: a macro or an include repeats itself"),)


def _refused(done: proc.Completed, source: PolicySource) -> Problems:
    strangers = _strangers(source, opened_files(done.stderr))
    if strangers:
        # What clang said about it is not shown: it could quote the file.
        return (_problem(source.path, f"the source reads {strangers[0][:100]!r}, which is no header of the library"),)
    if done.ok:
        return ()
    problems = tuple(one for one in parse_problems(done.stderr, _names(source)) if not _EMPTY.match(one.text))
    if any(problem.severity == "error" for problem in problems):
        return problems
    return (_problem(source.path, _stopped(done)),)


def _stopped(done: proc.Completed) -> str:
    """Why the compiler ended without an error about the source."""
    number = -done.returncode if done.returncode < 0 else done.returncode - 128
    if b"out of memory" in done.stderr or b"bad_alloc" in done.stderr:
        return f"the compiler needs more than {MEMORY_BYTES >> 30} GiB of memory for it"
    if number in (signal.SIGXCPU, signal.SIGKILL):
        return f"the compiler was stopped after {CPU_S} s of CPU time"
    if number == signal.SIGXFSZ:
        return f"the object would be larger than {FILE_BYTES >> 20} MiB"
    if number > 0:
        return "the compiler crashed on it: something is nested too deeply, or too large"
    return proc.printable(done.stderr[-400:]).strip() or "the compiler refused it"


def _too_large(elf: bytes) -> str:
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415 - slow to import, and only for what was just compiled

    if len(elf) > _MAX_OBJECT_BYTES:
        return f"the object has {len(elf)} bytes, at most {_MAX_OBJECT_BYTES} are allowed"
    sections = ELFFile(io.BytesIO(elf)).iter_sections()
    data = sum(section["sh_size"] for section in sections if section["sh_flags"] & 2)  # SHF_ALLOC
    if data > _MAX_DATA_BYTES:
        return f"the object's code and variables take {data} bytes, at most {_MAX_DATA_BYTES} are allowed"
    return ""


def _strangers(source: PolicySource, opened: Sequence[str]) -> tuple[str, ...]:
    allowed = {"vmlinux.h", main_file(source), *(name for name, _ in source.headers)}
    allowed |= {f"bpf/{name}" for name in LIBBPF_HEADERS}
    return tuple(name for name in opened if name not in allowed)


def _names(source: PolicySource) -> dict[str, str]:
    return {main_file(source): source.path, "": source.path}


def _problem(file: str, text: str) -> SourceProblem:
    return SourceProblem(file=file, line=0, column=0, severity="error", text=text)
