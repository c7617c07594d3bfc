/* One task of a load. It writes down its own progress and nothing else. */
#define _GNU_SOURCE
#include "load.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void burn(uint64_t loops)
{
	for (volatile uint64_t i = 0; i < loops; i++)
		;
}

/* How many loops take STEP_US here and now; the best of some tries, since a disturbed one only looks slower. */
void calibrate(void)
{
	load->loops_per_step = 1;
	for (int i = 0; i < 5; i++) {
		uint64_t start = now_ns(), took, loops;
		burn(50000);
		took = now_ns() - start;
		loops = 50000u * (STEP_US * 1000u) / (took ? took : 1);
		if (loops > load->loops_per_step)
			load->loops_per_step = loops;
	}
}

void note_wait(struct slot *slot, uint64_t since_ns, uint64_t now)
{
	if (now > since_ns && now - since_ns > slot->max_wait_ns)
		slot->max_wait_ns = now - since_ns;
}

uint64_t progress(struct slot *slot)
{
	uint64_t now = now_ns();
	note_wait(slot, slot->last_ns, now);
	slot->last_ns = now;
	return now;
}

void work_in_steps(struct slot *slot, unsigned work_us)
{
	for (unsigned done = 0; done < work_us; done += STEP_US) {
		unsigned us = work_us - done < STEP_US ? work_us - done : STEP_US;
		burn(load->loops_per_step * us / STEP_US);
		progress(slot);
	}
}

static cpu_set_t set_of(uint64_t cpus)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	for (int cpu = 0; cpu < 64; cpu++)
		if (cpus >> cpu & 1)
			CPU_SET(cpu, &set);
	return set;
}

/* To these CPUs, 0: to all. */
bool bind_to(uint64_t cpus)
{
	cpu_set_t set = set_of(cpus ? cpus : UINT64_MAX);
	return !sched_setaffinity(0, sizeof set, &set);
}

/* When the only CPU of a task goes, the kernel lets it run elsewhere: then its own word counts. */
static bool kernel_allows(int cpu)
{
	cpu_set_t set;
	return !sched_getaffinity(0, sizeof set, &set) && CPU_ISSET(cpu, &set);
}

static void check_cpu(struct slot *slot)
{
	int cpu = sched_getcpu();
	if (slot->cpus && cpu >= 0 && cpu < 64 && !(slot->cpus >> cpu & 1) && !kernel_allows(cpu) &&
	    sched_getcpu() == cpu) /* else it was moved meanwhile */
		slot->violations++;
}

static void hog_step(struct slot *slot, const struct load_group *group)
{
	(void)group;
	work_in_steps(slot, STEP_US);
}

static unsigned bucket_of(uint64_t us)
{
	unsigned bucket = 0;
	for (; us > 1 && bucket < BUCKETS - 1; us >>= 1)
		bucket++;
	return bucket;
}

/* Returns how late it was woken, in ns. */
uint64_t sleep_well(struct slot *slot, unsigned us)
{
	uint64_t wake = now_ns() + us * 1000ull, now;
	struct timespec t = {(time_t)(wake / 1000000000u), (long)(wake % 1000000000u)};
	slot->last_ns = wake;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
	now = progress(slot);
	return now > wake ? now - wake : 0;
}

static void sleeper_step(struct slot *slot, const struct load_group *group)
{
	slot->wake_bucket[bucket_of(sleep_well(slot, group->sleep_us) / 1000)]++;
	work_in_steps(slot, group->work_us);
}

/* Sleeps once, while the others work, and never again. */
static void latecomer_step(struct slot *slot, const struct load_group *group)
{
	if (!slot->iterations)
		sleep_well(slot, group->sleep_us);
	work_in_steps(slot, STEP_US);
}

static void yielder_step(struct slot *slot, const struct load_group *group)
{
	work_in_steps(slot, group->work_us);
	sched_yield();
	progress(slot);
}

/* The next one of the group: most likely queued while this one runs. */
static struct slot *neighbour(struct slot *slot, const struct load_group *group)
{
	return slot->rank + 1 < group->count ? slot + 1 : slot - slot->rank;
}

/* A queued task that is changed goes to the end of its queue: changed again before each turn it would never have one,
 * and no policy could help it. */
static bool had_a_turn(const struct slot *other)
{
	static uint64_t seen;
	uint64_t ran = other->ran;
	bool had = ran != seen;
	seen = ran;
	return had;
}

/* One allowed CPU after the other, then all of them, then from the start. */
static void mover_step(struct slot *slot, const struct load_group *group)
{
	uint64_t allowed = group->cpus ? group->cpus : (1ull << sysconf(_SC_NPROCESSORS_CONF)) - 1, left = allowed;
	unsigned turn = (unsigned)(slot->iterations % ((unsigned)__builtin_popcountl(allowed) + 1));
	work_in_steps(slot, group->work_us);
	while (turn-- && left)
		left &= left - 1;
	left = left ? left & -left : allowed;
	if (bind_to(left))
		slot->cpus = left;
	progress(slot);
	struct slot *other = neighbour(slot, group);
	if (slot->iterations % 2 && had_a_turn(other)) {
		cpu_set_t set = set_of(left);
		other->cpus = 0; /* between the masks it may be in either */
		if (!sched_setaffinity(other->pid, sizeof set, &set))
			other->cpus = left;
	}
}

static void renicer_step(struct slot *slot, const struct load_group *group)
{
	static const int change[] = {5, 0, -5, 3, 0};
	work_in_steps(slot, group->work_us);
	int nice = group->nice + change[slot->iterations % (sizeof change / sizeof *change)];
	setpriority(PRIO_PROCESS, 0, nice);
	progress(slot);
	struct slot *other = neighbour(slot, group);
	if (slot->iterations % 2 && had_a_turn(other))
		setpriority(PRIO_PROCESS, (id_t)other->pid, nice);
}

void wait_at_gate(void)
{
	while (!__atomic_load_n(&load->go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &load->go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void settle_down(struct slot *slot, const struct load_group *group)
{
	char name[13];
	random_name(now_ns(), (uint64_t)(slot - load->slot), name);
	prctl(PR_SET_NAME, name);
	if (group->start_on || group->cpus)
		bind_to(group->start_on ? group->start_on : group->cpus);
	setpriority(PRIO_PROCESS, 0, group->nice);
	if (group->hint_us)
		offer_hint(group->hint_us * 1000);
	__atomic_store_n(&slot->at_gate, 1, __ATOMIC_RELEASE);
	wait_at_gate();
	if (group->start_on)
		bind_to(group->cpus);
}

void task_main(struct slot *slot)
{
	static void (*const step[KINDS])(struct slot *, const struct load_group *) = {
		[HOG] = hog_step,	  [SLEEPER] = sleeper_step, [FORKER] = forker_step,   [EXECER] = execer_step,
		[YIELDER] = yielder_step, [PIPE] = pipe_step,	    [MOVER] = mover_step,     [RENICER] = renicer_step,
		[STOPPED] = hog_step,	  [TRACED] = hog_step,	    [LATECOMER] = latecomer_step,
	};
	const struct load_group *group = &load->group[slot->group];
	settle_down(slot, group);
	progress(slot);
	for (;;) {
		step[group->kind](slot, group);
		slot->iterations++;
		slot->ran++;
		check_cpu(slot);
	}
}
