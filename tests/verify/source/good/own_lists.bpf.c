/* SPDX-License-Identifier: GPL-2.0-only */
/* Tasks wait in lists of the policy's own: allocated nodes, a lock, dispatched by pid; and a second path through arena code. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

struct waiting { struct bpf_list_node node; s32 pid; };
private(W) struct bpf_spin_lock lock;
private(W) struct bpf_list_head head __contains(waiting, node);

extern int queue_insert(void *queue, u64 taskp, u64 key) __ksym;
void *shared_queue;
const volatile bool use_arena;

void BPF_STRUCT_OPS(ol_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct waiting *w;

	if (use_arena) {
		if (queue_insert(shared_queue, (u64)p, p->scx.dsq_vtime))
			scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
		return;
	}
	w = bpf_obj_new(typeof(*w));
	if (!w) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
		return;
	}
	w->pid = p->pid;
	bpf_spin_lock(&lock);
	bpf_list_push_back(&head, &w->node);
	bpf_spin_unlock(&lock);
}

static s32 pop(void)
{
	struct bpf_list_node *n;
	struct waiting *w;
	s32 pid;

	bpf_spin_lock(&lock);
	n = bpf_list_pop_front(&head);
	bpf_spin_unlock(&lock);
	if (!n)
		return -1;
	w = container_of(n, struct waiting, node);
	pid = w->pid;
	bpf_obj_drop(w);
	return pid;
}

void BPF_STRUCT_OPS(ol_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	int tries = 0;
	s32 pid;

	while (tries++ < 16) {
		pid = pop();
		if (pid < 0)
			return;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		if (bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
			bpf_task_release(p);
			break;
		}
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
	}
}

SCX_OPS_DEFINE(ol_ops, .enqueue = (void *)ol_enqueue, .dispatch = (void *)ol_dispatch, .timeout_ms = 5000,
	       .name = "own_lists");
