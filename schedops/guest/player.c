/* Plays a plan: the launcher. It is real-time and watches over everything: tasks arrive when the plan says so, and the
 * play ends when all are done, when its time is up, when nobody can go on, or when the policy is lost. */
#define _GNU_SOURCE
#include "player.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CLEAN_NS = 3000000000u, PATIENCE_S = 20, MOST_CPUS = 512 };

struct play *play;

static unsigned order[MAX_PLAY_TASKS], arrivals, arrived; /* tasks by the time of their arrival */
static bool attached;
static uint32_t waits_seen;

long futex(uint32_t *word, int operation, uint32_t value, const void *until)
{
	return syscall(SYS_futex, word, operation, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

void play_stop(enum verdict verdict, const char *format, ...)
{
	static const uint32_t running = V_RUNNING, claimed = VERDICTS;
	uint32_t seen = running;
	va_list args;
	if (!__atomic_compare_exchange_n(&play->claim, &seen, claimed, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	va_start(args, format);
	vsnprintf(play->message, sizeof play->message, format, args);
	va_end(args);
	play->stop_ns = now_ns();
	__atomic_store_n(&play->verdict, verdict, __ATOMIC_RELEASE);
	futex(&play->verdict, FUTEX_WAKE, INT_MAX, NULL);
}

static int by_arrival(const void *a, const void *b)
{
	const struct part *one = &part[*(const unsigned *)a], *other = &part[*(const unsigned *)b];
	if (one->arrival_ns != other->arrival_ns)
		return one->arrival_ns < other->arrival_ns ? -1 : 1;
	return one < other ? -1 : 1;
}

static void line_up_arrivals(void)
{
	for (unsigned i = 0; i < play->tasks; i++)
		if (part[i].arrival_ns >= 0)
			order[arrivals++] = i;
	qsort(order, arrivals, sizeof *order, by_arrival);
}

/* Everybody whose time has come; when the next one is due. */
static uint64_t let_arrive(void)
{
	for (; arrived < arrivals; arrived++) {
		uint64_t due = play->start_ns + (uint64_t)part[order[arrived]].arrival_ns;
		if (due > now_ns() || play->verdict != V_RUNNING)
			return due;
		arrive(order[arrived], false);
	}
	return UINT64_MAX;
}

/* Nobody arrives any more, and everybody who is there waits for the others, now as at the last look. */
static bool stuck(void)
{
	uint32_t waits = 0, before = waits_seen;
	waits_seen = 0;
	if (arrived < arrivals || play->end_ns)
		return false;
	for (const struct actor *a = play->actor; a < play->actor + play->tasks; a++) {
		if (!a->arrived_ns || a->done_ns)
			continue;
		if (a->waits % 2 == 0 || a->go)
			return false;
		waits += a->waits;
	}
	waits_seen = waits + 1;
	return waits_seen == before;
}

static void look(void)
{
	char state[32] = "enabled";
	if (attached)
		state_name(state);
	if (strcmp(state, "enabled"))
		play_stop(V_EJECTED, "the kernel has put the policy out");
	else if (stuck())
		play_stop(V_STUCK, "%u tasks are left and nothing can happen any more", play->left);
	else if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD && arrived == arrivals && play->left && !play->end_ns)
		play_stop(V_STUCK, "%u tasks are left and nobody is there", play->left);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void watch(uint64_t deadline_ns)
{
	uint64_t end = play->end_ns ? play->start_ns + play->end_ns : UINT64_MAX, next_look = 0;
	for (unsigned turn = 1; play->verdict == V_RUNNING;) {
		uint64_t until = least(let_arrive(), least(end, deadline_ns)), now = now_ns();
		if (now >= end)
			play_stop(V_DONE, "%s", "");
		else if (now >= deadline_ns)
			play_stop(V_LATE, "%u of %u tasks are left at the deadline", play->left, play->tasks);
		if (now >= next_look) {
			look();
			next_look = now + out_of_step_ns(turn++);
		}
		until = least(until, next_look);
		struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
		futex(&play->verdict, FUTEX_WAIT_BITSET, V_RUNNING, &t);
	}
}

/* Of tasks that are not done, what the kernel knows of them. */
static void read_the_rest(void)
{
	for (struct actor *a = play->actor; a < play->actor + play->tasks; a++) {
		struct actor_figures now;
		if (!a->arrived_ns || a->done_ns || a->pid <= 0 || !figures_of(a->pid, &now))
			continue;
		a->cpu_ns = now.cpu_ns;
		a->wait_ns = now.wait_ns;
		a->switches = now.switches;
		a->preemptions = now.preemptions;
	}
}

/* True when no child is left. A task that a policy has lost dies when that is gone. */
static bool kill_all(uint64_t until_ns)
{
	for (;; sleep_ms(2)) {
		for (const struct actor *a = play->actor; a < play->actor + play->tasks; a++)
			if (a->pid > 0 && !a->done_ns)
				kill(a->pid, SIGKILL);
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		if (now_ns() >= until_ns)
			return false;
	}
}

static void play_all(uint64_t deadline_ns)
{
	static uint64_t before[MOST_CPUS], after[MOST_CPUS];
	struct play_totals totals = {.busy_ns = after};
	unsigned cpus = cpus_read(before, MOST_CPUS);
	totals.switches = context_switches();
	play->start_ns = now_ns();
	watch(deadline_ns);
	totals.switches = context_switches() - totals.switches;
	totals.cpus = cpus_read(after, MOST_CPUS) == cpus ? cpus : 0;
	for (unsigned cpu = 0; cpu < totals.cpus; cpu++)
		after[cpu] -= before[cpu];
	read_the_rest();
	totals.clean = kill_all(now_ns() + CLEAN_NS) && play_room_clean();
	play_reply(&totals);
	reply_complete();
	if (!totals.clean && kill_all(now_ns() + PATIENCE_S * 1000000000ull))
		play_room_clean();
}

void play_run(const struct request *request)
{
	uint64_t deadline_ns = now_ns() + request->deadline_ms * 1000000u;
	char state[32];
	play = shared_memory(sizeof *play);
	if (!play_read(request->payload, request->length) || !play_room())
		_exit(2);
	signal(SIGCHLD, SIG_IGN); /* whoever is done is gone */
	line_up_arrivals();
	state_name(state);
	attached = !strcmp(state, "enabled");
	play->ns_per_1000 = spin_calibrate();
	play_all(deadline_ns);
}
