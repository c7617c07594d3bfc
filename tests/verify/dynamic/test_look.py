"""How many looks make a verdict, and what a look asks the kernel."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.verdict import Verdict
from schedops.verify.dynamic import loads
from schedops.verify.dynamic.look import Session, settle
from schedops.verify.dynamic.rules_load import LATENCY, STALL, STARVED
from schedops.verify.judge import Outcome, failed, passed, unknown
from tests.verify.fakes import Guest
from tests.verify.readings import ENABLED, POLICY, SEQ

LOOKS = {
    "P": passed("well"),
    "F": failed(STARVED, "late", final=False),
    "L": failed(LATENCY, "slow", final=False),
    "S": failed(STALL, "put out", final=False),
    "X": failed(STARVED, "never ran"),
    "?": unknown(Verdict.INCONCLUSIVE, "busy"),
    "-": unknown(Verdict.INCONCLUSIVE, "stood still", starved=True),
    "E": unknown(Verdict.ERROR, "broken"),
}


@pytest.mark.parametrize(
    ("shown", "verdict", "taken"),
    [
        ("P", "PASS", 1),
        ("X", "FAIL", 1),
        ("FF", "FAIL", 2),
        ("FPF", "FAIL", 3),
        ("FPP", "PASS", 3),
        ("FPX", "FAIL", 3),
        ("FLF", "FAIL", 3),
        ("FLP", "INCONCLUSIVE", 3),
        ("SPP", "INCONCLUSIVE", 3),
        ("SS", "FAIL", 2),
        ("?P", "PASS", 2),
        ("??", "INCONCLUSIVE", 2),
        ("?FF", "FAIL", 3),
        ("?FP", "INCONCLUSIVE", 3),
        ("F?F", "FAIL", 3),
        ("FP?", "INCONCLUSIVE", 3),
        ("--P", "PASS", 3),
        ("--FF", "FAIL", 4),
        ("F--PF", "FAIL", 5),
        ("-FP-P", "PASS", 5),
        ("---", "INCONCLUSIVE", 3),
        ("-FP--", "INCONCLUSIVE", 5),
        ("SP-P", "INCONCLUSIVE", 4),
        ("EE", "ERROR", 2),
        ("EP", "PASS", 2),
    ],
)
def test_a_finding_counts_when_it_shows_twice(shown: str, verdict: str, taken: int) -> None:
    left = list(shown)
    notes: list[str] = []

    def look() -> Outcome:
        return LOOKS[left.pop(0)]

    outcome = settle(look, notes.append)
    assert (outcome.verdict.value, len(shown) - len(left), len(notes)) == (verdict, taken, taken - 1)


def session(guest: Guest) -> Session:
    return Session(guest=guest, policy=POLICY, elf=b"", cpus=2, note=print, seq=SEQ)


def test_a_look_asks_before_and_after() -> None:
    guest = Guest(logs=["first\n", "second\n"])
    guest.attach(b"", deadline_s=1)
    one = session(guest)
    look = one.look(loads.mixed(2))
    assert (look.before, look.after, look.log, guest.calls) == (ENABLED, ENABLED, "first\n", ["attach", "load"])
    assert one.look(loads.mixed(2)).log == "first\nsecond\n"


def test_a_policy_that_was_lost_is_waited_for() -> None:
    guest = Guest(state_after=replace(ENABLED, state="disabling"), logs=["why\n"])
    guest.attach(b"", deadline_s=1)
    assert session(guest).look(loads.mixed(2)).log == "why\n"
    assert guest.calls == ["attach", "load", "detach"]


def test_what_was_lost_is_attached_anew_for_the_next_look() -> None:
    guest = Guest(state_after=replace(ENABLED, state="disabled"), logs=["", "why\n", "hello\n", "later\n"])
    one = session(guest)
    one.attach()
    assert one.look(loads.mixed(2)).log == "why\n"
    guest.state_after = ENABLED
    again = one.look(loads.mixed(2))
    assert (again.log, one.earlier_log, again.seq) == ("hello\nlater\n", "why\n", SEQ + 1)
    assert again.before.enable_seq == again.seq
    assert guest.calls == ["attach", "load", "detach", "attach", "load"]
