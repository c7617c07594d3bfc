/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * earliest-deadline: who has to be done first goes first; latency by how long the bursts are, and by weight.
 *
 * A fair share says how much a task gets, not when. Here every task asks for CPU time, about as much as it usually uses
 * before it sleeps again (burst.h), and should have it by
 *
 *	deadline = its virtual time + what it asks for / weight
 *
 * which is served in order. Who asks for little has an early deadline and is done soon; who computes for long asks for
 * a whole slice. Nice values are latency weights as well as shares: a heavy task's request takes little virtual time. As
 * the virtual time is charged in full, nobody gets more than its share by asking for little.
 *
 * An early deadline is worth nothing if the CPUs are taken for the rest of a slice. So a task that wakes up looks at the
 * CPU that it ran on last: when the deadline of the task there is later by more than preempt_us, that one has to queue.
 */
#include "burst.h"
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

const volatile u64 slice_us = 1000;
const volatile u64 request_us = 200;
const volatile u64 credit_us = 8000;
const volatile u64 preempt_us = 500;

struct exit_record exit_record;

struct ed_task {
	struct fair_task fair;
	struct burst burst;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ed_task);
} tasks SEC(".maps");

/* The deadline of the task that each CPU runs, or ran last. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, u64);
} deadlines SEC(".maps");

static __always_inline struct ed_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline u64 deadline(struct task_struct *p, struct ed_task *t)
{
	u64 asks_ns = burst_left_ns(&t->burst), most_ns = slice_us * NSEC_PER_USEC, least_ns = request_us * NSEC_PER_USEC;
	u32 weight = p->scx.weight;

	if (asks_ns > most_ns)
		asks_ns = most_ns;
	if (asks_ns < least_ns)
		asks_ns = least_ns;
	return t->fair.vtime + asks_ns * WEIGHT_NICE_0 / (weight ? weight : 1);
}

/* The task is about to run, or to go on, on this CPU. */
static __always_inline void begins(struct task_struct *p, struct ed_task *t, s32 cpu)
{
	u32 key = cpu;
	u64 *running = bpf_map_lookup_elem(&deadlines, &key);

	fair_running(&t->fair, credit_us * NSEC_PER_USEC);
	if (running)
		*running = deadline(p, t);
}

static __always_inline void charge(struct task_struct *p, struct ed_task *t)
{
	t->burst.used_ns += fair_charge(p, &t->fair);
}

s32 OP(ed_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(ed_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct ed_task *t = task_of(p);
	s32 cpu = scx_bpf_task_cpu(p);
	u32 at = cpu;
	u64 *running = bpf_map_lookup_elem(&deadlines, &at);
	u64 key = fair_now;

	if (t) {
		fair_key(&t->fair, credit_us * NSEC_PER_USEC);
		key = deadline(p, t);
	}
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, slice_us * NSEC_PER_USEC, key, enq_flags);
	if ((enq_flags & SCX_ENQ_WAKEUP) && running && before(key + preempt_us * NSEC_PER_USEC, *running))
		scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
	else
		wake_idle_cpu(p);
}

void OP(ed_dispatch, s32 cpu, struct task_struct *prev)
{
	struct ed_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		charge(prev, t);
		if (leads(SHARED_DSQ, deadline(prev, t), cpu)) {
			begins(prev, t, cpu);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(ed_running, struct task_struct *p)
{
	struct ed_task *t = task_of(p);

	if (t)
		begins(p, t, scx_bpf_task_cpu(p));
}

void OP(ed_stopping, struct task_struct *p, bool runnable)
{
	struct ed_task *t = task_of(p);

	if (t)
		charge(p, t);
}

void OP(ed_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct ed_task *t = task_of(p);

	if (t)
		burst_ends(&t->burst, deq_flags);
}

s32 OP_SLEEPABLE(ed_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(ed_enable, struct task_struct *p)
{
	struct ed_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(ed_init)
{
	if (OUT_OF_RANGE(slice_us, 500, 20000) || OUT_OF_RANGE(request_us, 50, 20000) || credit_us > 100000 ||
	    preempt_us > 20000)
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(ed_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops earliest_deadline_ops = {
	.select_cpu	= (void *)ed_select_cpu,
	.enqueue	= (void *)ed_enqueue,
	.dispatch	= (void *)ed_dispatch,
	.running	= (void *)ed_running,
	.stopping	= (void *)ed_stopping,
	.quiescent	= (void *)ed_quiescent,
	.init_task	= (void *)ed_init_task,
	.enable		= (void *)ed_enable,
	.init		= (void *)ed_init,
	.exit		= (void *)ed_exit,
	.timeout_ms	= 5000,
	.name		= "earliest_deadline",
};
