/* SPDX-License-Identifier: GPL-2.0-only */
/* Domains of CPUs with a queue each; layers by nice value, an array of structs, lookups that report themselves. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define MAX_DOMS 64
#define MAX_LAYERS 4
#define NO_DOM ((u32)-1)
#define DOM_DSQ(dom) (((u64)(dom) << 8) | 0x80)

enum layer_kind { LAYER_OPEN, LAYER_GROUPED };
struct layer { enum layer_kind kind; u64 slice_ns; u32 weight; u64 vtime; u32 doms[MAX_DOMS]; };
struct task_ctx { u32 dom_id; u32 layer; u64 runnable_at; s64 lag; bool dispatch_local; };
struct dom_ctx { u64 vtime_now; u64 load; };

const volatile u32 nr_doms = 1;
const volatile u32 nr_layers = 1;
struct layer layers[MAX_LAYERS];
u64 stats[8];

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_ctx);
} task_ctxs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_DOMS);
	__type(key, u32);
	__type(value, struct dom_ctx);
} dom_data SEC(".maps");

static struct task_ctx *lookup_task_ctx_mayfail(struct task_struct *p)
{
	return bpf_task_storage_get(&task_ctxs, p, 0, 0);
}

static struct task_ctx *lookup_task_ctx(struct task_struct *p)
{
	struct task_ctx *taskc = lookup_task_ctx_mayfail(p);

	if (!taskc)
		scx_bpf_error("task_ctx lookup failed for task %p", p);
	return taskc;
}

static struct dom_ctx *lookup_dom_ctx(u32 dom_id)
{
	struct dom_ctx *domc;

	domc = bpf_map_lookup_elem(&dom_data, &dom_id);
	if (!domc)
		scx_bpf_error("Failed to lookup dom[%u]", dom_id);
	return domc;
}

static struct layer *lookup_layer(u32 id)
{
	if (id >= nr_layers) {
		scx_bpf_error("invalid layer %d", id);
		return NULL;
	}
	return MEMBER_VPTR(layers, [id]);
}

static inline void stat_add(u32 idx, u64 amount)
{
	if (idx >= 8)
		return;
	stats[idx] += amount;
}

static u64 scale(u64 value, s64 by)
{
	return by < 0 ? value - (u64)(-by) / 4 : value + (u64)by / 4;
}

s32 BPF_STRUCT_OPS(do_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_ctx *taskc;
	s32 cpu;

	if (!(taskc = lookup_task_ctx(p)))
		goto enoent;
	cpu = scx_bpf_select_cpu_and(p, prev_cpu, wake_flags, p->cpus_ptr, 0);
	if (cpu >= 0) {
		taskc->dispatch_local = true;
		return cpu;
	}
	if (prev_cpu % 2)
		return prev_cpu;
	cpu = scx_bpf_pick_any_cpu(p->cpus_ptr, 0);
	return cpu >= 0 ? cpu : prev_cpu;
enoent:
	return -ENOENT;
}

void BPF_STRUCT_OPS(do_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_ctx *taskc;
	struct layer *layer;
	struct dom_ctx *domc;
	u64 vtime, slice;
	s32 cpu;

	if (!(taskc = lookup_task_ctx(p)))
		return;
	if (!(layer = lookup_layer(taskc->layer)))
		return;
	slice = layer->slice_ns ?: SCX_SLICE_DFL;
	if (taskc->dispatch_local) {
		taskc->dispatch_local = false;
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice, enq_flags);
		return;
	}
	if (p->nr_cpus_allowed == 1 || taskc->dom_id == NO_DOM) {
		stat_add(0, 1);
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | scx_bpf_task_cpu(p), slice, enq_flags);
		return;
	}
	domc = lookup_dom_ctx(taskc->dom_id);
	if (!domc)
		return;
	vtime = scale(p->scx.dsq_vtime, taskc->lag);
	switch (layer->kind) {
	case LAYER_OPEN:
		if (time_before(vtime, domc->vtime_now - slice))
			vtime = domc->vtime_now - slice;
		break;
	case LAYER_GROUPED:
		vtime += slice;
		break;
	default:
		scx_bpf_error("unknown layer kind");
		return;
	}
	scx_bpf_dsq_insert_vtime(p, DOM_DSQ(taskc->dom_id), slice, vtime, enq_flags);
	cpu = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (cpu >= 0) {
		stat_add(1, 1);
		scx_bpf_kick_cpu(cpu, 0);
	}
}

static bool consume_any(u32 first)
{
	u32 i;

	for (i = 0; i < MAX_DOMS && i < nr_doms && can_loop; i++) {
		u32 dom = (first + i) % nr_doms;

		if (scx_bpf_dsq_move_to_local(DOM_DSQ(dom), 0))
			return true;
	}
	return false;
}

void BPF_STRUCT_OPS(do_dispatch, s32 cpu, struct task_struct *prev)
{
	if (consume_any((u32)cpu % nr_doms))
		return;
	if (prev && prev->scx.flags & SCX_TASK_QUEUED)
		scx_bpf_task_set_slice(prev, SCX_SLICE_DFL);
}

void BPF_STRUCT_OPS(do_stopping, struct task_struct *p, bool runnable)
{
	struct task_ctx *taskc = lookup_task_ctx_mayfail(p);
	struct layer *layer;

	if (!taskc || !(layer = lookup_layer(taskc->layer)))
		return;
	taskc->lag = (s64)(layer->vtime - p->scx.dsq_vtime);
	p->scx.dsq_vtime += (SCX_SLICE_DFL - p->scx.slice) * 100 / p->scx.weight;
	layer->vtime = p->scx.dsq_vtime;
}

static s32 create_dom(u32 dom_id)
{
	return scx_bpf_create_dsq(DOM_DSQ(dom_id), -1);
}

s32 BPF_STRUCT_OPS_SLEEPABLE(do_init)
{
	s32 i, ret;

	bpf_for(i, 0, nr_doms) {
		ret = create_dom(i);
		if (ret)
			return ret;
	}
	return 0;
}

void BPF_STRUCT_OPS(do_exit, struct scx_exit_info *ei)
{
	UEI_RECORD(uei, ei);
}

SCX_OPS_DEFINE(do_ops,
	       .select_cpu = (void *)do_select_cpu,
	       .enqueue = (void *)do_enqueue,
	       .dispatch = (void *)do_dispatch,
	       .stopping = (void *)do_stopping,
	       .init = (void *)do_init,
	       .exit = (void *)do_exit,
	       .timeout_ms = 10000,
	       .name = "domains");
