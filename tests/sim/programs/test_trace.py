"""Recordings of the scheduler to tasks: by hand, there and back again, and hostile ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.model.simulation import SimVerdict
from schedops.model.workload import Objective
from schedops.schema.read import load
from schedops.schema.write import yaml_bytes
from schedops.sim.programs import trace_model
from schedops.sim.programs.trace_model import imported
from schedops.sim.programs.trace_text import Switch, Wakeup, recording
from tests.sim.programs.kinds import ran, workload

# Two CPUs. a runs 1 ms, wakes b, runs 2 ms more and sleeps 4 ms (a timer wakes it); b runs 3 ms; a runs 1 ms.
BY_NAME = """
# perf sched script
            a   101 [000]  10.000000: sched:sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=a next_pid=101 next_prio=120
            a   101 [000]  10.001000: sched:sched_wakeup: comm=b b pid=102 prio=125 target_cpu=001
      swapper     0 [001]  10.001010: sched:sched_switch: prev_comm=swapper/1 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=b b next_pid=102 next_prio=125
            a   101 [000]  10.003000: sched:sched_switch: prev_comm=a prev_pid=101 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120
          b b   102 [001]  10.004010: sched:sched_switch: prev_comm=b b prev_pid=102 prev_prio=125 prev_state=X ==> next_comm=swapper/1 next_pid=0 next_prio=120
      swapper     0 [000]  10.007000: sched:sched_wakeup: comm=a pid=101 prio=120 target_cpu=000
      swapper     0 [000]  10.007000: sched:sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=a next_pid=101 next_prio=120
            a   101 [000]  10.008000: sched:sched_switch: prev_comm=a prev_pid=101 prev_prio=120 prev_state=X ==> next_comm=swapper/0 next_pid=0 next_prio=120
"""  # noqa: E501
SHORT = """
 a-101     [000] d..2.    10.000000000: sched_switch: swapper/0:0 [120] R ==> a:101 [120]
 a-101     [000] d..4.    10.001000000: sched_wakeup: b b:102 [125]<CPU:001>
 <idle>-0  [001] d..2.    10.001010000: sched_switch: swapper/1:0 [120] R ==> b b:102 [125]
 a-101     [000] d..2.    10.003000000: sched_switch: a:101 [120] S ==> swapper/0:0 [120]
 b b-102   (  102) [001] d..2. 10.004010: sched_switch: b b:102 [125] X ==> swapper/1:0 [120]
 <idle>-0  [000] d.h4.    10.007000000: sched_wakeup: a:101 [120]<CPU:000>
 <idle>-0  [000] d..2.    10.007000000: sched_switch: swapper/0:0 [120] R ==> a:101 [120]
 a-101     [000] d..2.    10.008000000: sched_switch: a:101 [120] X ==> swapper/0:0 [120]
"""


def model(text: str):
    return imported(recording(text, where="t"), where="t")


def flow(one) -> list[tuple[str, float, str]]:
    return [(step.do, step.us, step.name) for step in one.phases[0].steps]


@pytest.mark.parametrize("text", [BY_NAME, SHORT])
def test_runs_sleeps_and_wake_ups(text):
    found = model(text)
    a, b = found.model.classes
    assert (a.name, a.nice, b.name, b.nice) == ("a.101", 0, "b_b.102", 5)
    assert flow(a) == [
        ("run", 1000, ""),
        ("post", 0, "w102"),
        ("run", 2000, ""),
        ("sleep", 4000, ""),
        ("run", 1000, ""),
    ]
    assert flow(b) == [("wait", 0, "w102"), ("run", 3000, "")]
    assert (found.seconds, found.of_seconds, found.left_out) == (0.008, 0.008, 0)


def test_the_model_runs_as_long_as_the_recording():
    _run, result = ran(workload(tasks=model(BY_NAME).model))
    assert result.end.verdict == SimVerdict.DONE
    assert [round(one.completion_ns / 1e6, 2) for one in result.tasks] == [8, 4]


def test_being_pushed_aside_is_no_sleep():
    text = SHORT.replace("a:101 [120] S ==>", "a:101 [120] R+ ==>").replace("sched_wakeup: a:101", "other: a:101")
    assert flow(model(text).model.classes[0])[-1] == ("run", 3000, "")


def test_a_wake_up_from_an_interrupt_is_a_timer():
    text = SHORT.replace("a-101     [000] d..4.    10.001", "a-101     [000] d.h4.    10.001")
    a, b = model(text).model.classes
    assert "post" not in [do for do, *_ in flow(a)]
    assert (b.start_ms, flow(b)) == (1.0, [("run", 3000, "")])


def test_a_new_task_is_forked_by_who_made_it():
    text = SHORT.replace("sched_wakeup: b b", "sched_wakeup_new: b b")
    a, b = model(text).model.classes
    assert flow(a)[1] == ("fork", 0, "b_b.102")
    assert (b.tasks, flow(b)) == (0, [("run", 3000, "")])
    _run, result = ran(workload(tasks=model(text).model))
    assert result.end.verdict == SimVerdict.DONE
    assert sorted(one.cpu_ns for one in result.tasks) == [3_000_000, 4_000_000]


def test_real_time_tasks_are_left_out_and_counted():
    found = model(SHORT.replace("b b:102 [125]", "b b:102 [49]"))
    assert ([one.name for one in found.model.classes], found.left_out) == (["a.101"], 1)


def test_a_long_recording_is_cut(monkeypatch):
    monkeypatch.setattr(trace_model, "MAX_STEPS", 300)
    lines = []
    for at in range(1000):
        time = 10 + at / 1000
        lines += [
            f"a-1 [000] {time:.6f}: sched_switch: a:1 [120] S ==> b:2 [120]",
            f"b-2 [000] {time + 0.0005:.6f}: sched_wakeup: a:1 [120]",
            f"b-2 [000] {time + 0.0006:.6f}: sched_switch: b:2 [120] R ==> a:1 [120]",
        ]
    found = model("\n".join(lines))
    steps = sum(len(one.phases[0].steps) for one in found.model.classes)
    assert 250 < steps <= 300
    assert 0 < found.seconds < found.of_seconds / 5
    assert ran(workload(tasks=found.model))[1].end.verdict == SimVerdict.DONE


def test_what_it_writes_is_a_workload():
    wanted = Objective(metric="makespan_ms", unit="ms", direction="lower", min_effect=0.05)
    made = replace(workload(tasks=model(BY_NAME).model), objectives=(wanted,))
    assert load(yaml_bytes(made), type(made)) == made


@pytest.mark.parametrize("text", ["", "hello\n" * 9, "# sched_switch: nothing\n"])
def test_what_is_no_trace(text):
    with pytest.raises(InputError) as caught:
        model(text)
    assert caught.value.code == "no-trace"


def test_an_event_that_cannot_be_read_has_a_line():
    with pytest.raises(InputError) as caught:
        model(SHORT + "a-101 [000] 11.0: sched_switch: what?\n")
    assert (caught.value.code, caught.value.where) == ("bad-trace", "t:10")


EVENTS = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 1), st.sampled_from(["switch", "wake", "new", "irq"]),
              st.integers(0, 5), st.integers(0, 5), st.sampled_from(["R", "S", "D", "X", "R+"])),
    min_size=1, max_size=60,
)  # fmt: skip


@given(EVENTS)
def test_any_recording_makes_a_model_that_comes_to_an_end(events):
    lines, now = ["a-1 [000] 1.000000: sched_switch: a:1 [120] R ==> b:2 [120]"], 1_000_000
    for gap, cpu, kind, one, two, state in events:
        now += gap
        head = f"t-{one} [00{cpu}] d.{'h' if kind == 'irq' else '.'}2. {now // 1_000_000}.{now % 1_000_000:06}:"
        if kind == "switch":
            lines.append(f"{head} sched_switch: t:{one} [120] {state} ==> t:{two} [120]")
        else:
            lines.append(f"{head} sched_wakeup{'_new' if kind == 'new' else ''}: t:{two} [120]")
    try:
        found = model("\n".join(lines))
    except InputError:  # nothing but idleness
        return
    assert ran(workload(tasks=found.model))[1].end.verdict == SimVerdict.DONE


@given(st.text(alphabet="sched_switch: wakeup=>[]0123456789.prev_pidcomRSX\n ", max_size=300))
def test_no_text_is_a_bug(text):
    for tried in (text, f"a-1 [000] 1.000000: sched_switch: {text}\n"):
        try:
            model(tried)
        except InputError:
            continue


def test_long_lines_and_numbers_are_not_slow():
    with pytest.raises(InputError):
        recording("a-1 [000] " + "9" * 5_000_000 + " sched_switch: x\n", where="t")
    with pytest.raises(InputError):
        recording(("a " * 400 + "sched_switch: " + "[1] " * 100 + "\n") * 20_000, where="t")


def test_the_two_kinds_of_events():
    found = recording(BY_NAME, where="t")
    assert found.events[0] == Switch(10_000_000_000, 0, 0, True, False, 101)
    assert found.events[1] == Wakeup(10_001_000_000, 102, 101, False)
    assert found.names[102] == "b b"
