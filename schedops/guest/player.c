/* Plays a plan: the launcher. It is real-time and watches over everything: tasks arrive when the plan says so, and the
 * play ends when all are done, when its time is up, when nobody can go on, or when the policy is lost. */
#define _GNU_SOURCE
#include "player.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_CLEAN_S = 3, MOST_CLEAN_S = 10, PATIENCE_S = 20, PERIODS = 5, MOST_CPUS = 512 };
#define S_NS 1000000000ull

struct play *play;

static unsigned order[MAX_PLAY_TASKS], arrivals, arrived; /* tasks by the time of their arrival */
static bool attached;
static uint32_t waits_seen;

long futex(uint32_t *word, int operation, uint32_t value, const void *until)
{
	return syscall(SYS_futex, word, operation, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

void play_ends(enum ending ending, unsigned task)
{
	uint32_t running = RUNNING;
	if (__atomic_compare_exchange_n(&play->ending, &running, (uint32_t)ending | task << 8, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		futex(&play->ending, FUTEX_WAKE, INT_MAX, NULL);
}

bool play_over(void)
{
	return __atomic_load_n(&play->ending, __ATOMIC_ACQUIRE) != RUNNING;
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
		if (due > now_ns() || play_over())
			return due;
		arrive(order[arrived], false);
	}
	return UINT64_MAX;
}

/* Nobody arrives any more, and everybody who is there waits for the others, now as at the last look. */
static bool stuck(void)
{
	uint32_t waits = 0, left = 0, before = waits_seen;
	waits_seen = 0;
	if (arrived < arrivals || play->end_ns)
		return false;
	for (const struct actor *a = play->actor; a < play->actor + play->tasks; a++) {
		left += !a->done_ns;
		if (!a->arrived_ns || a->done_ns)
			continue;
		if (a->waits % 2 == 0 || a->go)
			return false;
		waits += a->waits;
	}
	waits_seen = waits + 1;
	return left && waits_seen == before;
}

/* Tasks that are done are gone at once: SIGCHLD is ignored. */
static bool nobody_left(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/* At the end as well: what was lost since the last look was not there. */
static void look_at_policy(void)
{
	char state[32];
	if (!attached)
		return;
	state_name(state);
	attached = !strcmp(state, "enabled");
	play->lost_ns = attached ? 0 : now_ns();
}

static void look(void)
{
	look_at_policy();
	if (play->lost_ns && !play->go_on)
		play_ends(EJECTED, 0);
	else if (stuck())
		play_ends(STUCK, 0);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void watch(uint64_t deadline_ns)
{
	uint64_t end = play->end_ns ? play->start_ns + play->end_ns : UINT64_MAX, next_look = 0;
	for (unsigned turn = 1; !play_over();) {
		uint64_t until = least(let_arrive(), least(end, deadline_ns)), now = now_ns();
		if (now >= end || now >= deadline_ns)
			play_ends(now >= end ? TIME_UP : LATE, 0);
		if (now >= next_look) {
			look();
			next_look = now + PERIODS * out_of_step_ns(turn++);
		}
		until = least(until, next_look);
		struct timespec t = {(time_t)(until / 1000000000u), (long)(until % 1000000000u)};
		futex(&play->ending, FUTEX_WAIT_BITSET, RUNNING, &t);
	}
	look_at_policy();
	play->stop_ns = now_ns();
	if ((play->ending & 255) == ALL_DONE) { /* the last one's time, not when that was noticed */
		play->stop_ns = play->start_ns;
		for (const struct actor *a = play->actor; a < play->actor + play->tasks; a++)
			play->stop_ns = a->done_ns > play->stop_ns ? a->done_ns : play->stop_ns;
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
		if (nobody_left())
			return true;
		if (now_ns() >= until_ns)
			return false;
	}
}

/* Up to the deadline, or a bit later: a task that the policy has lost is not waited for. */
static uint64_t clean_until(uint64_t deadline_ns)
{
	uint64_t now = now_ns(), until = least(deadline_ns, now + MOST_CLEAN_S * S_NS);
	return until > now + LEAST_CLEAN_S * S_NS ? until : now + LEAST_CLEAN_S * S_NS;
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
	totals.watched_ns = now_ns() - play->start_ns;
	for (unsigned cpu = 0; cpu < totals.cpus; cpu++)
		after[cpu] -= before[cpu];
	totals.cgroups_us = play_cgroups_us(); /* before anybody who is not done goes on for longer */
	read_the_rest();
	totals.clean = kill_all(clean_until(deadline_ns)) && play_room_clean();
	play_reply(&totals);
	reply_complete();
	if (!totals.clean && kill_all(now_ns() + PATIENCE_S * S_NS))
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
