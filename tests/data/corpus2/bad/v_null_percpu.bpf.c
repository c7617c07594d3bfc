/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO with counters of another CPU. */
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
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} counts SEC(".maps");

s32 OP(hc_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(hc_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 zero = 0;
	u64 *n = bpf_map_lookup_percpu_elem(&counts, &zero, scx_bpf_task_cpu(p));

	*n += 1;
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(hc_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(hc_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops hc_ops = {
	.select_cpu	= (void *)hc_select_cpu,
	.enqueue	= (void *)hc_enqueue,
	.dispatch	= (void *)hc_dispatch,
	.init		= (void *)hc_init,
	.timeout_ms	= 5000,
	.name		= "v_null_percpu",
};
