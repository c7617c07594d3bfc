/* What the kernel accounts for the whole machine, as it stands now, and what it counts for the tasks: the host asks
 * before and after a run. */
#define _GNU_SOURCE
#include "guest.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 1 << 20 }; /* /proc/stat and /proc/schedstat of a machine with hundreds of CPUs */

/* "cpu <user> <nice> <system> <idle> <iowait> <irq> <softirq> <steal>", in ticks; ctxt; processes. proc(5) */
static void reply_stat(char *text)
{
	static const char *const names[] = {"cpu", "ctxt", "processes"};
	read_text("/proc/stat", text, TEXT_BYTES);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
			size_t length = strlen(names[i]);
			if (!strncmp(line, names[i], length) && line[length] == ' ')
				reply_add("%s%s\n", names[i], line + length);
		}
}

/* "psi_<what> <some us> <full us>"; Documentation/accounting/psi.rst. No line: this kernel has none. */
static void reply_pressure(const char *what)
{
	char path[40], text[512];
	unsigned long some = 0, full = 0;
	const char *line;
	snprintf(path, sizeof path, "/proc/pressure/%s", what);
	if (read_text(path, text, sizeof text) < 0)
		return;
	line = strstr(text, "some ");
	if (!line || !(line = strstr(line, "total=")) || sscanf(line, "total=%lu", &some) != 1)
		return;
	line = strstr(text, "full ");
	if (line && (line = strstr(line, "total=")))
		sscanf(line, "total=%lu", &full);
	reply_add("psi_%s %lu %lu\n", what, some, full);
}

/* "run_queues <ns on CPUs> <ns waiting for one> <stints>" of all CPUs: the last three figures of each line of
 * /proc/schedstat (Documentation/scheduler/sched-stats.rst). */
static void reply_run_queues(char *text)
{
	uint64_t run = 0, wait = 0, stints = 0, a, b, c;
	unsigned lines = 0;
	read_text("/proc/schedstat", text, TEXT_BYTES);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "cpu%*u %*u %*u %*u %*u %*u %*u %lu %lu %lu", &a, &b, &c) == 3) {
			run += a;
			wait += b;
			stints += c;
			lines++;
		}
	if (lines)
		reply_add("run_queues %lu %lu %lu\n", run, wait, stints);
}

static void reply_faults(char *text)
{
	uint64_t value;
	read_text("/proc/vmstat", text, TEXT_BYTES);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (sscanf(line, "pgfault %lu", &value) == 1)
			reply_add("page_faults %lu\n", value);
		else if (sscanf(line, "pgmajfault %lu", &value) == 1)
			reply_add("major_faults %lu\n", value);
}

void account_reply(void)
{
	static char text[TEXT_BYTES];
	reply_add("now_ns %lu\nticks_per_s %ld\n", now_ns(), sysconf(_SC_CLK_TCK));
	reply_stat(text);
	reply_pressure("cpu");
	reply_pressure("io");
	reply_pressure("memory");
	reply_run_queues(text);
	reply_faults(text);
	counters_reply();
}
