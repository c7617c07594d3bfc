/* What the kernel's performance events count (perf_event_open(2), Linux 6.12) for this process and for everybody that it
 * starts from now on: the agent opens them, so whatever it starts to run a workload is counted, and the workload. They
 * are opened when somebody asks for the first time, and stay; nothing is counted in a guest that is never asked. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The host's names. */
static const struct {
	const char *name;
	uint32_t type;
	uint64_t config;
} events[] = {
	{"task_clock_ns", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
	{"switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
	{"migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
	{"minor_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN},
	{"major_faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ},
	{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
	{"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
	{"cache_references", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES},
	{"cache_misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
};
enum { EVENTS = sizeof events / sizeof *events };

static int descriptor[EVENTS], failure[EVENTS];
static bool opened;

static void open_all(void)
{
	opened = true;
	for (unsigned i = 0; i < EVENTS; i++) {
		struct perf_event_attr attr = {
			.size = sizeof attr,
			.type = events[i].type,
			.config = events[i].config,
			.inherit = 1,
			.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		};
		descriptor[i] = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		failure[i] = descriptor[i] < 0 ? errno : 0;
	}
}

/* "counter_<name> <value> <ns it was wanted> <ns it was counted>", which differ where there are more events than the
 * processor has counters; or "no_counter_<name> <errno>". */
void counters_reply(void)
{
	uint64_t found[3];
	if (!opened)
		open_all();
	for (unsigned i = 0; i < EVENTS; i++) {
		int error = failure[i];
		if (!error && read(descriptor[i], found, sizeof found) != sizeof found)
			error = EIO;
		if (error)
			reply_add("no_counter_%s %d\n", events[i].name, error);
		else
			reply_add("counter_%s %lu %lu %lu\n", events[i].name, found[0], found[1], found[2]);
	}
}
