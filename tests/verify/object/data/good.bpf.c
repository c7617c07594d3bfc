/* SPDX-License-Identifier: GPL-2.0-only */
/* What good policies do that looks like a flaw: guards, timers, bounded loops, functions in between. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define SHARED_DSQ 0
#define SLICE_NS 5000000ULL


extern struct task_struct *scx_bpf_dsq_peek(u64 dsq_id) __ksym __weak;
extern bool scx_bpf_dsq_insert___v2___compat(struct task_struct *p, u64 dsq_id, u64 slice, u64 enq_flags) __ksym __weak;

const volatile u64 __SCX_KICK_PREEMPT __weak;
u64 peeked, ticks;

struct tick { struct bpf_timer timer; };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tick);
} timers SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 24);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, u64);
} grows SEC(".maps");

static int on_tick(void *map, int *key, struct bpf_timer *timer)
{
	scx_bpf_kick_cpu(0, __SCX_KICK_PREEMPT);
	bpf_timer_start(timer, 10000000, 0);
	return 0;
}

static __noinline void look(u64 dsq)
{
	struct task_struct *first = scx_bpf_dsq_peek(dsq);

	if (first)
		peeked++;
}

static __noinline void put(struct task_struct *p, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___compat))
		scx_bpf_dsq_insert___v2___compat(p, SHARED_DSQ, SLICE_NS, enq_flags);
	else
		scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags | SCX_ENQ_HEAD);
}

SEC("struct_ops/g_enqueue")
void BPF_PROG(g_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (bpf_ksym_exists(scx_bpf_dsq_peek))
		look(SHARED_DSQ);
	put(p, enq_flags);
}

SEC("struct_ops/g_dispatch")
void BPF_PROG(g_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 i;

	bpf_for(i, 0, 64)
		if (!scx_bpf_dsq_move_to_local(SHARED_DSQ))
			break;
}

SEC("struct_ops/g_running")
void BPF_PROG(g_running, struct task_struct *p)
{
	ticks += p->scx.weight;
}

SEC("struct_ops.s/g_init")
s32 BPF_PROG(g_init)
{
	u32 key = 0;
	struct tick *tick = bpf_map_lookup_elem(&timers, &key);

	if (!tick)
		return -3;
	bpf_timer_init(&tick->timer, &timers, 1);
	bpf_timer_set_callback(&tick->timer, on_tick);
	bpf_timer_start(&tick->timer, 10000000, 0);
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops good_ops = {
	.enqueue	= (void *)g_enqueue,
	.dispatch	= (void *)g_dispatch,
	.running	= (void *)g_running,
	.init		= (void *)g_init,
	.flags		= SCX_OPS_ENQ_LAST | SCX_OPS_KEEP_BUILTIN_IDLE,
	.timeout_ms	= 5000,
	.name		= "good",
};

char _license[] SEC("license") = "GPL";
