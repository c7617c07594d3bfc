"""Kernel log lines as kernels 6.16 to 7.3 write them."""

from __future__ import annotations

from schedops.verify.kernel_log import emulator_fault, exit_reason, host_starved, splats

STALL = """\
[   11.202930] sched_ext: BPF scheduler "stalls" enabled
[   18.504112] sched_ext: BPF scheduler "stalls" disabled (runnable task stall)
[   18.504300] sched_ext: stalls: hog[412] failed to run for 5.012s
[   18.504411]    scx_watchdog_workfn+0x1a2/0x250
"""
OURS = '[    5.030834] sched_ext: BPF scheduler "fifo" disabled (unregistered from user space)\n'


def test_the_reason_of_an_ejection_in_words_and_in_the_kernels() -> None:
    assert exit_reason(STALL) == (
        "a task that was ready to run was left waiting until the kernel's watchdog noticed (runnable task stall): "
        "stalls: hog[412] failed to run for 5.012s"
    )


def test_leaving_by_itself_has_no_detail() -> None:
    log = 'sched_ext: BPF scheduler "x" disabled (unregistered from BPF)\n'
    assert exit_reason(log) == "it gave up by itself (scx_bpf_exit) (unregistered from BPF)"


def test_an_unknown_reason_is_still_a_reason() -> None:
    assert exit_reason('sched_ext: BPF scheduler "x" disabled (something new)\n') == (
        "the kernel put it out (something new)"
    )


def test_being_told_to_leave_is_no_reason() -> None:
    assert exit_reason(OURS) == ""
    assert exit_reason("") == ""


def test_splats_are_found_and_ordinary_lines_are_not() -> None:
    log = (
        "[    0.980875] PCI: Using host bridge windows from ACPI; if necessary, use nocrs and report a bug\n"
        "[    9.1] WARNING: CPU: 1 PID: 77 at kernel/sched/ext.c:1234 do_enqueue_task+0x1/0x2\n"
        "[    9.2] rcu: INFO: rcu_preempt self-detected stall on CPU\n"
        "[    9.3] watchdog: BUG: soft lockup - CPU#0 stuck for 22s!\n"
        "[    9.4] INFO: task kworker/0:1:12 blocked for more than 120 seconds.\n"
    ) + OURS
    assert [line.split(":")[0] for line in splats(log)] == ["WARNING", "rcu", "watchdog", "INFO"]


def test_the_emulators_fault_is_no_splat_of_the_policys() -> None:
    log = "[   12.0] Oops: int3: 0000 [#1] SMP NOPTI\n"
    assert (emulator_fault(log), splats(log)) == (True, ())
    assert emulator_fault("[ 1.0] Oops: general protection fault\n") is False


def test_a_starved_host_shows() -> None:
    assert host_starved("sched_ext: fifo: watchdog failed to check in for 5.104s") is True
    assert host_starved(STALL) is False


def test_the_last_reason_counts_with_the_detail_that_follows_it() -> None:
    log = (
        STALL
        + OURS
        + (
            '[   30.1] sched_ext: BPF scheduler "again" disabled (unregistered from the main kernel)\n'
            "[   30.2] sched_ext: again: cpu 1 going offline, exiting scheduler\n"
        )
    )
    assert exit_reason(log) == (
        "a CPU came or went and it does not handle that (unregistered from the main kernel): "
        "again: cpu 1 going offline, exiting scheduler"
    )


def test_lines_with_a_caller_and_very_long_ones() -> None:
    log = STALL.replace("] sched_ext", "][   T42] sched_ext")
    assert exit_reason(log) == exit_reason(STALL)
    assert len(exit_reason(STALL.replace("5.012s", "x" * 100_000))) <= 300
