"""When ops.dequeue() is told that a task leaves the policy's hands: to Linux 7.0, and from 7.1 on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import flat_machine
from schedops.model.simulation import Op, SimPlan, SimTask, SimVerdict
from tests.adapters.sim.conftest import MS, policy, run, step

# Where the policy puts tasks is PUTS; the watcher says what the first task saw.
SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
static char seen[256];
static u32 count;
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 64); __type(value, s32); } waiting SEC(".maps");
static void note(struct task_struct *p, char letter)
{
	if (p->comm[0] == 's' && count < 250)
		seen[count++] = letter;
}
void BPF_STRUCT_OPS(c_enqueue, struct task_struct *p, u64 flags)
{
	s32 pid = p->pid;
	note(p, 'E');
	if (p->comm[0] == 'w')
		scx_bpf_error("%s", seen);
	PUTS;
}
void BPF_STRUCT_OPS(c_dequeue, struct task_struct *p, u64 flags)
{
	note(p, flags & SCX_DEQ_SCHED_CHANGE ? 'C' : flags ? 'F' : 'D');
}
void BPF_STRUCT_OPS(c_dispatch, s32 cpu, struct task_struct *prev)
{
	s32 pid;
	if (scx_bpf_dsq_move_to_local(7))
		return;
	if (!bpf_map_pop_elem(&waiting, &pid)) {
		struct task_struct *p = bpf_task_from_pid(pid);
		if (p) {
			scx_bpf_dsq_insert(p, TO, SCX_SLICE_DFL, 0);
			bpf_task_release(p);
		}
	}
}
void BPF_STRUCT_OPS(c_running, struct task_struct *p) { note(p, '+'); }
void BPF_STRUCT_OPS(c_quiescent, struct task_struct *p, u64 flags)
{
	note(p, flags & SCX_DEQ_SCHED_CHANGE ? 'c' : 'q');
}
s32 BPF_STRUCT_OPS_SLEEPABLE(c_init) { return scx_bpf_create_dsq(7, -1); }
SCX_OPS_DEFINE(c_ops, .enqueue = (void *)c_enqueue, .dequeue = (void *)c_dequeue, .dispatch = (void *)c_dispatch,
	.running = (void *)c_running, .quiescent = (void *)c_quiescent, .init = (void *)c_init,
	.name = "custody");
"""
QUEUE = "scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, flags)"
LOCAL = "scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, flags)"
OWN = "bpf_map_push_elem(&waiting, &pid, 0)"
NEW, OLD = True, False
CASES = [
    (QUEUE, OLD, "E+q+q"),
    (QUEUE, NEW, "ED+c+q"),
    (LOCAL, NEW, "E+c+q"),
    (OWN, OLD, "E+q+q"),
    (OWN, NEW, "ED+c+q"),
]


@pytest.mark.parametrize(("puts", "custody", "order"), CASES)
@pytest.mark.parametrize("to", ["SCX_DSQ_LOCAL", "SCX_DSQ_GLOBAL", "7"])
def test_leaving_custody(simulator: WasmSimulator, puts: str, to: str, custody: bool, order: str) -> None:
    """Once, when it goes to a local or the global queue, by whatever way; never for what was put there at once."""
    program = (step(Op.RUN, 100), step(Op.NICE, 5), step(Op.RUN, 100))
    plan = SimPlan(
        seed=1,
        programs=(program, (step(Op.RUN, MS),)),
        tasks=(SimTask(name="seen", program=0), SimTask(name="watcher", program=1, arrival_ns=5 * MS)),
        end_ns=20 * MS,
    )
    scheduler = replace(policy(SOURCE.replace("PUTS", puts).replace("TO", to)), custody=custody)
    end = run(simulator, plan, scheduler, flat_machine(1)).end
    assert end.verdict == SimVerdict.EJECTED, end
    assert end.message.removeprefix("scx_bpf_error: ") == order
