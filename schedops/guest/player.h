/* A plan of programs (schedops/model/simulation.py), played by real tasks: what its launcher and its tasks share. */
#pragma once

#include "guest.h"

enum {
	MAX_PLAY_TASKS = 4096,
	MAX_PLAY_CGROUPS = 64,
	MAX_PLAY_SYNCS = 4096,
	MAX_PLAY_TABLES = 512,
	MAX_PLAY_LABELS = 64,
	MAX_PLAY_MESSAGES = 1 << 18, /* that all queues together hold */
	CPUSET_WORDS = 8,
	HISTOGRAM_BUCKETS = 976, /* 16 per power of two: bucket_bounds() */
};

/* In the order of the host's Op and SyncKind. */
enum op {
	O_EXIT, O_RUN, O_RUN_TABLE, O_SLEEP, O_SLEEP_TABLE, O_TIMER, O_WAIT, O_POST, O_LOCK, O_UNLOCK, O_BARRIER, O_FORK,
	O_LOOP, O_JUMP, O_YIELD, O_NICE, O_AFFINITY, O_BEGIN, O_END, O_SEND, O_RECV, O_SUSPEND, O_SIGNAL, OPS
};
enum sync_kind { S_SEMAPHORE, S_LOCK, S_BARRIER, S_QUEUE, S_EVENT };
enum histogram { H_WAKEUP, H_REQUEST, HISTOGRAMS };

/* How a play ends; player_reply.c has the words. */
enum ending {
	RUNNING, ALL_DONE, TIME_UP, EJECTED, STUCK, LATE, NOT_THE_HOLDER, THERE_ALREADY, ENDLESS, NO_ROOM, ENDINGS
};

struct step {
	int64_t op, a, b, c;
};

struct program {
	const struct step *steps;
	uint64_t length;
};

struct table {
	const int64_t *values;
	uint64_t length;
};

/* Whose the task is; the host's words. */
enum class { NORMAL, REALTIME, EXT };

/* What the host said; each process has its own copy, and nobody writes to it. */
struct part {
	unsigned program, label, cgroup;
	int nice, cpuset; /* -1: all CPUs */
	int64_t arrival_ns; /* -1: when a FORK names it */
	uint64_t hint_ns, random;
	enum class class;
};

struct cgroup_part {
	int parent; /* -1: the root */
	unsigned weight;
};

/* Of one task, shared; a cache line apart from the next. Times are of CLOCK_MONOTONIC, 0: not yet. */
struct actor {
	uint64_t arrived_ns, first_ns, done_ns;
	uint64_t cpu_ns, wait_ns, switches, preemptions; /* at its end */
	uint64_t rusage_us; /* CPU time by getrusage(2), of a task that is done */
	uint64_t begin_ns, wants; /* see sync.c of the engine: tokens; or the message that a sender holds */
	uint64_t woken_ns;	  /* by whoever woke it, just before */
	uint32_t go;		  /* futex */
	uint32_t waits;		  /* counts up when it begins and when it ends to wait for others: odd while it does */
	uint32_t wakeups, migrations;
	uint32_t next; /* 1 + who waits behind it */
	pid_t pid;
	uint32_t hint_taken;
} __attribute__((aligned(64)));

struct sync {
	uint32_t door; /* futex: 0 open, 1 somebody is inside, 2 others wait outside */
	enum sync_kind kind;
	uint64_t value, count; /* see SyncKind; tokens, tasks at the barrier, messages */
	uint64_t read;
	uint32_t holder;      /* 1 + task */
	uint32_t first, last; /* 1 + task */
	uint64_t *messages;
};

struct play {
	uint64_t seed, end_ns, name_seed; /* end_ns after start; 0: when every task is done */
	bool go_on;			  /* without a policy that is lost */
	unsigned labels, tasks, cgroups, tables, cpusets, syncs, programs;
	uint64_t ns_per_1000; /* iterations of spin() */
	uint64_t start_ns, stop_ns, lost_ns; /* lost_ns: the policy, and the play went on */
	uint32_t left;	 /* tasks that are not done */
	uint32_t ending; /* futex: enum ending, and the task that said so from bit 8 on */
	struct sync sync[MAX_PLAY_SYNCS];
	struct actor actor[MAX_PLAY_TASKS];
	uint32_t histogram[MAX_PLAY_LABELS][HISTOGRAMS][HISTOGRAM_BUCKETS];
	uint64_t messages[MAX_PLAY_MESSAGES];
};
extern struct play *play;

/* --- player_plan.c --- */
extern struct part part[MAX_PLAY_TASKS];
extern struct program *programs;
extern struct table tables[MAX_PLAY_TABLES];
extern const uint64_t *cpusets; /* CPUSET_WORDS each */
extern struct cgroup_part cgroup_part[MAX_PLAY_CGROUPS];
bool play_read(const char *payload, size_t length);

/* --- player.c --- */
long futex(uint32_t *word, int operation, uint32_t value, const void *until);
/* It ends so, because of this task; the first word counts. */
void play_ends(enum ending ending, unsigned task);
bool play_over(void);

/* --- player_arrive.c --- */
/* A new task, by the launcher or by another task. */
void arrive(unsigned id, bool by_task);

/* --- player_task.c --- */
void actor_main(unsigned id) __attribute__((noreturn));
/* Waits until somebody calls actors_wake(). */
void actor_wait(struct actor *self);

/* --- player_sync.c: all of them come back when the task may go on --- */
void sem_take(struct sync *s, unsigned id, uint64_t tokens);
void sem_give(struct sync *s, uint64_t tokens);
void lock_take(struct sync *s, unsigned id);
void lock_give(struct sync *s, unsigned id);
void barrier_meet(struct sync *s, unsigned id);
void queue_send(struct sync *s, unsigned id, uint64_t message);
void queue_receive(struct sync *s, unsigned id);
void event_wait(struct sync *s, unsigned id, struct sync *lock);
void event_signal(struct sync *s, bool one);

/* --- player_figures.c --- */
struct actor_figures {
	uint64_t cpu_ns, wait_ns, switches, preemptions;
	uint64_t rusage_us; /* only one's own */
};
void count_time(unsigned label, enum histogram which, uint64_t ns);
/* All but preemptions, and the CPU time without what runs right now; false: nobody is there. */
bool schedstat_of(pid_t pid, struct actor_figures *figures);
void own_figures(struct actor_figures *figures);
bool figures_of(pid_t pid, struct actor_figures *figures);
/* For how long tasks were on each CPU since it is there; how many CPUs, 0: the kernel does not say. */
unsigned cpus_read(uint64_t busy_ns[], unsigned most);

/* --- player_reply.c --- */
struct play_totals {
	const uint64_t *busy_ns;
	unsigned cpus;
	uint64_t watched_ns; /* between the readings of the CPUs */
	uint64_t switches;
	uint64_t cgroups_us; /* CPU time of the plan's own cgroups, as they count it */
	bool clean;
};
void play_reply(const struct play_totals *totals);

/* --- player_cgroup.c: what only a guest of its own may do --- */
extern int cgroup_of[MAX_PLAY_CGROUPS]; /* directory handles, -1: there are none */
bool play_room(void);
uint64_t play_cgroups_us(void);
bool play_room_clean(void);
