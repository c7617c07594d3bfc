/* What the watcher of a load and its tasks share. */
#pragma once

#include "guest.h"

enum { HOG, SLEEPER, FORKER };
enum { BUCKETS = 40, WATCH_MS = 20, STEP_US = 50 };

struct load_group {
	int kind, nice;
	unsigned count;
	uint64_t cpus; /* bit mask, 0: all */
	unsigned work_us, sleep_us;
};

/* One per task, a cache line apart from the next. */
struct slot {
	uint64_t last_ns; /* runnable without progress since then; in the future while asleep */
	uint64_t max_wait_ns, iterations, violations, children_us;
	uint64_t iterations_seen; /* by the watcher, while the policy was there */
	uint32_t wake_bucket[BUCKETS];
	pid_t pid;
	unsigned group;
} __attribute__((aligned(64)));

struct load {
	uint32_t go; /* futex */
	unsigned groups, tasks;
	uint64_t loops_per_step;
	struct load_group group[MAX_LOAD_GROUPS];
	struct slot slot[MAX_LOAD_TASKS];
};
extern struct load *load; /* shared by the watcher and its tasks */

/* --- load_task.c --- */
void burn(uint64_t loops);
void note_wait(struct slot *slot, uint64_t since_ns, uint64_t now);
void task_main(struct slot *slot) __attribute__((noreturn));
