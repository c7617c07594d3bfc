"""The stages in order: where they stop, what is tried again, and what never comes out as PASS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.errors import GuestLost, Unavailable
from schedops.model.policy import PolicySource
from schedops.model.verdict import Verdict
from schedops.model.verification import BuildFailure, SourceProblem, VerificationReport
from schedops.ports import KernelImage
from schedops.schema.canonical import digest_of
from schedops.verify import stage
from schedops.verify.stages import QUICK
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.verify.fakes import Guest, Machines, Toolchain
from tests.verify.readings import ATTACHED, DETACHED, ENABLED, SOURCE, group_reading, mixed_reading
from tests.verify.rules_fakes import Kernels, Rules

GUEST = ["load", "enable", "liveness", "unload", "kernel-log"]
ONE = list(QUICK)
OLDER = replace(IMAGE, kernel=replace(IMAGE.kernel, name="6.16.12", btf_sha256="a" * 64))
FINE = mixed_reading()
LATE = replace(FINE, groups=(group_reading("hogs", 9000.0), *FINE.groups[1:]))
DIED = GuestLost("no answer for 20 s", attached=True, detail="boot\nlast words\n")
DIED_BEFORE = GuestLost("no answer for 20 s", attached=False)
INT3 = GuestLost("the guest died", attached=True, known_emulator_fault=True)


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    found = Rules()
    found.install(monkeypatch)
    return found


def verify(
    *guests: Guest | Exception,
    images: tuple[KernelImage, ...] = (IMAGE,),
    toolchain: Toolchain | None = None,
    missing: tuple[str, ...] = (),
) -> VerificationReport:
    return stage.run(
        SOURCE,
        (),
        images,
        missing=missing,
        toolchain=toolchain or Toolchain(),
        machines=Machines(list(guests)),
        kernels=Kernels(),
        clock=Clock(),
        progress=Progress(),
    )


def stages(report: VerificationReport) -> list[str]:
    return [check.stage for check in report.checks]


def last(report: VerificationReport) -> tuple[str, Verdict, Verdict]:
    return report.checks[-1].stage, report.checks[-1].verdict, report.verdict


def test_all_stages_on_all_kernels_pass() -> None:
    report = verify(Guest(), Guest(), images=(OLDER, IMAGE))
    assert (report.verdict, stages(report)) == (
        Verdict.PASS,
        ["source", *["compile", "object"] * 2, "object", *GUEST * 2],
    )
    assert [reference.kernel for reference in report.objects] == ["6.16.12", "6.18.15"]
    assert report.source_sha256 == digest_of(SOURCE)


def test_no_kernel_is_an_error_and_no_pass() -> None:
    report = verify(images=(), missing=("7.3", "6.16"))
    assert (report.verdict, stages(report), report.kernels_missing) == (Verdict.ERROR, ["source"], ("6.16", "7.3"))


def test_a_missing_kernel_is_named_beside_a_pass() -> None:
    report = verify(Guest(), missing=("7.3",))
    assert (report.verdict, report.kernels_missing) == (Verdict.PASS, ("7.3",))


def test_one_failing_kernel_fails_the_whole() -> None:
    failing = Guest(attached=replace(ATTACHED, outcome="load-failed", log="libbpf: no\n"))
    report = verify(Guest(), failing, images=(OLDER, IMAGE))
    assert (report.verdict, stages(report)) == (
        Verdict.FAIL,
        ["source", *["compile", "object"] * 2, "object", *GUEST, "load"],
    )


def test_every_error_of_the_compiler_with_its_place() -> None:
    def make(source: PolicySource, image: KernelImage) -> BuildFailure:
        problem = SourceProblem(file=source.path, line=4, column=3, severity="error", text="bad")
        warning = replace(problem, severity="warning")
        return BuildFailure(kernel=image.kernel.name, problems=(problem, warning, replace(problem, line=5)))

    report = verify(toolchain=Toolchain(make))
    assert (report.verdict, report.objects) == (Verdict.FAIL, ())
    check = report.checks[-1]
    assert [(f.level, str(f.place)) for f in check.findings] == [
        ("error", f"{SOURCE.path}:4:3"),
        ("error", f"{SOURCE.path}:5:3"),
        ("warning", f"{SOURCE.path}:4:3"),
    ]
    assert check.text == "bad (and 1 more)"


def test_a_compiler_that_says_nothing_does_not_pass() -> None:
    report = verify(toolchain=Toolchain(lambda _, image: BuildFailure(kernel=image.kernel.name, problems=())))
    assert last(report) == ("compile", Verdict.FAIL, Verdict.FAIL)


def test_a_missing_tool_is_an_error() -> None:
    report = verify(toolchain=Toolchain(missing=True))
    assert last(report) == ("compile", Verdict.ERROR, Verdict.ERROR)
    assert report.checks[-1].findings[0].advice == "`schedops setup`"


def test_a_refusal_points_into_the_source() -> None:
    log = "libbpf: prog 'f': -- BEGIN PROG LOAD LOG --\n; *count += 1; @ ours.bpf.c:4\nR0 invalid mem access 'scalar'\n"
    report = verify(Guest(attached=replace(ATTACHED, outcome="load-failed", log=log)))
    assert (str(report.checks[-1].findings[0].place), last(report)) == (
        f"{SOURCE.path}:4:2",
        ("load", Verdict.FAIL, Verdict.FAIL),
    )


def test_a_refusal_in_a_header_points_there() -> None:
    log = "libbpf: prog 'f': -- BEGIN PROG LOAD LOG --\n; int y; @ schedops.h:2\nR0 invalid mem access 'scalar'\n"
    report = verify(Guest(attached=replace(ATTACHED, outcome="load-failed", log=log)))
    assert str(report.checks[-1].findings[0].place) == "schedops.h:2:3"


def test_what_is_not_in_charge_stops_there() -> None:
    report = verify(Guest(attached=replace(ATTACHED, after=replace(ENABLED, task_on_ext=False))))
    assert last(report) == ("enable", Verdict.FAIL, Verdict.FAIL)


def test_a_late_task_counts_when_it_shows_twice() -> None:
    twice, once = Guest(loads=[LATE, LATE]), Guest(loads=[LATE, None])
    assert last(verify(twice)) == ("liveness", Verdict.FAIL, Verdict.FAIL)
    assert verify(once).verdict is Verdict.PASS
    assert (twice.calls, once.calls) == (["attach", "load", "load"], ["attach", "load", "load", "load", "detach"])


def test_a_starved_host_is_inconclusive_after_a_second_look() -> None:
    starved = replace(LATE, harness_jitter_ms=900.0)
    assert last(verify(Guest(loads=[starved, starved]))) == ("liveness", Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


def test_an_ejection_counts_at_once_with_its_reason() -> None:
    log = 'sched_ext: BPF scheduler "ours" disabled (runtime error)\n'
    gone = replace(ENABLED, state="disabling", ops="")
    lost = replace(FINE, state_after="disabling", lost_after_ms=300.0)
    guest = Guest(loads=[lost], state_after=gone, logs=["", log])
    report = verify(guest)
    assert last(report) == ("liveness", Verdict.FAIL, Verdict.FAIL)
    assert "runtime error" in report.checks[-1].text
    assert guest.calls == ["attach", "load", "detach"]


def test_a_dirty_unload_stops_before_the_log() -> None:
    assert last(verify(Guest(detached=replace(DETACHED, programs_left=1)))) == ("unload", Verdict.FAIL, Verdict.FAIL)


def test_a_splat_fails_though_all_else_passed() -> None:
    guest = Guest(logs=["", "", "[ 9.0] WARNING: at kernel/sched/ext.c:1\n"])
    assert last(verify(guest)) == ("kernel-log", Verdict.FAIL, Verdict.FAIL)


def test_a_guest_that_dies_twice_with_the_policy_attached_fails() -> None:
    report = verify(Guest(loads=[DIED]), Guest(loads=[DIED]))
    assert last(report) == ("liveness", Verdict.FAIL, Verdict.FAIL)
    assert report.checks[-1].findings[0].advice == "the console's last line: last words"
    assert stages(report) == ["source", "compile", "object", "load", "enable", "liveness"]


def test_a_guest_that_dies_once_with_the_policy_attached_is_no_pass() -> None:
    report = verify(Guest(loads=[DIED]), Guest())
    assert last(report) == ("kernel-log", Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


def test_a_guest_that_dies_while_attaching_fails_at_the_second_time() -> None:
    assert last(verify(Guest(attached=DIED), Guest(attached=DIED))) == ("load", Verdict.FAIL, Verdict.FAIL)


def test_a_guest_that_dies_before_attaching_is_an_error() -> None:
    assert last(verify(DIED_BEFORE, DIED_BEFORE)) == ("load", Verdict.ERROR, Verdict.ERROR)
    assert verify(DIED_BEFORE, Guest()).verdict is Verdict.PASS


def test_the_emulators_fault_is_tried_again_and_then_an_error() -> None:
    assert verify(Guest(loads=[INT3]), Guest()).verdict is Verdict.PASS
    assert last(verify(Guest(loads=[INT3]), Guest(loads=[INT3]))) == ("liveness", Verdict.ERROR, Verdict.ERROR)
    assert last(verify(Guest(loads=[INT3]), Guest(loads=[DIED]))) == ("liveness", Verdict.ERROR, Verdict.ERROR)


def test_no_emulator_is_an_error() -> None:
    report = verify(Unavailable("tool-missing", "qemu was not found", hint="`schedops setup`"))
    assert last(report) == ("load", Verdict.ERROR, Verdict.ERROR)
    assert report.checks[-1].text == "qemu was not found (tool-missing)"
