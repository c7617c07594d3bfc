/* SPDX-License-Identifier: GPL-2.0-only */
/* One queue, first come first served, that stays when CPUs come and go; each #ifdef plants one flaw. For tests. */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

#define QUEUE 7ULL
#define PF_FORKNOEXEC 0x40
#define PF_KTHREAD 0x200000

#ifndef SLICE_MS
#define SLICE_MS 5
#endif
#define SLICE (SLICE_MS * NSEC_PER_MSEC)

static u64 enqueued;
u64 offline_seen; /* not static: a flag that is only ever set would be shrunk to a bit */

#ifdef ENTRIES
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, ENTRIES);
	__type(value, s32);
} table SEC(".maps");

extern struct task_struct *bpf_task_from_pid(s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *p) __ksym __weak;
#endif

#if defined(LOSES_RENICED) || defined(LOSES_MOVED)
struct mark {
	u32 set;
};
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mark);
} marks SEC(".maps");

static __always_inline void mark(struct task_struct *p)
{
	struct mark *m = bpf_task_storage_get(&marks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (m)
		m->set++;
}
#endif

/* Is this the one that the planted flaw loses? */
static __always_inline bool lost(struct task_struct *p, u64 enq_flags, u64 nr)
{
	if (p->flags & PF_KTHREAD)
		return false;
#ifdef LATE
	if (nr > LATE && (nr & 511) == 7)
		return true;
#endif
#ifdef LATE_NICED
	if (nr > LATE_NICED && p->scx.weight < WEIGHT_NICE_0)
		return true;
#endif
#ifdef LOSES_EXECED
	if (!(p->flags & PF_FORKNOEXEC))
		return true;
#endif
#ifdef LOSES_LAST
	if (enq_flags & SCX_ENQ_LAST)
		return true;
#endif
#if defined(LOSES_RENICED) || defined(LOSES_MOVED)
	struct mark *m = bpf_task_storage_get(&marks, p, 0, 0);

	if (m && m->set > 1)
		return true;
#endif
#ifdef LOSES_AFTER_OFFLINE
	if (offline_seen && p->scx.weight < WEIGHT_NICE_0)
		return true;
#endif
	return false;
}

s32 OP(pl_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
#ifdef STICKY
	return prev_cpu;
#else
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SLICE, 0);
	return cpu;
#endif
}

void OP(pl_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 nr = __sync_fetch_and_add(&enqueued, 1);
	u64 slice = SLICE;

	if (lost(p, enq_flags, nr))
		return;
#ifdef HEAVY
	u64 hash = nr;
	u32 i;

	bpf_for(i, 0, HEAVY)
		hash = (hash ^ i) * 1099511628211ULL;
	slice += hash & 1;
#endif
#ifdef LATE_SLICE
	if (nr > LATE_SLICE)
		slice = SCX_SLICE_INF;
#endif
#ifdef ENTRIES
	s32 pid = p->pid;

	bpf_map_push_elem(&table, &pid, 0);
#elif defined(STICKY)
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice, enq_flags);
#elif defined(LAST_IN_FIRST_OUT)
	scx_bpf_dsq_insert_vtime(p, QUEUE, slice, (1ULL << 62) - nr, enq_flags);
#else
	scx_bpf_dsq_insert(p, QUEUE, slice, enq_flags);
#endif
}

void OP(pl_dispatch, s32 cpu, struct task_struct *prev)
{
#ifdef ENTRIES
	struct task_struct *p;
	s32 pid;
	u32 i;

	bpf_for(i, 0, 8) {
		if (bpf_map_pop_elem(&table, &pid))
			return;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SLICE, 0);
		bpf_task_release(p);
		return;
	}
#else
	scx_bpf_dsq_move_to_local(QUEUE);
#endif
}

#ifdef LOSES_RENICED
void OP(pl_set_weight, struct task_struct *p, u32 weight)
{
	mark(p);
}
#endif

#ifdef LOSES_MOVED
void OP(pl_set_cpumask, struct task_struct *p, const struct cpumask *cpumask)
{
	mark(p);
}
#endif

#ifndef WITHOUT_HOTPLUG
void OP_SLEEPABLE(pl_cpu_online, s32 cpu)
{
}

void OP_SLEEPABLE(pl_cpu_offline, s32 cpu)
{
	offline_seen = 1;
}
#endif

s32 OP_SLEEPABLE(pl_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

SEC(".struct_ops.link")
struct sched_ext_ops planted_ops = {
	.select_cpu	= (void *)pl_select_cpu,
	.enqueue	= (void *)pl_enqueue,
	.dispatch	= (void *)pl_dispatch,
#ifdef LOSES_RENICED
	.set_weight	= (void *)pl_set_weight,
#endif
#ifdef LOSES_MOVED
	.set_cpumask	= (void *)pl_set_cpumask,
#endif
#ifndef WITHOUT_HOTPLUG
	.cpu_online	= (void *)pl_cpu_online,
	.cpu_offline	= (void *)pl_cpu_offline,
#endif
	.init		= (void *)pl_init,
	.timeout_ms	= 5000,
#ifdef LOSES_LAST
	.flags		= SCX_OPS_ENQ_LAST,
#endif
	.name		= "planted",
};
