/* What the launcher and the managers share. */
#pragma once

#include "guest.h"

struct group {
	uint64_t arrival_us, hint_ns; /* hint: what all of its jobs are expected to use, 0: nobody knows */
	bool hint_accepted;
	unsigned phases, parallel[MAX_PHASES];
	char cgroup[13];
	pid_t manager; /* 0: has not arrived, -1: done */
};

struct plan {
	unsigned groups, jobs;
	bool cgroup_per_group;
	uint64_t name_seed;
	uint64_t start_ns;
	struct group group[MAX_GROUPS];
	struct job job[MAX_JOBS];
};
extern struct plan *plan; /* shared with the managers, which write what they measured */

/* --- launcher.c --- */
uint64_t since_start_us(void);

/* --- manager.c --- */
void manage(unsigned group) __attribute__((noreturn));
