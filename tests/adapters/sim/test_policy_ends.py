"""How a policy ends: what ejects it in the kernel ejects it here, with the kernel's kind and words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimEnd, SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run

# A fair queue with one place to go wrong in: WRONG is put into the callback of that name.
TEMPLATE = """
#include "schedops.h"
char _license[] SEC("license") = "GPL";
extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
extern u64 scx_bpf_not_there(u64 x) __ksym __weak;
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} four SEC(".maps");
const volatile u32 limit = 3;
u64 small[4];
s32 OP(x_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	SELECT_CPU;
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}
void OP(x_enqueue, struct task_struct *p, u64 enq_flags)
{
	ENQUEUE;
	scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, enq_flags);
}
void OP(x_dispatch, s32 cpu, struct task_struct *prev)
{
	DISPATCH;
	scx_bpf_dsq_move_to_local(7);
}
void OP(x_running, struct task_struct *p) { RUNNING; }
s32 OP_SLEEPABLE(x_init)
{
	INIT;
	return scx_bpf_create_dsq(7, -1);
}
SEC(".struct_ops.link")
struct sched_ext_ops x_ops = {
	.select_cpu = (void *)x_select_cpu, .enqueue = (void *)x_enqueue, .dispatch = (void *)x_dispatch,
	.running = (void *)x_running, .init = (void *)x_init, .timeout_ms = 2000, .name = "x",
};
"""
PLACES = ("SELECT_CPU", "ENQUEUE", "DISPATCH", "RUNNING", "INIT")


def end_of(simulator: WasmSimulator, place: str, wrong: str, *params: tuple[str, int]) -> SimEnd:
    text = TEMPLATE
    for name in PLACES:
        text = text.replace(f"{name};", f"{wrong if name == place else ''};")
    return run(simulator, mixed_plan(end_ns=6000 * MS), policy(text, *params), 2).end


def test_the_template_is_right(simulator: WasmSimulator) -> None:
    assert end_of(simulator, "INIT", "") == SimEnd(verdict=SimVerdict.DONE)


EJECTED = [
    ("SELECT_CPU", "return 99", 1024, "invalid CPU 99 from ops.select_cpu()"),
    ("SELECT_CPU", "return -1", 1024, "invalid CPU -1 from ops.select_cpu()"),
    ("SELECT_CPU", "scx_bpf_dsq_move_to_local(7)", 1024, "kfunc with mask 0x2 called from an operation only allowing"),
    ("ENQUEUE", "scx_bpf_dsq_insert(p, 8, 1, 0); return", 1024, "non-existent DSQ 0x8 for task-"),
    (
        "ENQUEUE",
        "scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | 77, 1, 0); return",
        1024,
        "invalid CPU 77 in SCX_DSQ_LOCAL_ON",
    ),
    ("ENQUEUE", "scx_bpf_dsq_insert(p, 7, 1, 0)", 1024, "already direct-dispatched"),
    ("ENQUEUE", "scx_bpf_dsq_insert_vtime(p, SCX_DSQ_LOCAL, 1, 1, 0); return", 1024, "cannot use vtime ordering for"),
    (
        "ENQUEUE",
        "if (p->pid & 1) { scx_bpf_dsq_insert_vtime(p, 7, 1, 1, 0); return; }",
        1024,
        "0000000000000007 already had",
    ),
    ("ENQUEUE", "scx_bpf_dsq_insert(p, 7, 1, 1ULL << 60)", 1024, "invalid enq_flags 0x1000000000000000"),
    ("ENQUEUE", "return", 1026, "failed to run for"),
    ("ENQUEUE", "scx_bpf_kick_cpu(0, SCX_KICK_IDLE | SCX_KICK_PREEMPT)", 1024, "PREEMPT/WAIT cannot be used with"),
    ("ENQUEUE", "scx_bpf_kick_cpu(64, 0)", 1024, "invalid CPU 64"),
    ("DISPATCH", "scx_bpf_dsq_move_to_local(9)", 1024, "invalid DSQ ID 0x0000000000000009"),
    (
        "DISPATCH",
        "if (prev) for (int i = 0; i < 40; i++) scx_bpf_dsq_insert(prev, 7, 1, 0)",
        1024,
        "dispatch buffer overflow",
    ),
    ("DISPATCH", "return", 1026, "failed to run for"),
    (
        "RUNNING",
        "scx_bpf_dsq_insert(p, 7, 1, 0)",
        1024,
        "kfunc with mask 0x6 called from an operation only allowing 0x10",
    ),
    ("INIT", "return -ENOMEM", 1024, "ops.init() failed (-12)"),
]


@pytest.mark.parametrize(
    ("place", "wrong", "kind", "words"), EJECTED, ids=[f"{row[0]}-{row[1][:24]}" for row in EJECTED]
)
def test_ejected(simulator: WasmSimulator, place: str, wrong: str, kind: int, words: str) -> None:
    end = end_of(simulator, place, wrong)
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, kind), end
    assert words in end.message


def test_a_policy_says_why_itself(simulator: WasmSimulator) -> None:
    wrong = (
        'static char words[] = "task %d of %s, %llx"; '
        "unsigned long long values[] = { p->pid, (u64)p->comm, 255 }; scx_bpf_error_bstr(words, values, 24)"
    )
    text = TEMPLATE.replace(
        '"GPL";', '"GPL"; extern void scx_bpf_error_bstr(char *, unsigned long long *, u32) __ksym;'
    )
    for name in PLACES:
        text = text.replace(f"{name};", f"{wrong if name == 'RUNNING' else ''};")
    end = run(simulator, mixed_plan(), policy(text), 2).end
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 1025)
    assert end.message == "scx_bpf_error: task 1000 of task-0, ff"


FAULTS = [
    ("ENQUEUE", "u64 *value = bpf_map_lookup_elem(&four, &(u32){ 9 }); *value += 1", "a null pointer"),
    ("ENQUEUE", "small[limit + p->pid] = 1", "index out of bounds"),
    ("ENQUEUE", "*(volatile u64 *)(1ULL << 40) = 1", "a pointer to outside of its memory"),
    ("ENQUEUE", "for (volatile u64 i = 0;; i++)", "it does not end"),
    ("SELECT_CPU", "while (*(volatile u64 *)small == 0)", "it does not end"),
    ("ENQUEUE", "bpf_task_storage_get((void *)small, p, 0, 0)", "a map that is none"),
    ("DISPATCH", "bpf_cgroup_ancestor((struct cgroup *)(1ULL << 50), 1)->level", "a pointer to outside"),
    ("ENQUEUE", "__builtin_trap()", "a null pointer or"),
]


@pytest.mark.parametrize(("place", "wrong", "words"), FAULTS, ids=[f"{row[0]}-{row[1][:24]}" for row in FAULTS])
def test_a_fault_has_its_line(simulator: WasmSimulator, place: str, wrong: str, words: str) -> None:
    end = end_of(simulator, place, wrong)
    assert end.verdict == SimVerdict.FAULT, end
    assert words in end.message
    # What is inlined has no line of its own, then it is one close before.
    lines = TEMPLATE.splitlines()
    line = lines.index(f"\t{place};") + 1
    file, _, found = end.place.partition(":")
    assert file == "policy.bpf.c"
    assert line - 4 <= int(found) <= line + 2


def test_a_pointer_that_is_no_task(simulator: WasmSimulator) -> None:
    end = end_of(simulator, "ENQUEUE", "scx_bpf_dsq_insert((void *)((u64)p + 8), 7, 1, 0)")
    assert end.verdict == SimVerdict.FAULT
    assert "which is no task" in end.message


UNSUPPORTED = [
    ("RUNNING", "(void)p->se.vruntime", "'vruntime'"),
    ("RUNNING", "bpf_send_signal(9)", "'bpf_send_signal'"),
    ("RUNNING", "scx_bpf_not_there(1)", "scx_bpf_not_there"),
]


@pytest.mark.parametrize(("place", "wrong", "name"), UNSUPPORTED, ids=[row[2] for row in UNSUPPORTED])
def test_what_there_is_not_is_named(simulator: WasmSimulator, place: str, wrong: str, name: str) -> None:
    end = end_of(simulator, place, wrong)
    assert end.verdict == SimVerdict.UNSUPPORTED, end
    assert name in end.message
    assert "policy.bpf.c:" in end.place


def test_a_kfunc_that_is_asked_for_first_may_be_missing(simulator: WasmSimulator) -> None:
    wrong = "if (bpf_ksym_exists(scx_bpf_not_there)) scx_bpf_not_there(1)"
    assert end_of(simulator, "RUNNING", wrong).verdict == SimVerdict.DONE


def test_parameters_are_set(simulator: WasmSimulator) -> None:
    wrong = "if (limit == 5) return -EINVAL"
    assert end_of(simulator, "INIT", wrong).verdict == SimVerdict.DONE
    assert end_of(simulator, "INIT", wrong, ("limit", 5)).message.endswith("ops.init() failed (-22)")
    assert end_of(simulator, "INIT", wrong, ("no_such", 5)).verdict == SimVerdict.UNSUPPORTED


def test_threads_of_the_kernel_are_seen_as_such(simulator: WasmSimulator) -> None:
    wrong = "if (p->flags & 0x00200000) scx_bpf_error_bstr(p->comm, 0, 0)"
    text = TEMPLATE.replace('"GPL";', '"GPL"; extern void scx_bpf_error_bstr(char *, u64 *, u32) __ksym;')
    for name in PLACES:
        text = text.replace(f"{name};", f"{wrong if name == 'RUNNING' else ''};")
    plan = mixed_plan(end_ns=100 * MS)
    assert run(simulator, plan, policy(text), 2).end == SimEnd(verdict=SimVerdict.DONE)
    tasks = (*plan.tasks[:5], replace(plan.tasks[5], name="kworker", kernel=True))
    assert run(simulator, replace(plan, tasks=tasks), policy(text), 2).end.message == "scx_bpf_error: kworker"
