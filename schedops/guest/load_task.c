/* One task of a load: hog, sleeper or forker. It writes down its own progress and nothing else. */
#define _GNU_SOURCE
#include "load.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void burn(uint64_t loops)
{
	for (volatile uint64_t i = 0; i < loops; i++)
		;
}

static void burn_us(uint64_t us)
{
	burn(load->loops_per_step * us / STEP_US);
}

void note_wait(struct slot *slot, uint64_t since_ns, uint64_t now)
{
	if (now > since_ns && now - since_ns > slot->max_wait_ns)
		slot->max_wait_ns = now - since_ns;
}

static void progress(struct slot *slot)
{
	uint64_t now = now_ns();
	note_wait(slot, slot->last_ns, now);
	slot->last_ns = now;
}

static void check_cpu(struct slot *slot, uint64_t allowed)
{
	int cpu = sched_getcpu();
	if (allowed && cpu >= 0 && cpu < 64 && !(allowed >> cpu & 1))
		slot->violations++;
}

static void hog_step(struct slot *slot, const struct load_group *group)
{
	(void)group;
	burn(load->loops_per_step);
	progress(slot);
}

static void work_in_steps(struct slot *slot, unsigned work_us)
{
	for (unsigned done = 0; done < work_us; done += STEP_US) {
		burn_us(work_us - done < STEP_US ? work_us - done : STEP_US);
		progress(slot);
	}
}

static unsigned bucket_of(uint64_t us)
{
	unsigned bucket = 0;
	for (; us > 1 && bucket < BUCKETS - 1; us >>= 1)
		bucket++;
	return bucket;
}

static void sleeper_step(struct slot *slot, const struct load_group *group)
{
	uint64_t wake = now_ns() + group->sleep_us * 1000ull, now;
	struct timespec t = {(time_t)(wake / 1000000000u), (long)(wake % 1000000000u)};
	slot->last_ns = wake;
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		;
	now = now_ns();
	slot->wake_bucket[bucket_of(now > wake ? (now - wake) / 1000 : 0)]++;
	progress(slot);
	work_in_steps(slot, group->work_us);
}

static void forker_step(struct slot *slot, const struct load_group *group)
{
	struct rusage usage;
	pid_t child = fork();
	if (child == 0) {
		progress(slot);
		work_in_steps(slot, group->work_us);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	progress(slot);
	getrusage(RUSAGE_CHILDREN, &usage);
	slot->children_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000u +
			    (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void settle_down(struct slot *slot, const struct load_group *group)
{
	char name[13];
	cpu_set_t allowed;
	random_name(now_ns(), (uint64_t)(slot - load->slot), name);
	prctl(PR_SET_NAME, name);
	CPU_ZERO(&allowed);
	for (int cpu = 0; cpu < 64; cpu++)
		if (group->cpus >> cpu & 1)
			CPU_SET(cpu, &allowed);
	if (group->cpus)
		sched_setaffinity(0, sizeof allowed, &allowed);
	setpriority(PRIO_PROCESS, 0, group->nice);
	while (!__atomic_load_n(&load->go, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &load->go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

void task_main(struct slot *slot)
{
	static void (*const step[])(struct slot *, const struct load_group *) = {hog_step, sleeper_step, forker_step};
	const struct load_group *group = &load->group[slot->group];
	settle_down(slot, group);
	progress(slot);
	for (;;) {
		step[group->kind](slot, group);
		slot->iterations++;
		check_cpu(slot, group->cpus);
	}
}
