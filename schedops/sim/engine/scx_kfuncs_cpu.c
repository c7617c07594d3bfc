/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy may call: CPUs, time, itself. */
#include "scx.h"

static struct mask asked; /* the mask that the shim hands over word by word before a kfunc that takes one */

void EXPORT(kf_mask_word)(u32 word, u64 bits)
{
	if (word < MASK_WORDS)
		asked.w[word] = bits;
}

/* The mask of a task, so that it need not be handed over. */
void EXPORT(kf_mask_of)(u32 task)
{
	if (task < nr_tasks && tasks[task].allowed)
		asked = *tasks[task].allowed;
}

static int builtin_idle(void)
{
	if (!policy.builtin_idle)
		scx_error("built-in idle tracking is disabled");
	return policy.builtin_idle;
}

/* validate_node() */
static int node_valid(s32 node)
{
	if (!policy.per_node) {
		scx_error("per-node idle tracking is disabled");
		return -95; /* EOPNOTSUPP */
	}
	if (node == -1)
		return -2; /* ENOENT */
	if (node >= 0 && (u32)node < machine.nr_nodes)
		return 0;
	scx_error("invalid node %d", node);
	return -22; /* EINVAL */
}

static int no_node(void)
{
	if (policy.per_node)
		scx_error("per-node idle tracking is enabled");
	return !policy.per_node;
}

/*
 * select_cpu_from_kfunc(): the CPU, or a negative error when none idles. 6.18; the SMT sibling of the CPU before, and a
 * waker's CPU that is no longer idle once it was chosen, came with 7.x.
 */
s32 EXPORT(kf_select_cpu)(u64 address, s32 prev_cpu, u64 wake_flags, u32 with_mask, u64 flags)
{
	struct task *p = task_at(address);

	if (!p || !kf_cpu_valid(prev_cpu))
		return -22;
	if (!builtin_idle())
		return -16;
	if (!kf_allowed_unlocked(KF_SELECT_CPU | KF_ENQUEUE))
		return -1;
	for (u32 w = 0; with_mask && w < MASK_WORDS; w++)
		asked.w[w] &= p->allowed->w[w];
	if (p->nr_allowed == 1) /* from ops.enqueue() */
		return mask_test(with_mask ? &asked : p->allowed, prev_cpu) && take_idle(prev_cpu) ? prev_cpu : -16;
	return select_idle(with_mask ? &asked : p->allowed, prev_cpu, wake_flags, flags);
}

/* node: with idle masks per node; -2 where the kfunc takes none. */
s32 EXPORT(kf_pick_idle)(s32 node, u64 flags)
{
	s32 err = node == -2 ? 0 : node_valid(node);

	if (err)
		return err;
	if ((node == -2 && !no_node()) || !builtin_idle())
		return -16;
	return pick_idle_from(&asked, node, flags);
}

s32 EXPORT(kf_pick_idle_of)(u32 task, u64 flags)
{
	if (task >= nr_tasks || !tasks[task].allowed || !no_node() || !builtin_idle())
		return -16;
	return pick_idle_from(tasks[task].allowed, -2, flags);
}

/* scx_bpf_pick_any_cpu() asks for an idle one first only where idleness is tracked, and does not mind if it is not. */
s32 EXPORT(kf_pick_any)(s32 node, u64 flags)
{
	s32 err = node == -2 ? 0 : node_valid(node), cpu = -1;

	if (err)
		return err;
	if (node == -2 && !no_node())
		return -16;
	if (policy.builtin_idle)
		cpu = pick_idle_from(&asked, node, flags);
	if (cpu < 0)
		cpu = any_of(&asked, &every_cpu, node >= 0 && flags & SCX_PICK_IDLE_IN_NODE ? &node_cpus[node] : &every_cpu);
	return cpu < 0 ? -16 : cpu;
}

u32 EXPORT(kf_any_distribute)(void)
{
	s32 cpu = any_of(&asked, &every_cpu, &every_cpu);

	return cpu < 0 ? machine.nr_cpus : (u32)cpu;
}

u32 EXPORT(kf_test_and_clear_cpu_idle)(s32 cpu)
{
	return builtin_idle() && kf_cpu_valid(cpu) && take_idle(cpu);
}

/* May the idle masks be looked at? node: as above. */
u32 EXPORT(kf_may_see_idle)(s32 node)
{
	if (node != -2)
		return !node_valid(node);
	if (policy.per_node)
		scx_error("SCX_OPS_BUILTIN_IDLE_PER_NODE enabled");
	return !policy.per_node && builtin_idle();
}

/* which: 0 idle CPUs, 1 CPUs of idle cores, 2 all, 3 the LLC of CPU `of`, 4 node `of`, 5 CPUs that are online. */
u64 EXPORT(kf_cpus)(u32 which, u32 word, u32 of)
{
	const struct mask *masks[] = { &idle_cpus, machine.has_smt ? &idle_cores : &idle_cpus, &every_cpu };

	if (word >= MASK_WORDS)
		return 0;
	if (which == 5)
		return online_cpus.w[word];
	if (which < 3)
		return masks[which]->w[word];
	if (which == 3)
		return of < machine.nr_cpus ? llc_cpus[cpus[of].llc].w[word] : 0;
	return of < machine.nr_nodes ? node_cpus[of].w[word] : 0;
}

void EXPORT(kf_kick_cpu)(s32 cpu, u64 flags)
{
	if (!kf_cpu_valid(cpu))
		return;
	if (flags & SCX_KICK_IDLE && flags & (SCX_KICK_PREEMPT | SCX_KICK_WAIT))
		scx_error("PREEMPT/WAIT cannot be used with SCX_KICK_IDLE");
	kick(cpu, flags);
}

/* A machine has been up for a while when a policy is loaded: policies take a time of 0 for "never". */
#define UPTIME_NS 1000000000000ULL

u64 EXPORT(kf_now)(void) { return UPTIME_NS + clock_ns; }
s32 EXPORT(kf_this_cpu)(void) { return this_cpu; }
u32 EXPORT(kf_nr_cpus)(void) { return machine.nr_cpus; }
u32 EXPORT(kf_nr_nodes)(void) { return machine.nr_nodes; }
s32 EXPORT(kf_cpu_llc)(s32 cpu)
{
	s32 first = 0;

	while (cpus[first].llc != cpus[cpu].llc)
		first++;
	return first;
}
s32 EXPORT(kf_cpu_node)(s32 cpu) { return kf_cpu_valid(cpu) ? cpus[cpu].node : -1; }
/* Without a governor that listens nothing comes of it; a frequency that follows the load would. */
void EXPORT(kf_cpuperf_set)(s32 cpu, u32 perf)
{
	if (perf > FULL)
		scx_error("Invalid cpuperf target %u for CPU %d", perf, cpu);
	else if (kf_cpu_valid(cpu) && machine.freq_floor < FULL)
		stop(V_UNSUPPORTED, 0, "a frequency that a policy sets: scx_bpf_cpuperf_set()");
}

u32 EXPORT(kf_frequency)(s32 cpu) { return kf_cpu_valid(cpu) ? cpus[cpu].frequency : FULL; }
u32 EXPORT(kf_capacity)(s32 cpu) { return kf_cpu_valid(cpu) ? cpus[cpu].capacity : FULL; }

/* rq->curr: the old task until the switch is done, so in ops.running() too; the idle task where there is no other. */
static u64 current_of(s32 cpu)
{
	struct task *p = in_switch && cpu == this_cpu ? leaves : cpus[cpu].curr;

	return p ? mirror(p) : idle_mirror(cpu);
}

u64 EXPORT(kf_current)(void) { return current_of(this_cpu); }
u64 EXPORT(kf_curr)(s32 cpu) { return kf_cpu_valid(cpu) ? current_of(cpu) : 0; }

/* The CPU of an idle task, else -1. */
static s32 idle_task_cpu(u64 address)
{
	u64 id = address >= idle_mirror(0) ? (address - idle_mirror(0)) / policy.stride : NEVER;

	return id < machine.nr_cpus && idle_mirror(id) == address ? (s32)id : -1;
}

s32 EXPORT(kf_task_cpu)(u64 address)
{
	s32 idle = idle_task_cpu(address);
	struct task *p = idle >= 0 ? NULL : task_at(address);

	return p ? p->cpu : idle >= 0 ? idle : 0;
}

u32 EXPORT(kf_task_running)(u64 address)
{
	s32 idle = idle_task_cpu(address);
	struct task *p = idle >= 0 ? NULL : task_at(address);

	/* task_rq(p)->curr == p: also while it comes off and is handed to ops.enqueue() */
	return p ? cpus[p->cpu].curr == p : idle >= 0 && !cpus[idle].curr;
}

u64 EXPORT(kf_task_from_pid)(s32 pid)
{
	u32 id = pid - tasks[0].pid;

	return pid >= tasks[0].pid && id < nr_tasks && tasks[id].state != T_NEW && tasks[id].state != T_DEAD ?
		       mirror(&tasks[id]) :
		       0;
}

u64 EXPORT(kf_random)(void)
{
	static u64 state = 88172645463325252ULL;

	return random_next(&state);
}

/* scx_bpf_error() (kind 1025) and scx_bpf_exit() (65): the words stay in the policy's memory, Python fetches them. */
static u64 words_at, words_length;

void EXPORT(kf_exit)(u32 kind, s64 code, u64 at_, u64 length)
{
	if (stopped || leaving || ejected)
		return;
	words_at = at_;
	words_length = length;
	ending.exit_code = code;
	stop(V_EJECTED, kind, "");
}

u64 EXPORT(words)(u32 which) { return which ? words_length : words_at; }

/* rt_memory.c: FAULT_* */
void EXPORT(kf_fault)(u32 what)
{
	static const char *const words[] = { "it needs more memory than it may have", "it uses a map that is none",
					     "it passes a pointer that is no task", "it passes a pointer that is no cgroup",
					     "it passes a pointer that is no object of bpf_obj_new(), or of one that it has dropped",
					     "it passes a pointer that is no open record of a ring buffer" };

	stop(V_FAULT, 0, "%s", words[(what - 1) % 6]);
}

/* rt_memory.c: MISSING_* */
void EXPORT(kf_missing)(u32 what)
{
	static const char *const words[] = { "pages of an arena at an address of its choice",
					     "more than 65536 pages of an arena",
					     "objects of a type that its debug information does not tell" };

	stop(V_UNSUPPORTED, 0, "%s", words[(what - 1) % 3]);
}

/* Called by Python before setup(). */
void EXPORT(set_op)(u32 place, u64 function)
{
	if (place < sizeof(ops) / 8)
		((u64 *)&ops)[place] = function;
}

void EXPORT(set_room)(u32 place, u64 function)
{
	if (place < sizeof(theirs) / 8)
		((u64 *)&theirs)[place] = function;
}

void EXPORT(set_custody)(u32 custody) { policy.custody = custody; }

void EXPORT(set_policy)(u64 tasks_at, u64 stride, u64 flags, u32 batch, u32 timeout_ms)
{
	policy.tasks = tasks_at;
	policy.stride = stride;
	policy.flags = flags;
	policy.batch = batch;
	policy.timeout_ms = timeout_ms;
}
