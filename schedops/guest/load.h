/* What the watcher of a load, its tasks and their keepers share. */
#pragma once

#include "guest.h"

/* In the order of the host's table of kinds. */
enum { HOG, SLEEPER, FORKER, EXECER, YIELDER, PIPE, MOVER, RENICER, STOPPED, TRACED, LATECOMER, KINDS };
enum { BUCKETS = 40, STEP_US = 50, MAX_STEPS = 64, MAX_TICKERS = 64, PROGRAM_NAME = 16 };
#define ASLEEP UINT64_MAX /* as slot.last_ns: waits for something else than a CPU */

struct load_group {
	int kind, nice;
	unsigned count;
	uint64_t cpus, start_on; /* bit masks, 0: all, not bound */
	unsigned weight;	 /* of a cgroup of its own; 0: in the common one */
	unsigned outside;	 /* in the root cgroup, where this program is */
	uint64_t hint_us;	 /* what its tasks say they will need; 0: nothing */
	unsigned work_us, sleep_us;
	char cgroup[13];
};

/* One per task, a cache line apart from the next. */
struct slot {
	uint64_t last_ns; /* runnable without progress since then; in the future while asleep */
	uint64_t max_wait_ns, iterations, violations, children_us;
	uint64_t ran;	   /* how often it has shown that it had a CPU, at least once an iteration */
	uint64_t ran_seen; /* by the watcher, while the policy was there */
	uint64_t cpus;		  /* where it may run now, 0: anywhere */
	uint32_t wake_bucket[BUCKETS];
	pid_t pid;
	unsigned group, rank; /* rank: number in its group */
	uint32_t at_gate;
} __attribute__((aligned(64)));

struct hotplug_step {
	unsigned at_ms, cpu, online;
};

/* Of one CPU's ticker. */
struct ticker {
	uint64_t due_ns; /* when it wants to wake next */
	uint64_t most_late_ns, late_ns;
	uint32_t moves; /* odd while the CPU goes or comes by plan */
} __attribute__((aligned(64)));

struct load {
	uint32_t go; /* futex */
	unsigned groups, tasks;
	uint64_t loops_per_step;
	uint64_t start_ns, duration_ms, max_ms, until_runs;
	unsigned program_stats, stay_through_loss;
	unsigned quiet; /* no tickers, and the watcher stays on the first CPU: nothing of ours wakes the others */
	char of_program[PROGRAM_NAME];
	unsigned steps, steps_begun, steps_done, steps_failed;
	struct hotplug_step step[MAX_STEPS];
	struct load_group group[MAX_LOAD_GROUPS];
	struct ticker ticker[MAX_TICKERS];
	struct slot slot[MAX_LOAD_TASKS];
};
extern struct load *load; /* shared by all of them */

/* --- load_plan.c --- */
bool load_read_plan(char *text);

/* --- load_task.c --- */
void calibrate(void);
void note_wait(struct slot *slot, uint64_t since_ns, uint64_t now);
uint64_t progress(struct slot *slot);
void work_in_steps(struct slot *slot, unsigned work_us);
uint64_t sleep_well(struct slot *slot, unsigned us);
void wait_at_gate(void);
bool bind_to(uint64_t cpus);
void task_main(struct slot *slot) __attribute__((noreturn));

/* --- load_child.c: tasks with children --- */
void children_prepare(void);
void forker_step(struct slot *slot, const struct load_group *group);
void execer_step(struct slot *slot, const struct load_group *group);

/* --- load_pipe.c: pairs of tasks --- */
void pipe_before_fork(const struct slot *slot);
void pipe_after_fork(const struct slot *slot);
void pipe_step(struct slot *slot, const struct load_group *group);

/* --- load_keeper.c: whoever stops and continues a task --- */
void keeper_main(struct slot *slot) __attribute__((noreturn));

/* --- load_programs.c: how often and how long BPF programs ran --- */
void programs_begin(void);
void programs_sample(void);
uint64_t programs_runs(const char *name);
void programs_reply(void);
void programs_end(void);

/* --- load_ticker.c: was every CPU there all the time? --- */
void tickers_start(void);
void tickers_begin(void);
/* The longest time a CPU stood still, and the sum of such times of the CPU that lost most. */
void tickers_read(uint64_t *most_late_ns, uint64_t *late_ns);
void tickers_stop(void);

/* --- load_hotplug.c --- */
void hotplug_start(void);
/* Steps that the kernel refused, or has not finished after *patience_ms*. */
unsigned hotplug_failed(unsigned patience_ms);
void hotplug_restore(void);
