import math
from dataclasses import replace

import pytest

import schedops.gate.pairs
from schedops.gate.decide import decide, measured
from schedops.model.verdict import Verdict
from tests.fakes.measurements import OFF, guard, measurements, objective, report, scaled, spoil, three_arms, workload

NOISE = (0.6, 1.5, 1.1, 0.7, 1.4, 0.9, 1.3, 0.8, 1.2, 1.0)


def outcome(columns, *, w=None, verification="good"):
    verification = report() if verification == "good" else verification
    decision = decide(w or workload(), "p", measurements(columns), verification)
    return decision.verdict, decision.recommendation


def test_better_than_both_with_guards_held_passes():
    decision = decide(workload(), "p", measurements(three_arms()), report())
    assert (decision.verdict, decision.recommendation, decision.confidence) == (Verdict.PASS, "policy", 0.95)
    assert decision.summary.startswith(
        "p on w: makespan -20.0 % [-20.8 %, -19.2 %] against the default scheduler and -20.0 % ["
    )
    assert decision.summary.endswith(
        "(10 pairs). Every hard guard held: cost +0.0 % [+0.0 %, +0.0 %] (6.0 % worse allowed)."
    )


def test_no_better_than_the_default_scheduler_fails():
    assert outcome(three_arms(candidate=1.0)) == (Verdict.FAIL, "nothing")


def test_worse_than_the_default_scheduler_fails():
    assert outcome(three_arms(candidate=1.2)) == (Verdict.FAIL, "nothing")


def test_worse_for_sure_by_less_than_is_wanted_is_no_gain():
    decision = decide(workload(), "p", measurements(three_arms(candidate=1.02)), report())
    assert decision.verdict is Verdict.FAIL
    assert decision.summary.endswith("by at least 5.0 % was wanted: no gain, it is shown to be worse.")


@pytest.mark.parametrize(
    ("cost", "expected", "words"),
    [
        (scaled(51), Verdict.PASS, "worse, and shown to be within that"),
        (scaled(52, (0.97, 1.06, 1.0, 0.99, 1.05, 0.98, 1.04, 0.995, 1.03, 1.02)), Verdict.INCONCLUSIVE,
         "shown to be worse, not by how much"),
        (scaled(60), Verdict.FAIL, "broken"),
    ],
)  # fmt: skip
def test_a_guard_that_is_harmed_for_sure(cost, expected, words):
    columns = three_arms()
    columns["candidate"]["cost"] = cost
    decision = decide(workload(), "p", measurements(columns), report())
    found = next(one for one in decision.reasons if (one.metric, one.baseline) == ("cost", "eevdf"))
    assert found.low > 0
    assert (found.verdict, decision.verdict) == (expected, expected)
    assert found.text.endswith(f": {words}")


def test_as_good_as_the_informed_default_is_a_settings_change():
    decision = decide(workload(), "p", measurements(three_arms(informed=0.8)), report())
    assert (decision.verdict, decision.recommendation) == (Verdict.FAIL, "settings")
    assert "No policy is needed: the informed default alone is better than the default scheduler" in decision.summary


def test_informed_default_that_breaks_a_hard_guard_is_no_settings_change():
    columns = three_arms(informed=0.8)
    columns["informed"]["cost"] = scaled(60)
    assert outcome(columns) == (Verdict.FAIL, "nothing")


def test_too_noisy_is_inconclusive():
    columns = three_arms()
    columns["candidate"]["makespan"] = scaled(95, NOISE)
    assert outcome(columns) == (Verdict.INCONCLUSIVE, "nothing")


def test_broken_hard_guard_vetoes():
    decision = decide(workload(), "p", measurements(three_arms(cost=1.2)), report())
    assert decision.verdict is Verdict.FAIL
    assert decision.summary.endswith(
        "It is not good enough: cost +20.0 % [+20.0 %, +20.0 %] against the default scheduler; "
        "at most 6.0 % worse is allowed: broken."
    )


def test_broken_soft_guard_is_reported_only():
    w = workload(guards=(guard("cost", hard=False),))
    decision = decide(w, "p", measurements(three_arms(cost=1.2)), report())
    assert decision.verdict is Verdict.PASS
    found = [(r.verdict, r.hard) for r in decision.reasons if r.metric == "cost" and r.baseline == "eevdf"]
    assert found[0] == (Verdict.FAIL, False)


def test_noisy_hard_guard_allows_no_pass():
    columns = three_arms()
    columns["candidate"]["cost"] = scaled(50, NOISE)
    assert outcome(columns) == (Verdict.INCONCLUSIVE, "nothing")


def test_hard_guard_that_was_not_measured_allows_no_pass():
    columns = three_arms()
    del columns["eevdf"]["cost"]
    assert outcome(columns) == (Verdict.ERROR, "nothing")


def test_guard_against_the_informed_default_is_reported_only():
    columns = three_arms()
    columns["informed"]["cost"] = scaled(40)
    assert outcome(columns) == (Verdict.PASS, "policy")


# Several objectives


TWO = workload(objectives=(objective("makespan"), objective("completion")))


def with_completion(*levels, **arms):
    columns = three_arms(**arms)
    for arm, level in zip(("eevdf", "informed", "candidate"), levels, strict=True):
        columns[arm]["completion"] = scaled(level)
    return columns


def test_one_objective_may_carry_when_the_other_stays_as_it_is():
    decision = decide(TWO, "p", measurements(with_completion(100, 100, 100)), report())
    assert decision.verdict is Verdict.PASS
    kept = [r for r in decision.reasons if r.metric == "completion" and (r.arm, r.baseline) == ("candidate", "eevdf")]
    assert [(r.role, r.verdict, r.threshold, r.hard) for r in kept] == [("guard", Verdict.PASS, 0.05, True)]


def test_one_objective_each_against_another_baseline():
    # The published case: nice values get the makespan by themselves, the policy wins by mean completion.
    columns = with_completion(100, 130, 88, informed=0.8, candidate=0.8)
    assert outcome(columns, w=TWO) == (Verdict.PASS, "policy")


def test_gain_in_one_objective_does_not_pay_for_harm_in_the_other():
    assert outcome(with_completion(100, 100, 115), w=TWO)[0] is Verdict.FAIL


def test_gain_in_one_objective_with_the_other_unknown_is_inconclusive():
    columns = with_completion(100, 100, 100)
    columns["candidate"]["completion"] = scaled(100, NOISE)
    assert outcome(columns, w=TWO)[0] is Verdict.INCONCLUSIVE


def test_no_gain_in_one_objective_and_the_other_open_is_inconclusive():
    columns = with_completion(100, 100, 100, candidate=1.0)
    columns["candidate"]["completion"] = scaled(95, NOISE)
    assert outcome(columns, w=TWO)[0] is Verdict.INCONCLUSIVE


def test_more_than_two_objectives_raise_the_level_of_every_interval():
    w = workload(objectives=tuple(objective(f"m{n}") for n in range(4)))
    assert decide(w, "p", measurements(three_arms()), report()).confidence == pytest.approx(0.975)


# What must never pass


def test_no_verification_never_passes():
    assert outcome(three_arms(), verification=None) == (Verdict.INCONCLUSIVE, "nothing")


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.INCONCLUSIVE])
def test_verification_that_did_not_pass_decides(verdict):
    assert outcome(three_arms(), verification=report(verdict))[0] is verdict


def test_verification_without_checks_never_passes():
    assert outcome(three_arms(), verification=replace(report(), checks=()))[0] is Verdict.ERROR


@pytest.mark.parametrize("verdict", [one for one in Verdict if one is not Verdict.PASS])
def test_a_verification_that_passes_in_spite_of_its_checks_never_passes(verdict: Verdict):
    spoilt = tuple(replace(check, verdict=verdict) for check in report().checks[:1])
    assert outcome(three_arms(), verification=replace(report(), checks=spoilt))[0] is Verdict.ERROR


def test_verification_of_another_policy_never_passes():
    assert outcome(three_arms(), verification=report(policy="q"))[0] is Verdict.ERROR


def test_failed_verification_may_still_end_in_a_settings_change():
    assert outcome(three_arms(informed=0.8), verification=report(Verdict.FAIL)) == (Verdict.FAIL, "settings")


def test_zero_trials_never_passes():
    assert outcome({}) == (Verdict.ERROR, "nothing")


def test_new_program_without_samples_never_passes():
    columns = three_arms()
    del columns["candidate"]
    assert outcome(columns) == (Verdict.ERROR, "nothing")


@pytest.mark.parametrize("arm", ["eevdf", "informed"])
def test_missing_baseline_never_passes(arm):
    columns = three_arms()
    del columns[arm]
    assert outcome(columns) == (Verdict.ERROR, "nothing")


def test_unknown_metric_never_passes():
    assert outcome(three_arms(), w=workload(objectives=(objective("latency"),)))[0] is Verdict.ERROR


def test_no_objective_never_passes():
    assert outcome(three_arms(), w=workload(objectives=()))[0] is Verdict.ERROR


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0])
def test_nan_infinity_and_zero_never_pass(bad):
    columns = three_arms()
    columns["candidate"]["makespan"][5] = bad
    assert outcome(columns)[0] is Verdict.ERROR


def test_exception_in_the_statistic_never_passes(monkeypatch):
    def broken(*_args, **_options):
        raise ZeroDivisionError

    # The one way to make a sound statistic raise.
    monkeypatch.setattr(schedops.gate.pairs, "paired_interval", broken)
    with pytest.raises(ZeroDivisionError):
        outcome(three_arms())


def test_five_perfect_pairs_never_pass():
    columns = {arm: {name: values[:5] for name, values in c.items()} for arm, c in three_arms(candidate=0.5).items()}
    assert outcome(columns)[0] is Verdict.INCONCLUSIVE


def test_one_invalid_sample_in_ten_never_passes():
    decision = decide(workload(), "p", spoil(measurements(three_arms()), "eevdf", {4}), report())
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.summary.endswith("There is no verdict yet: eevdf: 9 of 10 samples valid (round 4: exit code 1).")


def test_a_repeated_run_counts_among_those_that_were_not_valid():
    given = spoil(measurements(three_arms()), "eevdf", {4})
    again = next(one for one in measurements(three_arms()).samples if (one.round, one.arm) == (4, "eevdf"))
    decision = decide(workload(), "p", replace(given, samples=(*given.samples, again)), report())
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert decision.summary.endswith("There is no verdict yet: eevdf: 10 of 11 samples valid (round 4: exit code 1).")


def test_one_invalid_sample_in_twenty_is_enough():
    doubled = {arm: {name: values * 2 for name, values in c.items()} for arm, c in three_arms().items()}
    assert decide(workload(), "p", spoil(measurements(doubled), "eevdf", {4}), report()).verdict is Verdict.PASS


def test_policy_lost_during_a_run_fails():
    given = spoil(measurements(three_arms()), "candidate", {2}, "runnable task stall")
    samples = tuple(replace(s, after=OFF) if s.arm == "candidate" and not s.valid else s for s in given.samples)
    decision = decide(workload(), "p", replace(given, samples=samples), report())
    assert decision.verdict is Verdict.FAIL
    assert "the kernel dropped the policy in 1 of 10 runs: runnable task stall" in [r.text for r in decision.reasons]


def test_policy_that_was_never_in_charge_never_passes():
    given = measurements(three_arms())
    samples = tuple(replace(s, before=OFF, after=OFF) for s in given.samples)
    assert decide(workload(), "p", replace(given, samples=samples), report()).verdict is Verdict.ERROR


def test_measurements_of_another_policy_or_workload_never_pass():
    given = measurements(three_arms())
    assert decide(workload(), "p", replace(given, policy="q"), report()).verdict is Verdict.ERROR
    assert decide(workload(), "p", replace(given, workload="v"), report()).verdict is Verdict.ERROR


def test_identical_arms_do_not_pass():
    columns = {arm: {"makespan": scaled(100), "cost": scaled(50)} for arm in ("eevdf", "informed", "candidate")}
    assert outcome(columns) == (Verdict.FAIL, "nothing")


def test_measurements_alone_can_pass_but_say_nothing_of_verification():
    decision = measured(workload(), "p", measurements(three_arms()))
    assert decision.verdict is Verdict.PASS
    assert "verification" not in {reason.metric for reason in decision.reasons}


def test_deciding_twice_gives_the_same():
    given = measurements(three_arms())
    shuffled = replace(given, samples=given.samples[::-1])
    assert decide(workload(), "p", given, report()) == decide(workload(), "p", shuffled, report())
