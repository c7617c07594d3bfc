/* A manager: the phases of its group one after the other, in each at most so many jobs at once. It is a normal task, as
 * make is, and writes what it measured into the shared plan. */
#define _GNU_SOURCE
#include "launcher.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static struct job *start_job(unsigned index)
{
	struct job *job = &plan->job[index];
	char name[13];
	random_name(plan->name_seed, index + 1000, name);
	job->start_us = since_start_us();
	pid_t pid = fork(); /* not into the plan: the child would write its 0 there too */
	if (pid == 0)
		job_run(job, name);
	job->pid = pid;
	return job;
}

static struct job *job_of(pid_t pid)
{
	for (unsigned i = 0; i < plan->jobs; i++)
		if (plan->job[i].pid == pid)
			return &plan->job[i];
	return NULL;
}

/* A zombie still has its schedstat; after wait4 it is gone. */
static void reap_job(void)
{
	siginfo_t info = {0};
	struct rusage usage;
	struct job *job;
	uint64_t run_ns, wait_ns;
	int status;
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) || !(job = job_of(info.si_pid)))
		_exit(3);
	read_schedstat(info.si_pid, &run_ns, &wait_ns);
	wait4(info.si_pid, &status, 0, &usage);
	job->end_us = since_start_us();
	job->run_delay_us = wait_ns / 1000;
	job->cpu_us = rusage_us(&usage);
	job->voluntary = (uint64_t)usage.ru_nvcsw;
	job->involuntary = (uint64_t)usage.ru_nivcsw;
	job->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void run_phase(unsigned group, unsigned phase)
{
	unsigned running = 0;
	for (unsigned i = 0; i < plan->jobs; i++) {
		if (plan->job[i].group != group || plan->job[i].phase != phase)
			continue;
		if (running == plan->group[group].parallel[phase])
			reap_job(), running--;
		if (start_job(i)->pid < 0)
			_exit(4);
		running++;
	}
	while (running--)
		reap_job();
}

/* The first process of a build speaks for all of it, before there is anything else of it. */
void manage(unsigned group)
{
	if (plan->group[group].hint_ns)
		plan->group[group].hint_accepted = offer_hint(plan->group[group].hint_ns);
	for (unsigned phase = 0; phase < plan->group[group].phases; phase++)
		run_phase(group, phase);
	_exit(0);
}
