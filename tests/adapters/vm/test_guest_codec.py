from __future__ import annotations

import pytest

from schedops.adapters.vm import guest_codec as codec
from schedops.adapters.vm import wire
from schedops.errors import InputError
from schedops.model.guest import SchedState
from schedops.model.jobs import Group, Job, JobPlan, RunSetup

STATE = b"now.state enabled\nnow.ops x\nnow.enable_seq 3\nnow.switch_all 1\nnow.nr_rejected 0\nnow.task_on_ext 1\n"


def plan(*jobs: Job, groups: tuple[Group, ...] = (Group(arrival_us=5, parallel=(4, 1)),)) -> JobPlan:
    return JobPlan(seed=1, cpus=2, groups=groups, jobs=jobs)


def setup(n: int, **other) -> RunSetup:
    values = {"cgroup_per_group": True, "nice": (0,) * n, "hint_ns": (9,) * n, "name_seed": 7}
    return RunSetup(**{**values, **other})


def job(**other) -> Job:
    return Job(**{"key": "k", "group": 0, "phase": 0, "work": 100, **other})


def test_state() -> None:
    assert codec.sched_state(wire.parse_body(STATE), "now") == SchedState(
        state="enabled", ops="x", enable_seq=3, switch_all=1, nr_rejected=0, task_on_ext=True
    )


def test_task_on_ext_unknown_is_not_false() -> None:
    body = wire.parse_body(STATE.replace(b"task_on_ext 1", b"task_on_ext -1"))
    assert codec.sched_state(body, "now").task_on_ext is None


@pytest.mark.parametrize(
    ("good", "bad"),
    [(b"state enabled", b"state fine"), (b"on_ext 1", b"on_ext 2"), (b"enable_seq 3", b"enable_seq -3")],
)
def test_state_of_another_type_is_garbled(good: bytes, bad: bytes) -> None:
    with pytest.raises(wire.Garbled):
        codec.sched_state(wire.parse_body(STATE.replace(good, bad)), "now")


ATTACHED = (
    b"outcome attached\nerrno 0\ntook_us 500000\n"
    b"program b_two 7 2 1 0 56 60\nprogram a_one 90 12 8 104 700 650\n"
    + STATE.replace(b"now.", b"before.")
    + STATE.replace(b"now.", b"after.")
    + b"\nlibbpf: \x1b[2Ja word\n"
)


def test_attach_reading() -> None:
    reading = codec.attach_reading(wire.parse_body(ATTACHED))
    assert (reading.outcome, reading.seconds, reading.verified_instructions) == ("attached", 0.5, 97)
    assert "\x1b" not in reading.log
    first, second = reading.programs
    assert (first.name, second.name) == ("a_one", "b_two")
    assert (first.total_states, first.peak_states, first.stack_bytes) == (12, 8, 104)
    assert (first.xlated_bytes, first.jited_bytes) == (700, 650)


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (b"outcome attached", b"outcome wonderful"),
        (b"took_us 500000", b"took_us -1"),
        (b"took_us 500000\n", b""),
        (b"program a_one 90", b"program a;one 90"),
        (b"program a_one 90", b"program a_one NaN"),
        (b"program a_one 90", b"program a_one 4294967296"),
        (b"program a_one 90 12 8 104 700 650", b"program a_one 90 12 8 104 700"),
        (b"program a_one", b"program " + b"a" * 64),
        (b"program a_one 90 12 8 104 700 650\n", b"program a_one 90 12 8 104 700 650\n" * 128),
    ],
)
def test_an_attach_reading_that_cannot_be_is_garbled(good: bytes, bad: bytes) -> None:
    assert good in ATTACHED
    with pytest.raises(wire.Garbled):
        codec.attach_reading(wire.parse_body(ATTACHED.replace(good, bad)))


def test_job_request() -> None:
    text = codec.job_request(plan(job(), job(phase=1, work=200)), setup(2, nice=(0, 10), hint_ns=(0, 5)))
    assert text == b"head 1 7\ngroup 5 0 2 4 1\njob 0 0 100 0 0\njob 0 1 200 10 5"


def test_job_request_with_a_hint_for_the_whole_group() -> None:
    assert b"\ngroup 5 18 2 4 1\n" in codec.job_request(plan(job(), job()), setup(2, group_hint_ns=(18,)))
    with pytest.raises(InputError, match="one hint per group"):
        codec.job_request(plan(job()), setup(1, group_hint_ns=(18, 18)))


@pytest.mark.parametrize(
    ("jobs", "groups", "nice"),
    [
        ((job(group=1),), (Group(arrival_us=0, parallel=(1,)),), (0,)),
        ((job(phase=1),), (Group(arrival_us=0, parallel=(1,)),), (0,)),
        ((job(),), (Group(arrival_us=0, parallel=(0,)),), (0,)),
        ((job(),), (Group(arrival_us=0, parallel=(1,)),), ()),
        ((job(),) * 1001, (Group(arrival_us=0, parallel=(1,)),), (0,) * 1001),
    ],
)
def test_a_plan_the_launcher_cannot_run(jobs: tuple[Job, ...], groups: tuple[Group, ...], nice: tuple) -> None:
    with pytest.raises(InputError):
        codec.job_request(plan(*jobs, groups=groups), setup(len(jobs), nice=nice))


def test_a_run_with_a_job_missing_is_garbled() -> None:
    columns = ("start_us", "end_us", "cpu_us", "run_delay_us", "voluntary", "involuntary", "exit_codes")
    text = "".join(f"{name} 1 2\n" for name in columns) + "hints_accepted 0\nwall_us 9\ncontext_switches 1\nwakeups 1\n"
    assert codec.run_reading(wire.parse_body(text.encode()), 2).end_us == (1, 2)
    with pytest.raises(wire.Garbled):
        codec.run_reading(wire.parse_body(text.encode()), 3)
