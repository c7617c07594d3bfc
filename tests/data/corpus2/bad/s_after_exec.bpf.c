/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that replaced themselves are queued apart. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";

#define OP(name, args...)   SEC("struct_ops/" #name) BPF_PROG(name, ##args)
#define OP_S(name, args...) SEC("struct_ops.s/" #name) BPF_PROG(name, ##args)

#define SHARED_DSQ 1ULL
#define SLICE_NS   (5ULL * 1000 * 1000)
#define EXECED_DSQ 2ULL

struct task_ctx {
	u64 name;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tctxs SEC(".maps");

s32 OP(ak_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE_NS, 0);
	return cpu;
}

void OP(ak_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, 0);
	bool same = !t || t->name == *(u64 *)p->comm;

	scx_bpf_dsq_insert(p, same ? SHARED_DSQ : EXECED_DSQ, SLICE_NS, enq_flags);
}

void OP(ak_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

s32 OP_S(ak_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_ctx *t = bpf_task_storage_get(&tctxs, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		return -12;
	t->name = *(u64 *)p->comm;
	return 0;
}

s32 OP_S(ak_init)
{
	s32 err = scx_bpf_create_dsq(SHARED_DSQ, -1);

	if (!err)
		err = scx_bpf_create_dsq(EXECED_DSQ, -1);
	return err;
}

SEC(".struct_ops.link")
struct sched_ext_ops ak_ops = {
	.select_cpu	= (void *)ak_select_cpu,
	.enqueue	= (void *)ak_enqueue,
	.dispatch	= (void *)ak_dispatch,
	.init_task	= (void *)ak_init_task,
	.init		= (void *)ak_init,
	.timeout_ms	= 5000,
	.name		= "s_after_exec",
};
