/* SPDX-License-Identifier: GPL-2.0 */
/* Two queues, by whether a task slept. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define QUEUE(kind) (20ULL + (kind))
#define WOKEN       0
#define EXPIRED     1
#define TAKE(kind)  scx_bpf_dsq_move_to_local(QUEUE(kind))
#define SLICE_NS    (5ULL * 1000 * 1000)

s32 OP(ao_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ao_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (enq_flags & SCX_ENQ_WAKEUP)
		scx_bpf_dsq_insert(p, QUEUE(WOKEN), SLICE_NS, enq_flags);
	else
		scx_bpf_dsq_insert(p, QUEUE(EXPIRED), SLICE_NS, enq_flags);
}

void OP(ao_dispatch, s32 cpu, struct task_struct *prev)
{
	if (!TAKE(WOKEN))
		TAKE(WOKEN);
}

s32 OP_S(ao_init)
{
	s32 err = scx_bpf_create_dsq(QUEUE(WOKEN), -1);

	if (!err)
		err = scx_bpf_create_dsq(QUEUE(EXPIRED), -1);
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops ao_ops = {
	.select_cpu	= (void *)ao_select_cpu,
	.enqueue	= (void *)ao_enqueue,
	.dispatch	= (void *)ao_dispatch,
	.init		= (void *)ao_init,
	.timeout_ms	= 5000,
	.name		= "s_wrong_queue_macro",
};
