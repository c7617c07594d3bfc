/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * long-slices: for batches; turns as long as those who wait can bear.
 *
 * Each switch costs caches, and tasks that take turns often all end late: two jobs of a second on one CPU end after two
 * seconds both, one after the other they end after one and two. Nobody waits for a batch job's single steps, so turns of
 * a tenth of a second do no harm, until there are so many tasks that a round takes seconds. So the turn is
 *
 *	slice_ms, or the CPUs' share of round_ms among those who wait, if that is shorter
 *
 * in proportion to the weight, which is all that a share needs where everybody has one turn in each round. Turns are in
 * order of arrival. Who wakes up goes before those whose turn has ended, by head_start_ms of waiting; so it waits for the
 * end of one turn and not of a whole round, and nobody who computes is passed over for longer than that.
 */
#include "schedops.h"

char _license[] SEC("license") = "GPL";

#define SHARED_DSQ 1ULL

/* What the tick of the kernel can tell apart. */
#define MIN_TURN_NS (4 * NSEC_PER_MSEC)

const volatile u64 slice_ms = 100;
const volatile u64 round_ms = 600;
const volatile u64 head_start_ms = 300;

struct exit_record exit_record;

static __always_inline u64 turn_ns(struct task_struct *p)
{
	u64 longest_ns = slice_ms * NSEC_PER_MSEC;
	u64 fair_ns = round_ms * NSEC_PER_MSEC * scx_bpf_nr_cpu_ids() / (scx_bpf_dsq_nr_queued(SHARED_DSQ) + 1);
	u64 turn = (fair_ns < longest_ns ? fair_ns : longest_ns) * p->scx.weight / WEIGHT_NICE_0;

	if (turn > longest_ns)
		return longest_ns;
	return turn > MIN_TURN_NS ? turn : MIN_TURN_NS;
}

s32 OP(ls_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, turn_ns(p), 0);
	return cpu;
}

void OP(ls_enqueue, struct task_struct *p, u64 enq_flags)
{
	u64 key = bpf_ktime_get_ns();

	if (enq_flags & SCX_ENQ_WAKEUP)
		key -= head_start_ms * NSEC_PER_MSEC;
	scx_bpf_dsq_insert_vtime(p, SHARED_DSQ, turn_ns(p), key, enq_flags);
	wake_idle_cpu(p);
}

void OP(ls_dispatch, s32 cpu, struct task_struct *prev)
{
	if (scx_bpf_dsq_move_to_local(SHARED_DSQ))
		return;
	/* Nobody waits who may run here. */
	if (wants_more(prev))
		set_slice(prev, turn_ns(prev));
}

s32 OP_SLEEPABLE(ls_init)
{
	if (OUT_OF_RANGE(slice_ms, 20, 150) || OUT_OF_RANGE(round_ms, 50, 1000) || head_start_ms > 1000)
		return -EINVAL;
	return scx_bpf_create_dsq(SHARED_DSQ, -1);
}

void OP(ls_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops long_slices_ops = {
	.select_cpu	= (void *)ls_select_cpu,
	.enqueue	= (void *)ls_enqueue,
	.dispatch	= (void *)ls_dispatch,
	.init		= (void *)ls_init,
	.exit		= (void *)ls_exit,
	.timeout_ms	= 5000,
	.name		= "long_slices",
};
