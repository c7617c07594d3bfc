/* A load, and what its tasks saw by their own clocks.
 *
 * Every task keeps in shared memory when it last made progress (or, asleep, when it wanted to wake). The longest gap
 * is the longest time it was runnable and did not run: it needs no counter of the kernel's, and a task that never
 * runs again still shows, because the watcher reads the clock for it. The watcher is real-time and notices when it
 * is late itself, and so do tickers on every CPU: then the host was starved and not the task. */
#define _GNU_SOURCE
#include "load.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTSIDE = -2, SAMPLE_TURNS = 5, CLEAN_UP_S = 20 }; /* stretches of 0.1 s and more */

struct load *load;

void load_prepare(void)
{
	load = shared_memory(sizeof *load);
	children_prepare();
}

/* The group's cgroup, or the common one. */
static int cgroup_of(struct load_group *group, int common)
{
	char weight[16], path[64];
	int own;
	if (!group->weight)
		return common;
	random_name(now_ns(), 1 + (uint64_t)(group - load->group), group->cgroup);
	own = cgroup_make(group->cgroup);
	snprintf(weight, sizeof weight, "%u", group->weight);
	snprintf(path, sizeof path, "/sys/fs/cgroup/%s/cpu.weight", group->cgroup);
	if (own >= 0 && write_text(path, weight))
		_exit(3);
	return own;
}

/* Keepers are real-time from outside: the policy must not be able to keep them from becoming it. */
static void start_task(struct slot *slot, int kind, int cgroup)
{
	struct sched_param priority = {.sched_priority = PRIORITY_HELPER - 2};
	bool kept = kind == STOPPED || kind == TRACED;
	if (kind == PIPE)
		pipe_before_fork(slot);
	pid_t pid = cgroup == OUTSIDE ? fork() : fork_into_cgroup(cgroup);
	if (pid == 0 && kept)
		keeper_main(slot);
	if (pid == 0)
		task_main(slot);
	if (kind == PIPE)
		pipe_after_fork(slot);
	if (kept)
		sched_setscheduler(pid, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority);
	else
		slot->pid = pid;
}

static unsigned not_at_gate(void)
{
	unsigned missing = 0;
	for (struct slot *slot = load->slot; slot < load->slot + load->tasks; slot++)
		missing += !__atomic_load_n(&slot->at_gate, __ATOMIC_ACQUIRE);
	return missing;
}

static void start_tasks(int common)
{
	struct slot *slot = load->slot;
	for (struct load_group *group = load->group; group < load->group + load->groups; group++) {
		int cgroup = group->outside ? OUTSIDE : cgroup_of(group, common);
		for (unsigned rank = 0; rank < group->count; rank++)
			start_task(slot++, group->kind, cgroup);
		if (group->weight)
			close(cgroup);
	}
	/* One that does not come to the gate in time starts late, and that counts. */
	for (uint64_t until = now_ns() + (50 + 3 * load->tasks) * 1000000ull; not_at_gate() && now_ns() < until;)
		sleep_ms(2);
}

static void open_gate(void)
{
	load->start_ns = now_ns();
	for (unsigned i = 0; i < load->tasks; i++)
		load->slot[i].last_ns = load->start_ns;
	tickers_begin();
	__atomic_store_n(&load->go, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &load->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* What the tasks had done while the policy was there: once it is lost, the tasks it starved run again. */
static void look(void)
{
	for (unsigned i = 0; i < load->tasks; i++)
		load->slot[i].ran_seen = load->slot[i].ran;
}

static bool over(void)
{
	uint64_t ms = (now_ns() - load->start_ns) / 1000000;
	if (ms < load->duration_ms)
		return false;
	return ms >= load->max_ms || !load->until_runs || programs_runs(load->of_program) >= load->until_runs;
}

/* Watches until the end or until the policy is lost; returns when that was, 0: it stayed. */
static uint64_t watch(bool attached, uint64_t *jitter_ns)
{
	uint64_t lost = 0;
	char state[32];
	for (unsigned turn = 1; !over(); turn++) {
		uint64_t pause = out_of_step_ns(turn), asleep = now_ns(), late;
		sleep_ns(pause);
		late = now_ns() - asleep - pause;
		if (late > *jitter_ns)
			*jitter_ns = late;
		state_name(state);
		if (attached && !lost && strcmp(state, "enabled"))
			lost = now_ns();
		if (lost && !load->stay_through_loss)
			break;
		look();
		if (turn % SAMPLE_TURNS == 0)
			programs_sample();
	}
	return lost;
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
		never += !s->ran_seen;
		sum.iterations += s->iterations;
		sum.violations += s->violations;
		for (int b = 0; b < BUCKETS; b++)
			sum.wake_bucket[b] += s->wake_bucket[b];
		reply_add(" %lu", cpu_us_of(s));
	}
	reply_add("\ngroup %lu %u %lu %lu %lu\n", sum.max_wait_ns / 1000, never, sum.iterations, sum.violations,
		  wake_p99_us(sum.wake_bucket));
}

/* Tasks that the policy has lost die when it is gone: no reply waits for this. */
static void clean_up(const char *common)
{
	tickers_stop();
	cgroup_kill(common);
	for (unsigned g = 0; g < load->groups; g++)
		if (load->group[g].weight)
			cgroup_kill(load->group[g].cgroup);
	for (struct slot *slot = load->slot; slot < load->slot + load->tasks; slot++)
		if (load->group[slot->group].outside)
			kill(slot->pid, SIGKILL);
	hotplug_restore();
	for (uint64_t until = now_ns() + CLEAN_UP_S * 1000000000ull; now_ns() < until; sleep_ms(2)) {
		pid_t pid;
		while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (pid < 0)
			break; /* no child is left */
	}
	cgroup_remove(common, 1000);
	for (unsigned g = 0; g < load->groups; g++)
		if (load->group[g].weight)
			cgroup_remove(load->group[g].cgroup, 1000);
}

static void run(void)
{
	uint64_t lost, end, switches, jitter = 0, stolen = 0;
	char before[32], after[32];
	state_name(before);
	switches = context_switches();
	open_gate();
	lost = watch(!strcmp(before, "enabled"), &jitter);
	end = now_ns();
	tickers_read(&jitter, &stolen);
	switches = context_switches() - switches;
	programs_sample();
	if (lost)
		state_wait_settled(end + 1000000000u);
	state_name(after);
	for (unsigned g = 0; g < load->groups; g++)
		reply_group(g, end);
	programs_reply();
	reply_add("duration_us %lu\nstate_before %s\nstate_after %s\nlost_after_us %lu\ncontext_switches %lu\n",
		  (end - load->start_ns) / 1000, before, after, lost ? (lost - load->start_ns) / 1000 : 0, switches);
	reply_add("jitter_us %lu\nstolen_us %lu\n", jitter / 1000, stolen / 1000);
	reply_add("hotplug_failed %u\n", hotplug_failed(lost ? 1000 : 500));
}

void load_run(const struct request *request)
{
	char common[13];
	if (!load_read_plan(request->payload))
		_exit(2);
	random_name(now_ns(), 0, common);
	calibrate();
	hotplug_start();
	tickers_start();
	start_tasks(cgroup_make(common));
	if (load->quiet)
		bind_to(1);
	programs_begin();
	run();
	programs_end();
	reply_complete();
	clean_up(common);
}
