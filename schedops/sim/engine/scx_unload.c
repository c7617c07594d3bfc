/* SPDX-License-Identifier: GPL-2.0-only */
/* How a policy is unloaded: scx_disable_workfn() of 6.18. */
#include "scx.h"

static void give_text(u32 which, const char *text, u64 length)
{
	for (u64 place = 0; place <= length; place += 8) {
		u64 eight = 0;

		for (u32 i = 0; i < 8 && place + i < length; i++)
			eight |= (u64)(u8)text[place + i] << i * 8;
		theirs.exit_text(which, place, eight);
	}
}

/* scx_exit_reason() */
static const char *exit_reason(u32 kind)
{
	switch (kind) {
	case SCX_EXIT_UNREG: return "unregistered from user space";
	case SCX_EXIT_UNREG_BPF: return "unregistered from BPF";
	case SCX_EXIT_UNREG_KERN: return "unregistered from the main kernel";
	case SCX_EXIT_ERROR: return "runtime error";
	case SCX_EXIT_ERROR_BPF: return "scx_bpf_error";
	case SCX_EXIT_ERROR_STALL: return "runnable task stall";
	}
	return "<UNKNOWN>";
}

/* scx_bypass() and the switch to another class take a task off its queue; scx_disable_task(), scx_exit_task(). */
static void leave_task(struct task *p)
{
	struct scx_task *s = scx_of(p);

	this_cpu = timer_cpu(p->cpu);
	if (p->ext && s->flags & SCX_TASK_QUEUED) {
		if (policy.custody ? s->in_custody : s->ops_state == OPS_QUEUED)
			OP_CALL(KF_REST, dequeue, mirror(p), DEQUEUE_SAVE);
		if (cpus[p->cpu].curr == p)
			OP_CALL(KF_REST, stopping, mirror(p), 0);
		OP_CALL(KF_REST, quiescent, mirror(p), DEQUEUE_SAVE);
	}
	if (p->ext)
		OP_CALL(KF_REST, disable, mirror(p));
	OP_CALL(KF_REST, exit_task, mirror(p), theirs.exit_args(p->id, 0));
}

static u64 exit_info(u32 kind)
{
	const char *reason = exit_reason(kind);
	u64 length = 0;

	while (reason[length])
		length++;
	give_text(0, reason, length);
	if (kind != SCX_EXIT_ERROR_BPF && kind != SCX_EXIT_UNREG_BPF) /* those words are in its own memory */
		give_text(1, ending.text, ending.length);
	return theirs.exit_info(kind, ending.exit_code, words_at, words_length);
}

/* Its cgroups go first, then its tasks, then ops.exit(). */
static void take_leave(u32 kind)
{
	in_policy = in_switch = 0;
	direct_task = NULL;
	leaving = 1;
	for (u32 i = nr_cgroups; ops.cgroup_exit && i-- && policy.cgroups;)
		OP_CALL(KF_UNLOCKED, cgroup_exit, policy.cgroups[i]);
	for (u32 i = 0; i < nr_tasks; i++) {
		if (tasks[i].state != T_NEW && tasks[i].state != T_DEAD)
			leave_task(&tasks[i]);
	}
	OP_CALL(KF_UNLOCKED, exit, exit_info(kind));
	policy.loaded = 0;
}

/*
 * The end of a policy that could have gone on, or was ejected: Python calls it after run(). What it does wrong meanwhile
 * is a verdict only if there was none against it.
 */
void EXPORT(unload)(void)
{
	u32 verdict = ending.verdict;

	if (!policy.loaded || verdict > V_EJECTED)
		return;
	stopped = verdict == V_EJECTED;
	take_leave(verdict == V_DONE ? SCX_EXIT_UNREG : ending.kind);
	stopped = 1;
}
