/* SPDX-License-Identifier: GPL-2.0 */
/* FIFO that says how it is and why it ended. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)

static u64 nr_queued, nr_taken;

static struct {
	s32 kind;
	char msg[128];
} ended;

s32 OP(mk_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(mk_enqueue, struct task_struct *p, u64 enq_flags)
{
	__sync_fetch_and_add(&nr_queued, 1);
	scx_bpf_dsq_insert(p, SHARED_DSQ, SLICE_NS, enq_flags);
}

void OP(mk_dispatch, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_dsq_move_to_local(SHARED_DSQ))
		__sync_fetch_and_add(&nr_taken, 1);
}

void OP(mk_dump, struct scx_dump_ctx *dctx)
{
	static char fmt[] = "queued %llu taken %llu\n";
	u64 data[2] = { nr_queued, nr_taken };

	scx_bpf_dump_bstr(fmt, data, sizeof(data));
}

void OP(mk_exit, struct scx_exit_info *ei)
{
	ended.kind = ei->kind;
	bpf_probe_read_kernel_str(ended.msg, sizeof(ended.msg), ei->msg);
}

s32 OP_S(mk_init)
{
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops mk_ops = {
	.select_cpu	= (void *)mk_select_cpu,
	.enqueue	= (void *)mk_enqueue,
	.dispatch	= (void *)mk_dispatch,
	.dump		= (void *)mk_dump,
	.init		= (void *)mk_init,
	.exit		= (void *)mk_exit,
	.timeout_ms	= 5000,
	.name		= "dump_exit",
};
