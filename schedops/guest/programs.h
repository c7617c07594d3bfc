/* What the parts that run real programs share. */
#pragma once

#include "guest.h"

enum { MAX_PROGRAMS = 256, MAX_SERVERS = 8, MAX_SHELL_LINES = 64, MAX_PROGRAM_GROUPS = 32, MAX_ARGS = 64 };

struct program {
	char *argv[MAX_ARGS + 1];
	char *output; /* a file in the working directory; NULL: one that is reported */
	unsigned group, tcp_port; /* port: of a server, 0 when there is nothing to wait for */
	uint64_t arrival_us, hint_ns;
	int nice;
	/* Measured. */
	pid_t pid; /* 0: has not begun, -1: over */
	uint64_t start_us, end_us, cpu_us, voluntary, involuntary;
	int exit_code; /* -1 until it was reaped */
};

struct programs {
	bool cgroup_per_group, random_names;
	uint64_t name_seed;
	unsigned jobs, servers, lines, groups;
	char *line[MAX_SHELL_LINES];
	struct program server[MAX_SERVERS], job[MAX_PROGRAMS];
};

/* --- programs_plan.c --- */
/* *text* is taken apart in place and must stay. */
bool programs_read(struct programs *plan, char *text);

/* --- programs_exec.c --- */
/* In a child: what it writes goes to *output*, or where the program says; its name says nothing when *name* is given.
 * Never returns. */
void program_exec(const struct program *program, const char *output, const char *name) __attribute__((noreturn));
/* Runs a line of shell and waits for it; its exit code. Its output goes to *output*. */
int shell_run(const char *line, const char *output, uint64_t until_ns);
void loopback_up(void);
bool await_tcp(unsigned tcp_port, uint64_t until_ns);
