/* What the kernel counted: for a task, for a CPU; and the histograms that tasks fill themselves. */
#define _GNU_SOURCE
#include "player.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static unsigned bucket_of(uint64_t value)
{
	unsigned high = 63 - (unsigned)__builtin_clzll(value | 1);
	return high < 4 ? (unsigned)value : (high - 3) * 16 + (unsigned)(value >> (high - 4) & 15);
}

void count_time(unsigned label, enum histogram which, uint64_t ns)
{
	if (!play_over())
		__atomic_add_fetch(&play->histogram[label][which][bucket_of(ns)], 1, __ATOMIC_RELAXED);
}

bool schedstat_of(pid_t pid, struct actor_figures *f)
{
	char path[64], text[128];
	snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
	return read_text(path, text, sizeof text) > 0 &&
	       sscanf(text, "%lu %lu %lu", &f->cpu_ns, &f->wait_ns, &f->switches) == 3;
}

/* The clock of a process; schedstat is behind by what it runs right now. */
static void cpu_clock(clockid_t clock, struct actor_figures *f)
{
	struct timespec t;
	if (!clock_gettime(clock, &t))
		f->cpu_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void own_figures(struct actor_figures *f)
{
	struct rusage usage;
	schedstat_of(getpid(), f);
	cpu_clock(CLOCK_PROCESS_CPUTIME_ID, f);
	getrusage(RUSAGE_SELF, &usage);
	f->preemptions = (uint64_t)usage.ru_nivcsw;
	f->rusage_us = rusage_us(&usage);
}

bool figures_of(pid_t pid, struct actor_figures *f)
{
	static char text[4 << 10];
	char path[64];
	clockid_t clock;
	if (!schedstat_of(pid, f))
		return false;
	if (!clock_getcpuclockid(pid, &clock))
		cpu_clock(clock, f);
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	read_text(path, text, sizeof text);
	const char *line = strstr(text, "\nnonvoluntary_ctxt_switches:");
	f->preemptions = line ? strtoull(strchr(line, ':') + 1, NULL, 10) : 0;
	return true;
}

/* What runs on a CPU is booked when it comes off: a real-time task that goes everywhere makes it come off. */
static void visit_cpus(void)
{
	cpu_set_t before;
	sched_getaffinity(0, sizeof before, &before);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &before))
			bind_to_cpu(cpu);
	sched_setaffinity(0, sizeof before, &before);
}

/* Lines "cpu<N> <6 numbers> <ns on it> ..." (show_schedstat() of kernel/sched/stats.c, versions 15 to 17). */
unsigned cpus_read(uint64_t busy_ns[], unsigned most)
{
	static char text[1 << 20];
	unsigned cpus = 0;
	visit_cpus();
	read_text("/proc/schedstat", text, sizeof text);
	for (const char *line = strstr(text, "\ncpu"); line && cpus < most; line = strstr(line + 1, "\ncpu"))
		if (sscanf(line, "\ncpu%*u %*u %*u %*u %*u %*u %*u %lu", &busy_ns[cpus]) == 1)
			cpus++;
	return cpus == (unsigned)sysconf(_SC_NPROCESSORS_ONLN) ? cpus : 0; /* they may not all fit */
}
