from __future__ import annotations

import contextlib
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.vm import play_codec as codec
from schedops.adapters.vm import wire
from schedops.errors import InputError, Unavailable
from schedops.model.guest import PlayReading
from schedops.model.simulation import (
    CpuResult,
    Histogram,
    Instruction,
    Op,
    SimCgroup,
    SimPlan,
    SimTask,
    Sync,
    SyncKind,
    TaskResult,
)

QUEUE = Sync(kind=SyncKind.QUEUE, value=4)
PLAN = SimPlan(
    seed=-3,
    tasks=(
        SimTask(name="a", program=0, hint_ns=5),
        SimTask(name="b", program=0, label=1, nice=-2, arrival_ns=-1, realtime=True, cpuset=0),
    ),
    programs=((Instruction(Op.RUN, 9), Instruction(Op.SEND, 0)),),
    labels=("x", "y"),
    syncs=(QUEUE,),
    tables=((4, 5),),
    cpusets=((1,),),
    end_ns=10,
)
REPLY = b"""verdict done
message 
end_ns 1000000
ns_per_1000 1500
ejected 0
hints_accepted 1
context_switches 77
cgroups_us 0
rusage_us 20
clean 1
arrived 1 501
first_run 101 601
completed 900001 0
cpu_ns 700000 300000
wait_ns 50 60
switches 4 5
preemptions 2 3
wakeups 6 7
migrations 1 0
wakeup 3 2 40 1
request 
wakeup
request 975 4294967295
watched_ns 1050000
busy_ns 900000 1100000
"""  # noqa: W291 - a field without a value


def reading(data: bytes, plan: SimPlan = PLAN) -> PlayReading:
    return codec.play_reading(wire.parse_body(data), plan, cpus=2)


def test_a_request_says_everything() -> None:
    payload = codec.play_request(PLAN, cpus=2, name_seed=(1 << 64) - 9)
    assert [word for (word,) in struct.iter_unpack("<q", payload)] == [
        *(-3, 10, -9, 0),
        *(2, 2, 1),  # labels, tasks, cgroups
        *(-1, 100),
        *(1, 2, 4, 5),
        *(1, 2, 0, 0, 0, 0, 0, 0, 0),
        *(1, 3, 4),
        *(1, 2, 1, 9, 0, 0, 19, 0, 0, 0),
        *(0, 0, 0, 0, -1, 0, 5, 0),
        *(0, 1, 0, -2, 0, -1, 0, 1),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tasks": (SimTask(name="a", program=0),) * 4097},
        {"labels": ("x",) * 65},
        {"cgroups": (SimCgroup(name="/", parent=-1), *(SimCgroup(name="g"),) * 64)},
        {"syncs": (QUEUE,) * 4097},
        {"syncs": (replace(QUEUE, value=65536),) * 5},
        {"tables": ((1,),) * 513},
        {"tables": ((0,) * (3 << 20),)},
        {"cpusets": ((2,),)},
        {"offline_ns": 5},
        {"tasks": (SimTask(name="a", program=0, kernel=True),)},
        {
            "cgroups": (SimCgroup(name="/", parent=-1), SimCgroup(name="a"), SimCgroup(name="b", parent=1)),
            "tasks": (SimTask(name="a", program=0, cgroup=1),),
        },
    ],
)
def test_a_plan_that_cannot_be_played(wrong: dict) -> None:
    with pytest.raises(InputError) as caught:
        codec.play_request(replace(PLAN, **wrong), cpus=2, name_seed=1)
    assert caught.value.code in ("too-large", "not-playable", "sim-plan")


def test_a_reading() -> None:
    seen = reading(REPLY)
    assert (seen.ns_per_1000, seen.hints_accepted, seen.cpu_ns, seen.wall_ns) == (1500, 1, 1_000_000, 1_000_000)
    assert (seen.context_switches, seen.clean, seen.result.end.verdict) == (77, True, "done")
    assert seen.result.tasks[0] == TaskResult(
        arrival_ns=0,
        first_run_ns=100,
        completion_ns=900_000,
        cpu_ns=700_000,
        wait_ns=50,
        max_wait_ns=-1,
        switches=4,
        preemptions=2,
        wakeups=6,
        migrations=(1, 0, 0),
    )
    assert seen.result.tasks[1].completion_ns == -1
    assert seen.result.labels[0].wakeup == Histogram(((3, 2), (40, 1)))
    assert [label.request.counts for label in seen.result.labels] == [(), ((975, 4294967295),)]
    assert seen.result.cpus == (
        CpuResult(busy_ns=900_000, idle_ns=150_000, idle_waste_ns=-1),
        CpuResult(busy_ns=1_100_000, idle_ns=0, idle_waste_ns=-1),
    )
    assert (seen.result.wakeups, seen.result.decisions, seen.result.end_ns) == (13, 77, 1_000_000)


def test_how_it_ended() -> None:
    stuck = reading(REPLY.replace(b"verdict done\nmessage ", b"verdict stuck\nmessage two are \x1b[31mleft"))
    assert (stuck.result.end.verdict, "\x1b" in stuck.result.end.message) == ("stuck", False)
    with pytest.raises(Unavailable) as caught:
        reading(REPLY.replace(b"verdict done\nmessage ", b"verdict no-room\nmessage for task 3"))
    assert caught.value.code == "guest-too-small"


def test_what_cgroups_count_is_told_of_plans_that_have_some() -> None:
    data = REPLY.replace(b"cgroups_us 0", b"cgroups_us 990")
    own = replace(PLAN, cgroups=(SimCgroup(name="/", parent=-1), SimCgroup(name="a")))
    assert reading(data, own).cgroup_ns == 990_000
    assert reading(data).cgroup_ns is None
    assert reading(REPLY, own).cgroup_ns is None  # what cannot be read is not zero


def test_a_kernel_that_does_not_say_how_busy_its_cpus_were() -> None:
    assert reading(REPLY.replace(b"busy_ns 900000 1100000", b"busy_ns")).result.cpus == ()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"verdict done", b"verdict PASS"),
        (b"verdict done\n", b""),
        (b"verdict done\n", b"verdict done\nverdict late\n"),
        (b"end_ns 1000000", b"end_ns 99999999999999999"),
        (b"end_ns 1000000", b"end_ns 800000"),
        (b"hints_accepted 1", b"hints_accepted 2"),
        (b"ejected 0", b"ejected 1"),
        (b"clean 1", b"clean yes"),
        (b"cgroups_us 0", b"cgroups_us 99999999999999"),
        (b"rusage_us 20", b"rusage_us 99999999999999"),
        (b"arrived 1 501", b"arrived 1"),
        (b"arrived 1 501", b"arrived 1 0"),
        (b"arrived 1 501", b"arrived 102 501"),
        (b"first_run 101 601", b"first_run 0 601"),
        (b"first_run 101 601", b"first_run 101 1000002"),
        (b"completed 900001 0", b"completed 1000002 0"),
        (b"completed 900001 0", b"completed 99 0"),
        (b"cpu_ns 700000 300000", b"cpu_ns 700000 61000000000"),
        (b"cpu_ns 700000 300000", b"cpu_ns 60000000000 60002000001"),
        (b"wait_ns 50", b"wait_ns 99999999999999"),
        (b"switches 4", b"switches 4611686018427387904"),
        (b"wakeups 6", b"wakeups -6"),
        (b"wakeup 3 2 40 1", b"wakeup 3 2 40"),
        (b"wakeup 3 2 40 1", b"wakeup 40 2 3 1"),
        (b"wakeup 3 2 40 1", b"wakeup 3 2 3 1"),
        (b"wakeup 3 2 40 1", b"wakeup 3 0"),
        (b"wakeup 3 2 40 1\n", b""),
        (b"request 975 4294967295", b"request 976 1"),
        (b"request 975 4294967295", b"request 975 4294967296"),
        (b"busy_ns 900000 1100000", b"busy_ns 900000"),
        (b"busy_ns 900000", b"busy_ns 99999999999999"),
        (b"watched_ns 1050000", b"watched_ns 999999"),
        (b"watched_ns 1050000", b"watched_ns 99999999999999"),
        (b"ns_per_1000 1500", b"ns_per_1000 0"),
    ],
)
def test_a_reading_that_cannot_be(good: bytes, bad: bytes) -> None:
    assert good in REPLY
    with pytest.raises(wire.Garbled):
        reading(REPLY.replace(good, bad))


def test_a_play_that_went_on_without_its_policy() -> None:
    assert reading(REPLY.replace(b"ejected 0", b"ejected 31"), replace(PLAN, go_on=True)).result.ejected_ns == 30
    assert reading(REPLY, replace(PLAN, go_on=True)).result.ejected_ns == -1


def test_done_without_an_end_is_all_done() -> None:
    with pytest.raises(wire.Garbled, match="tasks are left"):
        reading(REPLY, replace(PLAN, end_ns=0))


LINES = REPLY.split(b"\n")


@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=40), max_size=30))
def test_nothing_else_than_garbled_comes_of_nonsense(lines: list[bytes]) -> None:
    with contextlib.suppress(wire.Garbled):
        reading(b"\n".join(lines))


@given(st.integers(0, len(LINES) - 2), st.lists(st.integers(-2, 1 << 64), max_size=4))
def test_figures_that_are_taken_could_be(line: int, numbers: list[int]) -> None:
    name = LINES[line].partition(b" ")[0]
    changed = [*LINES]
    changed[line] = name + b"".join(b" %d" % number for number in numbers)
    try:
        seen = reading(b"\n".join(changed))
    except wire.Garbled:
        return
    for task in seen.result.tasks:
        times = [ns for ns in (task.arrival_ns, task.first_run_ns, task.completion_ns) if ns >= 0]
        assert times == sorted(times)
        assert max(times, default=0) <= seen.wall_ns
