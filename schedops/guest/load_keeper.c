/* Stops and continues a task, by signals or as its tracer. It is real-time: the time between is the task's own. */
#define _GNU_SOURCE
#include "load.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_US = 2000 }; /* a keeper that looks more often takes CPU time from the load */

static void sleep_for(uint64_t us)
{
	struct timespec t = {(time_t)(us / 1000000u), (long)(us % 1000000u) * 1000};
	nanosleep(&t, NULL);
}

/* Until it has stopped: one that never gets a CPU never does, and its clock goes on. */
static void stop(pid_t task, bool traced)
{
	int status;
	if (traced)
		ptrace(PTRACE_INTERRUPT, task, NULL, NULL);
	else
		kill(task, SIGSTOP);
	if (waitpid(task, &status, traced ? __WALL : WUNTRACED) != task || !WIFSTOPPED(status))
		_exit(0);
}

static void resume(pid_t task, bool traced)
{
	if (traced)
		ptrace(PTRACE_CONT, task, NULL, NULL);
	else
		kill(task, SIGCONT);
}

/* It must have worked since it was continued, or it would be stopped for ever. */
static void let_work(struct slot *slot, unsigned work_us)
{
	uint64_t seen = __atomic_load_n(&slot->iterations, __ATOMIC_RELAXED);
	do
		sleep_for(work_us > LEAST_US ? work_us : LEAST_US);
	while (__atomic_load_n(&slot->iterations, __ATOMIC_RELAXED) == seen);
}

void keeper_main(struct slot *slot)
{
	const struct load_group *group = &load->group[slot->group];
	bool traced = group->kind == TRACED;
	pid_t task = fork();
	if (task == 0)
		task_main(slot);
	slot->pid = task;
	if (task < 0 || (traced && ptrace(PTRACE_SEIZE, task, NULL, PTRACE_O_EXITKILL)))
		_exit(0);
	wait_at_gate();
	for (;;) {
		let_work(slot, group->work_us);
		stop(task, traced);
		note_wait(slot, slot->last_ns, now_ns());
		slot->last_ns = ASLEEP;
		sleep_for(group->sleep_us);
		slot->last_ns = now_ns();
		resume(task, traced);
	}
}
