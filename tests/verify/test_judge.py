"""Readings to findings: what is sound passes, and nothing that is lost, late or unknown does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.policy import Capabilities
from schedops.model.verdict import Verdict
from schedops.verify import judge
from schedops.verify.judge import Outcome
from tests.verify.readings import (
    ATTACHED,
    DETACHED,
    ENABLED,
    POLICY,
    SEQ,
)

EJECTED = 'sched_ext: BPF scheduler "ours" disabled (runtime error)\nsched_ext: ours: invalid DSQ ID 0x4d\n'
EJECTED_WORDS = "it did something the kernel does not allow (runtime error): ours: invalid DSQ ID 0x4d"
INT3 = "Oops: int3: 0000 [#1] SMP\n"


def said(finding: Outcome) -> tuple[str, str]:
    return finding.verdict.value, finding.text


def test_all_well() -> None:
    found = [
        judge.load(ATTACHED),
        judge.enable(ATTACHED, POLICY, ""),
        judge.unload(DETACHED, ""),
        judge.kernel_log(""),
    ]
    assert [said(finding) for finding in found] == [
        ("PASS", "accepted, 60 instructions verified"),
        ("PASS", "ours is in charge after 0.50 s"),
        ("PASS", "gone after 0.25 s, nothing left"),
        ("PASS", "no complaint"),
    ]


@pytest.mark.parametrize("outcome", ["open-failed", "load-failed"])
def test_a_refused_object_does_not_pass(outcome: str) -> None:
    log = "libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n; y @ a.bpf.c:7\nR1 invalid mem access 'scalar'\n"
    finding = judge.load(replace(ATTACHED, outcome=outcome, log=log))
    assert (said(finding), finding.file, finding.line) == (("FAIL", "R1 invalid mem access 'scalar'"), "a.bpf.c", 7)


@pytest.mark.parametrize(
    ("changes", "log", "verdict", "text"),
    [
        (
            {"outcome": "not-enabled"},
            EJECTED,
            "FAIL",
            f"attached without an error, and never enabled: {EJECTED_WORDS}",
        ),
        ({"outcome": "attach-failed", "errno": 22}, "", "FAIL", "the kernel refused to attach it: errno 22 (EINVAL)"),
        ({"outcome": "something-new"}, "", "FAIL", "something-new: no reason given"),
        ({"after": replace(ENABLED, state="disabled")}, "", "FAIL", "it is not in charge: the kernel says disabled"),
        (
            {"after": replace(ENABLED, state="disabled")},
            EJECTED,
            "FAIL",
            f"it is not in charge: the kernel says disabled: {EJECTED_WORDS}",
        ),
        (
            {"after": replace(ENABLED, ops="other")},
            "",
            "FAIL",
            "another policy is in charge: 'other', and policy.yaml says 'ours'",
        ),
        (
            {"after": replace(ENABLED, enable_seq=SEQ + 1)},
            "",
            "FAIL",
            "it was enabled 2 times where once was expected",
        ),
        (
            {"after": replace(ENABLED, enable_seq=SEQ - 1)},
            "",
            "FAIL",
            "it was enabled 0 times where once was expected",
        ),
        (
            {"after": replace(ENABLED, task_on_ext=False)},
            "",
            "FAIL",
            "enabled, but ordinary tasks are not scheduled by it",
        ),
        (
            {"after": replace(ENABLED, task_on_ext=None)},
            "",
            "INCONCLUSIVE",
            "whether ordinary tasks are on it could not be read",
        ),
        (
            {"before": replace(ENABLED, ops="left")},
            "",
            "ERROR",
            "the guest had a policy before: enabled left",
        ),
    ],
)
def test_what_is_not_in_charge_does_not_pass(changes: dict[str, object], log: str, verdict: str, text: str) -> None:
    finding = judge.enable(replace(ATTACHED, **changes), POLICY, log)  # type: ignore[arg-type]
    assert said(finding) == (verdict, text)


def test_a_policy_that_declares_to_be_partial_may_be() -> None:
    partial = replace(POLICY, capabilities=Capabilities(partial=True))
    reading = replace(ATTACHED, after=replace(ENABLED, task_on_ext=False))
    assert judge.enable(reading, partial, "").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"was_attached": False}, "it had gone before it was told to: the kernel log does not say why"),
        ({"state": ENABLED}, "told to go, the kernel still says enabled"),
        ({"programs_left": 2}, "2 of its programs are still loaded"),
        ({"seconds": 2.1}, "it took 2.1 s to go, at most 2 s are allowed"),
    ],
)
def test_what_does_not_go_cleanly_does_not_pass(changes: dict[str, object], text: str) -> None:
    assert said(judge.unload(replace(DETACHED, **changes), "")) == ("FAIL", text)  # type: ignore[arg-type]


def test_the_emulators_fault_is_an_error_and_no_verdict() -> None:
    assert (judge.kernel_log(INT3).verdict, judge.kernel_log("", INT3).verdict) == (Verdict.ERROR, Verdict.ERROR)


def test_a_complaint_of_the_kernel_does_not_pass() -> None:
    log = "[ 1.0] WARNING: CPU: 1 PID: 7 at ext.c:1\n[ 1.1] BUG: x\n"
    assert said(judge.kernel_log(log)) == ("FAIL", "WARNING: CPU: 1 PID: 7 at ext.c:1 (and 1 more)")
    assert said(judge.kernel_log(EJECTED)) == ("FAIL", EJECTED_WORDS)


def test_leaving_is_no_complaint_where_it_is_allowed_and_a_splat_is() -> None:
    assert judge.kernel_log("", EJECTED).verdict is Verdict.PASS
    assert judge.kernel_log("", "BUG: x\n").rule == "KERNEL-COMPLAINT"


@pytest.mark.parametrize(
    ("changes", "log", "rule"),
    [
        ({"outcome": "not-enabled"}, EJECTED, "EJECTED"),
        ({"outcome": "not-enabled"}, "", "NOT-IN-CHARGE"),
        ({"after": replace(ENABLED, ops="other")}, "", "WRONG-NAME"),
        ({"after": replace(ENABLED, task_on_ext=False)}, "", "NOT-IN-CHARGE"),
        ({"after": replace(ENABLED, task_on_ext=None)}, "", "NOT-MEASURED"),
    ],
)
def test_every_finding_names_its_rule(changes: dict[str, object], log: str, rule: str) -> None:
    assert judge.enable(replace(ATTACHED, **changes), POLICY, log).rule == rule  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"outcome": "load-failed"}, {"outcome": "not-enabled"}])
def test_what_does_not_come_back_has_failed_to_reload(changes: dict[str, object]) -> None:
    again = judge.reload(replace(ATTACHED, **changes), POLICY, "")  # type: ignore[arg-type]
    assert (again.verdict, again.rule) == (Verdict.FAIL, "RELOAD")
    assert judge.reload(ATTACHED, POLICY, "").verdict is Verdict.PASS


def test_a_stall_has_a_rule_of_its_own() -> None:
    stalled = 'sched_ext: BPF scheduler "ours" disabled (runnable task stall)\n'
    assert (judge.kernel_log(stalled).rule, judge.kernel_log(EJECTED).rule) == ("STALL", "EJECTED")
