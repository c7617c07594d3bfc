"""Recordings as profiles: what is added up, who is left out, and the class that follows."""

from __future__ import annotations

import pytest

from schedops.model.probe import probe_bucket, probe_bucket_bounds
from schedops.model.profile import Profile
from schedops.pipeline.traced import recorded
from schedops.schema.decode import decode, encode
from schedops.sim.programs.trace_text import recording


def trace(*lines: str) -> str:
    """Lines as ``<ms> <who>-<pid> <cpu> <rest>``."""
    out = []
    for line in lines:
        ms, who, cpu, rest = line.split(" ", 3)
        out.append(f"{who} [{int(cpu):03}] d..2. {float(ms) / 1000:.6f}: {rest}")
    return "\n".join(out)


def ping_pong(rounds: int) -> str:
    lines = ["0 idle-0 0 sched_switch: swapper/0:0 [120] R ==> ping:11 [120]"]
    at = 0.0
    for _ in range(rounds):
        at += 0.1
        lines += [
            f"{at:.3f} ping-11 0 sched_wakeup: pong:12 [120] CPU:001",
            f"{at + 0.01:.3f} ping-11 0 sched_switch: ping:11 [120] S ==> pong:12 [120]",
            f"{at + 0.1:.3f} pong-12 0 sched_wakeup: ping:11 [120] CPU:000",
            f"{at + 0.11:.3f} pong-12 0 sched_switch: pong:12 [120] S ==> ping:11 [120]",
        ]
        at += 0.1
    lines += [
        f"{at + 1:.3f} ping-11 0 sched_switch: ping:11 [120] X ==> pong:12 [120]",
        f"{at + 2:.3f} pong-12 0 sched_switch: pong:12 [120] X ==> swapper/0:0 [120]",
    ]
    return trace(*lines)


def test_tasks_that_wake_each_other() -> None:
    looked = recorded(recording(ping_pong(200), where="t"), "t", "t.txt")
    found = looked.profile
    assert found.classes[0].name == "message-passing"
    assert {one.name: (one.role, one.woken_by_tasks) for one in found.tasks} == {
        "ping": ("served", 1.0),
        "pong": ("served", 1.0),
    }
    assert {(one.waker, one.woken, one.times) for one in found.wakes} == {("ping", "pong", 200), ("pong", "ping", 200)}
    figures = {one.name: one.value for one in found.figures}
    assert figures["parallelism"] == pytest.approx(1.0, abs=0.01)  # somebody always ran
    assert figures["ended_share"] == 1.0
    assert "ping" in found.words
    assert "by what was recorded" in found.words
    assert found.source == "recording t.txt"
    assert any(one.what == "requests" for one in found.missing)
    assert looked.probed is not None
    assert sum(slot.run_ns for slot in looked.probed.slots) == sum(one.run_ns for one in looked.probed.classes)


def test_perf_does_not_say_what_a_timer_woke() -> None:
    found = recorded(recording(ping_pong(200).replace(" d..2.", ""), where="t"), "t", "t.txt").profile
    assert {one.name: (one.role, one.woken_by_tasks) for one in found.tasks} == {
        "ping": ("sleeper", None),
        "pong": ("sleeper", None),
    }
    assert "timer_wakeup_share" not in {one.name for one in found.figures}
    assert any(one.what == "which wake-ups are by timers or devices" for one in found.missing)
    assert (found.classes[0].name, found.classes[0].confidence) == ("message-passing", 0.6)


def test_waiting_is_counted_and_threads_of_the_kernel_are_not() -> None:
    text = trace(
        "0 idle-0 0 sched_switch: swapper/0:0 [120] R ==> a:1 [120]",
        "1 a-1 0 sched_wakeup: b:2 [120] CPU:000",
        "1 a-1 0 sched_wakeup: kworker/0:1:9 [120] CPU:000",
        "4 a-1 0 sched_switch: a:1 [120] R ==> b:2 [120]",
        "6 b-2 0 sched_switch: b:2 [120] S ==> kworker/0:1:9 [120]",
        "7 kworker/0:1-9 0 sched_switch: kworker/0:1:9 [120] S ==> rt:7 [49]",
        "8 rt-7 0 sched_switch: rt:7 [49] S ==> a:1 [120]",
        "9 a-1 0 sched_switch: a:1 [120] X ==> swapper/0:0 [120]",
    )
    rows = {one.name: one for one in recorded(recording(text, where="t"), "t", "t.txt").profile.tasks}
    assert set(rows) == {"a", "b"}
    assert (rows["a"].cpu_ms, rows["a"].wait_ms) == pytest.approx((5, 4))
    assert (rows["b"].cpu_ms, rows["b"].wait_ms) == pytest.approx((2, 3))
    assert rows["b"].wait_p99_us == pytest.approx(3000, rel=0.13)


def test_names_of_tasks_are_a_strangers_words() -> None:
    text = ping_pong(3).replace("ping:11", "p\x1b[31m:11")
    found = recorded(recording(text, where="t"), "t", "t.txt").profile
    assert len(found.tasks) == 2
    assert "\x1b" not in repr(found)
    assert decode(Profile, encode(found)) == found


@pytest.mark.parametrize("ns", [0, 1, 3, 4, 5, 7, 8, 1000, 123_456_789, 1 << 40, (1 << 62) + 5])
def test_a_time_is_in_its_bucket(ns: int) -> None:
    low, high = probe_bucket_bounds(probe_bucket(ns))
    assert low <= ns < high
