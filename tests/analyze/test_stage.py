import pytest

from schedops.analyze import stage
from schedops.errors import GuestLost, Unavailable
from tests.fakes.guest import IMAGE, Clock, Machines, Progress, Script
from tests.fakes.workloads import batch, builds


def run(script, workload, progress=None):
    return stage.run(
        workload,
        IMAGE,
        cpus=2,
        seed=3,
        scale=1.0,
        machines=Machines(script),
        clock=Clock(),
        progress=progress or Progress(),
    )


def test_builds_are_saturating_groups():
    script = Script()
    profile, _ = run(script, builds())
    assert [finding.name for finding in profile.classes] == ["saturating-groups", "cpu-bound"]
    assert (profile.workload, profile.kernel, profile.cpus, profile.accelerator) == ("b", "6.18.15", 2, "tcg-multi")
    assert script.setups[0].cgroup_per_group
    assert set(script.setups[0].nice) == {0}
    assert script.runs == 1


def test_hints_are_the_measured_cpu_times():
    script = Script(us_per_work=2.0)
    _, hints = run(script, batch())
    assert {hint.key: hint.cpu_us for hint in hints.hints} == {job.key: job.work * 2 for job in script.plans[0].jobs}
    assert {(hint.n, hint.spread, hint.measured) for hint in hints.hints} == {(1, None, "2026-11-21")}


def test_uneven_batch_is_found_and_its_quantiles_kept():
    profile, _ = run(Script(), batch())
    assert profile.classes[0].name == "uneven-batch"
    assert len(profile.cpu_ms_quantiles) == 6
    assert list(profile.cpu_ms_quantiles) == sorted(profile.cpu_ms_quantiles)


def test_failed_job_is_no_profile():
    with pytest.raises(Unavailable) as failed:
        run(Script(failing_in=frozenset({0})), batch())
    assert failed.value.code == "jobs-failed"


def test_lost_guest_is_tried_once_more():
    script, progress = Script(gone_in=frozenset({0})), Progress()
    run(script, batch(), progress)
    assert (script.boots, script.runs) == (2, 2)
    assert [event.text for event in progress.events] == ["the guest stopped answering; the run is tried once more"]


def test_guest_lost_twice_goes_up():
    with pytest.raises(GuestLost):
        run(Script(gone_in=frozenset({0, 1})), batch())


def test_policy_in_charge_is_no_profile():
    machines = Machines(Script())
    with machines.boot(IMAGE, cpus=2) as guest:
        guest.attach(b"", deadline_s=1)
        with pytest.raises(Unavailable) as wrong:
            stage.require_default(guest)
    assert wrong.value.code == "not-default"
