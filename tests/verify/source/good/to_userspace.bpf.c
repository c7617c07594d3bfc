/* SPDX-License-Identifier: GPL-2.0-only */
/* User tasks are queued for a user-space part, which pushes back what to run; kernel threads go past it. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_ENQUEUED 4096
const volatile s32 usersched_pid;
const volatile u32 num_possible_cpus = 64;
volatile u64 nr_failed_enqueues, nr_kernel_enqueues, nr_user_enqueues;
static bool usersched_needed;
struct enqueued { s32 pid; u64 sum_exec_runtime; u64 weight; };

struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, MAX_ENQUEUED); __type(value, struct enqueued); } enqueued SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, MAX_ENQUEUED); __type(value, s32); } dispatched SEC(".maps");

static bool keep_in_kernel(const struct task_struct *p)
{
	return p->nr_cpus_allowed < num_possible_cpus;
}

static bool is_usersched_task(const struct task_struct *p)
{
	return p->pid == usersched_pid;
}

s32 BPF_STRUCT_OPS(tu_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	if (keep_in_kernel(p)) {
		s32 cpu;

		if (p->nr_cpus_allowed == 1 || scx_bpf_test_and_clear_cpu_idle(prev_cpu))
			return prev_cpu;
		cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
		if (cpu >= 0)
			return cpu;
	}
	return prev_cpu;
}

static void enqueue_task_in_user_space(struct task_struct *p, u64 enq_flags)
{
	struct enqueued task = {};

	task.pid = p->pid;
	task.sum_exec_runtime = p->se.sum_exec_runtime;
	task.weight = p->scx.weight;
	if (bpf_map_push_elem(&enqueued, &task, 0)) {
		__sync_fetch_and_add(&nr_failed_enqueues, 1);
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
	} else {
		__sync_fetch_and_add(&nr_user_enqueues, 1);
		usersched_needed = true;
	}
}

void BPF_STRUCT_OPS(tu_enqueue, struct task_struct *p, u64 enq_flags)
{
	if (keep_in_kernel(p)) {
		u64 dsq_id = SCX_DSQ_GLOBAL;

		if (p->nr_cpus_allowed == 1)
			dsq_id = SCX_DSQ_LOCAL;
		scx_bpf_dsq_insert(p, dsq_id, SCX_SLICE_DFL, enq_flags);
		__sync_fetch_and_add(&nr_kernel_enqueues, 1);
		return;
	} else if (!is_usersched_task(p)) {
		enqueue_task_in_user_space(p, enq_flags);
	}
}

static void dispatch_user_scheduler(void)
{
	struct task_struct *p;

	usersched_needed = false;
	p = bpf_task_from_pid(usersched_pid);
	if (p) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
}

void BPF_STRUCT_OPS(tu_dispatch, s32 cpu, struct task_struct *prev)
{
	if (usersched_needed)
		dispatch_user_scheduler();
	bpf_repeat(MAX_ENQUEUED) {
		s32 pid;
		struct task_struct *p;

		if (bpf_map_pop_elem(&dispatched, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
}

SCX_OPS_DEFINE(tu_ops, .select_cpu = (void *)tu_select_cpu, .enqueue = (void *)tu_enqueue,
	       .dispatch = (void *)tu_dispatch, .flags = SCX_OPS_ENQ_LAST | SCX_OPS_KEEP_BUILTIN_IDLE,
	       .timeout_ms = 3000, .name = "to_userspace");
