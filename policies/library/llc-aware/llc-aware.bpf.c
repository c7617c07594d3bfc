/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * llc-aware: a fair queue for each last-level cache.
 *
 * CPUs that share a last-level cache can hand a task to each other for next to nothing; a task that moves to another
 * cache, another chiplet or socket, has to fetch all it works on anew. So CPUs of one cache share a queue, and no CPU has
 * to be balanced against its neighbours. Between caches tasks move in three cases only: on waking up, when no CPU of
 * their cache idles and another one does (the kernel's own choice); when a CPU finds its cache's queue empty; and when
 * another queue is longer by `lead` tasks for each CPU.
 *
 * The caches are those of the kernel's scheduling domains, read once when the policy starts (sd_llc_id); where a kernel
 * does not show them, NUMA nodes take their place.
 */
#include "queues.h"

char _license[] SEC("license") = "GPL";

const volatile u64 slice_us = 4000;
const volatile u64 lead = 1;

struct exit_record exit_record;

/* kernel/sched/topology.c: an id for each last-level cache, which is not above the largest CPU number. */
extern const int sd_llc_id __ksym __weak;

struct la_place {
	u32 queue;  /* of the CPU with this number */
	u32 number; /* 1 + the queue of the cache with this id; 0: no CPU has it so far */
	u32 cpus;   /* of the queue with this number */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, struct la_place);
} places SEC(".maps");

static __always_inline struct la_place *place_at(u32 number)
{
	return bpf_map_lookup_elem(&places, &number);
}

static __always_inline u32 queue_of(s32 cpu)
{
	struct la_place *place = place_at(cpu);

	return place ? place->queue : 0;
}

s32 OP(la_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(la_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct queued_task *t = task_of(p);
	u32 queue = queue_of(scx_bpf_task_cpu(p));

	scx_bpf_dsq_insert_vtime(p, QUEUE_DSQ(queue), slice_us * NSEC_PER_USEC, t ? key_in(t, queue) : 0, enq_flags);
	wake_idle_cpu(p);
}

void OP(la_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 own = queue_of(cpu);
	struct la_place *cache = place_at(own);

	if (cache && take_from_longer(own, lead * cache->cpus))
		return;
	if (wants_more(prev) && goes_on_in(prev, own, cpu)) {
		set_slice(prev, slice_us * NSEC_PER_USEC);
		return;
	}
	if (!scx_bpf_dsq_move_to_local(QUEUE_DSQ(own)))
		steal(own);
}

void OP(la_running, struct task_struct *p)
{
	struct queued_task *t = task_of(p);

	if (t)
		running_in(t, queue_of(scx_bpf_task_cpu(p)));
}

void OP(la_stopping, struct task_struct *p, bool runnable)
{
	struct queued_task *t = task_of(p);

	if (t)
		fair_charge(p, &t->fair);
}

s32 OP_SLEEPABLE(la_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(la_enable, struct task_struct *p)
{
	struct queued_task *t = task_of(p);

	if (t)
		join_queue(t, queue_of(scx_bpf_task_cpu(p)));
}

/* Of a CPU that is offline, or was when the kernel made its domains, nothing is known. */
static __always_inline u32 cache_id(s32 cpu)
{
	const int *id = NULL;
	s32 node;

	if (bpf_ksym_exists(&sd_llc_id)) {
		id = bpf_per_cpu_ptr(&sd_llc_id, cpu);
		return id && *id >= 0 ? *id : 0;
	}
	node = scx_bpf_cpu_node(cpu);
	return node >= 0 ? node : 0;
}

static s32 find_caches(u32 nr_cpus)
{
	u32 cpu, caches = 0;
	s32 err = 0;

	bpf_for(cpu, 0, nr_cpus) {
		struct la_place *mine = place_at(cpu), *cache = place_at(cache_id(cpu)), *queue;

		if (!mine || !cache) {
			err = -EINVAL;
			break;
		}
		if (!cache->number)
			cache->number = ++caches;
		mine->queue = cache->number - 1;
		queue = place_at(mine->queue);
		if (queue)
			queue->cpus++;
	}
	return err ? err : create_queues(caches);
}

s32 OP_SLEEPABLE(la_init)
{
	u32 cpus = scx_bpf_nr_cpu_ids();

	if (OUT_OF_RANGE(slice_us, 500, 20000) || OUT_OF_RANGE(lead, 1, 16) || cpus > MAX_CPUS)
		return -EINVAL;
	return find_caches(cpus);
}

void OP(la_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops llc_aware_ops = {
	.select_cpu	= (void *)la_select_cpu,
	.enqueue	= (void *)la_enqueue,
	.dispatch	= (void *)la_dispatch,
	.running	= (void *)la_running,
	.stopping	= (void *)la_stopping,
	.init_task	= (void *)la_init_task,
	.enable		= (void *)la_enable,
	.init		= (void *)la_init,
	.exit		= (void *)la_exit,
	.timeout_ms	= 5000,
	.name		= "llc_aware",
};
