/* What a play showed, a line each:
 *
 *   verdict <verdict>, message <words>, end_ns, ns_per_1000, hints_accepted, context_switches, clean 0|1
 *   cgroups_us: CPU time of the plan's own cgroups, rusage_us of its tasks that are done
 *   ejected <1 + ns since the start>, 0 unless it went on without its policy
 *   one number per task for each of arrived, first_run, completed (1 + ns since the start, 0: never), cpu_ns, wait_ns,
 *   switches, preemptions, wakeups, migrations
 *   wakeup and request for each label, with <bucket> <count> of those that are not empty
 *   busy_ns with one number per CPU, or none, of watched_ns, which ends a bit later than the play */
#define _GNU_SOURCE
#include "player.h"

#include <stdio.h>

/* The host's SimVerdict, and one of the guest's own; %u is the task. */
static const struct {
	const char *verdict, *message;
} words[ENDINGS] = {
	[ALL_DONE] = {"done", ""},
	[TIME_UP] = {"done", ""},
	[EJECTED] = {"ejected", "the kernel has put the policy out"},
	[STUCK] = {"stuck", "tasks are left and nothing can happen any more"},
	[LATE] = {"late", "tasks are left at the deadline"},
	[NOT_THE_HOLDER] = {"plan-error", "task %u releases a lock that it does not hold"},
	[THERE_ALREADY] = {"plan-error", "task %u is forked, and is there already"},
	[ENDLESS] = {"plan-error", "the program of task %u goes on without time going on"},
	[NO_ROOM] = {"no-room", "there is no room for task %u"},
};

static uint64_t since_start(uint64_t ns)
{
	return ns < play->start_ns || ns > play->stop_ns ? 0 : 1 + ns - play->start_ns;
}

#define COLUMN(name, expression)                                                                                       \
	do {                                                                                                           \
		reply_add("%s", name);                                                                                 \
		for (const struct actor *a = play->actor; a < play->actor + play->tasks; a++)                          \
			reply_add(" %lu", (uint64_t)(expression));                                                     \
		reply_add("\n");                                                                                       \
	} while (0)

static void reply_tasks(void)
{
	COLUMN("arrived", since_start(a->arrived_ns));
	COLUMN("first_run", since_start(a->first_ns));
	COLUMN("completed", since_start(a->done_ns));
	COLUMN("cpu_ns", a->cpu_ns);
	COLUMN("wait_ns", a->wait_ns);
	COLUMN("switches", a->switches);
	COLUMN("preemptions", a->preemptions);
	COLUMN("wakeups", a->wakeups);
	COLUMN("migrations", a->migrations);
}

static void reply_histogram(const char *name, const uint32_t counts[HISTOGRAM_BUCKETS])
{
	reply_add("%s", name);
	for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
		if (counts[bucket])
			reply_add(" %u %u", bucket, counts[bucket]);
	reply_add("\n");
}

/* Without its policy nothing that time ended is what was asked for. */
static enum ending how_it_ended(void)
{
	enum ending ending = play->ending & 255;
	return play->lost_ns && ending <= LATE ? EJECTED : ending;
}

/* It may have been noticed later than the end. */
static uint64_t went_on_since(void)
{
	if (!play->go_on || !play->lost_ns)
		return 0;
	return since_start(play->lost_ns < play->stop_ns ? play->lost_ns : play->stop_ns);
}

void play_reply(const struct play_totals *totals)
{
	enum ending ending = how_it_ended();
	char message[96];
	uint64_t hints = 0, rusage_us = 0;
	for (unsigned i = 0; i < play->tasks; i++) {
		hints += play->actor[i].hint_taken;
		rusage_us += play->actor[i].rusage_us;
	}
	snprintf(message, sizeof message, words[ending].message, play->ending >> 8);
	reply_add("verdict %s\nmessage %s\nend_ns %lu\nns_per_1000 %lu\n", words[ending].verdict, message,
		  play->stop_ns - play->start_ns, play->ns_per_1000);
	reply_add("ejected %lu\nhints_accepted %lu\ncontext_switches %lu\ncgroups_us %lu\nrusage_us %lu\nclean %d\n",
		  went_on_since(), hints, totals->switches, totals->cgroups_us, rusage_us, totals->clean);
	reply_tasks();
	for (unsigned label = 0; label < play->labels; label++) {
		reply_histogram("wakeup", play->histogram[label][H_WAKEUP]);
		reply_histogram("request", play->histogram[label][H_REQUEST]);
	}
	reply_add("watched_ns %lu\nbusy_ns", totals->watched_ns);
	for (unsigned cpu = 0; cpu < totals->cpus; cpu++)
		reply_add(" %lu", totals->busy_ns[cpu]);
	reply_add("\n");
}
