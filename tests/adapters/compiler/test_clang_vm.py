"""The toolchain against real kernels' types. Boots nothing, but needs what the micro-VM tests need."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.disk.cachedir import cache_dir
from schedops.model.policy import ParamValue, Policy, PolicySource, Provenance
from schedops.model.verification import BuildFailure, BuiltObject
from schedops.ports import KernelImage
from schedops.repository import load_policies

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[3]
LIBRARY = {source.policy.name: source for source in load_policies(ROOT)}
SECRET = "root_of_all_evil"


def bare(text: str) -> PolicySource:
    policy = Policy(
        name="bare",
        description="",
        tags=(),
        classes=(),
        source="bare.bpf.c",
        ops_name="bare",
        loses_when="",
        provenance=Provenance(author="human", pathway="create"),
    )
    return PolicySource(policy=policy, path="some/where/bare.bpf.c", text=text, headers=LIBRARY["fifo"].headers)


def built(source: PolicySource, image: KernelImage, *params: ParamValue) -> BuiltObject:
    result = Clang().build(source, params, image)
    assert isinstance(result, BuiltObject), result
    return result


def failed(source: PolicySource, image: KernelImage, *params: ParamValue) -> BuildFailure:
    result = Clang().build(source, params, image)
    assert isinstance(result, BuildFailure), "it was compiled"
    return result


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_the_library_compiles_for_every_kernel_without_a_warning(name: str, kernels: tuple[KernelImage, ...]) -> None:
    objects = [built(LIBRARY[name], image) for image in kernels]
    assert [(one.kernel, one.warnings) for one in objects] == [(image.kernel.name, ()) for image in kernels]


def test_equal_inputs_give_equal_bytes_and_no_place_of_this_machine(
    newest_kernel: KernelImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = newest_kernel
    one = Clang(tmp_path / "one").build(LIBRARY["fifo"], (), image)
    monkeypatch.chdir(tmp_path)
    two = Clang(tmp_path / "two").build(LIBRARY["fifo"], (), image)
    assert isinstance(one, BuiltObject)
    assert one == two
    assert one.sha256 == hashlib.sha256(one.elf).hexdigest()
    assert b"schedops-cc-" not in one.elf
    assert str(ROOT).encode() not in one.elf


def test_a_parameter_changes_the_digest_and_back(newest_kernel: KernelImage) -> None:
    default = built(LIBRARY["fifo"], newest_kernel)
    other = built(LIBRARY["fifo"], newest_kernel, ParamValue(name="slice_us", value=7000))
    assert other.sha256 != default.sha256
    assert built(LIBRARY["fifo"], newest_kernel, ParamValue(name="slice_us", value=5000)) == default


def test_a_parameter_out_of_range_is_shown_where_it_is_declared(newest_kernel: KernelImage) -> None:
    (problem,) = failed(LIBRARY["fifo"], newest_kernel, ParamValue(name="slice_us", value=1)).problems
    line = LIBRARY["fifo"].text.splitlines()[problem.line - 1]
    assert (problem.text, line[problem.column - 1 :]) == (
        "slice_us = 1 is not in 500 .. 20000 us",
        "slice_us = 5000;",
    )


def test_an_error_has_file_line_and_column(newest_kernel: KernelImage) -> None:
    text = (ROOT / "tests/data/policies/does_not_compile.bpf.c").read_text()
    (problem,) = failed(bare(text), newest_kernel).problems
    assert (problem.file, problem.line, problem.column, problem.severity, problem.text) == (
        "some/where/bare.bpf.c",
        9,
        47,
        "error",
        "no member named 'vruntime' in 'struct sched_ext_entity'",
    )


@pytest.mark.parametrize(
    "template",
    [
        '#include "{path}"\n',
        '#include "schedops.h"\n#define F "{path}"\n#include F\n',
        "#define S(x) #x\n#define F S({path})\n#inc\\\nlude F\n",
        'const char x[] = {{\n#embed "{path}"\n}};\n',
        'asm(".incbin \\"{path}\\"");\n',
        'asm(".inc" "bin \\"{path}\\"");\n',
        'void f(void) {{ asm volatile(".macro m a b\\n.\\\\a\\\\b \\"{path}\\"\\n.endm\\nm inc bin"); }}\n',
        'asm(".inc" "lude \\"{path}\\"");\n',
    ],
)
def test_a_hostile_source_is_refused_and_leaks_nothing(
    template: str, newest_kernel: KernelImage, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.h"
    secret.write_text(f"{SECRET}\n")
    failure = failed(bare(template.format(path=secret)), newest_kernel)
    assert failure.problems
    assert all(problem.severity == "error" for problem in failure.problems)
    assert SECRET not in repr(failure)


def test_a_header_cannot_take_the_place_of_the_kernels_types(newest_kernel: KernelImage) -> None:
    source = replace(bare(""), headers=(("vmlinux.h", "typedef int u64;"), ("../x.h", "")))
    texts = [problem.text for problem in failed(source, newest_kernel).problems]
    assert texts == ["a header cannot be called 'vmlinux.h'", "a header cannot be called '../x.h'"]


def test_the_date_of_the_build_cannot_get_in(newest_kernel: KernelImage) -> None:
    (problem,) = failed(bare("const char when[] = __DATE__;\n"), newest_kernel).problems
    assert (problem.line, "__DATE__" in problem.text or "reproducible" in problem.text) == (1, True)


def test_a_damaged_cache_entry_is_compiled_again(newest_kernel: KernelImage) -> None:
    first = built(LIBRARY["fifo"], newest_kernel)
    kept = [path for path in (cache_dir() / "objects").glob("*/*") if path.is_file()]
    for path in kept:
        path.write_bytes(path.read_bytes()[:-7])
    assert kept
    assert built(LIBRARY["fifo"], newest_kernel) == first


def test_types_that_are_damaged_are_made_again(newest_kernel: KernelImage, tmp_path: Path) -> None:
    first = Clang(tmp_path).build(LIBRARY["fifo"], (), newest_kernel)
    (header,) = (tmp_path / "vmlinux").glob("*.h")
    header.write_text("#error damaged\n")
    for path in (tmp_path / "objects").glob("*/*"):
        path.unlink()
    assert Clang(tmp_path).build(LIBRARY["fifo"], (), newest_kernel) == first
