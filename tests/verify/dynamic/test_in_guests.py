"""One kernel's stages in a scripted guest: their order, where they stop, what each load is and what is never PASS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.guest import LoadPlan, LoadReading
from schedops.model.policy import Capabilities
from schedops.model.verdict import Verdict
from schedops.model.verification import BuiltObject, Check
from schedops.verify import kernel, stages
from schedops.verify.record import Record
from tests.fakes.guest import IMAGE, Clock, Progress
from tests.verify import fakes
from tests.verify.fakes import Guest, Machines, Toolchain
from tests.verify.readings import (
    AFTER,
    DETACHED,
    ENABLED,
    POLICY,
    SOURCE,
    group_reading,
    load_reading,
    mixed_reading,
    reading_of,
)

IN_GUEST = stages.IN_GUESTS[:-1]  # the last one is asked of another guest
CALLBACKS = {"enqueue": "f_enqueue", "dispatch": "f_dispatch"}
RESTART = 'sched_ext: BPF scheduler "ours" disabled (unregistered from the main kernel)\n'
STALLED = 'sched_ext: BPF scheduler "ours" disabled (runnable task stall)\n'


@pytest.fixture(autouse=True)
def callbacks(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    known = dict(CALLBACKS)
    monkeypatch.setattr(kernel, "_callbacks", lambda elf: known)
    monkeypatch.setattr(kernel, "_impatient", lambda elf: elf)
    return known


def run(
    guest: Guest, wanted: tuple[str, ...] = IN_GUEST, again: Guest | None = None, **capabilities: bool
) -> list[Check]:
    """:param again: the second guest, when there is to be one."""
    source = replace(SOURCE, policy=replace(POLICY, capabilities=Capabilities(**capabilities)))
    bench = kernel.Bench(
        source, (), 2, Toolchain(), Machines([guest, again] if again else [guest]), Clock(), Progress()
    )
    built = BuiltObject(elf=b"object", sha256="0" * 64, kernel=IMAGE.kernel.name)
    return kernel.in_guests(bench, IMAGE, built, Record(source, IMAGE.kernel.name, Clock(), 0.0), wanted)


def told(checks: list[Check]) -> list[tuple[str, str]]:
    return [(check.stage, check.verdict.value) for check in checks]


def test_all_stages_in_order_pass() -> None:
    guest = Guest()
    checks = run(guest)
    assert told(checks) == [(stage, "PASS") for stage in IN_GUEST]
    loads = ["load"] * 8  # mix, crowd, storm, changes, bunched, kindred, dropped, late
    assert guest.calls == ["attach", *loads, "detach", "attach", "load", "detach"]
    storm = guest.plans[2]
    assert (storm.until_runs, storm.of_program, storm.program_stats) == (100_000, "f_enqueue", True)
    assert [step.online for step in guest.plans[-1].hotplug] == [False, True]


def test_weights_are_asked_of_those_that_declare_them(callbacks: dict[str, str]) -> None:
    plain, declared, cgroups = Guest(), Guest(), Guest()
    run(plain)
    run(declared, weights=True)
    callbacks["cgroup_set_weight"] = "f_weight"
    assert told(run(cgroups, weights=True))[-1] == ("kernel-log", "PASS")
    assert [len(guest.plans) for guest in (plain, declared, cgroups)] == [9, 11, 12]
    asked_in_part = Guest()
    run(asked_in_part)
    assert len(asked_in_part.plans) == 10


def test_jobs_are_asked_of_those_that_know_cgroups_or_hints() -> None:
    guest = Guest()
    run(guest, ("fairness",), hints=True)
    jobs = guest.plans[-1].groups
    assert {group.hint_us > 0 for group in jobs} == {group.outside for group in jobs} == {True, False}


def test_the_last_stage_has_a_larger_guest_of_its_own() -> None:
    guest, larger = Guest(), Guest()
    checks = run(guest, (*IN_GUEST, stages.TOPOLOGY), larger)
    assert told(checks) == [(stage, "PASS") for stage in (*IN_GUEST, "topology")]
    assert larger.calls == ["attach", "load", "load", "load"]
    assert checks[-1].text.startswith("4 CPUs; ")
    alone = Guest()
    assert told(run(alone, (stages.TOPOLOGY,))) == [("topology", "PASS")]
    assert alone.calls == larger.calls


def test_no_larger_guest_for_a_policy_that_failed() -> None:
    checks = run(Guest(detached=replace(DETACHED, programs_left=2)), (*IN_GUEST, stages.TOPOLOGY))
    assert told(checks)[-1] == ("unload", "FAIL")


def test_only_what_is_wanted_is_run() -> None:
    guest = Guest()
    assert told(run(guest, ("churn",))) == [("churn", "PASS")]
    assert guest.calls == ["attach", "load", "load"]
    assert told(run(Guest(), ("load",))) == [("load", "PASS")]
    assert told(run(Guest(), ("hotplug", "kernel-log"))) == [("hotplug", "PASS"), ("kernel-log", "PASS")]


def test_a_quick_run_has_one_short_load_and_leaves() -> None:
    guest = Guest()
    assert told(run(guest, stages.QUICK))[-1] == ("kernel-log", "PASS")
    assert guest.calls == ["attach", "load", "detach"]
    assert guest.plans[0].duration_ms == 2000


def test_what_fails_though_it_was_not_wanted_is_noted_all_the_same() -> None:
    checks = run(Guest(attached=replace(fakes.ATTACHED, outcome="load-failed", log="libbpf: no\n")), ("churn",))
    assert told(checks) == [("load", "FAIL")]


def test_without_an_enqueue_the_storm_has_a_fixed_length(callbacks: dict[str, str]) -> None:
    callbacks.clear()
    guest = Guest()
    assert told(run(guest, ("churn",))) == [("churn", "PASS")]
    assert (guest.plans[0].until_runs, guest.plans[0].max_ms) == (0, 0)


def storm_of(guest: Guest, **changes: object) -> None:
    """The first load is a storm with these programs."""
    plain = guest.mixed_load

    def load(plan: object, *, deadline_s: float) -> object:
        reading = plain(plan, deadline_s=deadline_s)  # type: ignore[arg-type]
        if not plan.program_stats:  # type: ignore[attr-defined]
            return reading
        return replace(reading, programs=tuple(replace(one, **changes) for one in reading.programs))  # type: ignore[arg-type]

    guest.mixed_load = load  # type: ignore[method-assign,assignment]


def test_too_few_enqueues_are_inconclusive_and_say_so() -> None:
    guest = Guest()
    storm_of(guest, runs=99_000)
    checks = run(guest)
    assert told(checks)[-1] == ("churn", "INCONCLUSIVE")
    assert "enqueue ran 99000 times" in checks[-1].text
    assert (checks[-1].findings[0].rule, checks[-1].findings[0].level) == ("TOO-FEW-ENQUEUES", "note")


def test_where_yielding_ends_no_turn_pipes_have_to_do() -> None:
    guest = Guest()
    plain = guest.mixed_load

    def load(plan: LoadPlan, *, deadline_s: float) -> LoadReading:
        reading = plain(plan, deadline_s=deadline_s)
        told_to_go_on = plan.until_runs and any(group.kind == "yielder" for group in plan.groups)
        programs = tuple(replace(one, runs=9_000) if told_to_go_on else one for one in reading.programs)
        return replace(reading, programs=programs)

    guest.mixed_load = load  # type: ignore[method-assign]
    assert told(run(guest, ("churn",))) == [("churn", "PASS")]
    assert [{group.kind for group in plan.groups} for plan in guest.plans[:2]] == [
        {"yielder", "pipe", "sleeper"},
        {"pipe", "sleeper"},
    ]


def test_too_few_enqueues_because_each_is_slow_fail() -> None:
    guest = Guest()
    storm_of(guest, runs=9_000, ns_per_run=900_000.0)
    checks = run(guest)
    assert (told(checks)[-1], checks[-1].findings[0].rule) == (("churn", "FAIL"), "OVERHEAD")


def test_a_slow_callback_fails_when_a_second_load_says_so_too() -> None:
    guest = Guest()
    storm_of(guest, ns_per_run=50_000.0)
    checks = run(guest)
    assert (told(checks)[-1], checks[-1].findings[0].rule) == (("overhead", "FAIL"), "OVERHEAD")
    assert guest.calls.count("load") == 8 + 2  # the first look was at the loads before


def leaves_at_hotplug(log: str) -> Guest:
    """Stays until the second attaching, and is gone after the load that follows."""
    guest = Guest()
    plain, state = guest.mixed_load, guest.state

    def load(plan: object, *, deadline_s: float) -> object:
        reading = plain(plan, deadline_s=deadline_s)  # type: ignore[arg-type]
        if not plan.hotplug:  # type: ignore[attr-defined]
            return reading
        guest.logs.append(log)
        guest.state = lambda: replace(AFTER, enable_seq=state().enable_seq)  # type: ignore[method-assign]
        return replace(reading, state_after="disabled", lost_after_ms=310.0)

    guest.mixed_load = load  # type: ignore[method-assign,assignment]
    return guest


def test_leaving_for_a_restart_is_accepted_where_hotplug_is_not_declared() -> None:
    checks = run(leaves_at_hotplug(RESTART))
    assert told(checks)[-2:] == [("hotplug", "PASS"), ("kernel-log", "PASS")]
    assert checks[-2].text.startswith("left for a restart")


@pytest.mark.parametrize(("log", "declared"), [(RESTART, True), (STALLED, False), (STALLED, True), ("", False)])
def test_leaving_otherwise_is_not(log: str, declared: bool) -> None:
    checks = run(leaves_at_hotplug(log), hotplug=declared)
    assert (told(checks)[-1], checks[-1].findings[0].rule) == (("hotplug", "FAIL"), "HOTPLUG")


def test_a_late_task_while_a_cpu_is_away_fails_at_the_second_time() -> None:
    guest = Guest()
    plain = guest.mixed_load

    def load(plan: object, *, deadline_s: float) -> object:
        reading = plain(plan, deadline_s=deadline_s)  # type: ignore[arg-type]
        late = tuple(replace(group, max_wait_ms=2200.0) for group in reading.groups)
        return replace(reading, groups=late) if plan.hotplug else reading  # type: ignore[attr-defined]

    guest.mixed_load = load  # type: ignore[method-assign,assignment]
    checks = run(guest, hotplug=True)
    assert (told(checks)[-1], checks[-1].findings[0].rule) == (("hotplug", "FAIL"), "HOTPLUG")
    assert "hogs waited 2.2 s" in checks[-1].text


def test_a_cpu_that_does_not_go_proves_nothing() -> None:
    reading = replace(load_reading(*(group_reading("x") for _ in range(6))), hotplug_failed=1, duration_ms=9000.0)
    assert told(run(Guest(loads=[reading]), ("hotplug",)))[-1] == ("hotplug", "INCONCLUSIVE")


SLOW = replace(DETACHED, seconds=3.0)
RCU = "[ 9.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\n"
STARVED_LOAD = replace(mixed_reading(), harness_jitter_ms=900.0)
QUIET_LOAD = replace(STARVED_LOAD, harness_jitter_ms=9.0)


@pytest.mark.parametrize(
    ("first", "again", "verdict"),
    [
        (Guest(detached=SLOW), Guest(), "INCONCLUSIVE"),
        (Guest(detached=SLOW), Guest(detached=SLOW), "FAIL"),
        (Guest(loads=[QUIET_LOAD], logs=[RCU]), Guest(logs=[RCU]), "FAIL"),
        (Guest(loads=[QUIET_LOAD], logs=[RCU]), Guest(), "INCONCLUSIVE"),
        # A guest that stood still says nothing; the fresh one does.
        (Guest(loads=[STARVED_LOAD], logs=[RCU]), Guest(), "PASS"),
        (Guest(loads=[STARVED_LOAD], logs=[RCU]), Guest(loads=[STARVED_LOAD], logs=[RCU]), "INCONCLUSIVE"),
        (Guest(loads=[QUIET_LOAD], logs=[RCU]), Guest(loads=[STARVED_LOAD], logs=[RCU]), "INCONCLUSIVE"),
    ],
)
def test_what_only_took_too_long_has_to_show_in_a_second_guest(first: Guest, again: Guest, verdict: str) -> None:
    assert told(run(first, stages.QUICK, again))[-1][1] == verdict
    assert again.calls[0] == "attach"


def test_what_is_broken_needs_no_second_guest() -> None:
    assert told(run(Guest(logs=["[ 9.0] WARNING: at kernel/sched/ext.c:1\n"]), stages.QUICK))[-1][1] == "FAIL"


def test_what_does_not_come_back_fails() -> None:
    guest = Guest()
    plain = guest.attach

    def attach(elf: bytes, *, deadline_s: float) -> object:
        reading = plain(elf, deadline_s=deadline_s)
        return reading if guest.calls.count("attach") == 1 else replace(reading, outcome="not-enabled")

    guest.attach = attach  # type: ignore[method-assign,assignment]
    checks = run(guest)
    assert (told(checks)[-1], checks[-1].findings[0].rule) == (("unload", "FAIL"), "RELOAD")


def test_a_policy_that_went_by_itself_between_two_loads_fails() -> None:
    guest = Guest(detached=replace(DETACHED, was_attached=False), logs=["", STALLED])
    again = Guest(detached=replace(DETACHED, was_attached=False), logs=["", STALLED])
    checks = run(guest, ("unload",), again)
    assert (told(checks)[-1], checks[-1].findings[0].rule) == (("unload", "FAIL"), "STALL")


def test_a_policy_that_is_replaced_while_nobody_looks_fails() -> None:
    guest = Guest(state_after=replace(ENABLED, enable_seq=ENABLED.enable_seq + 1))
    assert told(run(guest))[-1] == ("liveness", "FAIL")
    assert run(Guest(state_after=replace(ENABLED, ops="")))[-1].verdict is Verdict.FAIL


def test_fair_readings_are_fair() -> None:
    """The fakes' readings are no accident of loose limits."""
    guest = Guest()
    run(guest, weights=True)
    assert all(reading_of(plan).duration_ms == plan.duration_ms for plan in guest.plans)
