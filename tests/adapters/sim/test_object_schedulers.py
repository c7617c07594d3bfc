"""Schedulers whose queues are lists and trees of objects do what the same schedulers do with other queues."""

from __future__ import annotations

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import Op, SimCgroup, SimPlan, SimTask, SimVerdict
from tests.adapters.sim.conftest import MS, ROOT, mixed_plan, policy, run, step

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
struct waiting { struct bpf_list_node in_list; struct bpf_rb_node in_tree; s32 pid; u64 vtime; };
struct stash { struct waiting __kptr *node; };
struct { __uint(type, BPF_MAP_TYPE_TASK_STORAGE); __uint(map_flags, BPF_F_NO_PREALLOC); __type(key, int);
	__type(value, struct stash); } stashes SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 512); __type(value, s32); } queue SEC(".maps");
private(A) struct bpf_spin_lock lock;
private(A) struct bpf_list_head list __contains(waiting, in_list);
private(A) struct bpf_rb_root tree __contains(waiting, in_tree);
static u64 vtime_now;
static bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	struct waiting *x = container_of(a, struct waiting, in_tree), *y = container_of(b, struct waiting, in_tree);

	return time_before(x->vtime, y->vtime);
}
/* Its node waits in the task's own storage while the task does not. */
static struct waiting *node_of(struct task_struct *p)
{
	struct stash *stash = bpf_task_storage_get(&stashes, p, NULL, 0);

	return stash ? bpf_kptr_xchg(&stash->node, NULL) : NULL;
}
static s32 give_back(struct task_struct *p, struct waiting *node)
{
	struct stash *stash = bpf_task_storage_get(&stashes, p, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

	node = stash ? bpf_kptr_xchg(&stash->node, node) : node;
	if (!node)
		return 0;
	bpf_obj_drop(node);
	return -EEXIST;
}
static void run_next(s32 pid)
{
	struct task_struct *p = bpf_task_from_pid(pid);

	if (!p)
		return;
	scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
	bpf_task_release(p);
}
static void run_node(struct waiting *node)
{
	struct task_struct *p = bpf_task_from_pid(node->pid);

	if (p) {
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
		if (give_back(p, node))
			scx_bpf_error("two nodes");
		bpf_task_release(p);
	} else {
		bpf_obj_drop(node);
	}
}
s32 BPF_STRUCT_OPS(o_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags) { return prev_cpu; }
void BPF_STRUCT_OPS(o_enqueue, struct task_struct *p, u64 flags)
{
	u64 vtime = p->scx.dsq_vtime;
	struct waiting *node;
	s32 pid = p->pid;

	if (time_before(vtime, vtime_now - SCX_SLICE_DFL))
		vtime = vtime_now - SCX_SLICE_DFL;
	p->scx.dsq_vtime = vtime;
	ENQUEUE;
	for (u32 cpu = 0; cpu < 3; cpu++)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}
void BPF_STRUCT_OPS(o_dispatch, s32 cpu, struct task_struct *prev)
{
	struct bpf_list_node *first;
	struct bpf_rb_node *least;
	s32 pid;

	DISPATCH;
}
void BPF_STRUCT_OPS(o_running, struct task_struct *p)
{
	if (time_before(vtime_now, p->scx.dsq_vtime))
		vtime_now = p->scx.dsq_vtime;
}
void BPF_STRUCT_OPS(o_stopping, struct task_struct *p, bool runnable)
{
	p->scx.dsq_vtime += (SCX_SLICE_DFL - p->scx.slice) * 100 / p->scx.weight;
}
s32 BPF_STRUCT_OPS_SLEEPABLE(o_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct waiting *node = bpf_obj_new(struct waiting);

	if (!node)
		return -ENOMEM;
	node->pid = p->pid;
	return give_back(p, node);
}
s32 BPF_STRUCT_OPS_SLEEPABLE(o_init) { return scx_bpf_create_dsq(7, -1); }
SCX_OPS_DEFINE(o_ops, .select_cpu = (void *)o_select_cpu, .enqueue = (void *)o_enqueue,
	.dispatch = (void *)o_dispatch, .running = (void *)o_running, .stopping = (void *)o_stopping,
	.init_task = (void *)o_init_task, .init = (void *)o_init, .name = "o");
"""
LOCKED = "bpf_spin_lock(&lock); {}; bpf_spin_unlock(&lock);"
LIST = (
    'node = node_of(p); if (!node) { scx_bpf_error("no node"); return; } '
    + LOCKED.format("bpf_list_push_back(&list, &node->in_list)"),
    LOCKED.format("first = bpf_list_pop_front(&list)")
    + "if (first) run_node(container_of(first, struct waiting, in_list))",
)
QUEUE = ("bpf_map_push_elem(&queue, &pid, 0)", "if (!bpf_map_pop_elem(&queue, &pid)) run_next(pid)")
TREE = (
    'node = node_of(p); if (!node) { scx_bpf_error("no node"); return; } node->vtime = vtime; '
    + LOCKED.format("bpf_rbtree_add(&tree, &node->in_tree, less)"),
    LOCKED.format("least = bpf_rbtree_first(&tree); if (least) least = bpf_rbtree_remove(&tree, least)")
    + "if (least) run_node(container_of(least, struct waiting, in_tree))",
)
DSQ = ("scx_bpf_dsq_insert_vtime(p, 7, SCX_SLICE_DFL, vtime, flags)", "scx_bpf_dsq_move_to_local(7, 0)")


@pytest.mark.parametrize(("ours", "theirs"), [(LIST, QUEUE), (TREE, DSQ)], ids=["list", "tree"])
def test_the_same_order(simulator: WasmSimulator, ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    plan = mixed_plan(60, 300 * MS)
    results = [
        run(simulator, plan, policy(SOURCE.replace("ENQUEUE;", code[0] + ";").replace("DISPATCH;", code[1] + ";")), 3)
        for code in (ours, theirs)
    ]
    assert results[0].end.verdict == SimVerdict.DONE, results[0].end
    assert results[0].tasks == results[1].tasks
    assert sum(task.switches for task in results[0].tasks) > 500


def test_a_tree_of_cgroups_by_weight(simulator: WasmSimulator) -> None:
    """Its nodes wait in a hash of pointers, and each turn of a cgroup puts it behind by the inverse of its weight."""
    text = (ROOT / "tests/verify/source/good/cgroup_tree.bpf.c").read_text()
    again = "\t*cgidp = cgid;\n"
    text = text.replace(again, again + "\tcgv_node->cvtime += SCX_SLICE_DFL * 100 / cgc->hweight;\n")
    weights = (100, 100, 300)
    plan = SimPlan(
        seed=1,
        end_ns=4000 * MS,
        programs=((step(Op.RUN, 3 * MS), step(Op.LOOP, 0)),),
        cgroups=tuple(
            SimCgroup(name=f"of {weight}", parent=0 if number else -1, weight=weight)
            for number, weight in enumerate(weights)
        ),
        tasks=tuple(SimTask(name=f"t{number}", program=0, cgroup=number % 3) for number in range(12)),
    )
    result = run(simulator, plan, policy(text), 2)
    assert result.end.verdict == SimVerdict.DONE, result.end
    shares = [sum(task.cpu_ns for task in result.tasks[group::3]) / (2 * plan.end_ns) for group in range(3)]
    assert shares == pytest.approx([weight / sum(weights) for weight in weights], abs=0.02)
