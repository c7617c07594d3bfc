"""Maps, timers and iterators of a policy behave as the kernel's; it says what it saw with scx_bpf_error()."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
struct held { struct bpf_timer timer; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, u32); __type(value, struct held); }
	timers SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 3); __type(key, u32); __type(value, u64); }
	hash SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 2); __type(value, u32); } queue SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_STACK); __uint(max_entries, 2); __type(value, u32); } stack SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, u64); }
	each SEC(".maps");
#define SAY(format, args...) scx_bpf_error(format, ##args)
static u64 begun;
static int rings(void *map, u32 *key, struct held *held)
{
	SAY("rings %u after %llu us", *key, (scx_bpf_now() - begun) / 1000);
	return 0;
}
void BPF_STRUCT_OPS(k_enqueue, struct task_struct *p, u64 flags) { ENQUEUE; scx_bpf_dsq_insert(p, 7, 1000000, flags); }
void BPF_STRUCT_OPS(k_dispatch, s32 cpu, struct task_struct *prev) { DISPATCH; scx_bpf_dsq_move_to_local(7); }
s32 BPF_STRUCT_OPS_SLEEPABLE(k_init)
{
	u32 key = 1, a = 0, b = 0, c = 0;
	u64 value = 5, *found;
	begun = scx_bpf_now();
	INIT;
	return scx_bpf_create_dsq(7, -1);
}
SCX_OPS_DEFINE(k_ops, .enqueue = (void *)k_enqueue, .dispatch = (void *)k_dispatch, .init = (void *)k_init,
	.name = "k");
"""
TIMER = """
	struct held *held = bpf_map_lookup_elem(&timers, &key);
	if (!held || bpf_timer_init(&held->timer, &timers, 1) || bpf_timer_set_callback(&held->timer, rings)) return -1;
"""
SAID = {
    "timer": ("INIT", TIMER + "bpf_timer_start(&held->timer, 2500000, 0)", "rings 1 after 2500 us"),
    "cancelled": (
        "INIT",
        TIMER + 'bpf_timer_start(&held->timer, 2500000, 0); a = bpf_timer_cancel(&held->timer); SAY("%d", a)',
        "1",
    ),
    "hash": (
        "INIT",
        (
            "for (key = 10; key < 14; key++) { value = key * 2; a = bpf_map_update_elem(&hash, &key, &value, 0); }"
            "key = 11; found = bpf_map_lookup_elem(&hash, &key); b = found ? *found : 0;"
            "c = bpf_map_delete_elem(&hash, &key); found = bpf_map_lookup_elem(&hash, &key);"
            'SAY("%d %d %d %d", a, b, c, !!found)'
        ),
        "-7 22 0 0",
    ),
    "queue": (
        "INIT",
        (
            "for (key = 1; key < 4; key++) a = bpf_map_push_elem(&queue, &key, 0);"
            'bpf_map_pop_elem(&queue, &b); bpf_map_pop_elem(&queue, &c); SAY("%d %d %d %d", a, b, c,'
            " (int)bpf_map_pop_elem(&queue, &c))"
        ),
        "-7 1 2 -2",
    ),
    "stack": (
        "INIT",
        (
            "for (key = 1; key < 3; key++) bpf_map_push_elem(&stack, &key, 0);"
            'bpf_map_pop_elem(&stack, &a); bpf_map_peek_elem(&stack, &b); SAY("%d %d", a, b)'
        ),
        "2 1",
    ),
    "per-cpu": (
        "INIT",
        (
            "key = 0; found = bpf_map_lookup_percpu_elem(&each, &key, 2); if (!found) return -1; *found = 9;"
            'found = bpf_map_lookup_elem(&each, &key); SAY("%d %d", found ? (int)*found : -1,'
            " !!bpf_map_lookup_percpu_elem(&each, &key, 3))"
        ),
        "0 0",
    ),
    "iterator": (
        "DISPATCH",
        (
            "struct task_struct *p; u32 n = 0, last = 0; if (scx_bpf_dsq_nr_queued(7) >= 3) {"
            "bpf_for_each(scx_dsq, p, 7, SCX_DSQ_ITER_REV) { if (!n++) last = p->pid; }"
            'SAY("%d %d %d", n, (int)scx_bpf_dsq_nr_queued(7), last > 1000); }'
        ),
        "17 17 1",
    ),
    "current": (
        "ENQUEUE",
        'int a = bpf_cpumask_test_cpu(2, p->cpus_ptr); SAY("%d %d", (int)scx_bpf_nr_cpu_ids(), a)',
        "3 1",
    ),
    "locks": (
        "INIT",
        (
            "static struct bpf_res_spin_lock lock; a = bpf_res_spin_lock(&lock); b = bpf_res_spin_lock(&lock);"
            'bpf_res_spin_unlock(&lock); SAY("%d %d %d", a, b, bpf_res_spin_lock(&lock))'
        ),
        "0 -35 0",
    ),
    "distribute": (
        "ENQUEUE",
        (
            "u32 a = bpf_cpumask_any_distribute(p->cpus_ptr), b = bpf_cpumask_any_distribute(p->cpus_ptr);"
            "u32 c = bpf_cpumask_any_and_distribute(p->cpus_ptr, p->cpus_ptr);"
            'SAY("%u %u", (b + 3 - a) % 3, (c + 3 - b) % 3)'
        ),
        "1 1",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_what_the_policy_saw(simulator: WasmSimulator, what: str) -> None:
    place, code, words = SAID[what]
    text = SOURCE
    for name in ("ENQUEUE", "DISPATCH", "INIT"):
        text = text.replace(f"{name};", f"{code if name == place else ''};")
    end = run(simulator, mixed_plan(end_ns=100 * MS), policy(text), 3).end
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 1025), end
    assert end.message == f"scx_bpf_error: {words}"


def test_a_policy_may_call_its_functions_what_it_likes(simulator: WasmSimulator) -> None:
    """The runtime asks the engine under names of its own."""
    text = SOURCE
    for name in ("ENQUEUE", "DISPATCH", "INIT"):
        text = text.replace(f"{name};", ";")
    text = text.replace("k_enqueue", "kf_dsq_insert").replace("k_dispatch", "kf_dsq_move_to_local")
    end = run(simulator, mixed_plan(end_ns=100 * MS), policy(text), 3).end
    assert end.verdict == SimVerdict.DONE, end
