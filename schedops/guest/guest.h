/* What the parts of the guest share. One static binary runs as PID 1 and forks itself for every role:
 * agent (talks to the host), loader (holds a policy), launcher (runs jobs), load generator, probe task. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define WIRE_VERSION 3
#define MAX_REQUEST_BYTES (32u << 20)
#define MAX_REPLY_BYTES (1u << 20)
#define LOG_BYTES (256u << 10)
#define MAX_JOBS 1000
#define MAX_GROUPS 256
#define MAX_PHASES 16
#define MAX_LOAD_GROUPS 64
#define MAX_LOAD_TASKS 1024
#define HINT_SOCKET "/run/schedops-hint.sock"

/* Real-time priorities: above anything a policy schedules, and the agent above its helpers. */
enum { PRIORITY_LOADER = 1, PRIORITY_PLAYED = 2, PRIORITY_HELPER = 40, PRIORITY_AGENT = 50 };
enum { WATCH_MS = 20 };

/* --- util.c ------------------------------------------------------------------------------------------------------ */
uint64_t now_ns(void);
void sleep_ns(uint64_t ns);
void sleep_ms(unsigned ms);
void become_fifo(int priority);
/* Until a child ends or it is *until_ns*. SIGCHLD must be blocked, so that none is missed before. */
void await_child(uint64_t until_ns);
/* User and system time. */
uint64_t rusage_us(const struct rusage *usage);
/* Whole file as a string without its last newline; -1 and an empty string when it cannot be read. */
int read_text(const char *path, char *out, size_t size);
uint64_t read_number(const char *path);
int write_text(const char *path, const char *text);
uint64_t context_switches(void);
/* First two numbers of /proc/PID/schedstat: time on a CPU and time runnable but waiting. */
void read_schedstat(pid_t pid, uint64_t *run_ns, uint64_t *wait_ns);
void *shared_memory(size_t size);
uint64_t mix64(uint64_t *seed);
/* Lower-case letters that say nothing about what the process is. */
void random_name(uint64_t seed, uint64_t index, char out[13]);
/* How long a watcher sleeps until its next look: WATCH_MS and a bit. */
uint64_t out_of_step_ns(unsigned turn);

/* --- spin.c ------------------------------------------------------------------------------------------------------ */
void spin(uint64_t iterations);
bool bind_to_cpu(unsigned cpu);
/* ns for 1000 iterations of spin(), on the fastest CPU that the caller may use. */
uint64_t spin_calibrate(void);

/* --- cgroup.c ---------------------------------------------------------------------------------------------------- */
/* Directory handle of a new cgroup below the root, -1 on failure. */
int cgroup_make(const char *name);
void cgroup_kill(const char *name);
/* Waits for the kernel to let go of it; false when it is still there. */
bool cgroup_remove(const char *name, unsigned patience_ms);
/* fork() with the child already inside the cgroup, so it never runs outside of it. */
pid_t fork_into_cgroup(int cgroup);

/* --- log.c: the last LOG_BYTES of a text ------------------------------------------------------------------------- */
struct log {
	uint32_t used;
	char text[LOG_BYTES];
};
void log_add(struct log *log, const char *text, size_t length);

/* --- wire.c ------------------------------------------------------------------------------------------------------ */
struct request {
	uint64_t sequence;
	char verb[16];
	uint64_t deadline_ms;
	uint32_t length;
	char *payload; /* NUL after the last byte */
};
extern int port;
void port_open(void);
void port_announce(void);
/* Powers the machine off when the host has gone. */
void request_read(struct request *request);
/* Reply under construction: shared, so that a forked helper can write it. */
void reply_clear(void);
void reply_add(const char *format, ...) __attribute__((format(printf, 1, 2)));
void reply_raw(const char *text, size_t length);
void reply_send(const struct request *request, bool ok);
void power_off(void) __attribute__((noreturn));

/* --- agent.c ----------------------------------------------------------------------------------------------------- */
/* In a helper process: its reply is complete and may be sent; what it does from now on is cleaning up. */
void reply_complete(void);

/* --- state.c ----------------------------------------------------------------------------------------------------- */
struct sched_state {
	char state[32];
	char ops[128];
	uint64_t enable_seq, switch_all, nr_rejected;
	int task_on_ext; /* -1: could not be read */
};
void probe_task_start(void);
void state_name(char out[32]);
/* Until the state is enabled or disabled and not on its way between them. */
void state_wait_settled(uint64_t until_ns);
void state_read(struct sched_state *state);
void state_reply(const char *prefix, const struct sched_state *state);
unsigned struct_ops_programs(void);

/* --- loader.c ---------------------------------------------------------------------------------------------------- */
void loader_prepare(void);
void loader_attach(const struct request *request);
void loader_detach(const struct request *request);

/* --- hints.c: runs inside the loader ----------------------------------------------------------------------------- */
/* Serves the hint socket until *control* reaches its end; without a map only waits. */
void hints_serve(int map, int control);

/* --- launcher.c, manager.c, job.c -------------------------------------------------------------------------------- */
struct job {
	unsigned group, phase;
	uint64_t work, hint_ns;
	int nice;
	pid_t pid;
	uint64_t start_us, end_us, cpu_us, run_delay_us, voluntary, involuntary;
	int exit_code; /* -1 until it was reaped */
	int hint_accepted;
};
void launcher_prepare(void);
void launcher_run(const struct request *request);
/* What the calling task expects to need; false: nobody took note. */
bool offer_hint(uint64_t expected_ns);
void job_run(struct job *job, const char *name) __attribute__((noreturn));

/* --- load.c and load_*.c ----------------------------------------------------------------------------------------- */
void load_prepare(void);
void load_run(const struct request *request);

/* --- programs.c -------------------------------------------------------------------------------------------------- */
void programs_run(const struct request *request);

/* --- account.c --------------------------------------------------------------------------------------------------- */
void account_reply(void);

/* --- counters.c -------------------------------------------------------------------------------------------------- */
void counters_reply(void);

/* --- probe.c ----------------------------------------------------------------------------------------------------- */
void probe_start(const struct request *request);
void probe_stop(const struct request *request);

/* --- player.c and player_*.c ------------------------------------------------------------------------------------- */
void play_run(const struct request *request);

/* --- dump.c ------------------------------------------------------------------------------------------------------ */
void dump_prepare(void);
void dump_forget(void);
void dump_reply(void);

/* --- busy.c ------------------------------------------------------------------------------------------------------ */
void busy_set(const struct request *request);

/* --- kmsg.c ------------------------------------------------------------------------------------------------------ */
void kmsg_open(void);
void kmsg_reply(void);
