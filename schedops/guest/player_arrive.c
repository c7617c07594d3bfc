/* New tasks. Every one is a child of the launcher's, whoever forks it: only the launcher outlives them all. */
#define _GNU_SOURCE
#include "player.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* From outside: no policy can keep it from becoming real-time. */
static void raise_to_realtime(const struct part *p, pid_t pid)
{
	struct sched_param priority = {.sched_priority = PRIORITY_PLAYED};
	sched_setaffinity(pid, CPUSET_WORDS * 8, (const cpu_set_t *)(cpusets + p->cpuset * CPUSET_WORDS));
	sched_setscheduler(pid, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
}

void arrive(unsigned id, bool by_task)
{
	struct actor *actor = &play->actor[id];
	int cgroup = cgroup_of[part[id].cgroup];
	uint64_t before = 0;
	/* The kernel refuses a signal of one's own for a child of one's parent; it is the parent's, SIGCHLD too. */
	struct clone_args args = {
		.flags = CLONE_PARENT_SETTID | (by_task ? CLONE_PARENT : 0) | (cgroup < 0 ? 0 : CLONE_INTO_CGROUP),
		.exit_signal = by_task ? 0 : SIGCHLD,
		.parent_tid = (uint64_t)&actor->pid,
		.cgroup = cgroup < 0 ? 0 : (uint64_t)cgroup,
	};
	if (!__atomic_compare_exchange_n(&actor->arrived_ns, &before, now_ns(), false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		play_ends(THERE_ALREADY, id);
		return;
	}
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid == 0)
		actor_main(id);
	if (pid < 0)
		play_ends(NO_ROOM, id);
	else if (part[id].class == REALTIME)
		raise_to_realtime(&part[id], pid);
}
