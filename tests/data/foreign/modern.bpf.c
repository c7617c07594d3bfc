/* SPDX-License-Identifier: GPL-2.0-only */
/* Written the way sched-ext/scx's schedulers are today: a shared queue by virtual time, and most of the macros. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

UEI_DEFINE(uei);

#define SHARED 7

const volatile u64 slice_ns = SCX_SLICE_DFL;
extern bool CONFIG_PREEMPT_RCU __kconfig __weak;
static u64 vtime_now;
static bool preemptible;
static u64 served[64];

struct task_ctx {
	u64 woken_at;
	struct bpf_cpumask __kptr *seen;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} tasks SEC(".maps");

private(LOCK) struct bpf_spin_lock lock;
private(LOCK) u64 guarded;

s32 BPF_STRUCT_OPS(modern_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_ctx *tctx = bpf_task_storage_get(&tasks, p, 0, 0);
	bool is_idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &is_idle);

	if (tctx)
		tctx->woken_at = scx_bpf_now();
	if (is_idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void BPF_STRUCT_OPS(modern_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 vtime = p->scx.dsq_vtime;
	u64 *count = MEMBER_VPTR(served, [bpf_get_smp_processor_id() & 127]);
	u64 *again = ARRAY_ELEM_PTR(served, scx_bpf_task_cpu(p), 64);

	if (count)
		(*count)++;
	if (unlikely(again && !*again))
		WRITE_ONCE(*again, READ_ONCE(*again) + 1);
	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1 && !is_migration_disabled(p) &&
	    __COMPAT_is_enq_cpu_selected(enq_flags)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags | SCX_ENQ_HEAD);
		return;
	}
	if (time_before(vtime, vtime_now - slice_ns))
		vtime = vtime_now - slice_ns;
	scx_bpf_dsq_insert_vtime(p, SHARED, slice_ns, vtime, enq_flags);
}

void BPF_STRUCT_OPS(modern_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;

	bpf_for_each(scx_dsq, p, SHARED, 0) {
		if (p->scx.weight > 5000 && scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, SCX_DSQ_LOCAL, SCX_ENQ_HEAD))
			return;
		break;
	}
	scx_bpf_dsq_move_to_local(SHARED, 0);
}

void BPF_STRUCT_OPS(modern_running, struct task_struct *p)
{
	if (time_before(vtime_now, p->scx.dsq_vtime))
		vtime_now = p->scx.dsq_vtime;
	bpf_spin_lock(&lock);
	guarded++;
	bpf_spin_unlock(&lock);
}

void BPF_STRUCT_OPS(modern_stopping, struct task_struct *p, bool runnable)
{
	u64 used = slice_ns - p->scx.slice;

	scx_bpf_task_set_dsq_vtime(p, p->scx.dsq_vtime + scale_by_task_weight_inverse(p, used));
}

void BPF_STRUCT_OPS(modern_dump, struct scx_dump_ctx *dctx)
{
	scx_bpf_dump("queued=%d guarded=%llu", scx_bpf_dsq_nr_queued(SHARED), guarded);
}

s32 BPF_STRUCT_OPS(modern_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_ctx *tctx = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct bpf_cpumask *mask;

	if (!tctx)
		return -ENOMEM;
	mask = bpf_cpumask_create();
	if (!mask)
		return -ENOMEM;
	bpf_cpumask_and(mask, p->cpus_ptr, cast_mask(mask));
	mask = bpf_kptr_xchg(&tctx->seen, mask);
	if (mask)
		bpf_cpumask_release(mask);
	scx_bpf_task_set_dsq_vtime(p, vtime_now);
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(modern_init)
{
	s32 err = scx_bpf_create_dsq(SHARED, NUMA_NO_NODE);

	preemptible = CONFIG_PREEMPT_RCU && LINUX_KERNEL_VERSION >= KERNEL_VERSION(6, 12, 0);
	if (err)
		scx_bpf_error("queue %d: %d", SHARED, err);
	return err;
}

void BPF_STRUCT_OPS(modern_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(modern_ops,
	       .select_cpu	= (void *)modern_select_cpu,
	       .enqueue		= (void *)modern_enqueue,
	       .dispatch	= (void *)modern_dispatch,
	       .running		= (void *)modern_running,
	       .stopping	= (void *)modern_stopping,
	       .dump		= (void *)modern_dump,
	       .init_task	= (void *)modern_init_task,
	       .init		= (void *)modern_init,
	       .exit		= (void *)modern_exit,
	       .timeout_ms	= 5000,
	       .name		= "modern");
