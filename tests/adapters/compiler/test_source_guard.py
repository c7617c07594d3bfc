"""A policy's source cannot make the compiler read other files; ordinary sources pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from schedops.adapters.compiler.source_guard import MAX_SOURCE_BYTES, asm_problems, may_hold_asm, source_problems

_POLICIES = Path(__file__).parents[3] / "policies"


@pytest.mark.parametrize("path", sorted(_POLICIES.glob("*/**/*.[ch]")), ids=lambda path: path.name)
def test_the_library_passes(path: Path) -> None:
    assert source_problems(path.read_text(), path.name) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('#include "/etc/passwd"', 1),
        ("#include </etc/passwd>", 1),
        ('#include "../../secret.h"', 1),
        ('#include "bpf/../../secret.h"', 1),
        ('\n  #  include\t"/etc/passwd"', 2),
        ('%:include "/etc/passwd"', 1),
        ('??=include "/etc/passwd"', 1),
        ('#inc\\\nlude "/etc/passwd"', 1),
        ('#inc??/\nlude "/etc/passwd"', 1),
        ('/* a\n b */ #include "/etc/passwd"', 2),
        ('# /* a */ include /* b */ "/etc/passwd"', 1),
        ('#define F "/etc/passwd"\n#include F', 2),
        ('#include_next "/etc/passwd"', 1),
        ('#import "/etc/passwd"', 1),
        ('#embed "x.h"', 1),
        ("/* a\n*/\n#include <a//b.h>", 3),
        ('int x = __has_include("/etc/passwd");', 1),
        ('int x = __has_em\\\nbed("/etc/passwd");', 1),
        ('asm(".incbin \\"/etc/passwd\\"");', 1),
        ('int x;\r#include "/etc/passwd"\r', 2),
        ('\ufeff#include "/etc/passwd"', 1),
        ('\u00a0#\u2003include "/etc/passwd"', 1),
        ('#pragma include_alias("a.h", "/etc/passwd")', 1),
        ('#pragma GCC dependency "/etc/passwd"', 1),
        ('_Pragma("clang dependency \\"/etc/passwd\\"")', 1),
        ('int x;\n#line 1 "/etc/passwd"', 2),
        ('# 7 "/etc/passwd" 3', 1),
        ("int x;\n\x00", 2),
        ("int x;\x1b[2J", 1),
    ],
)
def test_other_ways_to_a_file_are_refused_at_their_line(text: str, line: int) -> None:
    problems = source_problems(text, "p.bpf.c")
    assert [(problem.file, problem.line, problem.severity) for problem in problems] == [("p.bpf.c", line, "error")]


@pytest.mark.parametrize(
    "text",
    [
        '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\n',
        '// #include "/etc/passwd"\n',
        '/* to read:\n#include "/etc/passwd"\n*/\n',
        'char *s = "#include \\"/etc/passwd\\"";\n',
        "int embedded, included, line, dependency;\n",
        "\ufeffint x;\r\nint y;\r\n",
    ],
)
def test_what_is_harmless_passes(text: str) -> None:
    assert source_problems(text, "p.bpf.c") == ()


def test_a_huge_source_is_refused() -> None:
    problems = source_problems("x" * (MAX_SOURCE_BYTES + 1), "p.bpf.c")
    assert [problem.text for problem in problems] == ["the source is larger than 256 KiB"]


def test_text_made_to_be_slow_is_not() -> None:
    hostile = ["/*" * 60_000, "\\\n" * 60_000, "#" * 100_000, '"' * 100_000, "# " * 60_000]
    assert [source_problems(text, "p.bpf.c") for text in hostile] == [()] * len(hostile)


@pytest.mark.parametrize(
    ("ir", "count"),
    [
        ('  call void asm sideeffect ".incbin \\22/etc/passwd\\22", ""()', 1),
        ('module asm ".macro x"', 1),
        ('  %1 = call i64 asm "", "=r,0"(i64 %0)', 0),
        ('  call void asm sideeffect "goto +0", ""()', 0),
        ('  call void asm sideeffect ".byte 0xe5; .byte 0;\\09.long ($0 - 8) & 0xff; .short 0", "i"()', 0),
        ('  call void asm sideeffect ".byte$0", "i"(ptr @f)', 1),
        ('  call void asm sideeffect "$0 \\22/etc/passwd\\22", "i"(ptr @.incbin)', 1),
        ('@"a\\0A.incbin \\22/etc/passwd\\22" = dso_local global i32 0', 1),
        ('@.str = private constant [2 x i8] c"x"\n@.str.12 = private\n@"f.words" = internal\n@f.words.1 = internal', 0),
    ],
)
def test_assembler_directives_show_in_intermediate_code(ir: str, count: int) -> None:
    assert len(asm_problems(ir, "p.bpf.c")) == count


@pytest.mark.parametrize(
    ("name", "inside"),
    [("../x.h", True), ("../vmlinux/vmlinux.h", True), ("../../x.h", False), ("./../../etc/passwd", False)],
)
def test_a_header_in_a_folder_may_go_up_to_the_include_path(name: str, inside: bool) -> None:
    assert (source_problems(f'#include "{name}"\n', "scx/common.bpf.h", "scx") == ()) is inside
    assert source_problems(f'#include "{name}"\n', "p.bpf.c") != ()


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("int x;\n#define OP(name, args...) BPF_PROG(name, ##args)\n#define Q(a, b...) f(a, ## b)\n", False),
        ("/* asm */ // asm\n", False),
        ('asm("");', True),
        ("__a\\\nsm__(1);", True),
        ("#define J(a, b) a ## b\nJ(a, sm)(1);", True),
        ("#define J(a, b) a %:%: b\n", True),
    ],
)
def test_where_assembly_can_come_from(text: str, may: bool) -> None:
    assert may_hold_asm(text) is may
