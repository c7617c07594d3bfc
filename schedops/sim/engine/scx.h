/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sched_ext's core as of Linux 6.18 (kernel/sched/ext.c, ext_idle.c), written anew for one thread of control. Where a
 * rule is another kernel's, the place says so.
 */
#ifndef SCX_H
#define SCX_H

#include "engine.h"
#include "sched_class.h"

/* include/linux/sched/ext.h and kernel/sched/ext_internal.h */
#define SCX_SLICE_DFL 20000000ULL
#define SCX_SLICE_INF (~0ULL)
#define SCX_DSQ_FLAG_BUILTIN (1ULL << 63)
#define SCX_DSQ_INVALID SCX_DSQ_FLAG_BUILTIN
#define SCX_DSQ_GLOBAL (SCX_DSQ_FLAG_BUILTIN | 1)
#define SCX_DSQ_LOCAL (SCX_DSQ_FLAG_BUILTIN | 2)
#define SCX_DSQ_LOCAL_ON (3ULL << 62)
#define SCX_ENQ_WAKEUP 1ULL
#define SCX_ENQ_HEAD 0x10ULL
#define SCX_ENQ_CPU_SELECTED (1ULL << 10)
#define SCX_ENQ_PREEMPT (1ULL << 32)
#define SCX_ENQ_REENQ (1ULL << 40)
#define SCX_ENQ_LAST (1ULL << 41)
#define SCX_ENQ_INTERNAL (0xffULL << 56)
#define SCX_ENQ_PRIQ (1ULL << 57)
#define SCX_DEQ_CORE_SCHED_EXEC (1ULL << 32)
#define SCX_DEQ_SCHED_CHANGE (1ULL << 33) /* 7.1 and later */
#define SCX_PICK_IDLE_IN_NODE 2
#define SCX_TASK_QUEUED 1
#define SCX_TASK_DEQD_FOR_SLEEP 8
#define SCX_OPS_KEEP_BUILTIN_IDLE 1
#define SCX_OPS_ENQ_LAST 2
#define SCX_OPS_SWITCH_PARTIAL 8
#define SCX_OPS_IDLE_PER_NODE 64 /* SCX_OPS_BUILTIN_IDLE_PER_NODE */
#define SCX_OPS_ALL 0x1007f /* with SCX_OPS_HAS_CGROUP_WEIGHT, which has meant nothing since 6.15 */
#define SCX_KICK_IDLE 1
#define SCX_KICK_PREEMPT 2
#define SCX_KICK_WAIT 4
#define SCX_PICK_IDLE_CORE 1
#define SCX_WAKE_SYNC 16
#define SCX_DSP_DFL_MAX_BATCH 32
#define SCX_DSP_MAX_LOOPS 32
#define MAX_BATCH 1024
#define SCX_WATCHDOG_MAX_TIMEOUT 30000
#define SCX_EXIT_UNREG 64
#define SCX_EXIT_UNREG_BPF 65
#define SCX_EXIT_UNREG_KERN 66
#define SCX_EXIT_ERROR 1024
#define SCX_EXIT_ERROR_BPF 1025
#define SCX_EXIT_ERROR_STALL 1026

#define SCX_CPU_PREEMPT_RT 0
#define SCX_CPU_PREEMPT_UNKNOWN 3
#define SCX_ECODE_RSN_HOTPLUG (1LL << 32)
#define SCX_ECODE_ACT_RESTART (1LL << 48)
#define MAX_ERRNO 4095

/* enum scx_kf_mask: where a kfunc may be called from. 0 is every place that holds no lock of a run queue: timers too. */
#define KF_UNLOCKED 0
#define KF_CPU_RELEASE 1
#define KF_DISPATCH 2
#define KF_ENQUEUE 4
#define KF_SELECT_CPU 8
#define KF_REST 16

struct dsq {
	u64 id;
	struct task *first, *last, *root; /* the tree is by virtual time, its tasks are in the list too, in order */
	u32 nr;
	u8 destroyed;
	struct dsq *next; /* in the hash chain */
};

enum ops_state { OPS_NONE, OPS_QUEUED };

struct scx_task { /* in task.cls */
	struct dsq *dsq;
	struct task *prev, *next, *left, *right, *up;
	u64 key, order; /* virtual time, and who came first among equals */
	u32 tree_random;
	u32 flags;
	u64 qseq, seq; /* given to the policy, put into a queue: as the so manieth */
	u64 ddsp_dsq, ddsp_flags;
	u8 in_tree, ops_state, in_custody; /* SCX_TASK_IN_CUSTODY of 7.1 and later */
};

struct scx_cpu { /* in cpu.cls */
	struct dsq local;
	u8 released; /* the policy was told that a class above has the CPU */
	u8 keep; /* balance chose the task that runs already */
	u8 idle_flag; /* what ops.update_idle() was told last */
	s32 distribute; /* cpumask_any_and_distribute() goes on from here */
};

/* The policy's callbacks and the shim's accessors: places in the engine's function table, set by Python. */
struct policy_ops {
	s32 (*select_cpu)(u64 p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(u64 p, u64 enq_flags);
	void (*dequeue)(u64 p, u64 deq_flags);
	void (*dispatch)(s32 cpu, u64 prev);
	void (*tick)(u64 p);
	void (*runnable)(u64 p, u64 enq_flags);
	void (*running)(u64 p);
	void (*stopping)(u64 p, u32 runnable);
	void (*quiescent)(u64 p, u64 deq_flags);
	u32 (*yield)(u64 from, u64 to);
	u32 (*core_sched_before)(u64 a, u64 b);
	void (*set_weight)(u64 p, u32 weight);
	void (*set_cpumask)(u64 p, u64 cpumask);
	void (*update_idle)(s32 cpu, u32 idle);
	void (*cpu_acquire)(s32 cpu, u64 args);
	void (*cpu_release)(s32 cpu, u64 args);
	s32 (*init_task)(u64 p, u64 args);
	void (*exit_task)(u64 p, u64 args);
	void (*enable)(u64 p);
	void (*disable)(u64 p);
	void (*dump)(u64 ctx);
	void (*dump_cpu)(u64 ctx, s32 cpu, u32 idle);
	void (*dump_task)(u64 ctx, u64 p);
	s32 (*cgroup_init)(u64 cgrp, u64 args);
	void (*cgroup_exit)(u64 cgrp);
	s32 (*cgroup_prep_move)(u64 p, u64 from, u64 to);
	void (*cgroup_move)(u64 p, u64 from, u64 to);
	void (*cgroup_cancel_move)(u64 p, u64 from, u64 to);
	void (*cgroup_set_weight)(u64 cgrp, u32 weight);
	void (*cgroup_set_bandwidth)(u64 cgrp, u64 period, u64 quota, u64 burst);
	void (*cgroup_set_idle)(u64 cgrp, u32 idle);
	void (*cpu_online)(s32 cpu);
	void (*cpu_offline)(s32 cpu);
	s32 (*init)(void);
	void (*exit)(u64 info);
};

struct policy_room { /* exports of the shim's runtime, rt_* */
	void (*task)(u32 task, s32 pid, u32 cgroup, s32 static_prio, u32 weight, u32 nr_allowed, u32 kernel);
	void (*comm)(u32 task, u64 low, u64 high);
	void (*mask)(u32 task, u32 word, u64 bits);
	void (*allowed)(u32 task, u32 nr_allowed);
	void (*weight)(u32 task, s32 static_prio, u32 weight);
	void (*flags)(u32 task, u32 flags);
	void (*exiting)(u32 task);
	void (*forget)(u32 task);
	void (*hint)(u32 task, u64 ns);
	u64 (*slice)(u32 task);
	void (*set_slice)(u32 task, u64 slice);
	void (*set_vtime)(u32 task, u64 vtime);
	u64 (*vtime)(u32 task);
	u64 (*use)(u32 task, u64 ns, u32 own); /* it ran; takes ns off the slice of a task of its own; what is left */
	u64 (*init_args)(u32 task, u32 fork);
	u64 (*exit_args)(u32 task, u32 cancelled);
	u64 (*cgroup)(u32 cgroup, s32 parent, u32 level, u32 weight); /* makes it, gives its address */
	u64 (*cgroup_args)(u32 weight);
	u64 (*mask_at)(u32 task); /* address of the task's cpumask */
	void (*timer)(u32 place);
	void (*idle_task)(u32 cpu); /* makes the idle task of a CPU, which comes behind the plan's tasks */
	void (*current)(u32 leaves, u32 comes); /* tasks; behind the idle tasks: nobody */
	u64 (*exit_info)(u32 kind, s64 code, u64 words, u64 length);
	u64 (*release_args)(u32 task, u32 reason); /* who preempts: enum scx_cpu_preempt_reason */
	void (*exit_text)(u32 which, u32 place, u64 eight); /* 0 reason, 1 message */
	u32 (*disallow)(u32 task); /* ops.init_task() wants it left to another scheduler */
};

static struct policy_ops ops;
static struct policy_room theirs;
static struct {
	u64 tasks, stride; /* of the mirrors in the policy's memory */
	u64 flags;
	u32 batch, timeout_ms;
	u64 *cgroups;
	u8 builtin_idle, per_node, custody; /* custody: the rules of 7.1 and later for ops.dequeue() */
	u8 partial, loaded; /* SCX_OPS_SWITCH_PARTIAL; it is there to be asked */
} policy;

#define NOBODY (~0U)

static u32 kf_mask;
static u8 in_switch; /* from the choice of the next task until it is the current one */
/* The task that ops.select_cpu() or ops.enqueue() may insert at once; afterwards NULL with direct_done set. */
static struct task *direct_task;
static u8 direct_done;

static inline struct scx_task *scx_of(struct task *p) { return (struct scx_task *)p->cls; }
static inline struct scx_cpu *scx_cpu_of(struct cpu *c) { return (struct scx_cpu *)c->cls; }
static inline u64 mirror(const struct task *p) { return policy.tasks + p->id * policy.stride; }
/* The kernel's current task is never NULL: an idle CPU runs its idle task. */
static inline u64 idle_mirror(s32 cpu) { return policy.tasks + (nr_tasks + cpu) * policy.stride; }

_Static_assert(sizeof(struct scx_task) <= sizeof(((struct task *)0)->cls), "room in struct task");
_Static_assert(sizeof(struct scx_cpu) <= sizeof(((struct cpu *)0)->cls), "room in struct cpu");

#define scx_error(format, args...) stop(V_EJECTED, SCX_EXIT_ERROR, format, ##args)

/* Call a callback, if there is one, with what it may do. */
#define OP_CALL(mask, op, args...)                 \
	do {                                       \
		if (ops.op) {                      \
			u32 saved_mask = kf_mask;  \
			u8 saved_in = in_policy;   \
			kf_mask = (mask);          \
			in_policy = 1;             \
			ops.op(args);              \
			in_policy = saved_in;      \
			kf_mask = saved_mask;      \
		}                                  \
	} while (0)

#endif
