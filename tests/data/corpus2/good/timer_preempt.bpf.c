/* SPDX-License-Identifier: GPL-2.0 */
/* Slices without end; a timer preempts every CPU that has somebody waiting. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ  1ULL
#define INTERVAL_NS (5ULL * 1000 * 1000)
#define SLICE_NS    SCX_SLICE_INF
#define MAX_CPUS    256

struct beat {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct beat);
} beats SEC(".maps");

static u32 nr_cpus = 1;

static int on_beat(void *map, u32 *key, struct beat *b)
{
	u32 i;

	if (scx_bpf_dsq_nr_queued(SHARED_DSQ) > 0) {
		bpf_for(i, 0, nr_cpus)
			scx_bpf_kick_cpu(i, SCX_KICK_PREEMPT);
	}
	bpf_timer_start(&b->timer, INTERVAL_NS, 0);
	return 0;
}

s32 OP(mf_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mf_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(mf_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(mf_init)
{
	struct beat *b;
	u32 zero = 0;
	s32 err;

	nr_cpus = scx_bpf_nr_cpu_ids();
	if (nr_cpus > MAX_CPUS)
		return -7;
	err = scx_bpf_create_dsq(SHARED_DSQ, -1);
	if (err)
		return err;
	b = bpf_map_lookup_elem(&beats, &zero);
	if (!b)
		return -3;
	bpf_timer_init(&b->timer, &beats, 1 /* CLOCK_MONOTONIC */);
	bpf_timer_set_callback(&b->timer, on_beat);
	return bpf_timer_start(&b->timer, INTERVAL_NS, 0);
}

SEC(".struct_ops.link")
struct sched_ext_ops mf_ops = {
	.select_cpu	= (void *)mf_select_cpu,
	.enqueue	= (void *)mf_enqueue,
	.dispatch	= (void *)mf_dispatch,
	.init		= (void *)mf_init,
	.timeout_ms	= 5000,
	.name		= "timer_preempt",
};
