from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.vm import load_codec as codec
from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.guest import HotplugStep, LoadGroup, LoadPlan, LoadReading, ProgramRuns

HOGS = LoadGroup(name="h", kind="hog", count=2)
PLAN = LoadPlan(
    groups=(HOGS, LoadGroup(name="s", kind="sleeper", count=1)),
    duration_ms=1000,
    program_stats=True,
    hotplug=(HotplugStep(at_ms=1, cpu=1, online=False),),
)
REPLY = b"""cpu_us 500000 400000
group 20000 0 9000 0 0
cpu_us 1000
group 3000 1 80 2 4096
program b_dispatch 10 2500
program a_enqueue 300 1500
duration_us 1002000
state_before enabled
state_after disabled
lost_after_us 900000
context_switches 55
jitter_us 1500
stolen_us 2500
hotplug_failed 1
"""


def reading(data: bytes, plan: LoadPlan = PLAN) -> LoadReading:
    return codec.load_reading(wire.parse_body(data), plan)


def test_a_request_says_everything() -> None:
    groups = (
        LoadGroup(name="h", kind="hog", count=3, nice=5, cpus=(0, 2), start_on=(0,), weight=300),
        LoadGroup(name="t", kind="traced", count=1, work_us=1, sleep_us=2),
    )
    steps = (HotplugStep(at_ms=400, cpu=1, online=False), HotplugStep(at_ms=900, cpu=1, online=True))
    plan = LoadPlan(
        groups=groups,
        duration_ms=1500,
        until_runs=100_000,
        of_program="a_long_name_of_a_program",
        max_ms=9000,
        hotplug=steps,
        program_stats=True,
        stay_through_loss=True,
    )
    assert codec.load_request(plan) == (
        b"load 1500 9000 100000 1 1 0 a_long_name_of_\n"
        b"cpu 400 1 0\ncpu 900 1 1\n"
        b"group 0 3 5 5 1 300 500 5000 0 0\ngroup 9 1 0 0 0 0 1 2 0 0"
    )


def test_a_plain_request() -> None:
    plan = LoadPlan(groups=(HOGS,), duration_ms=5)
    assert codec.load_request(plan) == b"load 5 0 0 0 0 0 -\ngroup 0 2 0 0 0 0 500 5000 0 0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "miner"},
        {"count": 0},
        {"count": 1025},
        {"cpus": (64,)},
        {"start_on": (-1,)},
        {"kind": "pipe", "count": 3},
        {"nice": 20},
        {"weight": 10001},
        {"work_us": -1},
        {"sleep_us": 10**9},
    ],
)
def test_a_group_the_generator_cannot_run(wrong: dict) -> None:
    group = LoadGroup(**{"name": "x", "kind": "hog", "count": 1, **wrong})
    with pytest.raises(InputError):
        codec.load_request(LoadPlan(groups=(group,), duration_ms=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": ()},
        {"groups": (HOGS,) * 65},
        {"duration_ms": 0},
        {"max_ms": 10**9},
        {"until_runs": 5},
        {"of_program": "two words", "until_runs": 5},
        {"hotplug": (HotplugStep(at_ms=1, cpu=64, online=True),)},
        {"hotplug": (HotplugStep(at_ms=1, cpu=1, online=True),) * 65},
        {"hotplug": (HotplugStep(at_ms=-1, cpu=1, online=True),)},
    ],
)
def test_a_plan_the_generator_cannot_run(wrong: dict) -> None:
    with pytest.raises(InputError):
        codec.load_request(LoadPlan(**{"groups": (HOGS,), "duration_ms": 1, **wrong}))


def test_a_reading() -> None:
    seen = reading(REPLY)
    assert [group.name for group in seen.groups] == ["h", "s"]
    assert (seen.groups[0].cpu_ms, seen.groups[0].max_wait_ms) == ((500.0, 400.0), 20.0)
    assert (seen.groups[1].never_ran, seen.groups[1].affinity_violations, seen.groups[1].wake_p99_us) == (1, 2, 4096)
    assert (seen.state_before, seen.state_after, seen.lost_after_ms) == ("enabled", "disabled", 900.0)
    assert seen.programs == (
        ProgramRuns(name="a_enqueue", runs=300, ns_per_run=1.5),
        ProgramRuns(name="b_dispatch", runs=10, ns_per_run=2.5),
    )
    assert (seen.hotplug_failed, seen.harness_jitter_ms, seen.stolen_ms) == (1, 1.5, 2.5)


def test_programs_of_one_name_are_one_entry() -> None:
    seen = reading(REPLY.replace(b"b_dispatch 10 2500", b"a_enqueue 100 2500"))
    assert seen.programs == (ProgramRuns(name="a_enqueue", runs=400, ns_per_run=1.75),)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"group 20000", b"group nan"),
        (b"group 20000", b"group 1e3"),
        (b"group 20000", b"group -20000"),
        (b"group 20000", b"group 9223372036854775807"),
        (b"group 20000 0 9000 0 0\n", b""),
        (b"group 20000 0 9000 0 0", b"group 20000 3 9000 0 0"),
        (b"group 3000 1 80 2 4096", b"group 3000 1 80 2 4611686018427387904"),
        (b"group 3000 1 80 2 4096", b"group 3000 1 80 2"),
        (b"cpu_us 500000 400000", b"cpu_us 500000"),
        (b"cpu_us 1000", b"cpu_us 99999999999999"),
        (b"duration_us 1002000", b"duration_us 99999999999999"),
        (b"lost_after_us 900000", b"lost_after_us 1002001"),
        (b"state_after disabled", b"state_after PASS"),
        (b"state_before enabled\n", b"state_before enabled\nstate_before disabled\n"),
        (b"program a_enqueue 300", b"program a_enqueue;rm 300"),
        (b"program a_enqueue 300", b"program a_enqueue_is_much_too_long 300"),
        (b"program a_enqueue 300 1500", b"program a_enqueue 300"),
        (b"program a_enqueue 300", b"program a_enqueue inf"),
        (b"program a_enqueue 300 1500\n", b"program a_enqueue 300 1500\n" * 128),
        (b"hotplug_failed 1", b"hotplug_failed 2"),
        (b"jitter_us 1500", b"jitter_us 99999999999999"),
        (b"jitter_us 1500\n", b""),
        (b"stolen_us 2500", b"stolen_us 99999999999999"),
        (b"stolen_us 2500\n", b""),
    ],
)
def test_a_reading_that_cannot_be_is_garbled(good: bytes, bad: bytes) -> None:
    assert good in REPLY
    with pytest.raises(wire.Garbled):
        reading(REPLY.replace(good, bad))


def test_programs_nobody_asked_for_are_garbled() -> None:
    with pytest.raises(wire.Garbled, match="2 programs"):
        reading(REPLY, LoadPlan(groups=PLAN.groups, duration_ms=1000, hotplug=PLAN.hotplug))


@given(st.integers(0, len(REPLY)), st.binary(max_size=40), st.integers(0, 60))
def test_a_reply_with_anything_in_it_is_read_or_garbled(at: int, put: bytes, instead_of: int) -> None:
    try:
        seen = reading(REPLY[:at] + put + REPLY[at + instead_of :])
    except wire.Garbled:
        return
    assert len(seen.groups) == 2
    assert all(0 <= group.max_wait_ms <= seen.duration_ms + 600_000 for group in seen.groups)
    assert all(program.name.isascii() for program in seen.programs)
