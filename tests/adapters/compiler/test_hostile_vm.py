"""What a hostile source does to the compiler: a refusal with a place and one sentence, in bounded time and memory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from schedops import proc
from schedops.adapters.compiler import jail
from schedops.adapters.compiler.clang import Clang
from schedops.model.policy import PolicySource
from schedops.model.verification import BuildFailure, BuiltObject
from schedops.ports import KernelImage
from schedops.repository import load_policies

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[3]
FIFO = next(source for source in load_policies(ROOT) if source.policy.name == "fifo")
DOUBLING = {f"a{n}.h": f'#include "a{n + 1}.h"\n#include "a{n + 1}.h"\n' for n in range(40)} | {"a40.h": "\n"}
LOUD = "\n".join(
    [
        f'#define W0 _Pragma("GCC warning \\"{"x" * 400}\\"")',
        *(f"#define W{n} " + f"W{n - 1} " * 10 for n in range(1, 6)),
        "W5",
    ]
)


def bare(text: str, headers: Mapping[str, str] | None = None) -> PolicySource:
    policy = replace(FIFO.policy, params=())
    return PolicySource(policy=policy, path="some/p.bpf.c", text=text, headers=tuple((headers or {}).items()))


def failed(text: str, image: KernelImage, headers: Mapping[str, str] | None = None) -> BuildFailure:
    result = Clang().build(bare(text, headers), (), image)
    assert isinstance(result, BuildFailure), "it was compiled"
    assert result.problems
    return result


def built(text: str, image: KernelImage) -> BuiltObject:
    result = Clang().build(bare(text), (), image)
    assert isinstance(result, BuiltObject), result
    return result


@pytest.mark.parametrize(
    ("text", "headers", "words"),
    [
        pytest.param('#include "p.bpf.c"\n#include "p.bpf.c"\n', {}, "nested too deeply", id="includes itself"),
        pytest.param('#include "a0.h"\n', DOUBLING, "says megabytes", id="includes double"),
        pytest.param(LOUD, {}, "says megabytes", id="warns without end"),
        pytest.param("int x = " + "(" * 90_000 + "1" + ")" * 90_000 + ";", {}, "nesting level", id="brackets"),
        pytest.param("int x = " + "- " * 120_000 + "1;", {}, "crashed", id="signs"),
        pytest.param("long x = " + "1+" * 100_000 + "1;", {}, "crashed", id="sums"),
        pytest.param("void f(int a) { " + "if(a) " * 30_000 + ";}", {}, "crashed", id="conditions"),
        pytest.param("struct {" * 20_000 + "int x;" + "}a;" * 20_000, {}, "nesting level", id="structs"),
        pytest.param("char x[1UL << 36];", {}, "take 68719476736 bytes", id="a large map"),
        pytest.param("char x[1UL << 40] = {1};", {}, "larger than 32 MiB", id="a large file"),
        pytest.param(
            "int x;", {f"h{n}.h": "x" * 250_000 for n in range(20)}, "4 MiB of them", id="megabytes of headers"
        ),
        pytest.param("int x;" * 1_700_000, {}, "larger than 256 KiB", id="10 MB"),
        pytest.param("#pragma clang module load x\n", {}, "not found", id="a module"),
        pytest.param('const char *x = R"(" /* )";\n#include "/etc/passwd"\n/* */', {}, "'R'", id="a raw string"),
        pytest.param(
            'void f(void) __asm__(".inc" "bin"); void g(void) { asm volatile("%0 \\"/etc/passwd\\"" :: "i"(f)); }',
            {},
            "assembler name",
            id="a directive from an operand",
        ),
    ],
)
def test_a_bomb_is_refused_with_one_sentence(
    text: str, headers: Mapping[str, str], words: str, newest_kernel: KernelImage
) -> None:
    (first, *_) = failed(text, newest_kernel, headers).problems
    assert (first.severity, words in first.text) == ("error", True), first
    assert first.file in ("some/p.bpf.c", *headers)


def test_a_compilation_without_end_is_stopped(newest_kernel: KernelImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "CPU_S", 1)
    (problem,) = failed("int x" + "[1]" * 60_000 + ";", newest_kernel).problems
    assert "of CPU time" in problem.text


def test_too_much_memory_is_said(newest_kernel: KernelImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jail, "MEMORY_BYTES", 1 << 30)
    (problem,) = failed("int x[] = { [0 ... 200000000] = 7 };", newest_kernel).problems
    assert "GiB of memory" in problem.text


@pytest.mark.parametrize("text", ["\ufeffint x;\r\nint y;\r\n", '#pragma comment(lib, "/etc/passwd")\nint x;\n'])
def test_what_is_odd_and_harmless_compiles(text: str, newest_kernel: KernelImage) -> None:
    assert b"root:" not in built(text, newest_kernel).elf


def test_warnings_of_the_source_and_its_headers_are_kept(newest_kernel: KernelImage) -> None:
    source = bare('#include "lib/my.h"\nint f(void) { int unused; return 0; }\n', {"lib/my.h": "#warning old\n"})
    first, second = Clang().build(source, (), newest_kernel), Clang().build(source, (), newest_kernel)
    assert isinstance(first, BuiltObject)
    assert first == second
    assert [(one.file, one.line, one.text.split(" [")[0]) for one in first.warnings] == [
        ("lib/my.h", 1, "old"),
        ("some/p.bpf.c", 2, "unused variable 'unused'"),
    ]


def test_nothing_is_left_after_a_compilation_or_a_kill(newest_kernel: KernelImage, tmp_path: Path) -> None:
    Clang(tmp_path).build(bare("int x;"), (), newest_kernel)
    assert list((tmp_path / "scratch").iterdir()) == []
    (tmp_path / "a.bpf.c").write_text("struct sched_ext_ops *o; int x" + "[1]" * 60_000 + ";")
    code = (
        "import sys; from pathlib import Path; from schedops.adapters.compiler.clang import Clang;"
        "from schedops.adapters.kernel.kernels import KernelStore; from schedops.repository import resolve_policy;"
        "r = Path(sys.argv[1]); s = resolve_policy(r, './a.bpf.c', cwd=r);"
        "Clang(r).build(s, (), KernelStore(Path(sys.argv[2])).list()[-1])"
    )
    argv = (sys.executable, "-c", code, str(tmp_path), str(newest_kernel.directory.parent))
    child = proc.spawn(argv, env={"SCHEDOPS_CACHE": os.environ["SCHEDOPS_CACHE"]})
    while not list((tmp_path / "scratch").glob(".new-*/in/a.bpf.c")) and child.poll() is None:
        time.sleep(0.05)
    proc.kill_group(child)
    assert list((tmp_path / "scratch").iterdir()), "it was killed too late"
    Clang(tmp_path).build(bare("int y;"), (), newest_kernel)
    assert list((tmp_path / "scratch").iterdir()) == []
