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
    GROUPS,
    POLICY,
    SEQ,
    group_reading,
    load_reading,
)

EJECTED = 'sched_ext: BPF scheduler "ours" disabled (runtime error)\nsched_ext: ours: invalid DSQ ID 0x4d\n'
EJECTED_WORDS = "it did something the kernel does not allow (runtime error): ours: invalid DSQ ID 0x4d"
INT3 = "Oops: int3: 0000 [#1] SMP\n"


def said(finding: Outcome) -> tuple[str, str]:
    return finding.verdict.value, finding.text


def alive(**changes: object) -> Outcome:
    given = {"reading": load_reading(), "after": ENABLED, "log": "", **changes}
    return judge.liveness(GROUPS, given["reading"], given["after"], POLICY, seq=SEQ, log=given["log"])  # type: ignore[arg-type]


def test_all_well() -> None:
    found = [
        judge.load(ATTACHED),
        judge.enable(ATTACHED, POLICY, ""),
        alive(),
        judge.unload(DETACHED, ""),
        judge.kernel_log(""),
    ]
    assert [said(finding) for finding in found] == [
        ("PASS", "accepted, 60 instructions verified"),
        ("PASS", "ours is in charge after 0.50 s"),
        ("PASS", "3 tasks, 3.0 s, longest wait 50 ms (hogs)"),
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
    ("reading", "text"),
    [
        (
            load_reading(group_reading("hogs", 2001.0), group_reading("very niced hogs")),
            "hogs waited 2.0 s for a CPU, at most 2 s are allowed",
        ),
        (
            load_reading(group_reading("hogs"), group_reading("very niced hogs", 3501.0)),
            "very niced hogs (nice 15) waited 3.5 s for a CPU, at most 3.5 s are allowed",
        ),
        (load_reading(group_reading("hogs", never=1), group_reading("very niced hogs")), "1 of 2 hogs never ran"),
        (
            load_reading(group_reading("hogs", violations=2), group_reading("very niced hogs")),
            "hogs ran on a CPU it may not use",
        ),
    ],
)
def test_a_late_task_does_not_pass(reading: object, text: str) -> None:
    assert said(alive(reading=reading)) == ("FAIL", text)


def test_waits_within_the_limits_pass() -> None:
    reading = load_reading(group_reading("hogs", 2000.0), group_reading("very niced hogs", 3500.0))
    assert alive(reading=reading).verdict is Verdict.PASS


def test_waiting_may_be_looked_at_again_and_never_running_may_not() -> None:
    waited = load_reading(group_reading("hogs", 2500.0), group_reading("very niced hogs"))
    never = load_reading(group_reading("hogs", never=1), group_reading("very niced hogs"))
    assert (alive(reading=waited).final, alive(reading=never).final) == (False, True)


def test_on_a_starved_host_a_late_task_proves_nothing_and_does_not_pass() -> None:
    reading = load_reading(group_reading("hogs", never=1), group_reading("very niced hogs"), jitter_ms=251.0)
    finding = alive(reading=reading)
    assert (finding.verdict, finding.final) == (Verdict.INCONCLUSIVE, False)


def test_a_policy_that_is_gone_after_the_load_does_not_pass() -> None:
    gone = replace(ENABLED, state="disabled", ops="", task_on_ext=False)
    reading = load_reading(after="disabled", lost_ms=1500.0)
    assert said(alive(reading=reading, after=gone, log=EJECTED)) == (
        "FAIL",
        f"lost after 1.5 s of load: {EJECTED_WORDS}",
    )
    assert said(alive(after=gone)) == (
        "FAIL",
        "lost at the end of the load: it is not in charge: the kernel says disabled",
    )


def test_a_policy_put_out_while_its_stuck_tasks_were_cleared_away_still_names_them() -> None:
    gone = replace(ENABLED, state="disabled", ops="", task_on_ext=False)
    reading = load_reading(group_reading("hogs"), group_reading("very niced hogs", never=1))
    assert said(alive(reading=reading, after=gone, log=EJECTED)) == (
        "FAIL",
        f"1 of 1 very niced hogs (nice 15) never ran; lost at the end of the load: {EJECTED_WORDS}",
    )


def test_a_policy_lost_before_the_load_says_so() -> None:
    reading = load_reading(after="disabled")
    assert alive(reading=reading, log=EJECTED).text == f"lost as soon as tasks came: {EJECTED_WORDS}"


def test_a_policy_that_was_replaced_by_itself_does_not_pass() -> None:
    assert alive(after=replace(ENABLED, enable_seq=SEQ + 1)).verdict is Verdict.FAIL


def test_put_out_because_the_host_starved_the_guest_is_no_verdict() -> None:
    gone = replace(ENABLED, state="disabled", ops="")
    log = EJECTED + "sched_ext: watchdog failed to check in for 5.1s\n"
    assert alive(after=gone, log=log).verdict is Verdict.INCONCLUSIVE


def test_the_emulators_fault_is_an_error_and_no_verdict() -> None:
    assert (alive(log=INT3).verdict, judge.kernel_log(INT3).verdict) == (Verdict.ERROR, Verdict.ERROR)


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


def test_a_complaint_of_the_kernel_does_not_pass() -> None:
    log = "[ 1.0] WARNING: CPU: 1 PID: 7 at ext.c:1\n[ 1.1] BUG: x\n"
    assert said(judge.kernel_log(log)) == ("FAIL", "WARNING: CPU: 1 PID: 7 at ext.c:1 (and 1 more)")
    assert said(judge.kernel_log(EJECTED)) == ("FAIL", EJECTED_WORDS)
