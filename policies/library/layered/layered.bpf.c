/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layered: the machine is shared among cgroups first, by their weights, and then among the tasks of each.
 *
 * Where tasks are shared fairly, a layer (a service, a tenant, a user) gets as much as it has tasks, and one with a
 * thousand threads gets nearly all. Here every cgroup at layer_level is a layer; those above it, the root with its kernel
 * threads mostly, are layers of their own. Each has a queue of its tasks by weighted virtual time, and a virtual time
 * itself, which grows with what its tasks use by the weight of the cgroup (cpu.weight). A CPU takes from the layer that is
 * furthest behind and has a task for it; what a layer does not use goes to the others.
 */
#include "queues.h"

char _license[] SEC("license") = "GPL";

/* Layers that are told apart; beyond that some share a slot, and then a share. */
#define SLOTS 64

const volatile u64 layer_level = 1;
const volatile u64 slice_us = 4000;

struct exit_record exit_record;

struct ly_cgroup {
	u64 number; /* in the order in which they were first seen, from 1 */
	u64 weight; /* as cgroup.weight says; 0: not known, which is the default */
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct ly_cgroup);
} cgroups SEC(".maps");

static u64 layers_seen;

struct ly_layer {
	u64 vtime;
	u64 weight;
};

static struct ly_layer layers[SLOTS];

/* The largest virtual time of any layer that got to run. */
static u64 layers_now;

static __always_inline struct ly_layer *layer_at(u32 slot)
{
	return &layers[slot % SLOTS];
}

/*
 * The slot of the task's layer. The cgroup comes from the unified hierarchy and not from scx_bpf_task_cgroup(), which
 * sees only cgroups that have the cpu controller enabled.
 */
static u32 slot_of(struct task_struct *p)
{
	struct cgroup *cgrp = p->cgroups->dfl_cgrp;
	struct cgroup *top = bpf_cgroup_ancestor(cgrp, cgrp->level < layer_level ? cgrp->level : layer_level);
	struct ly_cgroup *c;
	u32 slot = 0;

	if (!top)
		return 0;
	c = bpf_cgrp_storage_get(&cgroups, top, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (c) {
		/* Two CPUs may see the first tasks at once: one number is lost, none is given twice. */
		if (!c->number)
			__sync_val_compare_and_swap(&c->number, 0, __sync_fetch_and_add(&layers_seen, 1) + 1);
		slot = c->number % SLOTS;
		layer_at(slot)->weight = c->weight ? c->weight : WEIGHT_NICE_0;
	}
	bpf_cgroup_release(top);
	return slot;
}

static __always_inline void charge(struct task_struct *p, struct queued_task *t)
{
	struct ly_layer *layer = layer_at(t->queue);
	u64 ran_ns = fair_charge(p, &t->fair);

	__sync_fetch_and_add(&layer->vtime, ran_ns * WEIGHT_NICE_0 / (layer->weight ? layer->weight : WEIGHT_NICE_0));
}

static __always_inline void runs(struct queued_task *t, u32 slot)
{
	u64 vtime = layer_at(slot)->vtime;

	running_in(t, slot);
	if (before(layers_now, vtime))
		layers_now = vtime;
}

/* The layer furthest behind of those with tasks that wait; SLOTS: nobody waits. */
static u32 next_layer(void)
{
	u32 slot, best = SLOTS, count = layers_seen + 1 < SLOTS ? layers_seen + 1 : SLOTS;
	u64 best_vtime = 0;

	bpf_for(slot, 0, count) {
		struct ly_layer *layer = layer_at(slot);

		if (scx_bpf_dsq_nr_queued(QUEUE_DSQ(slot)) <= 0)
			continue;
		/* Who had nothing to do for long does not hoard that. */
		if (before(layer->vtime, layers_now - CREDIT_NS))
			layer->vtime = layers_now - CREDIT_NS;
		if (best == SLOTS || before(layer->vtime, best_vtime)) {
			best = slot;
			best_vtime = layer->vtime;
		}
	}
	return best;
}

/* May the task that used up its slice go on, or is another layer due, or another task of its own? */
static __always_inline bool goes_on(struct queued_task *t, u32 next, s32 cpu)
{
	u32 own = t->queue;

	if (next != SLOTS && next != own && !before(layer_at(own)->vtime, layer_at(next)->vtime))
		return false;
	return leads(QUEUE_DSQ(own), t->fair.vtime, cpu);
}

s32 OP(ly_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);

	if (idle)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, slice_us * NSEC_PER_USEC, 0);
	return cpu;
}

void OP(ly_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct queued_task *t = task_of(p);
	u32 slot = slot_of(p);

	scx_bpf_dsq_insert_vtime(p, QUEUE_DSQ(slot), slice_us * NSEC_PER_USEC, t ? key_in(t, slot) : 0, enq_flags);
	wake_idle_cpu(p);
}

void OP(ly_dispatch, s32 cpu, struct task_struct *prev)
{
	u32 next = next_layer();
	struct queued_task *t;

	if (wants_more(prev) && (t = task_of(prev))) {
		charge(prev, t);
		if (goes_on(t, next, cpu)) {
			runs(t, t->queue);
			set_slice(prev, slice_us * NSEC_PER_USEC);
			return;
		}
	}
	/* What that layer holds may not be allowed on this CPU: then any other will do. */
	if (next != SLOTS && !scx_bpf_dsq_move_to_local(QUEUE_DSQ(next)))
		steal(next);
}

void OP(ly_running, struct task_struct *p)
{
	struct queued_task *t = task_of(p);

	if (t)
		runs(t, slot_of(p));
}

void OP(ly_stopping, struct task_struct *p, bool runnable)
{
	struct queued_task *t = task_of(p);

	if (t)
		charge(p, t);
}

s32 OP_SLEEPABLE(ly_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	return bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE) ? 0 : -ENOMEM;
}

void OP(ly_enable, struct task_struct *p)
{
	struct queued_task *t = task_of(p);

	if (t)
		join_queue(t, slot_of(p));
}

static __always_inline void note_weight(struct cgroup *cgrp, u32 weight)
{
	struct ly_cgroup *c = bpf_cgrp_storage_get(&cgroups, cgrp, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (c)
		c->weight = weight;
}

s32 OP_SLEEPABLE(ly_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	note_weight(cgrp, args->weight);
	return 0;
}

void OP(ly_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	note_weight(cgrp, weight);
}

s32 OP_SLEEPABLE(ly_init)
{
	if (OUT_OF_RANGE(layer_level, 1, 16) || OUT_OF_RANGE(slice_us, 500, 20000))
		return -EINVAL;
	return create_queues(SLOTS);
}

void OP(ly_exit, struct scx_exit_info *ei)
{
	RECORD_EXIT(exit_record, ei);
}

SEC(".struct_ops.link")
struct sched_ext_ops layered_ops = {
	.select_cpu	    = (void *)ly_select_cpu,
	.enqueue	    = (void *)ly_enqueue,
	.dispatch	    = (void *)ly_dispatch,
	.running	    = (void *)ly_running,
	.stopping	    = (void *)ly_stopping,
	.init_task	    = (void *)ly_init_task,
	.enable		    = (void *)ly_enable,
	.cgroup_init	    = (void *)ly_cgroup_init,
	.cgroup_set_weight  = (void *)ly_cgroup_set_weight,
	.init		    = (void *)ly_init,
	.exit		    = (void *)ly_exit,
	.timeout_ms	    = 5000,
	.name		    = "layered",
};
