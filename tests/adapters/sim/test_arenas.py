"""Arenas: pages on request, and a queue of tasks linked through them."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run

SOURCE = """
#include <scx/common.bpf.h>
#include <scx/bpf_arena_common.bpf.h>
char _license[] SEC("license") = "GPL";
struct { __uint(type, BPF_MAP_TYPE_ARENA); __uint(map_flags, BPF_F_MMAPABLE); __uint(max_entries, @PAGES@);
	__ulong(map_extra, 0x1ull << 44); } arena SEC(".maps");
struct waiting { struct waiting __arena *next; u32 pid; };
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 512); __type(value, u32); } queue SEC(".maps");
static struct waiting __arena *__arena_global slots, *__arena_global first, *__arena_global last;
#define SAY(format, args...) scx_bpf_error(format, ##args)
static void append(u32 pid)
{
	struct waiting __arena *w = &slots[pid - 1000];

	w->pid = pid;
	w->next = NULL;
	if (first)
		last->next = w;
	else
		first = w;
	last = w;
}
static u32 take(void)
{
	struct waiting __arena *w = first;

	if (!w)
		return 0;
	first = w->next;
	return w->pid;
}
s32 BPF_STRUCT_OPS(a_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags) { return prev_cpu; }
void BPF_STRUCT_OPS(a_enqueue, struct task_struct *p, u64 flags)
{
	u32 pid = p->pid;

	ENQUEUE;
	for (u32 cpu = 0; cpu < 3; cpu++)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}
void BPF_STRUCT_OPS(a_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	u32 pid = 0;

	DISPATCH;
	if (!pid || !(p = bpf_task_from_pid(pid)))
		return;
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	bpf_task_release(p);
}
s32 BPF_STRUCT_OPS_SLEEPABLE(a_init)
{
	u64 __arena *a, *b, *c;
	u32 n = 0;

	slots = bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 0);
	INIT;
	return slots ? 0 : -ENOMEM;
}
SCX_OPS_DEFINE(a_ops, .select_cpu = (void *)a_select_cpu, .enqueue = (void *)a_enqueue,
	.dispatch = (void *)a_dispatch, .init = (void *)a_init, .name = "a");
"""
NEW = "bpf_arena_alloc_pages(&arena, NULL, {}, NUMA_NO_NODE, 0)"
LINKED = {"ENQUEUE": "append(pid)", "DISPATCH": "pid = take()"}
QUEUED = {"ENQUEUE": "bpf_map_push_elem(&queue, &pid, 0)", "DISPATCH": "bpf_map_pop_elem(&queue, &pid)"}
SAID = {
    "pages beside each other": (
        (
            f"a = {NEW.format(2)}; b = {NEW.format(1)}; a[1023] = 7;"
            'SAY("%d %d %d", (int)((u64)a % 4096), b == a + 1024, (int)b[0])'
        ),
        "0 1 0",
    ),
    "no more than there are": (f'a = {NEW.format(7)}; b = {NEW.format(1)}; SAY("%d %d", !!a, !!b)', "1 0"),
    "none of that": (
        (
            f"a = {NEW.format(0)}; b = bpf_arena_alloc_pages(&arena, NULL, 1, NUMA_NO_NODE, 1); c = {NEW.format(9)};"
            'SAY("%d %d %d", !!a, !!b, !!c)'
        ),
        "0 0 0",
    ),
    "given back": (
        (
            f"a = {NEW.format(3)}; a[600] = 5; bpf_arena_free_pages(&arena, a + 512, 1);"
            "bpf_arena_free_pages(&arena, a + 512, 1); bpf_arena_free_pages(&arena, (void *)12345, 1);"
            f'b = {NEW.format(2)}; c = {NEW.format(1)}; SAY("%d %d %d", b == a + 3 * 512, c == a + 512, (int)a[600])'
        ),
        "1 1 0",
    ),
}
UNSUPPORTED = {
    "nowhere": ("a = (void *)(u64)n; *a = 1", "a null pointer"),
    "outside": ("a = (void *)(1ULL << 44); *a = 1", "outside of its memory"),
    "a loop": ("while (can_loop) *(volatile u32 *)&n = 1", "does not end"),
    "its own choice": (
        "a = bpf_arena_alloc_pages(&arena, (void *)(1ULL << 44), 1, NUMA_NO_NODE, 0)",
        "an address of its choice",
    ),
}


def source(code: dict[str, str], pages: int = 8) -> str:
    text = SOURCE.replace("@PAGES@", str(pages))
    for name in ("ENQUEUE", "DISPATCH", "INIT"):
        text = text.replace(f"{name};", f"{code.get(name, '')};")
    return text


def test_a_queue_of_linked_tasks(simulator: WasmSimulator) -> None:
    linked, queued = (run(simulator, mixed_plan(60, 200 * MS), policy(source(code)), 3) for code in (LINKED, QUEUED))
    assert linked.end.verdict == SimVerdict.DONE, linked.end
    assert linked.tasks == queued.tasks
    assert sum(task.switches for task in linked.tasks) > 300


@pytest.mark.parametrize("what", SAID)
def test_what_the_policy_saw(simulator: WasmSimulator, what: str) -> None:
    code, words = SAID[what]
    end = run(simulator, mixed_plan(end_ns=MS), policy(source({"INIT": code})), 2).end
    assert end.message == f"scx_bpf_error: {words}"


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_what_a_kernel_would_go_on_after(simulator: WasmSimulator, what: str) -> None:
    code, words = UNSUPPORTED[what]
    end = run(simulator, mixed_plan(end_ns=MS), policy(source({"INIT": code})), 2).end
    assert end.verdict == SimVerdict.UNSUPPORTED, end
    assert words in end.message
    assert "policy.bpf.c:" in end.place


def test_an_arena_larger_than_there_is_room_for(simulator: WasmSimulator) -> None:
    code = {"INIT": f"a = {NEW.format(1 << 16)}"}
    end = run(simulator, mixed_plan(end_ns=MS), policy(source(code, 1 << 20)), 2).end
    assert (end.verdict, end.message[-28:]) == (SimVerdict.UNSUPPORTED, "than 65536 pages of an arena")
