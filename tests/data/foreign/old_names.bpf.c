/* SPDX-License-Identifier: GPL-2.0-only */
/* Written the way sched-ext/scx's schedulers were for Linux 6.12: dispatch and consume, before the renaming in 6.13. */
#include <scx/common.bpf.h>
#include "old_names.h"

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

const volatile u64 slice_ns = SCX_SLICE_DFL;

void BPF_STRUCT_OPS(old_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dispatch(p, OLD_SHARED, slice_ns, enq_flags);
}

void BPF_STRUCT_OPS(old_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;

	bpf_for_each(scx_dsq, p, OLD_SHARED, 0) {
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		__COMPAT_scx_bpf_dispatch_from_dsq_set_slice(BPF_FOR_EACH_ITER, slice_ns * 2);
		if (__COMPAT_scx_bpf_dispatch_from_dsq(BPF_FOR_EACH_ITER, p, SCX_DSQ_LOCAL_ON | cpu, SCX_ENQ_PREEMPT))
			return;
		break;
	}
	scx_bpf_consume(OLD_SHARED);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(old_init)
{
	return scx_bpf_create_dsq(OLD_SHARED, -1);
}

void BPF_STRUCT_OPS(old_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(old_ops,
	       .enqueue		= (void *)old_enqueue,
	       .dispatch	= (void *)old_dispatch,
	       .init		= (void *)old_init,
	       .exit		= (void *)old_exit,
	       .timeout_ms	= 5000,
	       .name		= "old_names");
