"""Which earlier answers may stand: the same question, settled; and over a changed comment only what names no place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.policy import Capabilities, ParamValue, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, ObjectRef, Place, VerificationReport
from schedops.verify import kept
from tests.fakes.guest import IMAGE
from tests.verify.readings import POLICY, SOURCE

OTHER_IMAGE = replace(IMAGE, kernel=replace(IMAGE.kernel, vmlinux_sha256="d" * 64))
COMMENTED = replace(SOURCE, text="/* y */\n" + SOURCE.text)
PASSED = Check(stage="load", kernel="6.18.15", verdict=Verdict.PASS, text="accepted", seconds=0.5)
ERROR = Finding(rule="X", level="error", text="no", place=Place(file="a.c", line=3))
FAILED = replace(PASSED, verdict=Verdict.FAIL, findings=(ERROR,))
REFERENCE = ObjectRef(kernel="6.18.15", btf_sha256="b" * 64, sha256="c" * 64)


class Verdicts:
    def __init__(self) -> None:
        self.known: dict[str, VerificationReport] = {}

    def find(self, key: str) -> VerificationReport | None:
        return self.known.get(key)

    def keep(self, key: str, report: VerificationReport) -> None:
        self.known[key] = report


def whole(subject=SOURCE, params=(), images=(IMAGE,), **changes) -> str:
    asked = {"stages": ("load",), "cpus": 2, "keep_going": False, "tools": ("clang 19",), **changes}
    return kept.whole_key(subject, params, images, **asked)


def guests(subject=SOURCE, behaviour="d1", image=IMAGE, **changes) -> kept.GuestKeys:
    return kept.guest_keys(
        subject, behaviour, image, **{"stages": ("load",), "cpus": 2, "tools": ("qemu 10",), **changes}
    )


def test_a_whole_report_answers_the_very_same_question_only() -> None:
    prebuilt = PrebuiltPolicy(policy=POLICY, path=SOURCE.path, elf=b"a")
    keys = [
        whole(),
        whole(COMMENTED),
        whole(replace(SOURCE, path="elsewhere.bpf.c")),
        whole(replace(SOURCE, headers=())),
        whole(replace(SOURCE, policy=replace(POLICY, capabilities=Capabilities(weights=True)))),
        whole(params=(ParamValue(name="n", value=1),)),
        whole(images=(OTHER_IMAGE,)),
        whole(images=(IMAGE, OTHER_IMAGE)),
        whole(stages=("load", "enable")),
        whole(cpus=4),
        whole(keep_going=True),
        whole(tools=("clang 20",)),
        whole(prebuilt),
        whole(replace(prebuilt, elf=b"b")),
    ]
    assert len(set(keys)) == len(keys)
    assert whole() == keys[0]


def test_a_comment_changes_the_exact_key_and_nothing_else() -> None:
    assert guests(COMMENTED).behaviour == guests().behaviour
    assert guests(COMMENTED).exact != guests().exact
    others = [
        guests(behaviour="d2"),
        guests(image=OTHER_IMAGE),
        guests(replace(SOURCE, policy=replace(POLICY, ops_name="theirs"))),
        guests(stages=("load", "enable")),
        guests(cpus=4),
        guests(tools=("qemu 11",)),
    ]
    assert len({guests().behaviour, *(keys.behaviour for keys in others)}) == len(others) + 1


def remembered(*checks: Check) -> tuple[bool, bool]:
    """Whether they are found for the same source, and for one with another comment."""
    verdicts = Verdicts()
    kept.keep_guests(verdicts, guests(), kept.of_kernel("ours", ("load",), checks, REFERENCE))
    return tuple(kept.find_guests(verdicts, guests(source)) is not None for source in (SOURCE, COMMENTED))  # type: ignore[return-value]


def test_a_pass_outlives_a_comment_and_a_place_in_the_source_does_not() -> None:
    warned = replace(PASSED, findings=(replace(ERROR, level="warning"),))
    assert remembered(PASSED) == (True, True)
    assert remembered(PASSED, replace(PASSED, findings=(replace(ERROR, place=None, level="warning"),))) == (True, True)
    assert remembered(warned) == (True, False)
    assert remembered(FAILED) == (True, False)
    assert remembered(replace(FAILED, findings=(replace(ERROR, place=None),))) == (True, False)


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.INCONCLUSIVE])
def test_what_is_not_settled_is_not_kept(verdict: Verdict) -> None:
    assert remembered(PASSED, replace(PASSED, verdict=verdict)) == (False, False)
    assert remembered() == (False, False)


def test_what_was_kept_says_so_once() -> None:
    twice = kept.marked(kept.marked([PASSED]))
    assert twice[0].text == "accepted (kept from an earlier run)"
    assert kept.unmarked(twice) == (PASSED,)
