"""Whatever a policy does, the engine lives and says so: every kind of wrong in every callback, from one source."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimEnd, SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run
from tests.adapters.sim.hostile import CALLBACKS

# name -> (what it does with the task p, verdict, words of the message)
WRONGS = {
    "trap": ("__builtin_trap()", SimVerdict.FAULT, "a null pointer or"),
    "loop": ("for (volatile u64 i = 0;; i++)", SimVerdict.FAULT, "it does not end"),
    "null": ("nothing->scx.weight += 1", SimVerdict.FAULT, "a null pointer"),
    "far-read": ("sink = *(volatile u64 *)(~0ULL - 64)", SimVerdict.FAULT, "outside of its memory"),
    "far-write": ("*(volatile u64 *)(1ULL << 33) = 1", SimVerdict.FAULT, "outside of its memory"),
    "recursion": ("sink = deeper(1)", SimVerdict.FAULT, ""),
    "index": ("small[sink + 4] = 1", SimVerdict.FAULT, "an index out of bounds"),
    "not-a-task": ("scx_bpf_task_running((void *)small)", SimVerdict.FAULT, "which is no task"),
    "no-task": ("scx_bpf_task_cpu(0)", SimVerdict.FAULT, "which is no task"),
    "future-task": ("scx_bpf_task_cpu((void *)small + (1ULL << 62))", SimVerdict.FAULT, "which is no task"),
    "not-a-map": ("bpf_task_storage_get((void *)small, p0, 0, 0)", SimVerdict.FAULT, "a map that is none"),
    "storage-of-nobody": ("bpf_task_storage_get(&stored, (void *)small, 0, 0)", SimVerdict.FAULT, "no task"),
    "storage-of-no-group": ("bpf_cgrp_storage_get(&groups, (void *)small, 0, 1)", SimVerdict.FAULT, "no cgroup"),
    "kick": ("scx_bpf_kick_cpu(4096, 0)", SimVerdict.EJECTED, "invalid CPU 4096"),
    "kick-both": ("scx_bpf_kick_cpu(0, SCX_KICK_IDLE | SCX_KICK_PREEMPT)", SimVerdict.EJECTED, "SCX_KICK_IDLE"),
    "peek": ("scx_bpf_dsq_peek(12345)", SimVerdict.EJECTED, "non-existent DSQ"),
    "iterators": ("hold_open()", SimVerdict.FAULT, "iterators are open"),
    "memory": ("sink = __builtin_wasm_memory_grow(0, 1 << 20)", SimVerdict.DONE, ""),
    "masks": ("for (u32 i = 0; i < 100000; i++) sink += (u64)bpf_cpumask_create()", SimVerdict.DONE, ""),
    "scribble": ("for (u32 i = 0; i < 4096; i++) ((volatile u64 *)p0)[i % 512] = i * 77", None, ""),
}
SOURCE = """
#include "schedops.h"
char _license[] SEC("license") = "GPL";
extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern bool scx_bpf_task_running(const struct task_struct *p) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern struct task_struct *scx_bpf_dsq_peek(u64 id) __ksym;
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__type(key, int);
	__type(value, u64);
} stored SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__type(key, int);
	__type(value, u64);
} groups SEC(".maps");
const volatile u32 wrong = 99, where = 99;
volatile u64 sink;
u64 small[4];
struct task_struct *volatile nobody;
__noinline u64 deeper(u64 n) { volatile u64 room[64]; room[n % 64] = n; return deeper(n + 1) + room[3]; }
static void hold_open(void)
{
	static struct bpf_iter_scx_dsq open[64];
	for (int i = 0; i < 64; i++)
		bpf_iter_scx_dsq_new(&open[i], 7, 0);
}
static __always_inline void misbehave(struct task_struct *p0)
{
	struct task_struct *nothing = nobody;
	switch (wrong) {
@CASES@
	}
}
#define AT(n) do { if (where == (n)) misbehave(p); } while (0)
s32 OP(h_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	AT(0);
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}
void OP(h_enqueue, struct task_struct *p, u64 flags) { AT(1); scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, flags); }
void OP(h_dispatch, s32 cpu, struct task_struct *p) { if (p) AT(2); scx_bpf_dsq_move_to_local(7); }
void OP(h_running, struct task_struct *p) { AT(3); }
void OP(h_stopping, struct task_struct *p, bool runnable) { AT(4); }
void OP(h_tick, struct task_struct *p) { AT(5); }
void OP(h_runnable, struct task_struct *p, u64 flags) { AT(6); }
void OP(h_quiescent, struct task_struct *p, u64 flags) { AT(7); }
void OP(h_set_weight, struct task_struct *p, u32 weight) { AT(8); }
s32 OP_SLEEPABLE(h_init_task, struct task_struct *p, struct scx_init_task_args *args) { AT(9); return 0; }
void OP(h_enable, struct task_struct *p) { AT(10); }
s32 OP_SLEEPABLE(h_init)
{
	static struct task_struct fake;
	struct task_struct *p = &fake;
	s32 err = scx_bpf_create_dsq(7, -1);
	AT(11);
	return err;
}
SEC(".struct_ops.link")
struct sched_ext_ops h_ops = {
	.select_cpu = (void *)h_select_cpu, .enqueue = (void *)h_enqueue, .dispatch = (void *)h_dispatch,
	.running = (void *)h_running, .stopping = (void *)h_stopping, .tick = (void *)h_tick,
	.runnable = (void *)h_runnable, .quiescent = (void *)h_quiescent, .set_weight = (void *)h_set_weight,
	.init_task = (void *)h_init_task, .enable = (void *)h_enable, .init = (void *)h_init, .name = "hostile",
};
"""
CASES = "\n".join(f"\tcase {number}: {wrong}; break;" for number, (wrong, _, _) in enumerate(WRONGS.values()))


def end_of(simulator: WasmSimulator, callback: int, wrong: int) -> SimEnd:
    hostile = policy(SOURCE.replace("@CASES@", CASES), ("where", callback), ("wrong", wrong))
    return run(simulator, mixed_plan(end_ns=30 * MS), hostile, 2).end


def test_it_behaves_when_it_is_told_to(simulator: WasmSimulator) -> None:
    assert end_of(simulator, 99, 99) == SimEnd(verdict=SimVerdict.DONE)


@pytest.mark.parametrize("callback", CALLBACKS)
@pytest.mark.parametrize("wrong", WRONGS)
def test_every_wrong_in_every_callback(simulator: WasmSimulator, callback: str, wrong: str) -> None:
    _, verdict, words = WRONGS[wrong]
    end = end_of(simulator, CALLBACKS.index(callback), list(WRONGS).index(wrong))
    if wrong == "scribble":  # it wrecks its own view of its tasks; what comes of that is its own affair
        assert end.verdict != SimVerdict.PLAN_ERROR
        return
    if callback == "init" and wrong in ("not-a-map", "storage-of-nobody", "not-a-task"):
        assert end.verdict == SimVerdict.FAULT  # the task it would be about is none either
    else:
        assert end.verdict == verdict, end
        assert words in end.message
    if end.verdict == SimVerdict.FAULT and "which is no task" not in end.message and "iterators" not in end.message:
        assert end.place.startswith("policy.bpf.c:"), end


def test_the_simulator_goes_on_as_if_nothing_had_been(simulator: WasmSimulator) -> None:
    before = run(simulator, mixed_plan(), "random", 3)
    for wrong in ("trap", "loop", "scribble", "recursion"):
        end_of(simulator, 1, list(WRONGS).index(wrong))
    assert run(simulator, mixed_plan(), "random", 3) == before
