from dataclasses import replace

import pytest

from schedops.agent.quantum import Discipline
from schedops.bench import stage
from schedops.bench.design import design
from schedops.errors import GuestLost, Refused
from schedops.gate.decide import decide
from schedops.model.environment import differences
from schedops.model.policy import Capabilities
from schedops.model.verdict import Verdict
from schedops.model.workload import Guard, Objective
from schedops.schema.canonical import digest_of
from schedops.workloads.expand import expand
from tests.fakes.guest import IMAGE, Clock, Host, Machines, Progress, Script
from tests.fakes.measurements import report
from tests.fakes.workloads import BUILT, batch, builds, hints, policy

BATCH = batch()
KNOWN = hints(expand(BATCH, seed=1, cpus=2))


def run(
    script,
    *,
    workload=BATCH,
    known=KNOWN,
    built=BUILT,
    rounds=6,
    looks=(),
    progress=None,
    host=None,
    settled=stage.undecided,
    **changes,
):
    return stage.run(
        workload,
        policy(**changes),
        built,
        known,
        IMAGE,
        cpus=2,
        looks=looks or (rounds,),
        seed=10,  # of which the first round has the plain order
        scale=1.0,
        machines=Machines(script),
        clock=Clock(),
        progress=progress or Progress(),
        host=host or Host(),
        settled=settled,
    )


def test_measures_every_round_of_every_arm_in_one_boot():
    script = Script()
    found = run(script)
    assert script.boots == 1
    assert [sample.round for sample in found.samples] == sorted([*range(6)] * 3)
    assert all(sample.valid for sample in found.samples), [s.why_invalid for s in found.samples]
    assert len(found.samples) == 18
    assert (found.policy, found.kernel, found.cpus, found.rung) == ("ours", "6.18.15", 2, "micro-vm")
    assert (found.object_sha256, found.accelerator, found.warmup_rounds) == ("d" * 64, "tcg-multi", 1)


def test_candidate_is_attached_before_and_detached_after_each_run_and_nobody_else():
    script = Script()
    run(script, rounds=1)
    # Round -1 (warm-up) runs eevdf, candidate last; round 0 the plain order.
    assert script.calls == [
        *("run eevdf", "attach", "run ours", "detach", "run eevdf"),
        *("run eevdf", "run eevdf", "attach", "run ours", "detach"),
    ]


def test_arms_of_a_round_run_the_same_plan():
    script = Script()
    run(script, rounds=2)
    assert [script.plans[n] == script.plans[n + 1] == script.plans[n + 2] for n in (0, 3, 6)] == [True] * 3


def test_hints_go_to_a_policy_that_declares_them():
    script = Script()
    found = run(script, rounds=1)
    handed = {sample.arm: sum(1 for ns in sample.setup.hint_ns if ns) for sample in found.samples}
    assert handed == {"eevdf": 0, "informed": 0, "candidate": 11}


def test_hints_stay_away_from_a_policy_that_does_not_declare_them():
    found = run(Script(), rounds=1, capabilities=Capabilities())
    assert {sum(sample.setup.hint_ns) for sample in found.samples} == {0}


def test_hints_of_whole_builds_go_to_a_policy_that_declares_them():
    taken = Capabilities(hints=True, group_hints=True)
    known = hints(expand(builds(), seed=1, cpus=2))
    found = run(Script(), workload=builds(), known=known, rounds=1, capabilities=taken)
    handed = {sample.arm: sum(1 for ns in sample.setup.group_hint_ns if ns) for sample in found.samples}
    assert handed == {"eevdf": 0, "informed": 0, "candidate": 4}
    assert all(sample.valid for sample in found.samples)
    # The jobs of a batch are not a build.
    assert {sample.setup.group_hint_ns for sample in run(Script(), rounds=1, capabilities=taken).samples} == {()}


def test_without_hints_everything_still_works():
    assert all(sample.valid for sample in run(Script(), known=None).samples)


def test_comparison_of_the_default_with_itself_never_attaches():
    script = Script()
    found = run(script, built=None)
    assert "attach" not in script.calls
    assert {sample.setup.cgroup_per_group for sample in found.samples} == {False}
    assert found.object_sha256 == ""
    assert all(sample.valid for sample in found.samples)


def test_progress_ends_at_one_with_nothing_left():
    progress = Progress()
    run(Script(), rounds=3, progress=progress)
    assert [event.text for event in progress.events] == [
        "warm-up done",
        "round 1 of 3",
        "round 2 of 3",
        "round 3 of 3",
    ]
    assert [event.fraction for event in progress.events] == [0.25, 0.5, 0.75, 1.0]
    assert progress.events[1].remaining_s == progress.events[0].remaining_s * 2 / 3
    assert progress.events[-1].remaining_s == 0


# What goes wrong


def test_a_run_that_is_not_valid_is_kept_and_repeated_once_with_other_names():
    script = Script(failing_in=frozenset({4}))
    found = run(script, rounds=2)
    bad = [sample for sample in found.samples if not sample.valid]
    assert [sample.why_invalid for sample in bad] == ["1 of 11 jobs failed, the first with exit code 3"]
    assert (len(found.samples), script.runs) == (7, 10)
    again = next(sample for sample in found.samples if sample.valid and sample.arm == bad[0].arm)
    assert (again.round, again.order, again.seed) == (bad[0].round, bad[0].order, bad[0].seed)
    assert again.setup.name_seed != bad[0].setup.name_seed


def test_a_run_that_is_not_valid_twice_is_left_at_that():
    found = run(Script(failing_in=frozenset({4, 5})), rounds=2)
    assert [(sample.round, sample.valid) for sample in found.samples if sample.arm == "informed"] == [
        (0, False),
        (0, False),
        (1, True),
    ]


def test_warm_up_is_not_repeated():
    assert run(Script(failing_in=frozenset({0})), rounds=1).samples[0].round == 0


def test_task_that_is_not_under_the_policy_makes_the_sample_invalid():
    found = run(Script(task_on_ext=None), rounds=1)
    why = {sample.arm: sample.why_invalid for sample in found.samples}
    assert why["candidate"] == "before the run no normal task was seen under the policy"
    assert why["eevdf"] == ""


def test_other_policy_in_charge_makes_the_sample_invalid():
    found = run(Script(ops="theirs"), rounds=1)
    assert [sample.valid for sample in found.samples if sample.arm == "candidate"] == [False, False]


def test_hints_that_the_loader_did_not_take_make_the_sample_invalid():
    found = run(Script(takes_hints=False), rounds=1)
    assert {s.why_invalid for s in found.samples if not s.valid} == {"the loader took 0 of 11 hints"}


def test_policy_lost_in_one_run_is_invalid_with_the_kernels_words():
    # Runs of round 0 are 3, 4, 5; the candidate is last.
    found = run(Script(dropped_in=frozenset({5})))
    bad = [sample for sample in found.samples if not sample.valid]
    assert len(bad) == 1
    assert bad[0].why_invalid == (
        "after the run the policy was disabled; "
        'sched_ext: BPF scheduler "ours" disabled (runnable task stall) / sched_ext: ours: job stalled'
    )


def test_policy_lost_three_times_in_a_row_is_refused():
    with pytest.raises(Refused) as refused:
        run(Script(dropped_in=frozenset(range(99))))
    assert refused.value.code == "policy-lost"
    assert "runnable task stall" in refused.value.detail


def test_policy_that_lets_no_job_end_in_time_is_refused():
    # The candidate's runs are 1 (warm-up), 5 and 7.
    script = Script(failing_in=frozenset({1, 5, 7}), exit_code=137)
    with pytest.raises(Refused) as refused:
        run(script)
    assert refused.value.code == "policy-starves-jobs"
    assert refused.value.detail == "1 of 11 jobs failed, the first with exit code 137"
    assert script.runs == 8


def test_jobs_killed_under_the_default_scheduler_are_not_blamed_on_the_policy():
    found = run(Script(failing_in=frozenset({0, 3, 4, 6, 8, 9}), exit_code=137), rounds=3)
    assert len([sample for sample in found.samples if not sample.valid]) == 5


def test_policy_that_does_not_attach_is_refused():
    with pytest.raises(Refused) as refused:
        run(Script(outcome="load-failed"))
    assert refused.value.code == "policy-not-attached"
    assert refused.value.detail == "R1 invalid mem access"


def test_guest_lost_once_is_booted_again_and_the_round_repeated():
    script, progress = Script(gone_in=frozenset({4})), Progress()
    found = run(script, rounds=3, progress=progress)
    assert script.boots == 2
    assert [sample.round for sample in found.samples] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert progress.events[1].text == "the guest stopped answering; the round is run once more"


def test_guest_lost_once_in_two_rounds_is_not_twice_in_one():
    assert run(Script(gone_in=frozenset({4, 9})), rounds=3).samples[-1].round == 2


def test_guest_lost_twice_in_one_round_under_the_default_goes_up():
    with pytest.raises(GuestLost):
        run(Script(gone_in=frozenset({3, 4})))


def test_guest_lost_twice_in_one_round_with_the_policy_attached_is_refused():
    # Round 0: runs 3, 4 and the candidate 5; again: 6, 7 and the candidate 8.
    with pytest.raises(Refused) as refused:
        run(Script(gone_in=frozenset({5, 8})))
    assert refused.value.code == "policy-hangs-guest"


def test_emulator_fault_is_never_blamed_on_the_policy():
    with pytest.raises(GuestLost):
        run(Script(gone_in=frozenset({5, 8}), emulator_fault=True))


# Through to the gate


def lower(metric, min_effect, unit="ratio"):
    return Objective(metric=metric, unit=unit, direction="lower", min_effect=min_effect)


def test_builds_in_order_of_arrival_pass_the_gate():
    w = builds(
        objectives=(lower("mean_build_time_per_floor", 0.05),),
        guards=(Guard(metric="all_done_per_floor", unit="ratio", direction="lower", max_harm=0.06, hard=True),),
    )
    found = run(Script(), workload=w, known=None, rounds=10)
    decision = decide(w, "ours", found, report(policy="ours"))
    assert (decision.verdict, decision.recommendation) == (Verdict.PASS, "policy")


def test_default_against_itself_passes_nothing():
    w = builds(objectives=(lower("mean_build_time_per_floor", 0.05),))
    found = run(Script(discipline=Discipline.FAIR), workload=w, known=None)
    same = replace(found, samples=tuple(replace(s, metrics=found.samples[3 * s.round].metrics) for s in found.samples))
    assert decide(w, "ours", same, report(policy="ours")).verdict is Verdict.FAIL


# Looks and the environment


def test_it_ends_at_the_look_where_the_answer_is_clear():
    asked, progress = [], Progress()

    def settled(measurements):
        asked.append((len(measurements.rounds), len(measurements.samples), measurements.environment_after is not None))
        return len(measurements.rounds) >= 4

    found = run(Script(), looks=(2, 4, 6), settled=settled, progress=progress)
    assert asked == [(2, 6, True), (4, 12, True)]
    assert (len(found.rounds), len(found.samples), found.looks) == (4, 12, (2, 4, 6))
    assert progress.events[-1].text == "the answer is clear after 4 of at most 6 rounds"


def test_it_ends_at_the_last_look_anyway():
    found = run(Script(), looks=(2, 4, 6))
    assert (len(found.rounds), found.looks) == (6, (2, 4, 6))


def test_which_arm_begins_follows_from_the_seed():
    def order(seed):
        planned = design(BATCH, rounds=1, seed=seed)
        return tuple(turn.arm for turn in planned[-1].turns)

    assert len({order(seed) for seed in range(30)}) == 6


def test_the_environment_is_recorded_before_and_after():
    found = run(Script(), rounds=1, host=Host(governors=("performance", "powersave")))
    assert (found.environment.kernel, found.environment.cpus, found.environment.accelerator) == (
        "6.18.15",
        2,
        "tcg-multi",
    )
    assert differences(found.environment, found.environment_after) == ("host governor: performance and powersave",)


def test_what_was_measured_names_its_workload_and_where_samples_come_from():
    found = run(Script(), rounds=1)
    assert found.workload_sha256 == digest_of(BATCH)
    assert {sample.origin for sample in found.samples} == {"fresh"}
