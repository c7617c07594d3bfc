/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with counters in every callback that costs little. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

static __always_inline void count(u32 what)
{
	u64 *n = bpf_map_lookup_elem(&counts, &what);

	if (n)
		*n += 1;
}

s32 OP(mu_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mu_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(mu_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(mu_runnable, struct task_struct *p, u64 enq_flags)
{
	count(0);
}

void OP(mu_quiescent, struct task_struct *p, u64 deq_flags)
{
	count(1);
}

void OP(mu_exit_task, struct task_struct *p, struct scx_exit_task_args *args)
{
	count(2);
}

bool OP(mu_yield, struct task_struct *from, struct task_struct *to)
{
	count(3);
	return false;
}

s32 OP_S(mu_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mu_ops = {
	.select_cpu	= (void *)mu_select_cpu,
	.enqueue	= (void *)mu_enqueue,
	.dispatch	= (void *)mu_dispatch,
	.runnable	= (void *)mu_runnable,
	.quiescent	= (void *)mu_quiescent,
	.yield		= (void *)mu_yield,
	.exit_task	= (void *)mu_exit_task,
	.init		= (void *)mu_init,
	.timeout_ms	= 5000,
	.name		= "counters",
};
