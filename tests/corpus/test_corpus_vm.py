"""Some of the labelled policies through the whole verifier; ``benchmarks/corpus.py`` takes all of them, in minutes."""

from __future__ import annotations

import pytest

from benchmarks.judging import Judge
from benchmarks.labels import Judged, judge, read_labels
from schedops.model.verdict import Verdict
from schedops.ports import KernelImage
from schedops.verify import stages

pytestmark = pytest.mark.vm

LABELS = {label.name: label for label in read_labels()}
# What the object, or the objects of two kernels beside each other, give away without a guest.
BY_OBJECT = (
    "corpus/c_signed_div",
    "corpus/k_needs_dsq_peek",
    "corpus/m_crash_kexec",
    "corpus/m_extra_tracer",
    "corpus/m_read_user_memory",
    "corpus/m_send_signal_task",
    "corpus2/k_old_names",
    "corpus2/m_copy_user_task",
    "corpus2/m_lsm",
)
# What one kernel's header has and the other's has not.
NOT_IN_EVERY_HEADER = ("corpus/k_new_callback", "corpus2/k_new_flag")
# What shows in a guest, also when no rule on the text has seen it before: each by another stage or kind of finding.
IN_A_GUEST = (
    "corpus/v_ref_leak",
    "corpus/e_select_cpu_negative",
    "corpus/x_partial",
    "corpus/s_wrong_dsq",
    "corpus2/l_init_twice",
    "corpus2/t_strict",
)
GOOD = ("corpus/minimal", "corpus2/pid_queue", "corpus2/timer_preempt")


def verified(name: str, kernels: tuple[KernelImage, ...], wanted: tuple[str, ...]) -> Judged:
    """As a person would on a busy machine: what is inconclusive is done again."""
    judging = Judge([image.kernel.name for image in kernels], wanted)
    for _ in range(3):
        report = judging.verify(LABELS[name].source())
        if report.verdict is not Verdict.INCONCLUSIVE:
            break
    return judge(LABELS[name], report, 0.0)


@pytest.mark.parametrize("name", BY_OBJECT)
def test_the_object_gives_it_away(name: str, kernels: tuple[KernelImage, ...]) -> None:
    seen = verified(name, (kernels[0], kernels[-1]), (stages.COMPILE, stages.OBJECT))
    assert (seen.got, seen.in_time, seen.rule_fits) == ("FAIL", True, True), seen


@pytest.mark.parametrize("name", NOT_IN_EVERY_HEADER)
def test_what_only_the_newer_header_has_fails_on_the_older_kernel(name: str, kernels: tuple[KernelImage, ...]) -> None:
    report = Judge([kernels[0].kernel.name, kernels[-1].kernel.name], stages.STATIC).verify(LABELS[name].source())
    failed = [check for check in report.checks if check.verdict is Verdict.FAIL]
    assert {check.kernel for check in failed} == {kernels[0].kernel.name}, report
    assert judge(LABELS[name], report, 0.0).in_time, report


@pytest.mark.parametrize("name", IN_A_GUEST)
def test_the_guest_shows_it_too(name: str, newest_kernel: KernelImage) -> None:
    without_text = tuple(stage for stage in stages.QUICK if stage not in (stages.SOURCE, stages.OBJECT))
    seen = verified(name, (newest_kernel,), without_text)
    assert (seen.got, seen.rule_fits) == ("FAIL", True), seen


@pytest.mark.parametrize("name", GOOD)
def test_what_is_good_passes(name: str, newest_kernel: KernelImage) -> None:
    seen = verified(name, (newest_kernel,), stages.QUICK)
    assert (seen.got, seen.problem) == ("PASS", ""), seen
