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

/* The CPU, or -1 for "none idles: prev_cpu". */
s32 EXPORT(kf_select_cpu)(u64 address, s32 prev_cpu, u64 wake_flags, u32 with_mask, u64 flags)
{
	struct task *p = task_at(address);

	if (!p || (kf_mask && !kf_allowed(KF_SELECT_CPU | KF_ENQUEUE)) || !cpu_valid(prev_cpu, "from scx_bpf_select_cpu_dfl()") ||
	    !builtin_idle())
		return -1;
	if (!with_mask)
		return select_idle(p->allowed, prev_cpu, wake_flags, flags);
	for (u32 w = 0; w < MASK_WORDS; w++)
		asked.w[w] &= p->allowed->w[w];
	return select_idle(&asked, prev_cpu, wake_flags, flags);
}

s32 EXPORT(kf_pick_idle)(s32 node, u64 flags)
{
	if (!builtin_idle())
		return -16;
	s32 cpu = pick_idle(&asked, node >= 0 && (u32)node < machine.nr_nodes ? &node_cpus[node] : &every_cpu, flags);

	return cpu < 0 ? -16 : cpu;
}

s32 EXPORT(kf_pick_idle_of)(u32 task, u64 flags)
{
	s32 cpu;

	if (task >= nr_tasks || !tasks[task].allowed || !builtin_idle())
		return -16;
	cpu = pick_idle(tasks[task].allowed, &every_cpu, flags);
	return cpu < 0 ? -16 : cpu;
}

s32 EXPORT(kf_pick_any)(s32 node)
{
	s32 cpu = any_of(&asked, &every_cpu, node >= 0 && (u32)node < machine.nr_nodes ? &node_cpus[node] : &every_cpu);

	return cpu < 0 ? -16 : cpu;
}

u32 EXPORT(kf_test_and_clear_cpu_idle)(s32 cpu)
{
	return builtin_idle() && cpu_valid(cpu, "from scx_bpf_test_and_clear_cpu_idle()") && take_idle(cpu);
}

/* which: 0 idle CPUs, 1 CPUs of idle cores, 2 all, 3 the LLC of CPU `of`, 4 node `of`. */
u64 EXPORT(kf_cpus)(u32 which, u32 word, u32 of)
{
	const struct mask *masks[] = { &idle_cpus, machine.has_smt ? &idle_cores : &idle_cpus, &every_cpu };

	if (word >= MASK_WORDS)
		return 0;
	if (which < 3)
		return masks[which]->w[word];
	if (which == 3)
		return of < machine.nr_cpus ? llc_cpus[cpus[of].llc].w[word] : 0;
	return of < machine.nr_nodes ? node_cpus[of].w[word] : 0;
}

void EXPORT(kf_kick_cpu)(s32 cpu, u64 flags)
{
	if (!cpu_valid(cpu, "from scx_bpf_kick_cpu()"))
		return;
	if (flags & SCX_KICK_IDLE && flags & (SCX_KICK_PREEMPT | SCX_KICK_WAIT))
		scx_error("PREEMPT/WAIT cannot be used with SCX_KICK_IDLE");
	if (flags & SCX_KICK_WAIT)
		stop(V_UNSUPPORTED, 0, "waiting for another CPU: SCX_KICK_WAIT");
	any_kick = 1;
	if (flags & SCX_KICK_IDLE)
		kicked_idle[cpu >> 6] |= 1ULL << (cpu & 63);
	else
		kicked[cpu >> 6] |= 1ULL << (cpu & 63);
	if (flags & SCX_KICK_PREEMPT)
		kicked_preempt[cpu >> 6] |= 1ULL << (cpu & 63);
}

/* A machine has been up for a while when a policy is loaded: policies take a time of 0 for "never". */
#define UPTIME_NS 1000000000000ULL

u64 EXPORT(kf_now)(void) { return UPTIME_NS + clock_ns; }
s32 EXPORT(kf_this_cpu)(void) { return this_cpu; }
u32 EXPORT(kf_nr_cpus)(void) { return machine.nr_cpus; }
u32 EXPORT(kf_nr_nodes)(void) { return machine.nr_nodes; }
s32 EXPORT(kf_cpu_node)(s32 cpu) { return cpu_valid(cpu, "from scx_bpf_cpu_node()") ? cpus[cpu].node : -1; }
u32 EXPORT(kf_capacity)(s32 cpu) { return cpu_valid(cpu, "from scx_bpf_cpuperf_cap()") ? cpus[cpu].capacity : FULL; }

u64 EXPORT(kf_curr)(s32 cpu)
{
	return cpu >= 0 && (u32)cpu < machine.nr_cpus && cpus[cpu].curr ? mirror(cpus[cpu].curr) : 0;
}

s32 EXPORT(kf_task_cpu)(u64 address)
{
	struct task *p = task_at(address);

	return p ? p->cpu : 0;
}

u32 EXPORT(kf_task_running)(u64 address)
{
	struct task *p = task_at(address);

	return p && p->state == T_RUNNING;
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

/* scx_bpf_error() (kind 1025) and scx_bpf_exit() (67): the words stay in the policy's memory, Python fetches them. */
static u64 words_at, words_length;

void EXPORT(kf_exit)(u32 kind, s64 code, u64 at_, u64 length)
{
	if (stopped)
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
					     "it passes a pointer that is no task", "it passes a pointer that is no cgroup" };

	stop(V_FAULT, 0, "%s", words[(what - 1) & 3]);
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

void EXPORT(set_policy)(u64 tasks_at, u64 stride, u64 flags, u32 batch, u32 timeout_ms)
{
	policy.tasks = tasks_at;
	policy.stride = stride;
	policy.flags = flags;
	policy.batch = batch;
	policy.timeout_ms = timeout_ms;
}
