"""The callbacks of one task come in the kernel's order (kernel/sched/ext.c, Linux 6.18)."""

from __future__ import annotations

from dataclasses import replace

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import flat_machine
from schedops.model.simulation import Instruction, Op, SimPlan, SimTask
from tests.adapters.sim.conftest import MS, policy, run, step

# Every callback writes its letter; the watcher, which arrives last, says them all.
SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
static char seen[256];
static u32 count;
static void note(struct task_struct *p, char letter)
{
	if (p && p->comm[0] == 's' && count < 250)
		seen[count++] = letter;
}
s32 BPF_STRUCT_OPS(o_select_cpu, struct task_struct *p, s32 prev_cpu, u64 flags) { note(p, 'S'); return prev_cpu; }
void BPF_STRUCT_OPS(o_enqueue, struct task_struct *p, u64 flags)
{
	note(p, 'E');
	if (p->comm[0] == 'w')
		scx_bpf_error("%s", seen);
	scx_bpf_dsq_insert(p, 7, SLICE, flags);
}
void BPF_STRUCT_OPS(o_dequeue, struct task_struct *p, u64 flags) { note(p, 'D'); }
void BPF_STRUCT_OPS(o_dispatch, s32 cpu, struct task_struct *prev)
{
	if (prev && prev->scx.flags & SCX_TASK_QUEUED)
		note(prev, 'd');
	scx_bpf_dsq_move_to_local(7);
}
void BPF_STRUCT_OPS(o_runnable, struct task_struct *p, u64 flags) { note(p, 'R'); }
void BPF_STRUCT_OPS(o_running, struct task_struct *p) { note(p, '+'); }
void BPF_STRUCT_OPS(o_stopping, struct task_struct *p, bool runnable) { note(p, runnable ? '~' : '-'); }
void BPF_STRUCT_OPS(o_quiescent, struct task_struct *p, u64 flags) { note(p, flags & SCX_DEQ_SLEEP ? 'Q' : 'q'); }
void BPF_STRUCT_OPS(o_tick, struct task_struct *p) { note(p, '.'); }
void BPF_STRUCT_OPS(o_set_weight, struct task_struct *p, u32 weight) { note(p, 'w'); }
void BPF_STRUCT_OPS(o_set_cpumask, struct task_struct *p, const struct cpumask *mask) { note(p, 'm'); }
void BPF_STRUCT_OPS(o_enable, struct task_struct *p) { note(p, 'e'); }
void BPF_STRUCT_OPS(o_disable, struct task_struct *p) { note(p, 'x'); }
s32 BPF_STRUCT_OPS_SLEEPABLE(o_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	note(p, 'i');
	return 0;
}
void BPF_STRUCT_OPS(o_exit_task, struct task_struct *p, struct scx_exit_task_args *args) { note(p, 'X'); }
s32 BPF_STRUCT_OPS_SLEEPABLE(o_init) { return scx_bpf_create_dsq(7, -1); }
SCX_OPS_DEFINE(o_ops, .select_cpu = (void *)o_select_cpu, .enqueue = (void *)o_enqueue, .dequeue = (void *)o_dequeue,
	.dispatch = (void *)o_dispatch, .runnable = (void *)o_runnable, .running = (void *)o_running,
	.stopping = (void *)o_stopping, .quiescent = (void *)o_quiescent, .tick = (void *)o_tick,
	.set_weight = (void *)o_set_weight, .set_cpumask = (void *)o_set_cpumask, .enable = (void *)o_enable,
	.disable = (void *)o_disable, .init_task = (void *)o_init_task, .exit_task = (void *)o_exit_task,
	.init = (void *)o_init, .name = "order");
"""
FREE = replace(flat_machine(2), switch_ns=0, migrate_llc_ns=0)


def seen(simulator: WasmSimulator, *program: Instruction, slice_ns: int = 20 * MS, others: int = 0) -> str:
    """What a task with this program saw; *others* run beside it without end, and share its CPUs."""
    hog = (step(Op.RUN, 500 * MS),)
    tasks = (
        SimTask(name="seen", program=0, arrival_ns=MS // 2),
        *(SimTask(name="other", program=1) for _ in range(others)),
        SimTask(name="watcher", program=1, arrival_ns=60 * MS),
    )
    plan = SimPlan(seed=1, programs=(tuple(program), hog), tasks=tasks, cpusets=((0, 1),), end_ns=100 * MS)
    end = run(simulator, plan, policy(SOURCE.replace("SLICE", f"{slice_ns}ULL")), FREE).end
    return end.message.removeprefix("scx_bpf_error: ")


def test_a_task_that_runs_once(simulator: WasmSimulator) -> None:
    assert seen(simulator, step(Op.RUN, 100)) == "iewSRE+-QxX"


def test_a_task_that_sleeps(simulator: WasmSimulator) -> None:
    assert seen(simulator, step(Op.RUN, 100), step(Op.SLEEP, 100), step(Op.RUN, 100)) == "iewSRE+-QSRE+-QxX"


def test_a_slice_that_is_used_up_alone(simulator: WasmSimulator) -> None:
    """At the tick at which the slice is 0 the policy is asked; nobody else is there, so the task simply goes on."""
    assert seen(simulator, step(Op.RUN, 3 * MS), slice_ns=MS) == "iewSRE+..d.-QxX"


def test_a_slice_that_is_used_up_among_others(simulator: WasmSimulator) -> None:
    """It stops, could go on, and is handed to the policy anew: no runnable, no quiescent."""
    order = seen(simulator, step(Op.RUN, 2 * MS), slice_ns=MS, others=4)
    assert order.startswith("iewSRE+")
    assert "d~E+" in order
    assert order.count("R") == order.count("Q") == 1


def test_nice_and_affinity_of_a_running_task(simulator: WasmSimulator) -> None:
    """It goes on past the policy: enqueue_task_scx() sets sticky_cpu for a task that is running and restored."""
    change = (step(Op.RUN, 100), step(Op.NICE, 5), step(Op.AFFINITY, 0), step(Op.RUN, 100))
    assert seen(simulator, *change) == "iewSRE+" + "-qwR+" + "-qmR+" + "-QxX"


def test_a_change_of_the_running_task_gives_it_no_new_slice(simulator: WasmSimulator) -> None:
    """Who changes its own nice value again and again shares the CPU like everybody else."""
    renicer = (step(Op.RUN, 300_000), step(Op.NICE, 5), step(Op.RUN, 300_000), step(Op.NICE, 0), step(Op.JUMP, 0))
    plan = SimPlan(
        seed=1,
        tasks=(SimTask(name="renicer", program=0), SimTask(name="hog", program=1)),
        programs=(renicer, (step(Op.RUN, 10_000 * MS),)),
        end_ns=500 * MS,
    )
    quiet = SOURCE.replace("if (p->comm[0] == 'w')", "if (0)").replace("SLICE", "5000000")
    first, second = (task.cpu_ns for task in run(simulator, plan, policy(quiet)).tasks)
    assert first + second == 500 * MS
    assert abs(first - second) <= 10 * MS
