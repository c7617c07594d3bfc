"""Static stages first, then guests: who stops whom, what is reused, and that what did not run is never PASS."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from schedops.adapters.crew import Threads
from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, Finding, Place, SourceProblem, VerificationReport
from schedops.ports import Crew, KernelImage
from schedops.verify import stage
from schedops.verify.stages import FULL, IN_GUESTS, QUICK, SIMULATE, STATIC, up_to
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.verify.fakes import Guest, Machines, Simulator, Toolchain, build_well
from tests.verify.readings import ATTACHED, ENABLED, POLICY, SOURCE
from tests.verify.rules_fakes import BadObject, Kernels, Rules
from tests.verify.test_kept import Verdicts

OLDER = replace(IMAGE, kernel=replace(IMAGE.kernel, name="6.16.12", btf_sha256="a" * 64))
BOTH = (OLDER, IMAGE)
ERROR = Finding(rule="R", level="error", text="it cannot work", place=Place(file=SOURCE.path, line=4))
WARNING = replace(ERROR, level="warning", text="it may not work")
REFUSED = Guest(attached=replace(ATTACHED, outcome="load-failed", log="libbpf: no\n"))
OBJECT = PrebuiltPolicy(policy=POLICY, path="ours.bpf.o", elf=b"an object")


@dataclass
class World:
    """Everything a verification needs; *guests* are handed out in the order of the boots."""

    guests: Sequence[Guest | Exception] = ()
    toolchain: Toolchain = field(default_factory=Toolchain)
    kernels: Kernels = field(default_factory=Kernels)
    verdicts: Verdicts = field(default_factory=Verdicts)
    progress: Progress = field(default_factory=Progress)
    simulator: Simulator | None = field(default_factory=Simulator)
    crew: Crew | None = None
    boots: int = 0

    def verify(
        self,
        subject: PolicySource | PrebuiltPolicy = SOURCE,
        images: tuple[KernelImage, ...] = BOTH,
        *,
        stages: Sequence[str] = QUICK,
        keep_going: bool = False,
        cached: bool = True,
    ) -> VerificationReport:
        machines = Machines(list(self.guests) or [Guest() for _ in images])
        report = stage.run(
            subject,
            (),
            images,
            stages=stages,
            keep_going=keep_going,
            toolchain=self.toolchain,
            machines=machines,
            kernels=self.kernels,
            clock=Clock(),
            progress=self.progress,
            crew=self.crew,
            verdicts=self.verdicts,
            simulator=self.simulator,
            cached=cached,
        )
        self.boots += machines.boots
        return report


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> Rules:
    found = Rules()
    found.install(monkeypatch)
    return found


def ran(report: VerificationReport) -> list[tuple[str, str]]:
    return [(check.stage, check.kernel) for check in report.checks]


def check(report: VerificationReport, stage_name: str, kernel: str = "") -> Check:
    return next(one for one in report.checks if (one.stage, one.kernel) == (stage_name, kernel))


def test_static_stages_come_before_any_guest(rules: Rules) -> None:
    report = World().verify()
    assert report.verdict is Verdict.PASS
    assert ran(report)[:6] == [
        ("source", ""),
        ("compile", "6.16.12"),
        ("object", "6.16.12"),
        ("compile", "6.18.15"),
        ("object", "6.18.15"),
        ("object", ""),
    ]
    assert ran(report)[6] == (SIMULATE, "")
    assert {stage_name for stage_name, _ in ran(report)[7:]} <= set(IN_GUESTS)
    assert rules.calls == ["source", "object a", "object b", "between 2"]
    assert report.stages == QUICK


@pytest.mark.parametrize("where", ["source", "object", "between"])
def test_an_error_of_a_static_stage_starts_no_guest(rules: Rules, where: str) -> None:
    if where == "source":
        rules.on_source = (WARNING, ERROR)
    elif where == "object":
        rules.on_object = {"6.18.15": (ERROR,)}
    else:
        rules.between = (ERROR,)
    world = World()
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.FAIL, 0)
    failed = [one for one in report.checks if one.verdict is not Verdict.PASS]
    assert [one.text for one in failed] == ["it cannot work"]
    assert failed[0].findings[0] == ERROR  # errors first
    assert {name for name, _ in ran(report)} == set(STATIC)
    kept_going = world.verify(keep_going=True)
    assert (kept_going.verdict, world.boots, len(ran(kept_going)) > len(ran(report))) == (Verdict.FAIL, 2, True)


def test_warnings_and_notes_are_kept_in_a_stage_that_passes(rules: Rules) -> None:
    rules.on_source = (replace(ERROR, level="note"), WARNING, WARNING)
    rules.on_object = {"6.16.12": (WARNING,)}
    problem = SourceProblem(file=SOURCE.path, line=1, column=1, severity="warning", text="unused")
    toolchain = Toolchain(lambda source, image: replace(build_well(source, image), warnings=(problem,)))
    report = World(toolchain=toolchain).verify()
    assert report.verdict is Verdict.PASS
    assert check(report, "source").text == "2 rules, 2 warnings"
    assert [finding.level for finding in check(report, "source").findings] == ["warning", "warning", "note"]
    assert check(report, "object", "6.16.12").text == "3 rules, 1 warning"
    assert check(report, "compile", "6.16.12").text.endswith("bytes, 1 warning")
    assert check(report, "compile", "6.16.12").findings[0].rule == "COMPILE-WARNING"


def test_a_kernel_that_fails_leaves_out_the_next_one() -> None:
    world = World([REFUSED, Guest()])
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.FAIL, 1)
    assert [one for one in ran(report) if one[0] in IN_GUESTS] == [("load", "6.16.12")]
    report = world.verify(keep_going=True, cached=False)
    assert (report.verdict, world.boots) == (Verdict.FAIL, 3)
    assert ("kernel-log", "6.18.15") in ran(report)


def test_the_larger_guest_is_the_last_kernels_and_without_it_that_is_no_pass() -> None:
    world = World([Guest(), Guest(), Guest()])
    report = world.verify(stages=FULL)
    assert (report.verdict, world.boots) == (Verdict.PASS, 3)
    assert [one for one in ran(report) if one[0] == "topology"] == [("topology", "6.18.15")]
    names = ("6.16.12", "6.18.15")
    fewer = [check for check in report.checks if check.stage != "topology"]
    assert stage.verdict_of(fewer, FULL, names) is Verdict.ERROR
    assert stage.verdict_of(report.checks, FULL, names) is Verdict.PASS
    assert stage.verdict_of(report.checks, FULL, names[::-1]) is Verdict.ERROR


def test_the_source_alone_needs_no_kernel(rules: Rules) -> None:
    report = World().verify(images=(), stages=("source",))
    assert (report.verdict, ran(report), report.stages) == (Verdict.PASS, [("source", "")], ("source",))
    rules.on_source = (ERROR,)
    assert World().verify(images=(), stages=("source",)).verdict is Verdict.FAIL
    assert World().verify(images=(), stages=STATIC).verdict is Verdict.FAIL


@pytest.mark.parametrize("last", ["compile", "object", "load", "enable"])
def test_stages_up_to_one(last: str) -> None:
    world = World()
    report = world.verify(stages=up_to(last), images=(IMAGE,))
    if last not in ("load", "enable"):  # those are the room of guests' to cut
        assert (report.verdict, world.boots) == (Verdict.PASS, 0)
        assert [name for name, _ in ran(report)] == list(up_to(last))
    assert report.stages == up_to(last)


@pytest.mark.parametrize("missing", ["source", "compile", "simulate", "unload"])
def test_a_stage_that_did_not_run_is_never_pass(missing: str) -> None:
    checks = World().verify().checks
    assert stage.verdict_of(checks, QUICK, ("6.16.12", "6.18.15")) is Verdict.PASS
    for kernel in ("", "6.16.12", "6.18.15"):
        fewer = [one for one in checks if (one.stage, one.kernel) != (missing, kernel)]
        if len(fewer) < len(checks):
            assert stage.verdict_of(fewer, QUICK, ("6.16.12", "6.18.15")) is Verdict.ERROR
    assert stage.verdict_of(checks, FULL, ("6.16.12", "6.18.15")) is Verdict.ERROR
    assert stage.verdict_of(checks, QUICK, ("6.16.12", "6.18.15", "7.3.4")) is Verdict.ERROR
    assert stage.verdict_of((), QUICK, ()) is Verdict.ERROR


def test_a_kernel_that_cannot_be_read_is_an_error_and_starts_no_guest() -> None:
    world = World(kernels=Kernels(unreadable="6.18.15"))
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.ERROR, 0)
    assert check(report, "object", "6.18.15").findings[0].advice == "schedops kernel fetch"


def test_a_malformed_object_fails_with_a_message(rules: Rules) -> None:
    rules.on_object = {"object": BadObject("no ELF header")}
    world = World()
    report = world.verify(OBJECT)
    assert (report.verdict, world.boots) == (Verdict.FAIL, 0)
    finding = check(report, "object", "6.16.12").findings[0]
    assert (finding.rule, finding.text, str(finding.place)) == ("OBJ-MALFORMED", "no ELF header", "ours.bpf.o")


def test_an_object_has_no_source_and_is_not_compiled(rules: Rules) -> None:
    report = World(toolchain=Toolchain(missing=True)).verify(OBJECT)
    assert report.verdict is Verdict.PASS
    assert report.stages == QUICK[2:]
    assert {name for name, _ in ran(report)} == set(QUICK[2:]) - {SIMULATE}
    assert [one.stage for one in report.not_run] == [SIMULATE]
    assert len({reference.sha256 for reference in report.objects}) == 1
    assert "source" not in rules.calls


def test_an_object_without_a_description_says_what_it_is_called(rules: Rules) -> None:
    nameless = replace(OBJECT, policy=replace(POLICY, ops_name=""))
    assert World().verify(nameless).verdict is Verdict.FAIL  # the guest says it is "ours"
    rules.ops_name = ENABLED.ops
    assert World().verify(nameless).verdict is Verdict.PASS


def test_a_pass_is_reused_and_says_so() -> None:
    world = World()
    first, second = world.verify(), world.verify()
    assert (world.boots, first.verdict, second.verdict) == (2, Verdict.PASS, Verdict.PASS)
    guests = [one for one in second.checks if one.stage in IN_GUESTS]
    assert all(one.text.endswith("(kept from an earlier run)") for one in guests)
    assert [one.seconds for one in guests] == [one.seconds for one in first.checks if one.stage in IN_GUESTS]
    assert world.verify(cached=False).checks == first.checks
    assert world.boots == 4


def test_a_changed_comment_boots_nothing_when_the_object_does_the_same(rules: Rules) -> None:
    rules.same_behaviour = True
    world = World()
    world.verify()
    assert world.verify(replace(SOURCE, text=f"/* more */{SOURCE.text}")).verdict is Verdict.PASS
    assert world.boots == 2
    rules.same_behaviour = False
    world.verify(replace(SOURCE, text=f"/* more */{SOURCE.text}"))
    assert world.boots == 4


def test_a_failure_counts_for_its_own_source_only(rules: Rules) -> None:
    rules.same_behaviour = True
    world = World([REFUSED])
    assert [world.verify().verdict for _ in range(2)] == [Verdict.FAIL] * 2
    assert world.boots == 1
    world.verify(replace(SOURCE, text=f"/* more */{SOURCE.text}"))
    assert world.boots == 2


def test_what_has_no_verdict_is_asked_again() -> None:
    unread = Guest(attached=replace(ATTACHED, after=replace(ENABLED, task_on_ext=None)))
    world = World([unread, Guest()])
    assert world.verify().verdict is Verdict.INCONCLUSIVE
    world.guests = ()
    assert world.verify().verdict is Verdict.PASS
    assert world.boots == 3  # what the second kernel said was kept


def test_progress_names_the_kernel_and_never_goes_back() -> None:
    world = World()
    world.verify()
    said = [event for event in world.progress.events if event.kind == "progress"]
    fractions = [event.fraction for event in said if event.fraction is not None]
    assert fractions == sorted(fractions)
    assert [event.text for event in said][-2:] == ["ours on 6.16.12", "ours on 6.18.15"]


class TwoAtOnce(Threads):
    def cores(self) -> int:
        return 2

    def guests_at_once(self, *, cpus: int) -> int:
        return 2


class TwoCores(Threads):
    def cores(self) -> int:
        return 2

    def guests_at_once(self, *, cpus: int) -> int:
        return 2 if cpus == 1 else 1


def test_kernels_run_side_by_side_where_there_is_room_and_are_told_in_their_order() -> None:
    both = threading.Barrier(2, timeout=20)

    class Meeting(Guest):
        def attach(self, elf, *, deadline_s):
            both.wait()  # passes only when both guests are there at once
            return super().attach(elf, deadline_s=deadline_s)

    report = World([Meeting(), Meeting()], crew=TwoAtOnce()).verify()
    assert report.verdict is Verdict.PASS
    assert ran(report) == ran(World().verify())


def test_brief_stages_share_the_cores_and_what_passes_there_passes() -> None:
    world = World([Guest(), Guest()], crew=TwoCores())
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.PASS, 2)
    assert ran(report) == ran(World().verify())
    world.verify()
    assert world.boots == 2


def test_what_did_not_pass_in_company_is_asked_again_alone() -> None:
    def unread() -> Guest:
        return Guest(attached=replace(ATTACHED, after=replace(ENABLED, task_on_ext=False)))

    world = World([unread(), unread(), Guest(), Guest()], crew=TwoCores())
    assert (world.verify().verdict, world.boots) == (Verdict.PASS, 4)
    world = World([unread(), unread(), unread(), Guest()], crew=TwoCores())
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.FAIL, 3)  # the first alone, and then no further
    assert [one for one in ran(report) if one[0] in IN_GUESTS] == [("load", "6.16.12"), ("enable", "6.16.12")]


def test_what_the_kernel_itself_refused_stands_also_in_company() -> None:
    world = World([REFUSED, REFUSED, Guest(), Guest()], crew=TwoCores())
    report = world.verify()
    assert (report.verdict, world.boots) == (Verdict.FAIL, 2)
    assert [one for one in ran(report) if one[0] in IN_GUESTS] == [("load", "6.16.12")]


def test_stages_that_measure_never_share() -> None:
    world = World([Guest(), Guest()], crew=TwoCores())
    world.verify(stages=(*STATIC, "load", "enable", "fairness"))
    texts = [event.text for event in world.progress.events]
    assert not any("6.16.12, 6.18.15" in text for text in texts)
