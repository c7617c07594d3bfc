"""Clang's words become problems at places."""

from __future__ import annotations

from schedops.adapters.compiler.compiler_output import opened_files, parse_problems
from schedops.model.verification import SourceProblem

NAMES = {"fifo.bpf.c": "policies/library/fifo/fifo.bpf.c"}


def problem(line: int, column: int, severity: str, text: str, file: str = NAMES["fifo.bpf.c"]) -> SourceProblem:
    return SourceProblem(file=file, line=line, column=column, severity=severity, text=text)


def test_errors_and_warnings_with_their_places() -> None:
    stderr = b"""\
In file included from fifo.bpf.c:3:
./schedops.h:10:4: warning: unused variable 'x' [-Wunused-variable]
fifo.bpf.c:27:59: error: no member named 'vruntime' in 'struct sched_ext_entity'
fifo.bpf.c:20:1: note: to match this '{'
fifo.bpf.c:30:10: fatal error: 'none.h' file not found
5 errors generated.
"""
    assert parse_problems(stderr, NAMES) == (
        problem(10, 4, "warning", "unused variable 'x' [-Wunused-variable]", "schedops.h"),
        problem(27, 59, "error", "no member named 'vruntime' in 'struct sched_ext_entity'"),
        problem(30, 10, "error", "'none.h' file not found"),
    )


def test_the_code_generator_speaks_another_way() -> None:
    stderr = b"error: fifo.bpf.c:28:36: in function f void (ptr): unsupported signed division\n"
    assert parse_problems(stderr, NAMES) == (
        problem(28, 36, "error", "in function f void (ptr): unsupported signed division"),
    )


def test_an_error_without_a_place() -> None:
    assert parse_problems(b"clang: error: no input files\n", NAMES) == (problem(0, 0, "error", "no input files", ""),)


def test_repeats_escape_codes_and_floods_are_cut() -> None:
    line = b"fifo.bpf.c:1:1: error: \x1b[31mbad\x1b[0m\n"
    assert [p.text for p in parse_problems(line * 50, NAMES)] == ["[31mbad[0m"]
    many = b"".join(b"fifo.bpf.c:%d:1: error: %s\n" % (n, b"x" * 1000) for n in range(1, 100))
    problems = parse_problems(many, NAMES)
    assert (len(problems), len(problems[0].text)) == (20, 400)


def test_opened_files_in_order() -> None:
    stderr = b". ./schedops.h\n.. ./vmlinux.h\n... /etc/passwd\nfifo.bpf.c:1:1: error: x\n"
    assert opened_files(stderr) == ("schedops.h", "vmlinux.h", "/etc/passwd")


def test_an_error_after_many_warnings_is_not_lost() -> None:
    warnings = b"".join(b"fifo.bpf.c:%d:1: warning: w\n" % n for n in range(1, 50))
    problems = parse_problems(warnings + b"fifo.bpf.c:60:1: error: bad\n", NAMES)
    assert [(one.line, one.severity) for one in problems[:2]] == [(60, "error"), (1, "warning")]


def test_a_place_has_one_name() -> None:
    (found,) = parse_problems(b"./scx/../lib/x.h:1:1: error: bad\n", NAMES)
    assert found.file == "lib/x.h"
