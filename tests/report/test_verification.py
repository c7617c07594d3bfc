"""The report as people read it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.policy import PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import Finding, Place, VerificationReport
from schedops.report.verification import render
from tests.report.reports import (
    ALL,
    BAD,
    BROKEN,
    GOOD,
    LOST,
    NEW,
    NOTHING,
    OLD,
    RULES,
    UNSURE,
    WARNED,
    check,
    late,
    report,
)
from tests.verify.readings import POLICY, SOURCE


def text_of(what: VerificationReport) -> str:
    return render(what, SOURCE, RULES)


def alone(finding: Finding) -> str:
    """What is said of one finding on one kernel."""
    return text_of(report(check("load", OLD, Verdict.FAIL, finding), verdict=Verdict.FAIL)).split("\n\n")[0]


def test_a_pass_is_a_table_and_a_line() -> None:
    assert text_of(GOOD) == (
        "STAGE     6.16.12                 7.3.4\n"
        "compile   PASS           0.50 s   PASS           0.50 s\n"
        "object    PASS           0.50 s   PASS           0.50 s\n"
        "\n"
        "PASS: ours on 2 kernels"
    )


def test_a_failure_is_told_like_a_compilers() -> None:
    assert (
        text_of(BAD)
        == """\
policies/library/ours/ours.bpf.c:4:3: error: queue 7 is never consumed [DSQ-LOST]
    4 |         *count += 1;
      |          ^
      = why: The kernel runs what is on a CPU's local queue. Nothing moves a task there by itself!
      = help: Call `scx_bpf_dsq_move_to_local()` in dispatch. Or use the global queue.

load: error: hogs waited 4.2 s [LATE]
      = why: It waits.
      = help: give every task a turn
      = on: 6.16.12, 7.3.4
      = on: 7.3.4: hogs waited 5.1 s

schedops.h:2:1: warning: odd [31mname [UNKNOWN-RULE]
    2 |   int y;
      | ^

STAGE     NO KERNEL               6.16.12                 7.3.4
source    FAIL           0.01 s
compile                           PASS           0.50 s   PASS           0.50 s
object    PASS          12.00 s   PASS           0.50 s   PASS           0.50 s
load                              FAIL           0.50 s   FAIL           0.50 s
enable                            -                       -

FAIL: ours on 2 kernels, 2 errors, 1 warning; `schedops verify --explain DSQ-LOST`"""
    )


def test_no_answer_is_never_a_pass() -> None:
    unsure = text_of(UNSURE)
    assert unsure.startswith("object: note: the host was too busy [NOT-MEASURED]\n      = help: run it again\n\n")
    assert "load      -\nenable    -\n" in unsure
    assert "not verified, since not at hand: 7.3.4;" in unsure
    assert unsure.splitlines()[-1].startswith("INCONCLUSIVE: ours on 1 kernel; ")
    assert text_of(BROKEN).startswith("compile on 6.16.12: ERROR: clang-19 was not found\n\n")
    assert text_of(NOTHING) == (
        "no kernel at hand, so nothing was verified\n\n"
        "ERROR: ours on 0 kernels; nothing is known of what did not run: `schedops doctor` says what is missing"
    )
    for what in ALL:
        assert ("PASS: ours" in text_of(what)) is (what is GOOD)


def test_what_needs_a_kernel_did_not_run_without_one() -> None:
    alone = report(check("source", "", Verdict.PASS), verdict=Verdict.ERROR, stages=("source", "compile"))
    assert text_of(alone).startswith("STAGE     NO KERNEL\nsource    PASS           0.50 s\ncompile   -\n\n")
    unread = report(check("compile", OLD, Verdict.PASS), verdict=Verdict.ERROR, stages=("source", "compile"))
    assert "\nsource    -\n" in text_of(unread)


def test_errors_come_first_whatever_found_them() -> None:
    first = check("source", "", Verdict.PASS, Finding(rule="W", level="warning", text="a warning"))
    second = check("load", OLD, Verdict.FAIL, late("1"))
    parts = text_of(report(first, second, verdict=Verdict.FAIL)).split("\n\n")
    assert [part.split(":")[1] for part in parts[:2]] == [" error", " warning"]


def test_the_same_on_one_of_two_kernels_says_on_which() -> None:
    what = report(check("load", OLD, Verdict.PASS), check("load", NEW, Verdict.FAIL, late("3")), verdict=Verdict.FAIL)
    assert "      = on: 7.3.4\n\n" in text_of(what)


def test_what_tasks_saw_is_told_below_and_once_for_all_kernels() -> None:
    def stalled(task: str) -> Finding:
        return late(f"1; {task}[7] failed to run for 5 s. {task}[7] was ready to run. It was in queue 2, " + "x " * 60)

    what = report(
        check("load", OLD, Verdict.FAIL, stalled("hog")), check("load", NEW, Verdict.FAIL, stalled("sleeper")),
        verdict=Verdict.FAIL,
    )  # fmt: skip
    lines = text_of(what).splitlines()
    assert lines[0] == "load: error: hogs waited 1; hog[7] failed to run for 5 s [LATE]"
    assert lines[1].startswith("      hog[7] was ready to run. It was in queue 2, x x")
    assert "      = on: 7.3.4: hogs waited 1; sleeper[7] failed to run for 5 s" in lines
    assert text_of(what).count("[LATE]") == 1


def test_the_other_places_of_a_finding_stand_with_it() -> None:
    note = replace(LOST, level="note", text="this fills it", place=Place(file=SOURCE.path, line=2))
    alone = Finding(rule="OTHER", level="note", text="by the way")
    what = report(check("source", "", Verdict.FAIL, LOST, WARNED, note, alone), verdict=Verdict.FAIL)
    text = text_of(what)
    assert (
        f"queue.\n{SOURCE.path}:2:1: note: this fills it\n    2 | void f(void)\n      | ^\n\nschedops.h:2:1: warn"
        in text
    )
    assert "\n\nsource: note: by the way [OTHER]\n\n" in text


def test_a_full_stop_that_is_no_end_of_a_sentence() -> None:
    text = "only letters, digits, _ and . and nothing else " + "x" * 100
    assert alone(Finding(rule="R", level="error", text=text)).startswith(f"load: error: {text} [R]")


def test_a_note_is_not_explained() -> None:
    assert "= why:" not in alone(replace(LOST, level="note"))


def test_a_rule_is_explained_once() -> None:
    again = replace(LOST, place=Place(file=SOURCE.path, line=2))
    text = text_of(report(check("source", "", Verdict.FAIL, LOST, again), verdict=Verdict.FAIL))
    assert (text.count("= why:"), text.count("= help:")) == (1, 2)


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("\tif (x)\ty();", 9, "        if (x)  y();", 16),
        ("\u00e4 = b;", 3, "\u00e4 = b;", 2),
        ("a\x1b]0;x\x07b\r", 3, "a ]0;x b", 2),
        ("x" * 1000 + "Y" + "z" * 1000, 1001, "x" * 80 + "Y" + "z" * 79, 80),
        ("short", 99, "short", 5),
    ],
)
def test_the_caret_stands_below_its_column(line: str, column: int, shown: str, caret: int) -> None:
    source = replace(SOURCE, text=f"first\x0cline\n{line}\nlast\n")
    finding = replace(LOST, place=Place(file=SOURCE.path, line=2, column=column))
    text = render(report(check("source", "", Verdict.FAIL, finding), verdict=Verdict.FAIL), source, {})
    assert text.split("\n")[1:3] == [f"    2 | {shown}".rstrip(), f"      | {' ' * caret}^"]


def test_a_place_elsewhere_has_no_excerpt() -> None:
    assert alone(replace(LOST, place=Place(file=SOURCE.path, line=400))).startswith(f"{SOURCE.path}:400:1: error")
    assert "|" not in alone(replace(LOST, place=Place(file=SOURCE.path, line=400)))
    assert alone(replace(LOST, place=Place(file="else.h"))).startswith("else.h: error: ")
    built = PrebuiltPolicy(policy=POLICY, path=SOURCE.path, elf=b"")
    assert " | " not in render(BAD, built, RULES)


def test_nothing_untrusted_reaches_the_terminal_or_the_runner() -> None:
    evil = "::add-mask::a\x1b[2J\x9b31m\u202e\n::error::b " + "word " * 60 + "::warning::c"
    finding = Finding(rule="R\n::x", level="error", text=evil, place=Place(file="a\n::x::y", line=1), advice=evil)
    what = replace(
        report(
            check("load", "k\n::k", Verdict.FAIL, finding),
            check("enable", OLD, Verdict.ERROR, text=evil),
            verdict=Verdict.FAIL,
            missing=("\n::m",),
        ),
        policy="p\n::p",
    )
    text = text_of(what)
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]


def test_very_many_findings_are_cut_short_and_counted() -> None:
    many = [replace(LOST, place=Place(file=SOURCE.path, line=n)) for n in range(1, 101)]
    text = text_of(report(check("source", "", Verdict.FAIL, *many), verdict=Verdict.FAIL))
    assert "40 more of level error; --output json has all" in text
    assert "FAIL: ours, 100 errors; " in text


def test_verbose_adds_what_each_stage_came_to() -> None:
    assert "\n\nSTAGE    KERNEL   FOUND\ncompile  6.16.12  fine\n" in render(GOOD, SOURCE, RULES, verbose=True)


def test_colours_change_nothing_but_colours() -> None:
    styles: set[str] = set()

    def paint(style: str, text: str) -> str:
        styles.add(style)
        return f"<{text}>"

    painted = render(BAD, SOURCE, RULES, paint=paint)
    assert painted.replace("<", "").replace(">", "") == text_of(BAD)
    assert styles == {"error", "warning", "place", "message", "aside", "caret", "PASS", "FAIL"}
