"""Dumps as scx_dump_state() of 6.16 and 7.3 writes them, told in sentences."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.verify.stall_dump import read_dump, stall_words

DUMPS = Path(__file__).parents[1] / "data/dumps"
DUMP = """\
kworker/u8:1[28] triggered exit kind 1026:
  runnable task stall (very niced[97] failed to run for 5.012s)

Backtrace:
  check_rq_for_timeouts+0xdf/0x120
  scx_watchdog_workfn+0x64/0x90

CPU states
----------

CPU 0   : nr_run=1 flags=0x1 cpu_rel=0 ops_qseq=12 ksync=8
          curr=hog 1[90] class=ext_sched_class

 *R hog 1[90] -3ms
      scx_state/flags=3/0xd dsq_flags=0x0 ops_state/qseq=0/0
      sticky/holding_cpu=-1/-1 dsq_id=(n/a)
      dsq_vtime=0 slice=1234567 weight=100
      cpus=3

CPU 1   : nr_run=3 flags=0x5 cpu_rel=0 ops_qseq=400 ksync=9
          curr=kworker/u9:0[29] class=fair_sched_class

  R very niced[97] -5012ms
      scx_state/flags=3/0x9 dsq_flags=0x1 ops_state/qseq=0/17
      sticky/holding_cpu=-1/-1 dsq_id=0x2
      dsq_vtime=0 slice=5000000 weight=15
      cpus=2

    schedule+0x27/0xf0

  R niced[98] -5004ms
      scx_state/flags=3/0x9 dsq_flags=0x1 ops_state/qseq=0/18
      sticky/holding_cpu=-1/-1 dsq_id=0x2
      dsq_vtime=0 slice=5000000 weight=36
      cpus=3

Event counters
--------------
 SCX_EV_SELECT_CPU_FALLBACK: 0
"""
# 7.1 and later say whose task it is, and whether its migration is disabled.
NEWER = (
    DUMP.replace("[97] -5", "[97] *root -5").replace("[98] -5", "[98] sub1-7 -5").replace("cpus=2", "cpus=3 no_mig=1")
)


def test_a_task_in_a_queue_that_nobody_empties() -> None:
    assert stall_words(DUMP) == (
        "very niced[97] (weight 15, where nice 0 has 100) was ready to run for 5.0 s on CPU 1 and did not run; "
        "it may run on CPU 1 only. "
        "It was in queue 2 with 1 more, and ops.dispatch() on CPU 1 never took it from there. "
        "Meanwhile CPU 1 ran kworker/u9:0[29] of another class (fair_sched_class), 3 tasks ready to run."
    )


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (
            "6.16.12",
            (
                "okupcgsranxg[146] (weight 4, where nice 0 has 100) was ready to run for 7.6 s on CPU 0 and did not "
                "run. "
                "It was in queue 2 with 1 more, and ops.dispatch() on none of its CPUs took it from there. "
                "5 tasks were ready to run on CPU 0."
            ),
        ),
        (
            "7.3.4",
            (
                "mrtzlqabxtoh[107] (weight 4, where nice 0 has 100) was ready to run for 5.3 s on CPU 1 and did not "
                "run. "
                "It was in queue 2 with 1 more, and ops.dispatch() on none of its CPUs took it from there. "
                "6 tasks were ready to run on CPU 1."
            ),
        ),
    ],
)
def test_dumps_of_real_kernels(kernel: str, words: str) -> None:
    """``tests/data/policies/stalls.bpf.c`` under hogs of nice 0 and 15."""
    assert stall_words((DUMPS / f"stall-{kernel}.txt").read_text()) == words


def test_newer_kernels() -> None:
    assert "; its migration is disabled, so it must run on that CPU. It was in queue 2" in stall_words(NEWER)
    assert [task.pid for task in read_dump(NEWER).tasks] == [90, 97, 98]


def test_through_the_tracepoint_and_cut_short() -> None:
    traced = "".join(
        f"    kworker/u8:1-28   [001] d..1.  12.345678: sched_ext_dump: {line}\n" for line in DUMP.splitlines()
    )
    assert stall_words(traced) == stall_words(DUMP)
    cut = DUMP[: DUMP.index("      dsq_vtime=0 slice=5000000 weight=15")] + "\n\n~~~~ TRUNCATED ~~~~\n"
    assert stall_words(cut).startswith("very niced[97] was ready to run for 5.0 s on CPU 1 and did not run. It was in")


def test_a_task_that_enqueue_kept() -> None:
    kept = DUMP.replace("ops_state/qseq=0/17", "ops_state/qseq=2/17").replace("dsq_id=0x2", "dsq_id=(n/a)")
    assert "The policy's enqueue took it and never handed it to any queue. " in stall_words(kept)
    both = kept.replace("ops_state/qseq=0/18", "ops_state/qseq=2/18")
    assert "never handed it to any queue, as it holds 1 other task. " in stall_words(both)
    forgotten = DUMP.replace("dsq_id=0x2", "dsq_id=(n/a)")
    assert "It was in no queue, and the policy was not asked about it again. " in stall_words(forgotten)


def test_a_task_behind_one_that_does_not_give_the_cpu_up() -> None:
    local = (
        DUMP.replace("dsq_id=0x2", "dsq_id=0x8000000000000002")
        .replace("curr=kworker/u9:0[29] class=fair_sched_class", "curr=hog 2[91] class=ext_sched_class")
        .replace(
            "\n  R very niced[97]",
            "\n *R hog 2[91] -1ms\n      dsq_vtime=0 slice=18446744073709551615 weight=100\n\n  R very niced[97]",
        )
    )
    assert stall_words(local).endswith(
        "It was in the CPU's local queue with 1 more, which the kernel empties by itself once the CPU is free: "
        "the task that runs there does not give it up. "
        "Meanwhile CPU 1 ran hog 2[91], with an infinite slice, 3 tasks ready to run."
    )


def test_an_idle_cpu_with_work_waiting() -> None:
    idle = DUMP.replace("curr=kworker/u9:0[29] class=fair_sched_class", "curr=swapper/1[0] class=idle_sched_class")
    assert stall_words(idle).endswith("Meanwhile CPU 1 was idle with 3 tasks ready to run.")


def test_without_a_name_it_is_the_one_that_waited_longest() -> None:
    unnamed = DUMP.replace("runnable task stall (very niced[97] failed to run for 5.012s)", "runtime error (x)")
    assert stall_words(unnamed).startswith("very niced[97] ")


def test_what_is_no_dump_says_nothing() -> None:
    assert stall_words("") == ""
    assert stall_words("Linux version 6.16\n") == ""
    assert stall_words(DUMP[: DUMP.index("CPU 1")]) == ""


def test_masks_of_many_cpus() -> None:
    many = DUMP.replace("cpus=2", "cpus=1,00000003")
    assert read_dump(many).tasks[1].cpus == (0, 1, 32)


@given(st.lists(st.sampled_from(DUMP.splitlines()) | st.text(max_size=80), max_size=40).map("\n".join))
def test_hostile_dumps_are_read_all_the_same(text: str) -> None:
    assert len(stall_words(text)) < 2000
