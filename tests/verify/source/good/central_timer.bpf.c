/* SPDX-License-Identifier: GPL-2.0-only */
/* One CPU decides for all, woken by a timer; slices are infinite and ended by kicks. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

enum {
	FALLBACK_DSQ_ID = 1,
	MS_TO_NS = 1000LLU * 1000,
	TIMER_INTERVAL_NS = 1 * MS_TO_NS,
};

const volatile s32 central_cpu;
const volatile u32 nr_cpu_ids = 1;
const volatile u64 slice_ns;
bool timer_pinned = true;

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, s32);
} central_q SEC(".maps");

bool RESIZABLE_ARRAY(data, cpu_gimme_task);
u64 RESIZABLE_ARRAY(data, cpu_started_at);

struct central_timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct central_timer);
} central_timer SEC(".maps");

s32 BPF_STRUCT_OPS(ce_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	return central_cpu;
}

void BPF_STRUCT_OPS(ce_enqueue, struct task_struct *p, u64 enq_flags)
{
	s32 pid = p->pid;

	if ((p->flags & PF_KTHREAD) && p->nr_cpus_allowed == 1) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_INF, enq_flags | SCX_ENQ_PREEMPT);
		return;
	}
	if (bpf_map_push_elem(&central_q, &pid, 0)) {
		scx_bpf_dsq_insert(p, FALLBACK_DSQ_ID, SCX_SLICE_INF, enq_flags);
		return;
	}
	if (!scx_bpf_task_running(p))
		scx_bpf_kick_cpu(central_cpu, SCX_KICK_PREEMPT);
}

static bool dispatch_to_cpu(s32 cpu)
{
	struct task_struct *p;
	s32 pid;

	bpf_repeat(BPF_MAX_LOOPS) {
		if (bpf_map_pop_elem(&central_q, &pid))
			break;
		p = bpf_task_from_pid(pid);
		if (!p)
			continue;
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr)) {
			scx_bpf_dsq_insert(p, FALLBACK_DSQ_ID, SCX_SLICE_INF, 0);
			bpf_task_release(p);
			if (!scx_bpf_dispatch_nr_slots())
				break;
			continue;
		}
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, SCX_SLICE_INF, 0);
		if (cpu != central_cpu)
			scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
		bpf_task_release(p);
		return true;
	}
	return false;
}

void BPF_STRUCT_OPS(ce_dispatch, s32 cpu, struct task_struct *prev)
{
	if (cpu == central_cpu) {
		bpf_for(cpu, 0, nr_cpu_ids) {
			bool *gimme;

			if (!scx_bpf_dispatch_nr_slots())
				break;
			gimme = ARRAY_ELEM_PTR(cpu_gimme_task, cpu, nr_cpu_ids);
			if (!gimme || !*gimme)
				continue;
			if (dispatch_to_cpu(cpu))
				*gimme = false;
		}
		if (!scx_bpf_dispatch_nr_slots()) {
			scx_bpf_kick_cpu(central_cpu, SCX_KICK_PREEMPT);
			return;
		}
		if (scx_bpf_dsq_move_to_local(FALLBACK_DSQ_ID, 0))
			return;
		dispatch_to_cpu(central_cpu);
	} else {
		bool *gimme;

		if (scx_bpf_dsq_move_to_local(FALLBACK_DSQ_ID, 0))
			return;
		gimme = ARRAY_ELEM_PTR(cpu_gimme_task, cpu, nr_cpu_ids);
		if (gimme)
			*gimme = true;
		scx_bpf_kick_cpu(central_cpu, SCX_KICK_PREEMPT);
	}
}

static int central_timerfn(void *map, int *key, struct bpf_timer *timer)
{
	u64 now = scx_bpf_now();
	s32 i;

	bpf_for(i, 0, nr_cpu_ids) {
		s32 cpu = (central_cpu + i) % nr_cpu_ids;
		u64 *started_at = ARRAY_ELEM_PTR(cpu_started_at, cpu, nr_cpu_ids);

		if (cpu == central_cpu)
			continue;
		if (started_at && *started_at && time_before(now, *started_at + slice_ns))
			continue;
		scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);
	}
	bpf_timer_start(timer, TIMER_INTERVAL_NS, BPF_F_TIMER_CPU_PIN);
	return 0;
}

int BPF_STRUCT_OPS_SLEEPABLE(ce_init)
{
	u32 key = 0;
	struct bpf_timer *timer;
	int ret;

	ret = scx_bpf_create_dsq(FALLBACK_DSQ_ID, -1);
	if (ret)
		return ret;
	timer = bpf_map_lookup_elem(&central_timer, &key);
	if (!timer)
		return -ESRCH;
	bpf_timer_init(timer, &central_timer, CLOCK_MONOTONIC);
	bpf_timer_set_callback(timer, central_timerfn);
	ret = bpf_timer_start(timer, TIMER_INTERVAL_NS, BPF_F_TIMER_CPU_PIN);
	if (ret == -EINVAL) {
		timer_pinned = false;
		ret = bpf_timer_start(timer, TIMER_INTERVAL_NS, 0);
	}
	return ret;
}

SCX_OPS_DEFINE(ce_ops,
	       .flags		= SCX_OPS_ENQ_LAST,
	       .select_cpu	= (void *)ce_select_cpu,
	       .enqueue		= (void *)ce_enqueue,
	       .dispatch	= (void *)ce_dispatch,
	       .init		= (void *)ce_init,
	       .name		= "central_timer");
