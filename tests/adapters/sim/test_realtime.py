"""Tasks of a class above sched_ext: they run first, the policy is told, and what waited there may go elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.errors import InputError
from schedops.model.machine import flat_machine
from schedops.model.simulation import Op, SimPlan, SimResult, SimTask, SimVerdict
from tests.adapters.sim.conftest import MS, policy, run, step

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
static char seen[256];
static u32 count;
static void note(char letter) { if (count < 200) seen[count++] = letter; }
s32 BPF_STRUCT_OPS(v_select_cpu, struct task_struct *p, s32 prev_cpu, u64 flags) { return prev_cpu; }
void BPF_STRUCT_OPS(v_enqueue, struct task_struct *p, u64 flags)
{
	note(flags & SCX_ENQ_REENQ ? 'R' : 'E');
	if (p->comm[0] == 'w')
		scx_bpf_error("%s", seen);
	if (flags & SCX_ENQ_REENQ && MOVES)
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | 1, SCX_SLICE_DFL, 0);
	else
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
}
void BPF_STRUCT_OPS(v_dispatch, s32 cpu, struct task_struct *prev) { }
void BPF_STRUCT_OPS(v_running, struct task_struct *p) { note('+'); }
void BPF_STRUCT_OPS(v_stopping, struct task_struct *p, bool runnable) { note(runnable ? '~' : '-'); }
void BPF_STRUCT_OPS(v_cpu_acquire, s32 cpu, struct scx_cpu_acquire_args *args) { note('A'); }
void BPF_STRUCT_OPS(v_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	if (args->reason != SCX_CPU_PREEMPT_RT || args->task->comm[0] != 'r' || scx_bpf_cpu_curr(cpu) == args->task)
		scx_bpf_error("wrong");
	note('(');
	note('0' + scx_bpf_reenqueue_local());
	note(')');
}
SCX_OPS_DEFINE(v_ops, .select_cpu = (void *)v_select_cpu, .enqueue = (void *)v_enqueue,
	.dispatch = (void *)v_dispatch, .running = (void *)v_running, .stopping = (void *)v_stopping,
	.cpu_acquire = (void *)v_cpu_acquire, .cpu_release = (void *)v_cpu_release, .name = "above");
"""
FREE = replace(flat_machine(2), switch_ns=0, migrate_llc_ns=0)
HOG = (step(Op.RUN, 30 * MS),)
ABOVE = (step(Op.RUN, 2 * MS),)


def plan(*hogs: int, watch_ns: int = 9 * MS) -> SimPlan:
    """Hogs that begin on CPU 0, a real-time task there from 5 ms to 7 ms, and who tells what was seen."""
    tasks = [SimTask(name="hog", program=0, cpuset=cpuset) for cpuset in hogs]
    tasks.append(SimTask(name="rt", program=1, cpuset=0, arrival_ns=5 * MS, realtime=True))
    tasks.append(SimTask(name="watcher", program=1, cpuset=1, arrival_ns=watch_ns))
    return SimPlan(seed=1, tasks=tuple(tasks), programs=(HOG, ABOVE), cpusets=((0,), (1,)), end_ns=80 * MS)


def seen(simulator: WasmSimulator, *hogs: int, moves: int = 0) -> str:
    end = run(simulator, plan(*hogs), policy(SOURCE.replace("MOVES", str(moves))), FREE).end
    assert end.verdict == SimVerdict.EJECTED, end
    return end.message.removeprefix("scx_bpf_error: ")


def told_nothing(simulator: WasmSimulator) -> SimResult:
    quiet = SOURCE.replace("if (p->comm[0] == 'w')", "if (0)").replace("MOVES", "0")
    return run(simulator, plan(-1), policy(quiet), FREE)


def test_the_policy_is_told_and_gives_the_task_back(simulator: WasmSimulator) -> None:
    """put_prev_task_scx() leaves it first in the local queue, cpu_release() hands it to ops.enqueue() anew."""
    assert seen(simulator, 0) == "E+" + "~(R1)" + "A+" + "E"


def test_the_task_goes_elsewhere_meanwhile(simulator: WasmSimulator) -> None:
    assert seen(simulator, -1, moves=1) == "E+" + "~(R1)" + "+" + "A" + "E"


def test_everybody_who_waits_there_is_handed_over(simulator: WasmSimulator) -> None:
    assert seen(simulator, 0, 0, 0).startswith("EEE+" + "~(RRR3)" + "A+")


def test_the_real_time_task_runs_at_once(simulator: WasmSimulator) -> None:
    result = told_nothing(simulator)
    assert result.end.verdict == SimVerdict.DONE
    above, hog = result.tasks[1], result.tasks[0]
    assert (above.first_run_ns, above.completion_ns, above.wait_ns) == (5 * MS, 7 * MS, 0)
    assert (hog.completion_ns, hog.wait_ns, hog.preemptions) == (32 * MS, 2 * MS, 1)


def test_a_kick_does_not_move_it(simulator: WasmSimulator) -> None:
    """kick_one_cpu() passes over a CPU that runs a higher class."""
    kicks = SOURCE.replace("note('E');", "").replace("MOVES", "0").replace("if (p->comm[0] == 'w')", "if (0)")
    kicks = kicks.replace("note(flags & SCX_ENQ_REENQ ? 'R' : 'E');", "scx_bpf_kick_cpu(0, SCX_KICK_PREEMPT);")
    result = run(simulator, plan(0, watch_ns=6 * MS), policy(kicks), FREE)
    assert result.end.verdict == SimVerdict.DONE
    assert result.tasks[1].completion_ns == 7 * MS


def test_reenqueueing_is_for_cpu_release_alone(simulator: WasmSimulator) -> None:
    """scx_bpf_reenqueue_local() of 6.12 to 6.18."""
    text = SOURCE.replace("{ note('+'); }", "{ scx_bpf_reenqueue_local(); }").replace("MOVES", "0")
    end = run(simulator, plan(0), policy(text), FREE).end
    assert end.message == "runtime error: kfunc with mask 0x1 called from an operation only allowing 0x10"


def test_built_in_schedulers_have_none(simulator: WasmSimulator) -> None:
    end = run(simulator, plan(0), "eevdf", FREE).end
    assert (end.verdict, "real-time tasks" in end.message) == (SimVerdict.UNSUPPORTED, True)


def test_a_real_time_task_is_bound(simulator: WasmSimulator) -> None:
    loose = replace(plan(0), cpusets=((0, 1), (1,)))
    with pytest.raises(InputError, match="bound to one CPU"):
        run(simulator, loose, "fifo", FREE)
