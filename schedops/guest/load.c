/* A load of hogs, sleepers and forkers, and what its tasks saw by their own clocks.
 *
 * Every task keeps in shared memory when it last made progress (or, asleep, when it wanted to wake). The longest gap
 * is the longest time it was runnable and did not run: it needs no counter of the kernel's, and a task that never
 * runs again still shows, because the watcher reads the clock for it. The watcher is real-time and notices when it
 * is late itself: then the host was starved and not the task. */
#define _GNU_SOURCE
#include "load.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct load *load;

void load_prepare(void)
{
	load = shared_memory(sizeof *load);
}

/* How many loops take STEP_US here and now; the best of some tries, since a disturbed one only looks slower. */
static void calibrate(void)
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

/* "group <kind> <count> <nice> <cpu mask, hex> <work us> <sleep us>" per line, after "load <duration ms>". */
static bool read_spec(char *text, uint64_t *duration_ms)
{
	memset(load, 0, sizeof *load);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		struct load_group *g = &load->group[load->groups];
		if (sscanf(line, "load %lu", duration_ms) == 1)
			continue;
		if (load->groups == MAX_LOAD_GROUPS || sscanf(line, "group %d %u %d %lx %u %u", &g->kind, &g->count, &g->nice,
							      &g->cpus, &g->work_us, &g->sleep_us) != 6)
			return false;
		if (g->kind < HOG || g->kind > FORKER || g->count > MAX_LOAD_TASKS - load->tasks)
			return false;
		load->tasks += g->count;
		load->groups++;
	}
	return true;
}

static void start_tasks(int cgroup)
{
	unsigned next = 0;
	for (unsigned g = 0; g < load->groups; g++)
		for (unsigned i = 0; i < load->group[g].count; i++) {
			struct slot *slot = &load->slot[next++];
			slot->group = g;
			pid_t pid = fork_into_cgroup(cgroup);
			if (pid == 0)
				task_main(slot);
			slot->pid = pid;
		}
	sleep_ms(50 + 3 * load->tasks); /* until they wait at the gate; one that does not starts late, and that counts */
}

static void open_gate(uint64_t now)
{
	for (unsigned i = 0; i < load->tasks; i++)
		load->slot[i].last_ns = now;
	__atomic_store_n(&load->go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &load->go, FUTEX_WAKE, MAX_LOAD_TASKS, NULL, NULL, 0);
}

/* What the tasks had done while the policy was there: once it is lost, the tasks it starved run again. */
static void look(void)
{
	for (unsigned i = 0; i < load->tasks; i++)
		load->slot[i].iterations_seen = load->slot[i].iterations;
}

/* Watches until the end or until the policy is lost; returns when that was, 0: it stayed. */
static uint64_t watch(uint64_t end_ns, bool attached, uint64_t *jitter_ns)
{
	char state[32];
	while (now_ns() < end_ns) {
		uint64_t asleep = now_ns(), late;
		sleep_ms(WATCH_MS);
		late = now_ns() - asleep - WATCH_MS * 1000000u;
		if (late > *jitter_ns)
			*jitter_ns = late;
		state_name(state);
		if (attached && strcmp(state, "enabled"))
			return now_ns();
		look();
	}
	return 0;
}

static uint64_t cpu_us_of(const struct slot *slot)
{
	uint64_t run_ns, wait_ns;
	read_schedstat(slot->pid, &run_ns, &wait_ns);
	return run_ns / 1000 + slot->children_us;
}

static unsigned long wake_p99_us(const uint32_t bucket[BUCKETS])
{
	uint64_t all = 0, seen = 0;
	for (int b = 0; b < BUCKETS; b++)
		all += bucket[b];
	for (int b = 0; b < BUCKETS && all; b++) {
		seen += bucket[b];
		if (seen * 100 >= all * 99)
			return 1ul << (b + 1);
	}
	return 0;
}

static void reply_group(unsigned g, uint64_t end_ns)
{
	struct slot sum = {0};
	unsigned never = 0;
	reply_add("cpu_us");
	for (struct slot *s = load->slot; s < load->slot + load->tasks; s++) {
		if (s->group != g)
			continue;
		note_wait(s, s->last_ns, end_ns);
		if (s->max_wait_ns > sum.max_wait_ns)
			sum.max_wait_ns = s->max_wait_ns;
		never += !s->iterations_seen;
		sum.iterations += s->iterations;
		sum.violations += s->violations;
		for (int b = 0; b < BUCKETS; b++)
			sum.wake_bucket[b] += s->wake_bucket[b];
		reply_add(" %lu", cpu_us_of(s));
	}
	reply_add("\ngroup %lu %u %lu %lu %lu\n", sum.max_wait_ns / 1000, never, sum.iterations, sum.violations,
		  wake_p99_us(sum.wake_bucket));
}

static bool stop_tasks(const char *cgroup)
{
	unsigned left = load->tasks;
	cgroup_kill(cgroup);
	for (uint64_t until = now_ns() + 3000000000u; left && now_ns() < until;) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		else
			sleep_ms(2);
	}
	return cgroup_remove(cgroup, 1000);
}

void load_run(const struct request *request)
{
	uint64_t duration_ms = 0, start, lost, end, switches, jitter = 0;
	char before[32], after[32], cgroup[13];
	if (!read_spec(request->payload, &duration_ms))
		_exit(2);
	random_name(now_ns(), 0, cgroup);
	calibrate();
	start_tasks(cgroup_make(cgroup));
	state_name(before);
	switches = context_switches();
	start = now_ns();
	open_gate(start);
	lost = watch(start + duration_ms * 1000000u, !strcmp(before, "enabled"), &jitter);
	end = now_ns();
	if (lost)
		state_wait_settled(end + 1000000000u);
	state_name(after);
	switches = context_switches() - switches;
	for (unsigned g = 0; g < load->groups; g++)
		reply_group(g, end);
	reply_add("duration_us %lu\nstate_before %s\nstate_after %s\nlost_after_us %lu\ncontext_switches %lu\n",
		  (end - start) / 1000, before, after, lost ? (lost - start) / 1000 : 0, switches);
	reply_add("jitter_us %lu\nclean %d\n", jitter / 1000, stop_tasks(cgroup));
}
