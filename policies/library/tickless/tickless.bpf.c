/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tickless: one CPU decides for all when a turn is over; nobody else needs a tick.
 *
 * The tick interrupts every busy CPU hundreds of times a second to ask whether the running task's slice is over. Where
 * there is a CPU for each task the answer is always no, and in a virtual machine each time may cost an exit to the host.
 * Here slices have no end (SCX_SLICE_INF), which lets a kernel that is built and booted for it (nohz_full) switch the
 * tick off, whatever else waits. A timer, bound to the CPU on which the policy was started, looks at all CPUs: those
 * whose task has had its turn while somebody waits are told to choose again.
 *
 * Who is next is weighted virtual time, of one queue for all.
 */
#include "fair.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL
#define CLOCK_MONOTONIC 1

/* What a task may save up while it sleeps. */
#define CREDIT_NS (5 * NSEC_PER_MSEC)

const volatile u64 turn_us = 5000;
const volatile u64 look_us = 1000;

struct exit_record exit_record;

struct tl_task {
	struct fair_task fair;
	u64 turn_ns; /* when its turn began; 0: it has yet to begin */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tl_task);
} tasks SEC(".maps");

/* When each CPU's task began its turn; 0: it has none of ours. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_CPUS);
	__type(key, u32);
	__type(value, u64);
} turns SEC(".maps");

struct tl_look {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct tl_look);
} look SEC(".maps");

static __always_inline struct tl_task *task_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

/* The task queues, or is about to run at once. A task that changes its nice value while it runs does neither. */
static __always_inline void end_turn(struct tl_task *t)
{
	if (t)
		t->turn_ns = 0;
}

static __always_inline void set_turn(u32 cpu, u64 began_ns)
{
	u64 *turn = bpf_map_lookup_elem(&turns, &cpu);

	if (turn)
		*turn = began_ns;
}

static __always_inline void begin_turn(struct tl_task *t, s32 cpu)
{
	fair_running(&t->fair, CREDIT_NS);
	if (!t->turn_ns)
		t->turn_ns = t->fair.started_ns;
	set_turn(cpu, t->turn_ns);
}

s32 OP(tl_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	end_turn(task_of(p));
	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, 0);
	return cpu;
}

void OP(tl_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct tl_task *t = task_of(p);
	u64 key = t ? fair_key(&t->fair, CREDIT_NS) : fair_now;

	end_turn(t);
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, SCX_SLICE_INF, key, enq_flags);
	wake_idle_cpu(p);
}

void OP(tl_dispatch, s32 cpu, struct task_struct *prev)
{
	struct tl_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		fair_charge(prev, &t->fair);
		if (leads(SHARED_DSQ, t->fair.vtime, cpu)) {
			end_turn(t);
			begin_turn(t, cpu);
			set_slice(prev, SCX_SLICE_INF);
			return;
		}
	}
	scx_bpf_dsq_move_to_local(SHARED_DSQ);
}

void OP(tl_running, struct task_struct *p)
{
	struct tl_task *t = task_of(p);

	if (t)
		begin_turn(t, scx_bpf_task_cpu(p));
}

void OP(tl_stopping, struct task_struct *p, bool runnable)
{
	struct tl_task *t = task_of(p);

	if (t)
		fair_charge(p, &t->fair);
	set_turn(scx_bpf_task_cpu(p), 0);
}

static int look_at_all(void *map, int *key, struct bpf_timer *timer)
{
	u64 now = bpf_ktime_get_ns();
	u32 cpu, count = scx_bpf_nr_cpu_ids();

	if (scx_bpf_dsq_nr_queued(SHARED_DSQ) > 0) {
		bpf_for(cpu, 0, count) {
			u32 at = cpu;
			u64 *turn = bpf_map_lookup_elem(&turns, &at);

			if (turn && *turn && before(*turn + turn_us * NSEC_PER_USEC, now))
				scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
		}
	}
	bpf_timer_start(timer, look_us * NSEC_PER_USEC, BPF_F_TIMER_CPU_PIN);
	return 0;
}

s32 OP_SLEEPABLE(tl_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(tl_enable, struct task_struct *p)
{
	struct tl_task *t = task_of(p);

	if (t)
		fair_join(&t->fair);
}

s32 OP_SLEEPABLE(tl_init)
{
	struct tl_look *the_look;
	u32 only = 0;
	s32 err;

	if (OUT_OF_RANGE(turn_us, 1000, 50000) || OUT_OF_RANGE(look_us, 250, 10000) || scx_bpf_nr_cpu_ids() > MAX_CPUS)
		return -EINVAL;
	err = scx_bpf_create_dsq(SHARED_DSQ, -1);
	if (err)
		return err;
	the_look = bpf_map_lookup_elem(&look, &only);
	if (!the_look)
		return -EINVAL;
	err = bpf_timer_init(&the_look->timer, &look, CLOCK_MONOTONIC);
	if (err)
		return err;
	bpf_timer_set_callback(&the_look->timer, look_at_all);
	return bpf_timer_start(&the_look->timer, look_us * NSEC_PER_USEC, BPF_F_TIMER_CPU_PIN);
}

void OP(tl_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops tickless_ops = {
	.select_cpu	= (void *)tl_select_cpu,
	.enqueue	= (void *)tl_enqueue,
	.dispatch	= (void *)tl_dispatch,
	.running	= (void *)tl_running,
	.stopping	= (void *)tl_stopping,
	.init_task	= (void *)tl_init_task,
	.enable		= (void *)tl_enable,
	.init		= (void *)tl_init,
	.exit		= (void *)tl_exit,
	.timeout_ms	= 5000,
	.name		= "tickless",
};
