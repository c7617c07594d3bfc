/* SPDX-License-Identifier: GPL-2.0-only */
/* Five BPF queues of pids by weight, served in turn; a full queue falls back to the global one. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

enum consts {
	ONE_SEC_IN_NS = 1000000000,
	OVERFLOW_DSQ = 8,
	NR_QUEUES = 5,
	BATCH = 8,
};

const volatile u64 slice_ns;
const volatile bool print_stats;
const volatile u32 stall_nth;
static u64 core_seq;

struct qmap {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 4096);
	__type(value, u32);
} queue0 SEC(".maps"), queue1 SEC(".maps"), queue2 SEC(".maps"), queue3 SEC(".maps"), queue4 SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 5);
	__type(key, int);
	__array(values, struct qmap);
} queue_arr SEC(".maps") = {
	.values = { [0] = &queue0, [1] = &queue1, [2] = &queue2, [3] = &queue3, [4] = &queue4 },
};

struct task_ctx {
	bool force_local;
	u64 core_seq;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctx_stor SEC(".maps");

struct cpu_ctx {
	u64 dsp_idx;
	u64 dsp_cnt;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu_ctx);
} cpu_ctx_stor SEC(".maps");

static struct task_ctx *lookup_task_ctx(struct task_struct *p)
{
	struct task_ctx *tctx;

	if (!(tctx = bpf_task_storage_get(&task_ctx_stor, p, 0, 0))) {
		scx_bpf_error("task_ctx lookup failed");
		return NULL;
	}
	return tctx;
}

static s32 pick_direct_dispatch_cpu(struct task_struct *p, s32 prev_cpu)
{
	s32 cpu;

	if (p->nr_cpus_allowed == 1 || scx_bpf_test_and_clear_cpu_idle(prev_cpu))
		return prev_cpu;
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0)
		return cpu;
	return -1;
}

s32 BPF_STRUCT_OPS(qp_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_ctx *tctx;
	s32 cpu;

	if (!(tctx = lookup_task_ctx(p)))
		return -ESRCH;
	cpu = pick_direct_dispatch_cpu(p, prev_cpu);
	if (cpu >= 0) {
		tctx->force_local = true;
		return cpu;
	} else {
		return prev_cpu;
	}
}

static int weight_to_idx(u32 weight)
{
	if (weight <= 25)
		return 0;
	else if (weight <= 50)
		return 1;
	else if (weight < 200)
		return 2;
	else if (weight < 400)
		return 3;
	else
		return 4;
}

void BPF_STRUCT_OPS(qp_enqueue, struct task_struct *p, u64 enq_flags)
{
	static u32 user_cnt;
	struct task_ctx *tctx;
	u32 pid = p->pid;
	int idx = weight_to_idx(p->scx.weight);
	void *ring;
	s32 cpu;

	if (enq_flags & SCX_ENQ_REENQ)
		goto overflow;
	if (stall_nth && !(++user_cnt % stall_nth))
		return;
	if (!(tctx = lookup_task_ctx(p)))
		return;
	tctx->core_seq = core_seq++;
	if (tctx->force_local) {
		tctx->force_local = false;
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_ns, enq_flags);
		return;
	}
	if (!__COMPAT_is_enq_cpu_selected(enq_flags) && (cpu = pick_direct_dispatch_cpu(p, scx_bpf_task_cpu(p))) >= 0) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | cpu, slice_ns, enq_flags);
		return;
	}
	ring = bpf_map_lookup_elem(&queue_arr, &idx);
	if (!ring) {
		scx_bpf_error("failed to find ring %d", idx);
		return;
	}
	if (bpf_map_push_elem(ring, &pid, 0)) {
		scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, slice_ns, enq_flags);
		return;
	}
	return;
overflow:
	scx_bpf_dsq_insert(p, OVERFLOW_DSQ, slice_ns, enq_flags);
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}

void BPF_STRUCT_OPS(qp_dispatch, s32 cpu, struct task_struct *prev)
{
	struct task_struct *p;
	struct cpu_ctx *cpuc;
	u32 zero = 0, batch = BATCH;
	void *fifo;
	s32 i, pid;

	if (scx_bpf_dsq_move_to_local(OVERFLOW_DSQ, 0))
		return;
	if (!(cpuc = bpf_map_lookup_elem(&cpu_ctx_stor, &zero))) {
		scx_bpf_error("failed to look up cpu_ctx");
		return;
	}
	for (i = 0; i < NR_QUEUES; i++) {
		if (!cpuc->dsp_cnt) {
			cpuc->dsp_idx = (cpuc->dsp_idx + 1) % NR_QUEUES;
			cpuc->dsp_cnt = 1 << cpuc->dsp_idx;
		}
		fifo = bpf_map_lookup_elem(&queue_arr, &cpuc->dsp_idx);
		if (!fifo) {
			scx_bpf_error("failed to find ring %llu", cpuc->dsp_idx);
			return;
		}
		bpf_repeat(BATCH) {
			if (bpf_map_pop_elem(fifo, &pid))
				break;
			p = bpf_task_from_pid(pid);
			if (!p)
				continue;
			scx_bpf_dsq_insert(p, OVERFLOW_DSQ, slice_ns, 0);
			bpf_task_release(p);
			batch--;
			cpuc->dsp_cnt--;
			if (!batch || !scx_bpf_dispatch_nr_slots()) {
				scx_bpf_dsq_move_to_local(OVERFLOW_DSQ, 0);
				return;
			}
			if (!cpuc->dsp_cnt)
				break;
		}
		cpuc->dsp_cnt = 0;
	}
	if (prev) {
		struct task_ctx *tctx = bpf_task_storage_get(&task_ctx_stor, prev, 0, 0);

		if (!tctx) {
			scx_bpf_error("task_ctx lookup failed");
			return;
		}
		tctx->core_seq = core_seq++;
	}
}

s32 BPF_STRUCT_OPS(qp_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	if (bpf_task_storage_get(&task_ctx_stor, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE))
		return 0;
	else
		return -ENOMEM;
}

static void print_cpus(void)
{
	const struct cpumask *possible, *online;
	s32 cpu;

	possible = scx_bpf_get_possible_cpumask();
	online = scx_bpf_get_online_cpumask();
	bpf_for(cpu, 0, scx_bpf_nr_cpu_ids()) {
		if (bpf_cpumask_test_cpu(cpu, online))
			bpf_printk("%d online", cpu);
		else if (bpf_cpumask_test_cpu(cpu, possible))
			bpf_printk("%d offline", cpu);
	}
	scx_bpf_put_cpumask(online);
	scx_bpf_put_cpumask(possible);
}

void BPF_STRUCT_OPS(qp_cpu_online, s32 cpu)
{
	print_cpus();
}

struct monitor_timer {
	struct bpf_timer timer;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct monitor_timer);
} monitor_timer SEC(".maps");

static int monitor_timerfn(void *map, int *key, struct bpf_timer *timer)
{
	bpf_rcu_read_lock();
	if (print_stats)
		bpf_printk("%d queued", scx_bpf_dsq_nr_queued(OVERFLOW_DSQ));
	bpf_rcu_read_unlock();
	bpf_timer_start(timer, ONE_SEC_IN_NS, 0);
	return 0;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(qp_init)
{
	u32 key = 0;
	struct bpf_timer *timer;
	s32 ret;

	print_cpus();
	ret = scx_bpf_create_dsq(OVERFLOW_DSQ, -1);
	if (ret)
		return ret;
	timer = bpf_map_lookup_elem(&monitor_timer, &key);
	if (!timer)
		return -ESRCH;
	bpf_timer_init(timer, &monitor_timer, CLOCK_MONOTONIC);
	bpf_timer_set_callback(timer, monitor_timerfn);
	return bpf_timer_start(timer, ONE_SEC_IN_NS, 0);
}

SCX_OPS_DEFINE(qp_ops,
	       .select_cpu	= (void *)qp_select_cpu,
	       .enqueue		= (void *)qp_enqueue,
	       .dispatch	= (void *)qp_dispatch,
	       .init_task	= (void *)qp_init_task,
	       .cpu_online	= (void *)qp_cpu_online,
	       .init		= (void *)qp_init,
	       .timeout_ms	= 5000U,
	       .name		= "queues_of_pids");
