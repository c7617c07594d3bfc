/* Runs real programs that came with the guest's image: prepares, starts servers, launches jobs at their time, waits for
 * all of them. The launcher itself only waits and is real-time, so no policy can make it late. */
#define _GNU_SOURCE
#include "programs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_BYTES = 2048, ALL_KEPT_BYTES = 400 << 10, READY_MS = 15000, RUNNING = 256 };
#define OUTPUT "/run/out"

static struct programs plan;
static uint64_t start_ns;
static int cgroups[MAX_PROGRAM_GROUPS];
static char names[MAX_PROGRAM_GROUPS][13];

static uint64_t elapsed_us(void)
{
	return (now_ns() - start_ns) / 1000;
}

static void output_path(const char *kind, unsigned index, char out[64])
{
	snprintf(out, 64, OUTPUT "/%s%u", kind, index);
	unlink(out);
}

static unsigned cgroup_of(unsigned group)
{
	return plan.cgroup_per_group ? group : 0;
}

static void make_cgroups(void)
{
	for (unsigned i = 0; i < MAX_PROGRAM_GROUPS; i++) {
		random_name(plan.name_seed, i, names[i]);
		cgroups[i] = i < plan.groups && cgroup_of(i) == i ? cgroup_make(names[i]) : -1;
	}
}

static pid_t start(struct program *program, const char *kind, unsigned index)
{
	char output[64], name[13];
	pid_t pid;
	output_path(kind, index, output);
	random_name(plan.name_seed, index + (kind[0] == 'j' ? 1000 : 2000), name);
	program->start_us = elapsed_us();
	pid = fork_into_cgroup(cgroups[cgroup_of(program->group)]);
	if (pid == 0)
		program_exec(program, output, plan.random_names ? name : NULL);
	return pid;
}

static void keep(struct program *job, int status, const struct rusage *usage)
{
	job->end_us = elapsed_us();
	job->cpu_us = rusage_us(usage);
	job->voluntary = (uint64_t)usage->ru_nvcsw;
	job->involuntary = (uint64_t)usage->ru_nivcsw;
	job->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	job->pid = -1;
}

/* Jobs that are not over; a server that ends stays so. */
static unsigned reap(void)
{
	struct rusage usage;
	unsigned left = 0;
	int status;
	for (pid_t pid; (pid = wait4(-1, &status, WNOHANG, &usage)) > 0;) {
		for (unsigned i = 0; i < plan.jobs; i++)
			if (plan.job[i].pid == pid)
				keep(&plan.job[i], status, &usage);
		for (unsigned i = 0; i < plan.servers; i++)
			if (plan.server[i].pid == pid)
				keep(&plan.server[i], status, &usage);
	}
	for (unsigned i = 0; i < plan.jobs; i++)
		left += plan.job[i].pid >= 0;
	return left;
}

/* The number of the first server that does not take connections in time or has ended; -1: all are there. */
static int start_servers(void)
{
	uint64_t until = now_ns() + READY_MS * 1000000ull;
	for (unsigned i = 0; i < plan.servers; i++)
		plan.server[i].pid = start(&plan.server[i], "server", i);
	for (unsigned i = 0; i < plan.servers; i++)
		while (plan.server[i].tcp_port && !await_tcp(plan.server[i].tcp_port, now_ns() + 200000000)) {
			reap();
			if (plan.server[i].pid < 0 || now_ns() >= until)
				return (int)i;
		}
	return -1;
}

/* Starts the jobs whose time has come; when the next one is due, 0 when all have begun. */
static uint64_t arrive(void)
{
	uint64_t next_us = UINT64_MAX;
	for (unsigned i = 0; i < plan.jobs; i++) {
		struct program *job = &plan.job[i];
		if (job->pid)
			continue;
		if (job->arrival_us <= elapsed_us())
			job->pid = start(job, "job", i);
		else if (job->arrival_us < next_us)
			next_us = job->arrival_us;
	}
	return next_us == UINT64_MAX ? 0 : start_ns + next_us * 1000;
}

static void watch_over(uint64_t deadline_ns)
{
	for (;;) {
		uint64_t next = arrive();
		if (!reap() || now_ns() >= deadline_ns)
			return;
		await_child(next && next < deadline_ns ? next : deadline_ns);
	}
}

/* "usage_usec <n>" of the cgroups' cpu.stat, with all below them. */
static uint64_t used_us(void)
{
	char path[64], text[512];
	const char *at;
	uint64_t sum = 0;
	for (unsigned i = 0; i < MAX_PROGRAM_GROUPS; i++) {
		snprintf(path, sizeof path, "/sys/fs/cgroup/%.12s/cpu.stat", names[i]);
		if (cgroups[i] >= 0 && read_text(path, text, sizeof text) >= 0 && (at = strstr(text, "usage_usec ")))
			sum += strtoull(at + strlen("usage_usec "), NULL, 10);
	}
	return sum;
}

static bool clean_up(void)
{
	bool gone = true;
	for (unsigned i = 0; i < MAX_PROGRAM_GROUPS; i++)
		if (cgroups[i] >= 0)
			cgroup_kill(names[i]);
	for (uint64_t until = now_ns() + 3000000000u; wait4(-1, NULL, WNOHANG, NULL) >= 0 && now_ns() < until;)
		sleep_ms(2);
	for (unsigned i = 0; i < MAX_PROGRAM_GROUPS; i++) {
		if (cgroups[i] < 0)
			continue;
		close(cgroups[i]);
		gone &= cgroup_remove(names[i], gone ? 1000 : 0);
	}
	return gone;
}

/* "<field> <index> <hex of the end of what it wrote>" */
static void reply_output(const char *field, const char *kind, unsigned index)
{
	char path[64];
	unsigned char kept[KEPT_BYTES];
	struct stat about;
	ssize_t n = 0;
	/* All of them have to fit into one reply. */
	off_t most = ALL_KEPT_BYTES / (plan.jobs + plan.servers + 1);
	if (most > KEPT_BYTES)
		most = KEPT_BYTES;
	snprintf(path, sizeof path, OUTPUT "/%s%u", kind, index);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file >= 0 && !fstat(file, &about))
		n = pread(file, kept, (size_t)most, about.st_size > most ? about.st_size - most : 0);
	close(file);
	reply_add("%s %u ", field, index);
	for (ssize_t i = 0; i < n; i++)
		reply_add("%02x", kept[i]);
	reply_add("\n");
}

#define COLUMN(name, expression)                                                                                       \
	do {                                                                                                           \
		reply_add("%s", name);                                                                                 \
		for (struct program *j = plan.job; j < plan.job + plan.jobs; j++)                                      \
			reply_add(" %lu", (uint64_t)(expression));                                                     \
		reply_add("\n");                                                                                       \
	} while (0)

static void reply_jobs(uint64_t wall_us)
{
	COLUMN("start_us", j->start_us);
	COLUMN("end_us", j->exit_code < 0 ? wall_us : j->end_us);
	COLUMN("cpu_us", j->cpu_us);
	COLUMN("voluntary", j->voluntary);
	COLUMN("involuntary", j->involuntary);
	COLUMN("exit_codes", j->exit_code < 0 ? 128 + SIGKILL : j->exit_code);
	for (unsigned i = 0; i < plan.jobs; i++)
		reply_output("out", "job", i);
}

/* Servers that are there to the end run until they are ended; one that ends by itself did not serve everybody. */
static void reply_servers(void)
{
	reply_add("server_codes");
	for (unsigned i = 0; i < plan.servers; i++)
		reply_add(" %d", plan.server[i].exit_code < 0 ? RUNNING : plan.server[i].exit_code);
	reply_add("\n");
	for (unsigned i = 0; i < plan.servers; i++)
		reply_output("server_out", "server", i);
}

static bool prepare(uint64_t until_ns)
{
	char output[64];
	for (unsigned i = 0; i < plan.lines; i++) {
		output_path("shell", i, output);
		int code = shell_run(plan.line[i], output, until_ns);
		if (!code)
			continue;
		reply_add("failed shell %u %d\n", i, code);
		reply_output("said", "shell", i);
		return false;
	}
	return true;
}

static void run(uint64_t deadline_ns)
{
	uint64_t switches, wall_us, cpu_us;
	make_cgroups();
	start_ns = now_ns();
	int missing = start_servers();
	if (missing >= 0) {
		clean_up();
		reply_add("failed server %d 0\n", missing);
		reply_output("said", "server", (unsigned)missing);
		return;
	}
	switches = context_switches();
	cpu_us = used_us();
	start_ns = now_ns();
	watch_over(deadline_ns);
	wall_us = elapsed_us();
	switches = context_switches() - switches;
	cpu_us = used_us() - cpu_us;
	reap();
	reply_servers();
	reply_add("wall_us %lu\ncontext_switches %lu\ncgroup_us %lu\nclean %d\n", wall_us, switches, cpu_us, clean_up());
	reply_jobs(wall_us);
}

void programs_run(const struct request *request)
{
	uint64_t deadline_ns = now_ns() + request->deadline_ms * 1000000u;
	sigset_t child;
	if (!programs_read(&plan, request->payload))
		_exit(2);
	/* Blocked before the first look, so that no child's end falls between a look and a wait. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	mkdir(OUTPUT, 0755);
	loopback_up();
	if (prepare(deadline_ns) && plan.jobs)
		run(deadline_ns);
}
