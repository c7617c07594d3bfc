/* SPDX-License-Identifier: GPL-2.0-only */
/* A queue per CPU and one per cache, ids computed; idle CPUs steal from their neighbours. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_CPUS	1024
#define MAX_LLCS	64
#define LLC_DSQ_BASE	(1 << 16)
#define DSQ_OF_CPU(cpu)	((u64)(cpu) + 1)
#define DSQ_OF_LLC(llc)	(LLC_DSQ_BASE + (u64)(llc))

const volatile u32 nr_llcs = 1;
const volatile u32 cpu_llc[MAX_CPUS];
const volatile u64 slice_ns = 2000000;

private(KICK) struct bpf_cpumask __kptr *kick_mask;

static __always_inline u32 llc_of(s32 cpu)
{
	if (cpu < 0 || cpu >= MAX_CPUS)
		return 0;
	return cpu_llc[cpu];
}

static s32 pick_idle(struct task_struct *p, s32 prev_cpu)
{
	const struct cpumask *idle_smt;
	s32 cpu;

	idle_smt = scx_bpf_get_idle_smtmask();
	if (bpf_cpumask_test_cpu(prev_cpu, idle_smt) && scx_bpf_test_and_clear_cpu_idle(prev_cpu)) {
		cpu = prev_cpu;
		goto out;
	}
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, SCX_PICK_IDLE_CORE);
	if (cpu < 0)
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
out:
	scx_bpf_put_idle_cpumask(idle_smt);
	return cpu;
}

s32 BPF_STRUCT_OPS(pc_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	s32 cpu = pick_idle(p, prev_cpu);

	if (cpu >= 0) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, 0);
		return cpu;
	}
	return prev_cpu;
}

static bool try_direct(struct task_struct *p, u64 enq_flags)
{
	s32 cpu;

	if (p->nr_cpus_allowed == 1 || is_migration_disabled(p)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
		return true;
	}
	cpu = pick_idle(p, scx_bpf_task_cpu(p));
	if (cpu < 0)
		return false;
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, slice_ns, enq_flags);
	return true;
}

void BPF_STRUCT_OPS(pc_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 cpu = scx_bpf_task_cpu(p);

	if (try_direct(p, enq_flags))
		return;
	switch (p->policy) {
	case SCHED_IDLE:
	case SCHED_BATCH:
		scx_bpf_dsq_insert_vtime(p, DSQ_OF_LLC(llc_of(cpu)), slice_ns, p->scx.dsq_vtime, enq_flags);
		break;
	default:
		scx_bpf_dsq_insert(p, DSQ_OF_CPU(cpu), slice_ns, enq_flags);
		break;
	}
}

static bool steal(s32 cpu)
{
	u32 i, llc = llc_of(cpu);

	bpf_for(i, 1, nr_llcs) {
		u32 other = (llc + i) % nr_llcs;

		if (scx_bpf_dsq_nr_queued(DSQ_OF_LLC(other)) && scx_bpf_dsq_move_to_local(DSQ_OF_LLC(other)))
			return true;
	}
	return false;
}

void BPF_STRUCT_OPS(pc_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;

	if (scx_bpf_dsq_move_to_local(DSQ_OF_CPU(cpu)) || scx_bpf_dsq_move_to_local(DSQ_OF_LLC(llc_of(cpu))))
		return;
	bpf_for_each(scx_dsq, p, DSQ_OF_CPU((cpu + 1) % scx_bpf_nr_cpu_ids()), 0) {
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		if (scx_bpf_dsq_move(BPF_FOR_EACH_ITER, p, SCX_DSQ_LOCAL_ON | cpu, 0))
			return;
	}
	if (steal(cpu))
		return;
	if (prev && (prev->scx.flags & SCX_TASK_QUEUED))
		prev->scx.slice = slice_ns;
}

void BPF_STRUCT_OPS(pc_tick, struct task_struct *p)
{
	struct bpf_cpumask *mask;

	bpf_rcu_read_lock();
	mask = kick_mask;
	if (mask && bpf_cpumask_test_cpu(scx_bpf_task_cpu(p), (const struct cpumask *)mask))
		p->scx.slice = 0;
	bpf_rcu_read_unlock();
}

s32 BPF_STRUCT_OPS_SLEEPABLE(pc_init)
{
	struct bpf_cpumask *mask;
	u32 i;
	s32 err;

	bpf_for(i, 0, scx_bpf_nr_cpu_ids()) {
		err = scx_bpf_create_dsq(DSQ_OF_CPU(i), -1);
		if (err)
			return err;
	}
	bpf_for(i, 0, nr_llcs) {
		err = scx_bpf_create_dsq(DSQ_OF_LLC(i), -1);
		if (err)
			return err;
	}
	mask = bpf_cpumask_create();
	if (!mask)
		return -ENOMEM;
	mask = bpf_kptr_xchg(&kick_mask, mask);
	if (mask)
		bpf_cpumask_release(mask);
	return 0;
}

SEC(".struct_ops.link")
struct sched_ext_ops per_cpu_ops = {
	.select_cpu	= (void *)pc_select_cpu,
	.enqueue	= (void *)pc_enqueue,
	.dispatch	= (void *)pc_dispatch,
	.tick		= (void *)pc_tick,
	.init		= (void *)pc_init,
	.timeout_ms	= 5000,
	.flags		= SCX_OPS_ENQ_MIGRATION_DISABLED | SCX_OPS_KEEP_BUILTIN_IDLE,
	.name		= "per_cpu_queues",
};
