/* Runs the jobs of a plan: a manager process per group, as make is one per build, and the jobs as its children.
 *
 * The launcher itself only waits and is real-time, so no policy can make it late; managers and jobs are normal tasks.
 * Every arm of a comparison goes the same way through this code: only nice values, hints and the number of control
 * groups differ. */
#define _GNU_SOURCE
#include "launcher.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct plan *plan;

void launcher_prepare(void)
{
	plan = shared_memory(sizeof *plan);
}

uint64_t since_start_us(void)
{
	return (now_ns() - plan->start_ns) / 1000;
}

/* ---- reading the plan: "head <cgroups> <seed>", "group <arrival> <hint> <phases> <parallel>...",
 *      "job <group> <phase> <work> <nice> <hint>" ---- */

static bool read_group(const char *line)
{
	struct group *group = &plan->group[plan->groups];
	int used, n;
	if (plan->groups == MAX_GROUPS || sscanf(line, "group %lu %lu %u%n", &group->arrival_us, &group->hint_ns,
						 &group->phases, &used) != 3)
		return false;
	if (group->phases > MAX_PHASES)
		return false;
	for (unsigned i = 0; i < group->phases; i++, used += n)
		if (sscanf(line + used, "%u%n", &group->parallel[i], &n) != 1 || !group->parallel[i])
			return false;
	plan->groups++;
	return true;
}

static bool read_job(const char *line)
{
	struct job *job = &plan->job[plan->jobs];
	if (plan->jobs == MAX_JOBS || sscanf(line, "job %u %u %lu %d %lu", &job->group, &job->phase, &job->work,
					     &job->nice, &job->hint_ns) != 5)
		return false;
	if (job->group >= plan->groups || job->phase >= plan->group[job->group].phases)
		return false;
	job->exit_code = -1;
	plan->jobs++;
	return true;
}

static bool read_head(const char *line)
{
	unsigned cgroups;
	if (sscanf(line, "head %u %lu", &cgroups, &plan->name_seed) != 2)
		return false;
	plan->cgroup_per_group = cgroups;
	return true;
}

static bool read_plan(char *text)
{
	memset(plan, 0, sizeof *plan);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		bool good = *line == 'h' ? read_head(line) : *line == 'g' ? read_group(line) : read_job(line);
		if (!good)
			return false;
	}
	return true;
}

static void group_arrives(unsigned index, int common_cgroup)
{
	struct group *group = &plan->group[index];
	int cgroup = plan->cgroup_per_group ? cgroup_make(group->cgroup) : common_cgroup;
	pid_t pid = fork_into_cgroup(cgroup);
	if (pid == 0) {
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		manage(index);
	}
	group->manager = pid;
	if (plan->cgroup_per_group)
		close(cgroup);
}

/* Starts every group whose time has come, earliest first; when the next one is due, or 0 when all are here. */
static uint64_t groups_arrive(int common_cgroup)
{
	for (;;) {
		struct group *next = NULL;
		for (struct group *g = plan->group; g < plan->group + plan->groups; g++)
			if (!g->manager && (!next || g->arrival_us < next->arrival_us))
				next = g;
		if (!next)
			return 0;
		if (next->arrival_us > since_start_us())
			return plan->start_ns + next->arrival_us * 1000;
		group_arrives((unsigned)(next - plan->group), common_cgroup);
		if (next->manager < 0)
			return 0;
	}
}

static unsigned reap_managers(void)
{
	unsigned left = 0;
	for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
		for (unsigned i = 0; i < plan->groups; i++)
			if (plan->group[i].manager == pid)
				plan->group[i].manager = -1;
	for (unsigned i = 0; i < plan->groups; i++)
		left += plan->group[i].manager >= 0;
	return left;
}

/* Blocks SIGCHLD first: a child that ends between the look and the wait must not be missed. */
static void watch_over(int common_cgroup, uint64_t deadline_ns)
{
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	for (;;) {
		uint64_t next = groups_arrive(common_cgroup);
		if (!reap_managers() || now_ns() >= deadline_ns)
			return;
		await_child(next && next < deadline_ns ? next : deadline_ns);
	}
}

static void name_cgroups(char common[13])
{
	random_name(plan->name_seed, 0, common);
	for (unsigned i = 0; i < plan->groups; i++)
		random_name(plan->name_seed, i + 1, plan->group[i].cgroup);
}

static bool clean_up(const char *common)
{
	bool gone = true;
	for (unsigned i = 0; i < plan->groups && plan->cgroup_per_group; i++)
		cgroup_kill(plan->group[i].cgroup);
	if (!plan->cgroup_per_group)
		cgroup_kill(common);
	for (uint64_t until = now_ns() + 3000000000u; reap_managers() && now_ns() < until;)
		await_child(now_ns() + 100000000u);
	for (unsigned i = 0; i < plan->groups && plan->cgroup_per_group; i++)
		gone &= !plan->group[i].manager || cgroup_remove(plan->group[i].cgroup, gone ? 1000 : 0);
	return plan->cgroup_per_group ? gone : cgroup_remove(common, 1000);
}

#define COLUMN(name, expression)                                                                                       \
	do {                                                                                                           \
		reply_add("%s", name);                                                                                 \
		for (struct job *j = plan->job; j < plan->job + plan->jobs; j++)                                       \
			reply_add(" %lu", (uint64_t)(expression));                                                     \
		reply_add("\n");                                                                                       \
	} while (0)

/* A job that never ended counts as killed at the deadline. */
static void reply_jobs(uint64_t deadline_us)
{
	COLUMN("start_us", j->start_us);
	COLUMN("end_us", j->exit_code < 0 ? deadline_us : j->end_us);
	COLUMN("cpu_us", j->cpu_us);
	COLUMN("run_delay_us", j->run_delay_us);
	COLUMN("voluntary", j->voluntary);
	COLUMN("involuntary", j->involuntary);
	COLUMN("exit_codes", j->exit_code < 0 ? 128 + SIGKILL : j->exit_code);
}

static void reply_totals(uint64_t wall_us, uint64_t switches, bool clean)
{
	struct rusage self, children;
	uint64_t hints = 0;
	for (unsigned i = 0; i < plan->jobs; i++)
		hints += plan->job[i].hint_accepted == 1;
	for (unsigned i = 0; i < plan->groups; i++)
		hints += plan->group[i].hint_accepted;
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children); /* managers, and the jobs that they reaped */
	reply_add("hints_accepted %lu\nwall_us %lu\ncontext_switches %lu\nwakeups %lu\nclean %d\n", hints, wall_us,
		  switches, (uint64_t)(self.ru_nvcsw + children.ru_nvcsw), clean);
}

void launcher_run(const struct request *request)
{
	char common[13];
	uint64_t switches = context_switches(), wall_us;
	int common_cgroup = -1;
	if (!read_plan(request->payload))
		_exit(2);
	name_cgroups(common);
	if (!plan->cgroup_per_group)
		common_cgroup = cgroup_make(common);
	plan->start_ns = now_ns();
	watch_over(common_cgroup, plan->start_ns + request->deadline_ms * 1000000u);
	wall_us = since_start_us();
	switches = context_switches() - switches;
	close(common_cgroup);
	bool clean = clean_up(common);
	reply_jobs(wall_us);
	reply_totals(wall_us, switches, clean);
}
