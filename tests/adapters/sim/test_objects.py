"""Objects of a policy's own, lists and trees of them, pointers to them in maps: as kernel/bpf/helpers.c has them."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import Op, SimPlan, SimTask, SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run, step

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
struct inner { u64 number; };
struct item {
	u64 key;
	struct bpf_list_node in_list;
	struct bpf_rb_node in_tree;
	struct inner __kptr *own;
	u32 number;
};
struct shared { struct bpf_refcount count; struct bpf_list_node in_list; struct bpf_rb_node in_tree; u64 key; };
struct held { u64 before; struct item __kptr *item; struct bpf_cpumask __kptr *masks[2]; u32 behind; };
struct heads {
	struct bpf_spin_lock lock;
	struct bpf_list_head list __contains(item, in_list);
	struct bpf_rb_root tree __contains(item, in_tree);
	struct bpf_timer timer;
	u32 number;
};
private(A) struct bpf_spin_lock lock;
private(A) struct bpf_list_head list __contains(item, in_list);
private(A) struct bpf_rb_root tree __contains(item, in_tree);
private(B) struct bpf_list_head list_b __contains(shared, in_list);
private(B) struct bpf_rb_root tree_b __contains(shared, in_tree), other __contains(shared, in_tree);
#define MAP(name, kind, value_) \\
	struct { __uint(type, kind); __uint(max_entries, 8); __type(key, u32); __type(value, value_); } name SEC(".maps")
MAP(array, BPF_MAP_TYPE_ARRAY, struct held);
MAP(hash, BPF_MAP_TYPE_HASH, struct held);
MAP(holders, BPF_MAP_TYPE_HASH, struct heads);
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int);
	__type(value, struct held); } of_task SEC(".maps");
extern struct bpf_list_node *bpf_list_front(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_back(struct bpf_list_head *head) __ksym;
extern struct bpf_list_node *bpf_list_del(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern int bpf_list_add(struct bpf_list_head *head, struct bpf_list_node *node, struct bpf_list_node *at) __ksym;
extern bool bpf_list_empty(struct bpf_list_head *head) __ksym;
extern bool bpf_list_is_first(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern bool bpf_list_is_last(struct bpf_list_head *head, struct bpf_list_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_root(struct bpf_rb_root *root) __ksym;
extern struct bpf_rb_node *bpf_rbtree_left(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_right(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
#define SAY(format, args...) scx_bpf_error(format, ##args)
#define ITEM(node) ({ struct bpf_list_node *n_ = (node); n_ ? container_of(n_, struct item, in_list) : NULL; })
#define LEAF(node) ({ struct bpf_rb_node *n_ = (node); n_ ? container_of(n_, struct item, in_tree) : NULL; })
#define KEY(of) ({ struct item *i_ = (of); i_ ? (int)i_->key : -1; })
static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return container_of(a, struct item, in_tree)->key < container_of(b, struct item, in_tree)->key;
}
static bool less_b(struct bpf_rb_node *a, const struct bpf_rb_node *b) { return false; }
static struct item *item(u64 key)
{
	struct item *i = bpf_obj_new(typeof(*i));

	if (i)
		i->key = key;
	return i;
}
static struct shared *both(void) { return bpf_obj_new(struct shared); }
static void plant(u64 key, u32 number)
{
	struct item *i = item(key);

	i->number = number;
	bpf_rbtree_add(&tree, &i->in_tree, less);
}
/* The length of the longest path, or 1000 where keys are not in order or a path is missed by bpf_rbtree_first(). */
static __noinline u32 depth(struct bpf_rb_node *n, u64 from, u64 to)
{
	u64 key = n ? LEAF(n)->key : 0;
	u32 left, right;

	if (!n)
		return 0;
	if (key < from || key > to)
		return 1000;
	left = depth(bpf_rbtree_left(&tree, n), from, key);
	right = depth(bpf_rbtree_right(&tree, n), key, to);
	return 1 + (left > right ? left : right);
}
static int rings(void *map, u32 *key, struct heads *h) { SAY("rings"); return 0; }
void BPF_STRUCT_OPS(o_enqueue, struct task_struct *p, u64 flags) { scx_bpf_dsq_insert(p, 7, 1000000, flags); }
void BPF_STRUCT_OPS(o_dispatch, s32 cpu, struct task_struct *prev) { scx_bpf_dsq_move_to_local(7); }
void BPF_STRUCT_OPS(o_stopping, struct task_struct *p, bool runnable) { STOPPING; }
s32 BPF_STRUCT_OPS_SLEEPABLE(o_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct held *h = NULL, with = { .before = 5, .item = (void *)1, .behind = 6 };
	INIT_TASK;
	return 0;
}
s32 BPF_STRUCT_OPS_SLEEPABLE(o_init)
{
	u32 key = 1, a = 0, b = 0, c = 0;
	struct held value = { .before = 3, .item = (void *)1, .behind = 4 }, *h;
	struct heads empty = {}, *heads;
	struct item *i, *j;
	struct shared *s, *t;
	INIT;
	return scx_bpf_create_dsq(7, -1);
}
SCX_OPS_DEFINE(o_ops, .enqueue = (void *)o_enqueue, .dispatch = (void *)o_dispatch, .stopping = (void *)o_stopping,
	.init_task = (void *)o_init_task, .init = (void *)o_init, .name = "o");
"""
SAID = {
    "a list in order": (
        (
            "for (key = 1; key < 4; key++) bpf_list_push_back(&list, &item(key)->in_list);"
            "bpf_list_push_front(&list, &item(9)->in_list);"
            "a = KEY(ITEM(bpf_list_front(&list))) * 10 + KEY(ITEM(bpf_list_back(&list)));"
            "for (key = 0; key < 3; key++) b = b * 10 + KEY(ITEM(bpf_list_pop_front(&list)));"
            "c = KEY(ITEM(bpf_list_pop_back(&list)));"
            'SAY("%d %d %d %d %d", a, b, c, !bpf_list_pop_back(&list), !bpf_list_front(&list))'
        ),
        "93 912 3 1 1",
    ),
    "a list of 7.x": (
        (
            "a = bpf_list_empty(&list); i = item(1); j = item(2); bpf_list_push_back(&list, &i->in_list);"
            "a += 10 * bpf_list_add(&list, &j->in_list, &i->in_list) + 20 * bpf_list_is_first(&list, &i->in_list);"
            "a += 40 * bpf_list_is_last(&list, &j->in_list) + 80 * bpf_list_is_last(&list, &i->in_list);"
            "b = bpf_list_del(&list, &i->in_list) == &i->in_list; b += 2 * !bpf_list_del(&list, &i->in_list);"
            'SAY("%d %d %d", a, b, KEY(ITEM(bpf_list_pop_back(&list))))'
        ),
        "61 3 2",
    ),
    "added twice": (
        (
            "s = both(); t = bpf_refcount_acquire(s); bpf_list_push_back(&list_b, &s->in_list);"
            "a = bpf_list_push_front(&list_b, &t->in_list); b = bpf_list_pop_front(&list_b) == &s->in_list;"
            'bpf_obj_drop(s); SAY("%d %d %d", a, b, both() == s)'
        ),
        "-22 1 1",
    ),
    "planted twice": (
        (
            "s = both(); t = bpf_refcount_acquire(s); bpf_rbtree_add(&tree_b, &s->in_tree, less_b);"
            "a = bpf_rbtree_add(&other, &t->in_tree, less_b); b = !bpf_rbtree_remove(&other, &s->in_tree);"
            'c = bpf_rbtree_remove(&tree_b, &s->in_tree) == &s->in_tree; SAY("%d %d %d %d", a, b, c, *(u32 *)&s->count)'
        ),
        "-22 1 1 1",
    ),
    "what was dropped comes again": (
        (
            "i = item(5); i->number = 7; a = i->key; bpf_list_push_back(&list, &i->in_list);"
            "bpf_list_pop_front(&list); bpf_obj_drop(i); j = item(6);"
            'SAY("%d %d %d %d", a, i == j, j->number, !j->own)'
        ),
        "5 1 7 1",  # only what the kernel keeps is made zero
    ),
    "a tree in order": (
        (
            "plant(5, 1); plant(3, 2); plant(5, 3); plant(4, 4); plant(3, 5);"
            "while ((i = LEAF(bpf_rbtree_first(&tree)))) { a = a * 10 + i->number;"
            "bpf_rbtree_remove(&tree, &i->in_tree); bpf_obj_drop(i); }"
            'SAY("%d %d", a, !bpf_rbtree_root(&tree))'
        ),
        "25413 1",
    ),
    "the shape of a tree": (
        (
            "for (key = 1; key <= 10; key++) plant(key, 0);"
            "struct bpf_rb_node *r = bpf_rbtree_root(&tree), *x = bpf_rbtree_right(&tree, r);"
            "a = KEY(LEAF(r)) * 100 + KEY(LEAF(bpf_rbtree_left(&tree, r))) * 10 + KEY(LEAF(x));"
            "b = KEY(LEAF(bpf_rbtree_left(&tree, x))) * 10 + KEY(LEAF(bpf_rbtree_right(&tree, x)));"
            "i = LEAF(bpf_rbtree_remove(&tree, r)); r = bpf_rbtree_root(&tree); c = KEY(LEAF(r));"
            'SAY("%d %d %d %d", a, b, c, KEY(LEAF(bpf_rbtree_right(&tree, r))))'
        ),
        "426 58 5 8",  # of a textbook
    ),
    "a tree that changes": (
        (
            "struct item *all[64] = {}; u64 seed = 1; bpf_for(a, 0, 4000) {"
            "seed = seed * 6364136223846793005ULL + 1442695040888963407ULL; c = seed >> 40 & 63;"
            "if (all[c]) { bpf_rbtree_remove(&tree, &all[c]->in_tree); bpf_obj_drop(all[c]); all[c] = NULL; }"
            "else { all[c] = item(seed >> 58); bpf_rbtree_add(&tree, &all[c]->in_tree, less); }"
            "u32 deep = depth(bpf_rbtree_root(&tree), 0, ~0ULL); b = deep > b ? deep : b;"
            "i = LEAF(bpf_rbtree_first(&tree)); bpf_for(c, 0, 64) if (all[c] && all[c]->key < i->key) b = 2000; }"
            'SAY("%d", b >= 6 && b <= 12)'
        ),
        "1",
    ),
    "exchanged": (
        (
            "h = bpf_map_lookup_elem(&array, &key); i = item(3); a = !bpf_kptr_xchg(&h->item, i);"
            'j = bpf_kptr_xchg(&h->item, NULL); SAY("%d %d %d", a, i == j, !h->item)'
        ),
        "1 1 1",
    ),
    "an update drops what is owned": (
        (
            "h = bpf_map_lookup_elem(&array, &key); i = item(3); bpf_kptr_xchg(&h->item, i);"
            "bpf_map_update_elem(&array, &key, &value, 0);"
            'SAY("%d %d %d %d", (int)h->before, !h->item, h->behind, item(4) == i)'
        ),
        "3 1 4 1",
    ),
    "an entry is new": (
        (
            "bpf_map_update_elem(&hash, &key, &value, 0); h = bpf_map_lookup_elem(&hash, &key);"
            'SAY("%d %d %d", (int)h->before, !h->item, h->behind)'
        ),
        "3 1 4",
    ),
    "a deletion drops what is owned": (
        (
            "bpf_map_update_elem(&hash, &key, &value, 0); h = bpf_map_lookup_elem(&hash, &key); i = item(3);"
            "j = item(8); j->own = bpf_obj_new(struct inner); bpf_kptr_xchg(&h->item, j);"
            "struct bpf_cpumask *m = bpf_cpumask_create(); bpf_kptr_xchg(&h->masks[1], m);"
            'bpf_map_delete_elem(&hash, &key); SAY("%d %d %d", !bpf_map_lookup_elem(&hash, &key), item(4) == j,'
            " bpf_cpumask_create() == m)"
        ),
        "1 1 1",
    ),
    "lists and trees go with their map": (
        (
            "bpf_map_update_elem(&holders, &key, &empty, 0); heads = bpf_map_lookup_elem(&holders, &key);"
            "i = item(1); j = item(2); bpf_list_push_back(&heads->list, &i->in_list);"
            "bpf_rbtree_add(&heads->tree, &j->in_tree, less); bpf_map_delete_elem(&holders, &key);"
            'SAY("%d %d", item(3) == j, item(4) == i)'
        ),
        "1 1",
    ),
}


def source(**code: str) -> str:
    text = SOURCE
    for name in ("INIT_TASK", "INIT", "STOPPING"):
        text = text.replace(f"{name};", f"{code.get(name, '')};")
    return text


@pytest.mark.parametrize("what", SAID)
def test_what_the_policy_saw(simulator: WasmSimulator, what: str) -> None:
    code, words = SAID[what]
    end = run(simulator, mixed_plan(end_ns=10 * MS), policy(source(INIT=code)), 3).end
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 1025), end
    assert end.message == f"scx_bpf_error: {words}"


def test_a_timer_goes_with_its_map(simulator: WasmSimulator) -> None:
    armed = (
        "bpf_map_update_elem(&holders, &key, &empty, 0); heads = bpf_map_lookup_elem(&holders, &key);"
        "bpf_timer_init(&heads->timer, &holders, 1); bpf_timer_set_callback(&heads->timer, rings);"
        "bpf_timer_start(&heads->timer, 1000000, 0);"
    )
    gone = armed + "bpf_map_delete_elem(&holders, &key)"
    assert "rings" in run(simulator, mixed_plan(end_ns=10 * MS), policy(source(INIT=armed)), 2).end.message
    assert run(simulator, mixed_plan(end_ns=10 * MS), policy(source(INIT=gone)), 2).end.verdict == SimVerdict.DONE


def test_what_a_task_owns_goes_with_it(simulator: WasmSimulator) -> None:
    """10,000 tasks one after the other, each with an object and a mask; of masks there are 4096."""
    stored = (
        "h = bpf_task_storage_get(&of_task, p, &with, 1);"
        "if (!h || h->before != 5 || h->behind != 6 || h->item || h->masks[0]) return -1;"
        "bpf_kptr_xchg(&h->item, item(p->pid));"
        "struct bpf_cpumask *m = bpf_cpumask_create(); if (!m) return -12; bpf_kptr_xchg(&h->masks[0], m)"
    )
    tasks = tuple(SimTask(name=f"t{number}", arrival_ns=number * 3_000, program=0) for number in range(10_000))
    plan = SimPlan(seed=1, end_ns=100 * MS, programs=((step(Op.RUN, 1_000),),), tasks=tasks)
    end = run(simulator, plan, policy(source(INIT_TASK=stored)), 2).end
    assert end.verdict == SimVerdict.DONE, end


def test_cpu_time_stands_in_the_task(simulator: WasmSimulator) -> None:
    said = 'if (p->pid == 1001) SAY("%llu", p->se.sum_exec_runtime)'
    plan = SimPlan(
        seed=1,
        end_ns=100 * MS,
        programs=((step(Op.RUN, 1_500_000),), (step(Op.RUN, 300_000), step(Op.SLEEP, 1))),
        tasks=(SimTask(name="long", program=0), SimTask(name="short", program=1)),
    )
    result = run(simulator, plan, policy(source(STOPPING=said)), 1)
    assert result.end.message == f"scx_bpf_error: {result.tasks[1].cpu_ns}"
    assert result.tasks[1].cpu_ns >= 300_000
