/* SPDX-License-Identifier: GPL-2.0-only */
/* What a CPU that goes or comes is to sched_ext. */
#include "scx.h"

/* handle_hotplug(): a policy without the callback is asked to be loaded anew. */
static void scx_hotplug(struct cpu *c, int online)
{
	if (online ? !!ops.cpu_online : !!ops.cpu_offline) {
		if (online)
			OP_CALL(KF_UNLOCKED, cpu_online, c->id);
		else
			OP_CALL(KF_UNLOCKED, cpu_offline, c->id);
		run_kicks();
		return;
	}
	ending.exit_code = SCX_ECODE_ACT_RESTART | SCX_ECODE_RSN_HOTPLUG;
	stop(V_EJECTED, SCX_EXIT_UNREG_KERN, "cpu %d going %s, exiting scheduler", c->id, online ? "online" : "offline");
}

/*
 * The CPU's own queue is drained. The policy has to see to those of its tasks that were on this CPU and wait in a queue
 * of its own: 6.18 waits until they have left, 7.3 queues them anew (rq_offline_scx()). Here that is done for those
 * alone that may run nowhere else, such as a kernel thread that would have been parked.
 */
static void scx_drain(struct cpu *c)
{
	for (u32 i = 0; i < nr_tasks && !stopped; i++) {
		struct task *p = &tasks[i];

		if (p->state == T_QUEUED && p->ext && p->cpu == c->id &&
		    (scx_of(p)->dsq == local_dsq(c->id) || first_of_both(p->allowed, &online_cpus) < 0))
			evict(p);
	}
}
