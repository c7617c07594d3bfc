"""How deep a look goes, what it costs, and what comes of it; the guest is played by a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from schedops.errors import GuestLost, InputError, Unavailable
from schedops.model.profile import Profile, TierCost
from schedops.model.workload_kinds import RequestsModel
from schedops.pipeline.profiled import Looked
from schedops.pipeline.profiling import Asked, History, look
from schedops.ports import World
from schedops.repository import load_workload
from schedops.schema.decode import decode, encode
from tests.fakes.guest import IMAGE, Clock, Host, Machines, Progress, Script
from tests.fakes.workloads import batch, builds

ROOT = Path(__file__).parent.parent.parent
NOTHING = History()


def at(workload, script=None, history=NOTHING, progress=None, **asked) -> Looked:
    joined = World(
        clock=Clock(),
        progress=progress or Progress(),
        toolchain=None,
        machines=Machines(script or Script()),
        kernels=None,
        host=Host(),
    )
    wanted = Asked(**{"cpus": 2, "seed": 3, **asked})
    return look(workload, lambda: IMAGE, lambda image: b"probes", wanted, world=joined, history=history)


def test_a_summary_boots_nothing():
    script = Script()
    found = at(builds(), script, tier="summary").profile
    assert (script.boots, found.tier, found.kernel) == (0, "summary", "none")
    assert found.classes[0].name == "saturating-groups"
    assert found.classes[0].confidence < 0.8
    assert [one.tier for one in found.costs] == ["summary", "profile"]
    assert "This machine: 2 CPUs (A CPU)" in found.words


def test_it_stops_at_the_first_tier_at_which_the_class_is_clear():
    script = Script()
    looked = at(batch(), script)
    found = looked.profile
    assert (found.tier, found.classes[0].name) == ("profile", "uneven-batch")
    assert found.classes[0].confidence >= 0.8
    assert script.calls == ["play 0"]
    assert [one.tier for one in found.costs] == ["profile", "probe"]  # what was paid, and what the next one would cost
    assert found.costs[1].seconds > 0
    assert found.wakes == ()
    assert any("--tier probe" in one.reason for one in found.missing)


def test_what_one_run_does_not_tell_is_looked_at_under_probes():
    script = Script()
    found = at(load_workload(ROOT, "sort-join"), script).profile
    assert (found.tier, script.calls) == ("probe", ["play 0", "play probed 0"])
    assert script.boots == 1
    assert all(one.role == "served" for one in found.tasks if one.wakeups > one.tasks)
    assert found.wakes
    assert found.wakes[0].waker in {one.name for one in found.tasks}
    assert found.costs[1].overhead == pytest.approx(0.04, abs=0.001)  # as the model of the guest has it


def test_a_tier_that_was_asked_for_is_reached_and_no_other():
    script = Script()
    assert at(batch(), script, tier="probe").profile.tier == "probe"
    assert at(load_workload(ROOT, "sort-join"), tier="profile").profile.tier == "profile"


def test_a_budget_keeps_it_from_what_is_too_dear():
    script = Script()
    assert at(load_workload(ROOT, "sort-join"), script, budget_s=0.5).profile.tier == "summary"
    assert script.boots == 0
    with pytest.raises(InputError) as refused:
        at(batch(), tier="probe", budget_s=0.5)
    assert refused.value.code == "over-budget"


def test_an_earlier_profile_is_enough_unless_a_tier_is_asked_for():
    earlier = at(batch(), scale=1.0).profile
    script = Script()
    again = at(batch(), script, history=History(profile=earlier), scale=1.0).profile
    assert (script.boots, again.tier) == (0, "summary")
    assert again.classes[0].confidence == earlier.classes[0].confidence
    assert again.classes[0].because.startswith("an earlier run, tier profile on 6.18.15: ")
    anew = at(batch(), script, history=History(profile=earlier), scale=1.0, tier="profile").profile
    assert (script.boots, anew.tier) == (1, "profile")


def test_costs_are_those_of_the_last_time():
    known = replace(at(batch()).profile, costs=(TierCost(tier="profile", seconds=42.0, how="measured"),))
    found = at(batch(), history=History(profile=replace(known, classes=())), tier="summary").profile
    assert [(one.seconds, one.how) for one in found.costs if one.tier == "profile"] == [
        (42.0, "measured the last time")
    ]


def test_hints_are_what_the_jobs_took():
    looked = at(batch())
    assert looked.hints is not None
    assert len(looked.hints.hints) == 11
    assert at(load_workload(ROOT, "ping-pong")).hints is None


def test_large_workloads_are_made_smaller_and_say_so():
    large = replace(builds(), builds=replace(builds().builds, job_work=100_000_000))
    assert at(large, tier="summary").profile.scale < 1
    assert at(large, tier="summary", scale=1.0).profile.scale == 1.0
    requests = replace(
        load_workload(ROOT, "web-requests"),
        requests=RequestsModel(messengers=1, workers=2, duration_ms=9000, work_us=5000, work_sigma=0.2),
    )
    assert at(requests, tier="summary").profile.scale == 1.0  # a smaller one of it would be another workload


def test_the_document_travels_whole():
    found = at(load_workload(ROOT, "sort-join")).profile
    assert decode(Profile, encode(found)) == found


def test_a_run_that_did_not_end_is_no_profile():
    with pytest.raises(Unavailable) as failed:
        at(batch(), Script(failing_in=frozenset({0})))
    assert failed.value.code == "play-failed"
    assert failed.value.hint == "a smaller --scale"


def test_a_lost_guest_is_tried_once_more():
    script, progress = Script(gone_in=frozenset({0})), Progress()
    assert at(batch(), script, progress=progress).profile.tier == "profile"
    assert script.boots == 2
    assert any("tried once more" in event.text for event in progress.events)
    with pytest.raises(GuestLost):
        at(batch(), Script(gone_in=frozenset({0, 1})))
