/* SPDX-License-Identifier: GPL-2.0-only */
/* Work is kept on few warm cores; masks are kptrs, cold cores are dropped by timers. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define FALLBACK_DSQ_ID 1
#define CLOCK_BOOTTIME 7

const volatile u64 p_remove_ns = 2000 * 1000;
const volatile u64 r_max = 5;
const volatile u32 nr_cpus = 1;
const volatile u64 slice_ns;
private(NESTS) struct bpf_cpumask __kptr *primary_cpumask;
private(NESTS) struct bpf_cpumask __kptr *reserve_cpumask;
static s32 nr_reserved;
static u64 vtime_now;

struct task_ctx {
	struct bpf_cpumask __kptr *tmp_mask;
	s32 attached_core;
	s32 prev_cpu;
	bool prev_misses;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctx_stor SEC(".maps");

struct pcpu_ctx {
	struct bpf_timer timer;
	bool scheduled_compaction;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, s32);
	__type(value, struct pcpu_ctx);
} pcpu_ctxs SEC(".maps");

static const struct cpumask *cast(struct bpf_cpumask *mask)
{
	return (const struct cpumask *)mask;
}

static __always_inline void try_make_core_reserved(s32 cpu, struct bpf_cpumask *reserved, bool promotion)
{
	s32 tmp_nr_reserved;

	tmp_nr_reserved = nr_reserved;
	if (tmp_nr_reserved < r_max) {
		__sync_fetch_and_add(&nr_reserved, 1);
		bpf_cpumask_set_cpu(cpu, reserved);
	}
}

s32 BPF_STRUCT_OPS(wc_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct bpf_cpumask *p_mask, *primary, *reserve;
	s32 cpu;
	struct task_ctx *tctx;
	struct pcpu_ctx *pcpu_ctx;
	bool direct_to_primary = false, reset_impatient = true;

	tctx = bpf_task_storage_get(&task_ctx_stor, p, 0, 0);
	if (!tctx)
		return -ENOENT;

	bpf_rcu_read_lock();
	p_mask = tctx->tmp_mask;
	primary = primary_cpumask;
	reserve = reserve_cpumask;
	if (!p_mask || !primary || !reserve) {
		bpf_rcu_read_unlock();
		return -ENOENT;
	}
	tctx->prev_cpu = prev_cpu;
	bpf_cpumask_and(p_mask, p->cpus_ptr, cast(primary));
	if (bpf_cpumask_test_cpu(tctx->attached_core, cast(p_mask)) && scx_bpf_test_and_clear_cpu_idle(tctx->attached_core)) {
		cpu = tctx->attached_core;
		goto migrate_primary;
	}
	cpu = scx_bpf_pick_idle_cpu(cast(p_mask), 0);
	if (cpu >= 0)
		goto migrate_primary;
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		bpf_cpumask_clear_cpu(cpu, reserve);
		goto promote_to_primary;
	}
	bpf_rcu_read_unlock();
	return prev_cpu;

promote_to_primary:
	bpf_cpumask_set_cpu(cpu, primary);
migrate_primary:
	if (reset_impatient)
		tctx->prev_misses = false;
	pcpu_ctx = bpf_map_lookup_elem(&pcpu_ctxs, &cpu);
	if (pcpu_ctx) {
		if (pcpu_ctx->scheduled_compaction) {
			if (bpf_timer_cancel(&pcpu_ctx->timer) < 0)
				scx_bpf_error("Failed to cancel timer of %d", cpu);
			pcpu_ctx->scheduled_compaction = false;
		}
	} else {
		scx_bpf_error("Failed to lookup pcpu ctx");
	}
	bpf_cpumask_set_cpu(cpu, primary);
	bpf_rcu_read_unlock();
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
	return cpu;
}

void BPF_STRUCT_OPS(wc_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *tctx;
	u64 vtime = p->scx.dsq_vtime;

	tctx = bpf_task_storage_get(&task_ctx_stor, p, 0, 0);
	if (!tctx) {
		scx_bpf_error("Unable to find task ctx");
		return;
	}
	if (time_before(vtime, vtime_now - slice_ns))
		vtime = vtime_now - slice_ns;
	scx_bpf_dsq_insert_vtime(p, FALLBACK_DSQ_ID, slice_ns, vtime, enq_flags);
}

void BPF_STRUCT_OPS(wc_dispatch, s32 cpu, struct task_struct *prev)
{
	struct pcpu_ctx *pcpu_ctx;
	struct bpf_cpumask *primary, *reserve;
	s32 key = cpu;
	bool in_primary;

	primary = primary_cpumask;
	reserve = reserve_cpumask;
	if (!primary || !reserve) {
		scx_bpf_error("No primary or reserve cpumask");
		return;
	}
	pcpu_ctx = bpf_map_lookup_elem(&pcpu_ctxs, &key);
	if (!pcpu_ctx) {
		scx_bpf_error("Failed to lookup pcpu ctx");
		return;
	}
	if (!scx_bpf_dsq_move_to_local(FALLBACK_DSQ_ID, 0)) {
		in_primary = bpf_cpumask_test_cpu(cpu, cast(primary));
		if (prev && (prev->scx.flags & SCX_TASK_QUEUED) && in_primary) {
			scx_bpf_dsq_insert(prev, SCX_DSQ_LOCAL, slice_ns, 0);
			return;
		}
		if (in_primary) {
			bpf_cpumask_clear_cpu(cpu, primary);
			try_make_core_reserved(cpu, reserve, false);
		}
		return;
	}
}

s32 BPF_STRUCT_OPS_SLEEPABLE(wc_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_ctx *tctx;
	struct bpf_cpumask *cpumask;

	tctx = bpf_task_storage_get(&task_ctx_stor, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!tctx)
		return -ENOMEM;
	cpumask = bpf_cpumask_create();
	if (!cpumask)
		return -ENOMEM;
	cpumask = bpf_kptr_xchg(&tctx->tmp_mask, cpumask);
	if (cpumask)
		bpf_cpumask_release(cpumask);
	tctx->attached_core = -1;
	return 0;
}

static int init_mask(struct bpf_cpumask **mask_p)
{
	struct bpf_cpumask *mask = *mask_p;

	if (mask)
		return 0;
	mask = bpf_cpumask_create();
	if (!mask)
		return -ENOMEM;
	bpf_cpumask_clear(mask);
	mask = bpf_kptr_xchg(mask_p, mask);
	if (mask)
		bpf_cpumask_release(mask);
	return *mask_p ? 0 : -ENOMEM;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(wc_init)
{
	int err;
	s32 i;

	err = scx_bpf_create_dsq(FALLBACK_DSQ_ID, NUMA_NO_NODE);
	if (err) {
		scx_bpf_error("Failed to create fallback DSQ");
		return err;
	}
	if ((err = init_mask((struct bpf_cpumask **)&primary_cpumask)) || (err = init_mask(&reserve_cpumask)))
		return err;
	bpf_for(i, 0, nr_cpus) {
		s32 key = i;
		struct pcpu_ctx *ctx = bpf_map_lookup_elem(&pcpu_ctxs, &key);

		if (!ctx)
			return -ENOENT;
		ctx->scheduled_compaction = false;
	}
	return 0;
}

SCX_OPS_DEFINE(wc_ops,
	       .select_cpu = (void *)wc_select_cpu,
	       .enqueue = (void *)wc_enqueue,
	       .dispatch = (void *)wc_dispatch,
	       .init_task = (void *)wc_init_task,
	       .init = (void *)wc_init,
	       .flags = 0,
	       .timeout_ms = 10000,
	       .name = "warm_cores");
