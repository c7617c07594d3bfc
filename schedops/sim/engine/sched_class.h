/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a scheduler is to the engine. One is chosen per run: fifo.c, random.c, eevdf.c, or scx.c, which asks a policy.
 * partial.c is two of them, one above the other; fallback.c goes on with another one in the middle of a run.
 *
 * The core (core.c) owns the truth: who is runnable, who runs where, for how long. A class keeps its queues, in the
 * `cls` room of struct task and struct cpu or in memory of its own (alloc(), at init only: nothing is allocated per
 * event). Every hook is called with now() settled and the current tasks' CPU time charged.
 */
#ifndef SCHED_CLASS_H
#define SCHED_CLASS_H

#include "engine.h"

/* Flags of enqueue and dequeue; the values are the kernel's, so that scx.c may pass them on (kernel/sched/sched.h). */
#define ENQUEUE_WAKEUP 0x01
#define ENQUEUE_RESTORE 0x02
#define ENQUEUE_MIGRATING 0x40
#define ENQUEUE_NEW 0x100000	/* ours: the task has never run */
#define DEQUEUE_SLEEP 0x01
#define DEQUEUE_SAVE 0x02
#define DEQUEUE_MIGRATING 0x40
#define DEQUEUE_DEAD 0x100000	/* ours: the task will never run again */

/* Flags of select_cpu (kernel/sched/sched.h: WF_*). */
#define WF_EXEC 0x02
#define WF_FORK 0x04
#define WF_TTWU 0x08
#define WF_SYNC 0x10

struct sched_class {
	/* Once, when the plan and the machine are there; 0 or an error that stop() has told. */
	int (*init)(void);
	/* A task arrives: called before its first select_cpu. A task ends: called after its last dequeue. */
	void (*task_new)(struct task *p);
	void (*task_dead)(struct task *p);
	/* Where a task that wakes up (or arrives) goes. The core falls back to an allowed CPU when the answer is not. */
	int (*select_cpu)(struct task *p, int prev_cpu, u32 wake_flags);
	/* The task is runnable on p->cpu now. The class calls resched(cpu) when a busy CPU is to choose anew; the core
	 * does so itself when CPU p->cpu idles. */
	void (*enqueue)(struct cpu *c, struct task *p, u32 flags);
	/* It is not any more. p may be the current task (blocks, ends, changes weight or CPUs) or a queued one. */
	void (*dequeue)(struct cpu *c, struct task *p, u32 flags);
	/* Who runs next? prev is the task that came off, NULL from idle; it is still runnable if prev->runnable. It may
	 * be chosen again. NULL: idle. A task of another CPU has to be moved with migrate(p, c) first. */
	struct task *(*pick)(struct cpu *c, struct task *prev);
	/* The task leaves the CPU (next: who comes, NULL: idle); only called when prev != next and it is still runnable. */
	void (*put_prev)(struct cpu *c, struct task *prev, struct task *next);
	/* The task goes on the CPU; not called when it simply goes on. */
	void (*set_next)(struct cpu *c, struct task *p);
	/* delta ns of CPU time were used by the current task. */
	void (*charge)(struct cpu *c, struct task *p, u64 delta);
	void (*tick)(struct cpu *c, struct task *p);
	void (*yield)(struct cpu *c, struct task *p);
	/* The current task asks for another nice value or other CPUs: between a dequeue and an enqueue with SAVE and
	 * RESTORE, when p->weight and the mask have changed. */
	void (*weight_changed)(struct task *p);
	void (*cpus_changed)(struct task *p);
	/* The CPU begins or ends to idle. */
	void (*idle)(struct cpu *c, int idle);
	/* The CPU has chosen, interrupts are on again; may be NULL. */
	void (*switched)(struct cpu *c);
	/* The CPU is offline from now on: who waits in a queue of its own has to go (evict()); may be NULL. */
	void (*drain)(struct cpu *c);
	/* The CPU went offline, nothing is left on it, or came back; may be NULL. */
	void (*hotplug)(struct cpu *c, int online);
	/* Every sched_watchdog_ns of simulated time (core.c; the class sets it at init; 0: never). */
	void (*watchdog)(void);
};

extern const struct sched_class fifo_class, random_class, eevdf_class, scx_class, partial_class;

#endif
