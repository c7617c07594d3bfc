/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The engine: discrete events, integers only, no libraries, nothing allocated per event. engine.c includes every other
 * file, so that all of it is one unit for the optimiser; what a file keeps for itself is static.
 */
#ifndef ENGINE_H
#define ENGINE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define NULL ((void *)0)
#define NEVER (~0ULL)
#define MAX_CPUS 512
#define MASK_WORDS (MAX_CPUS / 64)
#define FULL 1024 /* capacity, frequency */
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define EXPORT(name) __attribute__((export_name(#name))) name

struct mask {
	u64 w[MASK_WORDS];
};

struct insn { /* model/simulation.py: Instruction */
	s64 op, a, b, c;
};

enum task_state { T_NEW, T_BLOCKED, T_QUEUED, T_RUNNING, T_DEAD };

struct task {
	u32 id; /* place in the plan */
	s32 pid; /* FIRST_PID + id */
	enum task_state state;
	u8 runnable; /* QUEUED or RUNNING */
	u8 kernel; /* a thread of the kernel's */
	u8 yields; /* it came off by YIELD */
	u8 realtime; /* of a class above the scheduler's: realtime.c */
	u8 ext; /* a policy's: of sched_ext's class. As read from the plan: it asks for SCHED_EXT */
	u8 moving; /* blocked only to leave a CPU it may no longer use */
	s32 cpu; /* whose queue it is on, or ran on last */
	s32 ran_on; /* the CPU it ran on last, -1: never ran */
	s32 nice;
	u32 weight; /* of the fair scheduler, 1024 for nice 0 (sched_prio_to_weight) */
	struct task *realtime_next;
	u32 nr_allowed; /* CPUs */
	const struct mask *allowed;
	u32 label, cgroup;
	char comm[16];
	u64 hint_ns;
	/* program */
	const struct insn *program;
	u32 length, pc, steps; /* steps since time went on */
	u64 work; /* left of the RUN, in ns * 1024 */
	u64 cost; /* ns to pay before the work: switch, migration */
	u64 random;
	u32 loops[4];
	u64 timers[4];
	u64 begin_ns;
	/* waiting for something */
	struct task *waits_next; /* in the queue of a sync object */
	u64 wants; /* tokens; or the message a sender holds */
	u32 relock; /* 1 + lock to take when the event came */
	/* accounting, ns */
	u64 arrival, first_run, done, cpu_ns, wait_ns, max_wait;
	u64 since; /* runnable and not running since */
	u8 woke; /* the wait began with a wake-up */
	u32 switches, preemptions, wakeups, migrations[3];
	u64 cls[28]; /* room for the class */
};

struct cpu {
	s32 id, core, llc, node;
	u32 capacity;
	struct task *curr; /* NULL: idle */
	struct task *realtime_first, *realtime_last; /* who waits of those above the scheduler */
	u8 need_resched;
	u8 offline; /* nothing runs here; its time counts as idle, and never as wasted */
	u32 speed; /* work per ns, in 1/1024: capacity, SMT and frequency */
	u32 frequency;
	u64 seen; /* charged until */
	u64 tick_at;
	u64 busy_ns, idle_ns, idle_waste_ns;
	u64 idle_since, waste_mark; /* see account.c */
	u32 bound_waiting; /* tasks waiting that may run on few CPUs, this one of them */
	u32 rounds; /* decisions at the time decided_at */
	u64 decided_at;
	struct cpu *next_sibling; /* circle of SMT siblings */
	u64 cls[40]; /* room for the class */
};

struct cgroup {
	s32 parent;
	u32 weight, level;
};

struct machine {
	u32 nr_cpus, nr_llcs, nr_nodes;
	u64 tick_ns, switch_ns, migrate_ns[3];
	u32 smt_capacity, has_smt;
	u32 nr_idle_states;
	u64 idle_after[4], idle_exit[4];
	u32 freq_floor; /* FULL: no ramp */
	u64 ramp_ns, decay_ns;
};

extern struct machine machine;
extern struct cpu *cpus;
extern struct task *tasks;
extern u32 nr_tasks;
extern struct cgroup *cgroups;
extern u32 nr_cgroups;
extern const struct sched_class *sched;
extern struct mask all_cpus, online_cpus;
extern s32 this_cpu; /* whose code runs: of the waker, the ticking CPU ... */
extern u64 clock_ns;
extern u32 tasks_left;
extern u64 sched_watchdog_ns; /* a class that has a watchdog sets it at init */
static inline u64 now(void) { return clock_ns; }

/* core.c, for classes */
void resched(struct cpu *c); /* c chooses anew, at this moment (an idle CPU after its exit latency) */
void settle(struct cpu *c); /* charge c's current task until now */
void migrate(struct task *p, struct cpu *to); /* a queued task changes the queue it is on */
int allowed(const struct task *p, s32 cpu); /* may it run there, and is the CPU online? */
void evict(struct task *p); /* hotplug.c: a waiting task leaves a CPU that goes offline */

/* memory.c, text.c, account.c */
void *alloc(u64 bytes); /* zeroed; for the whole run; at init only */
u64 random_next(u64 *state);
/* End the run. verdict: model/simulation.py SimVerdict in order. The first call counts. %s %d %u %llu %llx %016llx */
enum verdict { V_DONE, V_EJECTED, V_FAULT, V_UNSUPPORTED, V_STUCK, V_PLAN_ERROR };
void stop(enum verdict verdict, u32 kind, const char *format, ...);
extern u8 stopped;
extern u8 go_on, ejected; /* the plan's wish; the policy is ejected, and everybody goes on without it */
extern u8 in_policy; /* its code is on the stack: stop() traps, and the trap tells the line of its source */
void trace(u32 kind, s32 cpu, u32 task, u64 argument); /* TraceKind; cheap when nobody asked */

static inline int mask_test(const struct mask *m, s32 cpu) { return m->w[cpu >> 6] >> (cpu & 63) & 1; }
static inline void mask_set(struct mask *m, s32 cpu) { m->w[cpu >> 6] |= 1ULL << (cpu & 63); }
static inline void mask_clear(struct mask *m, s32 cpu) { m->w[cpu >> 6] &= ~(1ULL << (cpu & 63)); }

#endif
