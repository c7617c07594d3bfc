/* One task of a plan: goes through its program step by step and writes down what it sees. */
#define _GNU_SOURCE
#include "player.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#ifndef SCHED_EXT
#define SCHED_EXT 7 /* include/uapi/linux/sched.h */
#endif

enum { MAX_STEPS = 10000, CHUNK_NS = 200000 };

/* Of this process alone. */
static struct actor *self;
static unsigned id;
static struct part mine;
static uint64_t pc, timers[4], loops[4];
static unsigned steps; /* since time went on */
static int cpu;
static bool bound; /* to some CPUs, by itself or by whoever forked it, which had the same memory */

static void note_cpu(void)
{
	int now = sched_getcpu();
	self->migrations += now != cpu;
	cpu = now;
}

/* It ran again, *since_ns* it could have. */
static void note_wakeup(uint64_t since_ns)
{
	uint64_t now = now_ns();
	steps = 0;
	self->wakeups++;
	count_time(mine.label, H_WAKEUP, now > since_ns ? now - since_ns : 0);
	note_cpu();
}

void actor_wait(struct actor *actor)
{
	bool slept = false;
	while (!__atomic_load_n(&actor->go, __ATOMIC_ACQUIRE))
		slept |= !futex(&actor->go, FUTEX_WAIT, 0, NULL);
	__atomic_add_fetch(&actor->waits, 1, __ATOMIC_RELEASE);
	if (slept)
		note_wakeup(actor->woken_ns);
}

/* In chunks, to see when it was moved to another CPU. Work is done or not, however long that takes. */
static void work(uint64_t ns)
{
	uint64_t left = ns * 1000 / play->ns_per_1000, chunk = CHUNK_NS * 1000ull / play->ns_per_1000 + 1;
	steps = ns ? 0 : steps;
	while (left) {
		uint64_t now = left < chunk ? left : chunk;
		spin(now);
		left -= now;
		note_cpu();
	}
}

static void sleep_until(uint64_t then)
{
	struct timespec t = {(time_t)(then / 1000000000u), (long)(then % 1000000000u)};
	if (then <= now_ns())
		return;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
	note_wakeup(then);
}

static void timer(const struct step *s)
{
	uint64_t *next = &timers[s->b & 3], now = now_ns();
	*next = (*next ? *next : now) + (uint64_t)s->a;
	if (*next <= now && s->c)
		*next = now;
	sleep_until(*next);
}

static void loop(const struct step *s)
{
	uint64_t *counter = &loops[s->c & 3];
	if (s->b && ++*counter >= (uint64_t)s->b)
		*counter = 0;
	else
		pc = (uint64_t)s->a;
}

static uint64_t draw(int64_t table)
{
	const struct table *t = &tables[table];
	return (uint64_t)t->values[mix64(&mine.random) % t->length];
}

static void set_nice(int nice)
{
	if (mine.class != REALTIME)
		setpriority(PRIO_PROCESS, 0, nice);
}

static void use_cpus(int cpuset)
{
	sched_setaffinity(0, CPUSET_WORDS * 8, (const cpu_set_t *)(cpusets + cpuset * CPUSET_WORDS));
	bound = true;
	note_cpu();
}

static void fork_tasks(unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count && i < play->tasks; i++)
		arrive(i, true);
}

static void request_ends(void)
{
	count_time(mine.label, H_REQUEST, now_ns() - self->begin_ns);
}

static void finish(void)
{
	struct actor_figures last = {0};
	uint64_t now = now_ns();
	own_figures(&last);
	self->cpu_ns = last.cpu_ns;
	self->wait_ns = last.wait_ns;
	self->switches = last.switches;
	self->preemptions = last.preemptions;
	self->rusage_us = last.rusage_us;
	__atomic_store_n(&self->done_ns, now, __ATOMIC_RELEASE);
	if (!__atomic_sub_fetch(&play->left, 1, __ATOMIC_ACQ_REL) && !play->end_ns)
		play_ends(ALL_DONE, id);
	_exit(0);
}

/* One step that may take as long as others, or the clock, like. */
static void step_waiting(const struct step *s)
{
	struct sync *sync = &play->sync[s->a & (MAX_PLAY_SYNCS - 1)];
	switch ((enum op)s->op) {
	case O_WAIT: sem_take(sync, id, s->b ? (uint64_t)s->b : 1); return;
	case O_POST: sem_give(sync, s->b ? (uint64_t)s->b : 1); return;
	case O_LOCK: lock_take(sync, id); return;
	case O_UNLOCK: lock_give(sync, id); return;
	case O_BARRIER: barrier_meet(sync, id); return;
	case O_SEND: queue_send(sync, id, s->b ? self->begin_ns : now_ns()); return;
	case O_RECV: queue_receive(sync, id); return;
	case O_SUSPEND: event_wait(sync, id, s->b ? &play->sync[(s->b - 1) & (MAX_PLAY_SYNCS - 1)] : NULL); return;
	case O_SIGNAL: event_signal(sync, s->b); return;
	default: finish();
	}
}

static void step(const struct step *s)
{
	switch ((enum op)s->op) {
	case O_RUN: work((uint64_t)s->a); return;
	case O_RUN_TABLE: work(draw(s->a)); return;
	case O_SLEEP: sleep_until(now_ns() + (uint64_t)s->a); return;
	case O_SLEEP_TABLE: sleep_until(now_ns() + draw(s->a)); return;
	case O_TIMER: timer(s); return;
	case O_FORK: fork_tasks((unsigned)s->a, s->b ? (unsigned)s->b : 1); return;
	case O_LOOP: loop(s); return;
	case O_JUMP: pc = (uint64_t)s->a; return;
	case O_YIELD:
		sched_yield();
		steps = 0;
		note_cpu();
		return;
	case O_NICE: set_nice((int)s->a); return;
	case O_AFFINITY: use_cpus((int)s->a); return;
	case O_BEGIN: self->begin_ns = now_ns(); return;
	case O_END: request_ends(); return;
	default: step_waiting(s);
	}
}

/* What the kernel counted as waiting before anything else was done is the latency of the arrival. */
static void begin(unsigned which)
{
	struct actor_figures now = {0};
	char name[13];
	id = which;
	mine = part[id];
	self = &play->actor[id];
	cpu = sched_getcpu();
	self->first_ns = now_ns();
	schedstat_of(getpid(), &now);
	self->wakeups++;
	count_time(mine.label, H_WAKEUP, now.wait_ns);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1);
	if (play->name_seed)
		random_name(play->name_seed, id + 1000, name);
	else
		snprintf(name, sizeof name, "class%u", mine.label);
	prctl(PR_SET_NAME, name);
}

static void settle(void)
{
	static const uint64_t everywhere[CPUSET_WORDS] = {[0 ... CPUSET_WORDS - 1] = UINT64_MAX};
	static const struct sched_param none;
	static bool extended; /* as bound */
	if (mine.cpuset >= 0)
		use_cpus(mine.cpuset);
	else if (bound)
		bound = sched_setaffinity(0, sizeof everywhere, (const cpu_set_t *)everywhere);
	if (extended || mine.class == EXT)
		sched_setscheduler(0, mine.class == EXT ? SCHED_EXT : SCHED_OTHER, &none);
	extended = mine.class == EXT;
	set_nice(mine.nice);
	if (mine.hint_ns)
		self->hint_taken = offer_hint(mine.hint_ns);
}

void actor_main(unsigned which)
{
	static const struct step end = {O_EXIT, 0, 0, 0};
	pc = steps = 0;
	for (unsigned i = 0; i < 4; i++)
		timers[i] = loops[i] = 0;
	begin(which);
	settle();
	const struct program *program = &programs[mine.program];
	for (;;) {
		const struct step *s = pc < program->length ? &program->steps[pc] : &end;
		if (++steps > MAX_STEPS)
			play_ends(ENDLESS, id);
		/* The time is up: what it does from now on is nobody's business. */
		while (play_over())
			pause();
		pc++;
		step(s);
	}
}
