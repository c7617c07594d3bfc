"""Code written for sched-ext/scx's headers, on the few that come with schedops: compiled, loaded and in charge."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.adapters.vm.qemu import Qemu
from schedops.model.policy import PolicySource
from schedops.model.verification import BuildFailure, BuiltObject
from schedops.ports import KernelImage
from schedops.repository import resolve_policy, with_includes

pytestmark = pytest.mark.vm
ROOT = Path(__file__).parents[3]
FOREIGN = ROOT / "tests/data/foreign"
NAMES = ("modern", "old_names")


def source(name: str) -> PolicySource:
    return resolve_policy(ROOT, str(FOREIGN / f"{name}.bpf.c"), cwd=ROOT)


def built(name: PolicySource, image: KernelImage) -> BuiltObject:
    result = Clang().build(name, (), image)
    assert isinstance(result, BuiltObject), result
    assert result.warnings == ()
    return result


def test_both_ways_of_writing_run_on_every_kernel(kernels: tuple[KernelImage, ...]) -> None:
    for image in kernels:
        objects = [built(source(name), image) for name in NAMES]
        with Qemu().boot(image, cpus=2) as guest:
            for name, one in zip(NAMES, objects, strict=True):
                reading = guest.attach(one.elf, deadline_s=30)
                assert (reading.after.ops, reading.after.state, reading.log) == (name, "enabled", "")
                assert guest.detach(deadline_s=30).programs_left == 0


def test_the_users_own_headers_are_found_in_both_forms_and_in_folders(newest_kernel: KernelImage) -> None:
    text = (FOREIGN / "old_names.bpf.c").read_text()
    includes = (
        (
            "scx/common.bpf.h",
            '#include "../lib/deep/part.h"\n#include <lib/two.h>\n#ifdef LSP\n#include "../x.h"\n#endif\n',
        ),
        ("lib/deep/part.h", '#pragma once\n#include "../two.h"\nint part(void) { return TWO; }\n'),
        ("lib/two.h", "#define TWO 2\n"),
        ("unused.h", "#error this is read although nobody includes it\n"),
    )
    foreign = with_includes(source("old_names"), includes)
    (first, *_) = (line for line in text.splitlines() if line.startswith("#include"))
    found = Clang().build(replaced(foreign, f'{first}\n#include "scx/common.bpf.h"\nint x = TWO;\n'), (), newest_kernel)
    assert isinstance(found, BuiltObject), found


def test_headers_for_a_newer_kernel_compile_with_its_types(kernels: tuple[KernelImage, ...]) -> None:
    oldest, newest = kernels[0], kernels[-1]
    newer = (("scx/common.bpf.h", '#include "vmlinux.h"\nunsigned long f(void) { return sizeof(NEWER); }\n'),)
    struct = "struct scx_bpf_dsq_insert_vtime_args"  # 6.19
    foreign = with_includes(source("old_names"), ((newer[0][0], newer[0][1].replace("NEWER", struct)),))
    foreign = replaced(foreign, "#include <scx/common.bpf.h>\n")
    on_new, on_old = (Clang().build(foreign, (), image) for image in (newest, oldest))
    assert isinstance(on_new, BuiltObject), on_new
    assert isinstance(on_old, BuiltObject), on_old
    assert (on_old.sha256, on_old.kernel, on_new.warnings) == (on_new.sha256, oldest.kernel.name, ())
    (warning,) = on_old.warnings
    assert warning.text == (
        f"compiled with the types of {newest.kernel.name}: "
        f"with those of {oldest.kernel.name} the headers do not compile"
    )
    nowhere = Clang().build(replaced(foreign, "#include <scx/common.bpf.h>\nint x = y;\n"), (), oldest)
    assert isinstance(nowhere, BuildFailure)
    assert "scx_bpf_dsq_insert_vtime_args" in nowhere.problems[0].text


def test_a_cid_scheduler_is_told_what_it_needs(newest_kernel: KernelImage) -> None:
    text = '#include <scx/common.bpf.h>\nSCX_OPS_CID_DEFINE(ops, .name = "x");\n'
    failure = Clang().build(replaced(source("old_names"), text), (), newest_kernel)
    assert isinstance(failure, BuildFailure)
    assert [(one.line, "schedops verify --include DIR" in one.text) for one in failure.problems] == [(2, True)]


def replaced(source: PolicySource, text: str) -> PolicySource:
    return PolicySource(policy=source.policy, path=source.path, text=text, headers=source.headers)
