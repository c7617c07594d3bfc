/* SPDX-License-Identifier: GPL-2.0-only */
/* A queue per cgroup, cgroups in a red-black tree by virtual time; queue ids are cgroup ids. */
#include <scx/common.bpf.h>

char _license[] SEC("license") = "GPL";

#define FALLBACK_DSQ 0xfa11

struct cgv_node {
	struct bpf_rb_node rb_node;
	__u64 cvtime;
	__u64 cgid;
};

private(CGV_TREE) struct bpf_spin_lock cgv_tree_lock;
private(CGV_TREE) struct bpf_rb_root cgv_tree __contains(cgv_node, rb_node);

struct cgv_node_stash {
	struct cgv_node __kptr *node;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct cgv_node_stash);
} cgv_node_stash SEC(".maps");

struct fcg_cgrp_ctx {
	u64 cvtime_delta;
	u64 tvtime_now;
	u32 queued;
	u32 hweight;
};

struct {
	__uint(type, BPF_MAP_TYPE_CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct fcg_cgrp_ctx);
} cgrp_ctx SEC(".maps");

static u64 cvtime_now;

static bool cgv_node_less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	struct cgv_node *cgc_a = container_of(a, struct cgv_node, rb_node);
	struct cgv_node *cgc_b = container_of(b, struct cgv_node, rb_node);

	return cgc_a->cvtime < cgc_b->cvtime;
}

static struct fcg_cgrp_ctx *find_cgrp_ctx(struct cgroup *cgrp)
{
	struct fcg_cgrp_ctx *cgc;

	cgc = bpf_cgrp_storage_get(&cgrp_ctx, cgrp, 0, 0);
	if (!cgc) {
		scx_bpf_error("cgrp_ctx lookup failed for cgid %llu", cgrp->kn->id);
		return NULL;
	}
	return cgc;
}

static void cgrp_enqueued(struct cgroup *cgrp, struct fcg_cgrp_ctx *cgc)
{
	struct cgv_node_stash *stash;
	struct cgv_node *cgv_node;
	u64 cgid = cgrp->kn->id;

	if (__sync_val_compare_and_swap(&cgc->queued, 0, 1))
		return;
	stash = bpf_map_lookup_elem(&cgv_node_stash, &cgid);
	if (!stash) {
		scx_bpf_error("cgv_node lookup failed for cgid %llu", cgid);
		return;
	}
	cgv_node = bpf_kptr_xchg(&stash->node, NULL);
	if (!cgv_node)
		return;
	bpf_spin_lock(&cgv_tree_lock);
	cgv_node->cvtime = cvtime_now;
	bpf_rbtree_add(&cgv_tree, &cgv_node->rb_node, cgv_node_less);
	bpf_spin_unlock(&cgv_tree_lock);
}

void BPF_STRUCT_OPS(cg_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct fcg_cgrp_ctx *cgc;
	struct cgroup *cgrp;

	if (p->nr_cpus_allowed != scx_bpf_nr_cpu_ids()) {
		if (p->nr_cpus_allowed == 1 && (p->flags & PF_KTHREAD))
			scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, enq_flags);
		else
			scx_bpf_dsq_insert(p, FALLBACK_DSQ, SCX_SLICE_DFL, enq_flags);
		return;
	}
	cgrp = __COMPAT_scx_bpf_task_cgroup(p);
	cgc = find_cgrp_ctx(cgrp);
	if (!cgc)
		goto out_release;
	if (cgc->hweight == 0) {
		scx_bpf_dsq_insert(p, cgrp->kn->id, SCX_SLICE_DFL, enq_flags);
	} else {
		u64 tvtime = p->scx.dsq_vtime;

		if (time_before(tvtime, cgc->tvtime_now - SCX_SLICE_DFL))
			tvtime = cgc->tvtime_now - SCX_SLICE_DFL;
		scx_bpf_dsq_insert_vtime(p, cgrp->kn->id, SCX_SLICE_DFL, tvtime, enq_flags);
	}
	cgrp_enqueued(cgrp, cgc);
out_release:
	bpf_cgroup_release(cgrp);
}

static bool try_pick_next_cgroup(u64 *cgidp)
{
	struct bpf_rb_node *rb_node;
	struct cgv_node_stash *stash;
	struct fcg_cgrp_ctx *cgc;
	struct cgv_node *cgv_node;
	struct cgroup *cgrp;
	u64 cgid;

	bpf_spin_lock(&cgv_tree_lock);
	rb_node = bpf_rbtree_first(&cgv_tree);
	if (!rb_node) {
		bpf_spin_unlock(&cgv_tree_lock);
		*cgidp = 0;
		return true;
	}
	rb_node = bpf_rbtree_remove(&cgv_tree, rb_node);
	bpf_spin_unlock(&cgv_tree_lock);
	if (!rb_node)
		return false;
	cgv_node = container_of(rb_node, struct cgv_node, rb_node);
	cgid = cgv_node->cgid;
	cgrp = bpf_cgroup_from_id(cgid);
	if (!cgrp)
		goto out_free;
	cgc = bpf_cgrp_storage_get(&cgrp_ctx, cgrp, 0, 0);
	if (!cgc) {
		bpf_cgroup_release(cgrp);
		goto out_free;
	}
	if (!scx_bpf_dsq_move_to_local(cgid, 0)) {
		bpf_cgroup_release(cgrp);
		goto out_stash;
	}
	*cgidp = cgid;
	bpf_spin_lock(&cgv_tree_lock);
	bpf_rbtree_add(&cgv_tree, &cgv_node->rb_node, cgv_node_less);
	bpf_spin_unlock(&cgv_tree_lock);
	bpf_cgroup_release(cgrp);
	return true;
out_stash:
	stash = bpf_map_lookup_elem(&cgv_node_stash, &cgid);
	if (!stash)
		goto out_free;
	__sync_val_compare_and_swap(&cgc->queued, 1, 0);
	cgv_node = bpf_kptr_xchg(&stash->node, cgv_node);
	if (cgv_node) {
		bpf_obj_drop(cgv_node);
		return false;
	}
	return false;
out_free:
	bpf_obj_drop(cgv_node);
	return false;
}

void BPF_STRUCT_OPS(cg_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 next;

	if (scx_bpf_dsq_move_to_local(FALLBACK_DSQ, 0))
		return;
	bpf_repeat(128) {
		if (try_pick_next_cgroup(&next))
			break;
	}
}

int BPF_STRUCT_OPS_SLEEPABLE(cg_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	struct cgv_node_stash empty_stash = {}, *stash;
	struct fcg_cgrp_ctx *cgc;
	struct cgv_node *cgv_node;
	u64 cgid = cgrp->kn->id;
	int ret;

	ret = scx_bpf_create_dsq(cgid, -1);
	if (ret)
		return ret;
	cgc = bpf_cgrp_storage_get(&cgrp_ctx, cgrp, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!cgc) {
		ret = -ENOMEM;
		goto err_destroy_dsq;
	}
	cgc->hweight = args->weight;
	ret = bpf_map_update_elem(&cgv_node_stash, &cgid, &empty_stash, BPF_NOEXIST);
	if (ret)
		goto err_destroy_dsq;
	stash = bpf_map_lookup_elem(&cgv_node_stash, &cgid);
	if (!stash) {
		ret = -ENOENT;
		goto err_destroy_dsq;
	}
	cgv_node = bpf_obj_new(struct cgv_node);
	if (!cgv_node) {
		ret = -ENOMEM;
		goto err_del_cgv_node;
	}
	cgv_node->cgid = cgid;
	cgv_node = bpf_kptr_xchg(&stash->node, cgv_node);
	if (cgv_node) {
		ret = -EBUSY;
		goto err_drop;
	}
	return 0;
err_drop:
	bpf_obj_drop(cgv_node);
err_del_cgv_node:
	bpf_map_delete_elem(&cgv_node_stash, &cgid);
err_destroy_dsq:
	scx_bpf_destroy_dsq(cgid);
	return ret;
}

s32 BPF_STRUCT_OPS_SLEEPABLE(cg_init)
{
	return scx_bpf_create_dsq(FALLBACK_DSQ, -1);
}

SCX_OPS_DEFINE(cg_ops,
	       .enqueue		= (void *)cg_enqueue,
	       .dispatch	= (void *)cg_dispatch,
	       .cgroup_init	= (void *)cg_cgroup_init,
	       .init		= (void *)cg_init,
	       .flags		= SCX_OPS_HAS_CGROUP_WEIGHT | SCX_OPS_ENQ_EXITING,
	       .name		= "cgroup_tree");
