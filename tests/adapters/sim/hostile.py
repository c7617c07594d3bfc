"""A policy that does one of many wrong things in one of its callbacks, chosen by two parameters."""

from __future__ import annotations

from typing import NamedTuple

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimResult, SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run

DONE, EJECTED, FAULT = SimVerdict.DONE, SimVerdict.EJECTED, SimVerdict.FAULT
UNSUPPORTED = SimVerdict.UNSUPPORTED
CALLBACKS = (
    "select_cpu",
    "enqueue",
    "dispatch",
    "running",
    "stopping",
    "tick",
    "runnable",
    "quiescent",
    "set_weight",
    "init_task",
    "enable",
    "init",
)


class Wrong(NamedTuple):
    """:param code: what it does with the task p, one line of C. :param words: in the message."""

    code: str
    verdict: str
    words: str = ""


SOURCE = """
#include "schedops.h"
char _license[] SEC("license") = "GPL";
extern struct bpf_cpumask *bpf_cpumask_create(void) __ksym;
extern void bpf_cpumask_release(struct bpf_cpumask *m) __ksym;
extern bool scx_bpf_task_running(const struct task_struct *p) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern struct task_struct *scx_bpf_dsq_peek(u64 id) __ksym;
extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym;
extern struct task_struct *bpf_task_acquire(struct task_struct *p) __ksym;
extern void bpf_task_release(struct task_struct *p) __ksym;
extern u32 scx_bpf_dispatch_nr_slots(void) __ksym;
extern void scx_bpf_dispatch_cancel(void) __ksym;
extern struct task_struct *scx_bpf_cpu_curr(s32 cpu) __ksym;
extern void scx_bpf_error_bstr(char *fmt, unsigned long long *data, u32 size) __ksym;
extern void scx_bpf_exit_bstr(s64 code, char *fmt, unsigned long long *data, u32 size) __ksym;
struct timed { struct bpf_timer timer; };
#define MAP(name_, type_, entries_, value_) \\
	struct { __uint(type, type_); __uint(max_entries, entries_); __type(key, u32); __type(value, value_); } \\
		name_ SEC(".maps")
#define STORAGE(name_, type_) struct { __uint(type, type_); __type(key, int); __type(value, u64); } name_ SEC(".maps")
STORAGE(stored, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(groups, BPF_MAP_TYPE_CGRP_STORAGE);
MAP(array, BPF_MAP_TYPE_ARRAY, 4, u64);
MAP(table, BPF_MAP_TYPE_HASH, 64, u64);
MAP(per_cpu, BPF_MAP_TYPE_PERCPU_ARRAY, 4, u64);
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 8); __type(value, u64); } queue SEC(".maps");
MAP(timers, BPF_MAP_TYPE_ARRAY, 4, struct timed);
const volatile u32 wrong = 9999, where = 9999;
volatile u64 sink;
u64 small[4], forged[64];
struct task_struct *volatile nobody, *volatile gone;
u32 once;
#define END (__builtin_wasm_memory_size(0) * 65536)
#define ZERO sink = 1 / !sink
#define STRIDE sizeof(struct task_struct)
#define TIMER(i) ({ u32 k = (i); struct timed *t = bpf_map_lookup_elem(&timers, &k); &t->timer; })
__noinline u64 deeper(u64 n) { volatile u64 room[64]; room[n % 64] = n; return deeper(n + 1) + room[3]; }
__noinline void big(void) { volatile char room[1 << 20]; for (u32 i = 0; i < sizeof(room); i++) room[i] = i; }
__noinline u64 odd(u64 n);
__noinline u64 even(u64 n) { return n == ~0ULL ? 1 : odd(n + 2) + 1; }
__noinline u64 odd(u64 n) { return n == ~0ULL ? 0 : even(n + 2) * 3; }
u64 (*volatile itself)(u64 n);
__noinline u64 by_pointer(u64 n) { return itself(n + 1) + n; }
static int spins(u64 i, void *ctx) { for (volatile int n = 0; n < 1 << 20; n++) ; return 0; }
static int again(void *map, u32 *key, struct timed *t) { bpf_timer_start(&t->timer, 0, 0); return 0; }
static int soon(void *map, u32 *key, struct timed *t) { bpf_timer_start(&t->timer, 7, 0); return 0; }
static int traps(void *map, u32 *key, struct timed *t) { __builtin_trap(); return 0; }
static void arm(int (*callback)(void *, u32 *, struct timed *))
{
	if (once++)
		return;
	bpf_timer_init(TIMER(0), &timers, 0);
	bpf_timer_set_callback(TIMER(0), callback);
	bpf_timer_start(TIMER(0), 1000, 0);
}
static void fill(u64 from, u64 to, u64 with) { for (; from < to; from += 8) *(volatile u64 *)from = with; }
@MORE@
#define MISBEHAVE(p0, n) do { if (where == (n)) misbehave(p0); } while (0)
static __noinline void misbehave(struct task_struct *p0)
{
	struct task_struct *nothing = nobody;
	struct bpf_iter_scx_dsq it = {};
	u32 zero = 0;
	switch (wrong) {
@CASES@
	}
}
s32 OP(h_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	MISBEHAVE(p, 0);
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	return cpu;
}
void OP(h_enqueue, struct task_struct *p, u64 flags)
{
	MISBEHAVE(p, 1);
	scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, flags);
}
void OP(h_dispatch, s32 cpu, struct task_struct *p) { if (p) MISBEHAVE(p, 2); scx_bpf_dsq_move_to_local(7); }
void OP(h_running, struct task_struct *p) { MISBEHAVE(p, 3); }
void OP(h_stopping, struct task_struct *p, bool runnable) { MISBEHAVE(p, 4); }
void OP(h_tick, struct task_struct *p) { MISBEHAVE(p, 5); }
void OP(h_runnable, struct task_struct *p, u64 flags) { MISBEHAVE(p, 6); }
void OP(h_quiescent, struct task_struct *p, u64 flags) { MISBEHAVE(p, 7); }
void OP(h_set_weight, struct task_struct *p, u32 weight) { MISBEHAVE(p, 8); }
s32 OP_SLEEPABLE(h_init_task, struct task_struct *p, struct scx_init_task_args *args) { MISBEHAVE(p, 9); return 0; }
void OP(h_enable, struct task_struct *p) { MISBEHAVE(p, 10); }
void OP_SLEEPABLE(h_exit_task, struct task_struct *p, struct scx_exit_task_args *args) { gone = p; }
s32 OP_SLEEPABLE(h_init)
{
	static struct task_struct fake;
	struct task_struct *p = &fake;
	s32 err = scx_bpf_create_dsq(7, -1);
	err = err ?: scx_bpf_create_dsq(8, -1);
	MISBEHAVE(p, 11);
	return err;
}
SEC(".struct_ops.link")
struct sched_ext_ops h_ops = {
	.select_cpu = (void *)h_select_cpu, .enqueue = (void *)h_enqueue, .dispatch = (void *)h_dispatch,
	.running = (void *)h_running, .stopping = (void *)h_stopping, .tick = (void *)h_tick,
	.runnable = (void *)h_runnable, .quiescent = (void *)h_quiescent, .set_weight = (void *)h_set_weight,
	.init_task = (void *)h_init_task, .exit_task = (void *)h_exit_task, .enable = (void *)h_enable,
	.init = (void *)h_init, .timeout_ms = 5000, .name = "hostile",
};
"""


class Hostile:
    """All of these wrongs in one policy.

    :param more: what they need, before them in the source.
    """

    def __init__(self, simulator: WasmSimulator, wrongs: dict[str, Wrong], more: str = "") -> None:
        self._simulator = simulator
        self._names = list(wrongs)
        cases = "\n".join(f"\tcase {number}: {wrong.code}; break;" for number, wrong in enumerate(wrongs.values()))
        self._text = SOURCE.replace("@CASES@", cases).replace("@MORE@", more)
        self._first = self._text[: self._text.index("\tcase 0: ")].count("\n") + 1

    def run(self, wrong: str, callback: str) -> SimResult:
        place = self._names.index(wrong) if wrong else 9999
        chosen = policy(self._text, ("where", CALLBACKS.index(callback)), ("wrong", place))
        return run(self._simulator, mixed_plan(end_ns=30 * MS), chosen, 2)

    def near(self, wrong: str, place: str) -> bool:
        """Is that its line of the source (give or take one), or one of a function that it calls?"""
        file, _, line = place.partition(":")
        called = self._text[: self._text.index("misbehave(struct")].count("\n")
        off = int(line) - self._first - self._names.index(wrong)
        return file == "policy.bpf.c" and (abs(off) <= 1 or int(line) <= called)


def check_accounts(result: SimResult) -> None:
    """What counts is the engine's, however the run ended."""
    assert all(cpu.busy_ns + cpu.idle_ns == result.end_ns for cpu in result.cpus)
    assert all(0 <= cpu.idle_waste_ns <= cpu.idle_ns for cpu in result.cpus)
    assert sum(task.cpu_ns for task in result.tasks) == sum(cpu.busy_ns for cpu in result.cpus)
    assert all(0 <= task.cpu_ns + task.wait_ns <= result.end_ns for task in result.tasks)
