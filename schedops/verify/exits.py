"""Why sched_ext let a policy go: exit kinds by word and number, and what an author can do about the message. Pure.

The words are those of ``scx_exit_reason()`` in kernel/sched/ext.c, the numbers those of ``enum scx_exit_kind`` in
kernel/sched/ext_internal.h (kernel/sched/ext.c up to 6.17), Linux 6.12 to 7.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExitKind:
    """:param says: the kernel's words, as in "disabled (...)". :param words: the same for a reader."""

    number: int
    says: str
    words: str


KINDS = (
    ExitKind(1, "done", "it has left and everything was cleaned up"),
    ExitKind(64, "unregistered from user space", "its loader let it go"),
    ExitKind(65, "unregistered from BPF", "it gave up by itself (scx_bpf_exit)"),
    ExitKind(66, "unregistered from the main kernel", "a CPU came or went and it does not handle that"),
    ExitKind(67, "disabled by sysrq-S", "somebody pressed SysRq-S"),
    ExitKind(68, "parent exiting", "the scheduler above it left"),
    ExitKind(1024, "runtime error", "it did something the kernel does not allow"),
    ExitKind(1025, "scx_bpf_error", "it called scx_bpf_error() itself"),
    ExitKind(
        1026,
        "runnable task stall",
        "a task that was ready to run was left waiting until the kernel's watchdog noticed",
    ),
)
BY_US = "unregistered from user space"
STALL = "runnable task stall"
_BY_WORDS = {kind.says: kind for kind in KINDS}
_BY_NUMBER = {kind.number: kind for kind in KINDS}

# What the kernel says about a runtime error -> what to do. The first that matches wins.
_ADVICE: Mapping[str, str] = {
    r"invalid CPU": (
        "hand over CPU numbers that exist: check the result of a search for < 0 and against scx_bpf_nr_cpu_ids()"
    ),
    r"target CPU \d+ not allowed|cannot (?:move|run on) .*affinity|not allowed for \S+\[\d+\]": (
        "before SCX_DSQ_LOCAL_ON | cpu, check bpf_cpumask_test_cpu(cpu, p->cpus_ptr)"
    ),
    r"migration disabled": (
        "a task with migration disabled stays where it is: test is_migration_disabled(p) before it is sent elsewhere"
    ),
    r"non-existent DSQ|invalid DSQ ID|destroyed dsq": (
        "create the queue in ops.init with scx_bpf_create_dsq() and check what it returns; compare the ids"
    ),
    r"already had (?:FIFO|PRIQ)-enqueued": (
        "a queue is either first-in-first-out (scx_bpf_dsq_insert) or by vtime (scx_bpf_dsq_insert_vtime), never both"
    ),
    r"vtime ordering for built-in": "the built-in queues know no vtime: insert by vtime into a queue of your own",
    r"already direct-dispatched": "one path inserts the task twice: return after the first insert",
    r"dispatch buffer overflow": (
        "ops.dispatch inserted more tasks than .dispatch_max_batch: set it, or stop at scx_bpf_dispatch_nr_slots()"
    ),
    r"kfunc with mask|called on a task not being operated on|not allowed from|outside of? ops\.": (
        "this kfunc belongs into another callback: insert from select_cpu, enqueue or dispatch, move only from dispatch"
    ),
    r"invalid enq_flags": "pass on the enq_flags that enqueue was given, and add only SCX_ENQ_* flags",
    r"KICK_IDLE": "SCX_KICK_IDLE goes with neither SCX_KICK_PREEMPT nor SCX_KICK_WAIT",
    r"idle tracking is disabled": "set SCX_OPS_KEEP_BUILTIN_IDLE, or do not implement update_idle",
    r"ops\.(\w+)\(\) failed": "that callback returned an error: log it with bpf_printk(), return 0 where it can go on",
    r"returned an invalid errno": "return 0 or a negative errno",
    r"failed to run for": "give every task that enqueue takes to a CPU that it may run on, before the timeout",
    r"going (?:offline|online)": "implement cpu_online and cpu_offline to stay, or do not declare hotplug",
}


def words_of(says: str) -> str:
    """The kernel's words with ours before them; an unknown reason is still a reason."""
    kind = _BY_WORDS.get(says)
    return f"{kind.words if kind else 'the kernel put it out'} ({says})"


def kind_of(number: int) -> ExitKind:
    """By number, as the exit info and the head of a dump have it; unknown ones by their family."""
    known = _BY_NUMBER.get(number)
    if known is not None:
        return known
    return ExitKind(number, f"exit kind {number}", "an error" if number >= 1024 else "it was let go")


def exit_advice(message: str) -> str:
    """What to do about the kernel's message; empty when there is no advice for it."""
    return next((advice for pattern, advice in _ADVICE.items() if re.search(pattern, message)), "")
