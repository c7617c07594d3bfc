"""CPUs that go offline and come back: nothing runs there meanwhile, nobody is lost, the policy is told."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.errors import InputError
from schedops.model.machine import flat_machine
from schedops.model.simulation import TRACE_RECORD, Op, SimPlan, SimResult, SimTask, SimVerdict, TraceKind
from schedops.ports import SimScheduler
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run, step

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
static char seen[256];
static u32 count, ready;
static void note(char letter) { if (count < 200) seen[count++] = letter; }
s32 BPF_STRUCT_OPS(h_select_cpu, struct task_struct *p, s32 prev_cpu, u64 flags) { return prev_cpu; }
void BPF_STRUCT_OPS(h_enqueue, struct task_struct *p, u64 flags)
{
	if (p->comm[0] == 'w')
		scx_bpf_error("%s", seen);
	note('E');
	scx_bpf_dsq_insert(p, TO, SCX_SLICE_DFL, 0);
	for (s32 cpu = 0; KICKS && cpu < scx_bpf_nr_cpu_ids(); cpu++)
		scx_bpf_kick_cpu(cpu, SCX_KICK_IDLE);
}
void BPF_STRUCT_OPS(h_dispatch, s32 cpu, struct task_struct *prev) { scx_bpf_dsq_move_to_local(7); }
void BPF_STRUCT_OPS(h_set_cpumask, struct task_struct *p, const struct cpumask *cpumask) { note('M'); }
void BPF_STRUCT_OPS(h_running, struct task_struct *p) { note('0' + scx_bpf_task_cpu(p)); }
void BPF_STRUCT_OPS(h_stopping, struct task_struct *p, bool runnable) { note(runnable ? '~' : '-'); }
void BPF_STRUCT_OPS(h_quiescent, struct task_struct *p, u64 flags) { note('q'); }
void BPF_STRUCT_OPS(h_cpu_online, s32 cpu)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();

	note(bpf_cpumask_test_cpu(cpu, online) ? '[' : '?');
	scx_bpf_put_cpumask(online);
}
void BPF_STRUCT_OPS(h_cpu_offline, s32 cpu)
{
	const struct cpumask *online = scx_bpf_get_online_cpumask();

	note(bpf_cpumask_test_cpu(cpu, online) ? '?' : ']');
	scx_bpf_put_cpumask(online);
}
s32 BPF_STRUCT_OPS_SLEEPABLE(h_init) { return scx_bpf_create_dsq(7, -1); }
SCX_OPS_DEFINE(h_ops, .select_cpu = (void *)h_select_cpu, .enqueue = (void *)h_enqueue,
	.dispatch = (void *)h_dispatch, .set_cpumask = (void *)h_set_cpumask, .running = (void *)h_running,
	.stopping = (void *)h_stopping, .quiescent = (void *)h_quiescent, .cpu_online = (void *)h_cpu_online,
	.cpu_offline = (void *)h_cpu_offline, .init = (void *)h_init, .name = "hotplug");
"""
FREE = replace(flat_machine(3), switch_ns=0, migrate_llc_ns=0)
SCHEDULERS = ("fifo", "random", "eevdf", "policy")
GONE = (5 * MS, 12 * MS)


def source(to: str, *, kicks: bool = False) -> str:
    return SOURCE.replace("TO", to).replace("KICKS", str(int(kicks)))


def scheduler(name: str) -> SimScheduler:
    quiet = source("7", kicks=True).replace("if (p->comm[0] == 'w')", "if (0)")
    return policy(quiet) if name == "policy" else SimScheduler(name=name)


def away(plan: SimPlan, cpu: int = 1, since_ns: int = GONE[0], until_ns: int = GONE[1]) -> SimPlan:
    return replace(plan, offline_cpu=cpu, offline_ns=since_ns, online_ns=until_ns)


def stints(result: SimResult) -> list[tuple[int, int, int, int]]:
    """(task, CPU, from, until) of each time that somebody ran."""
    began: dict[int, tuple[int, int]] = {}
    found = []
    for time, _, task, cpu, kind in struct.iter_unpack(TRACE_RECORD, result.trace):
        if kind == TraceKind.RUN:
            began[task] = (cpu, time)
        elif kind == TraceKind.STOP:
            found.append((task, *began.pop(task), time))
    return found


def hogs(*cpusets: int, work_ms: int = 10) -> SimPlan:
    tasks = tuple(SimTask(name="hog", program=0, cpuset=cpuset) for cpuset in cpusets)
    return SimPlan(seed=1, tasks=tasks, programs=((step(Op.RUN, work_ms * MS),),), cpusets=((1,), (0, 1)))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_nothing_runs_on_a_cpu_that_is_offline(simulator: WasmSimulator, name: str) -> None:
    result = run(simulator, away(mixed_plan(end_ns=30 * MS)), scheduler(name), FREE, trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    ran = [(since, until) for _, cpu, since, until in stints(result) if cpu == 1]
    assert not [one for one in ran if one[0] < GONE[1] and one[1] > GONE[0]]
    assert min(since for since, _ in ran) < GONE[0]
    assert max(until for _, until in ran) > GONE[1]
    assert all(cpu.busy_ns + cpu.idle_ns == result.end_ns for cpu in result.cpus)
    assert all(task.cpu_ns for task in result.tasks)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_who_may_run_there_alone_runs_elsewhere(simulator: WasmSimulator, name: str) -> None:
    """select_fallback_rq(): no more Mr. Nice Guy. One runs, one waits, one comes later."""
    plan = hogs(0, 0, 0)
    plan = replace(plan, tasks=(*plan.tasks[:2], replace(plan.tasks[2], arrival_ns=8 * MS)))
    result = run(simulator, away(plan, until_ns=0), scheduler(name), FREE, trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    assert {cpu for _, cpu, since, _ in stints(result) if since >= 5 * MS} == {0, 2}
    assert result.end_ns < 25 * MS  # 30 on one CPU
    assert all(task.completion_ns > 0 for task in result.tasks)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_cpu_that_comes_back_is_used(simulator: WasmSimulator, name: str) -> None:
    result = run(simulator, away(hogs(-1, -1, -1, work_ms=40)), scheduler(name), FREE, trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    assert sum(cpu.busy_ns for cpu in result.cpus) == 120 * MS
    back = min(since for _, cpu, since, _ in stints(result) if cpu == 1 and since > GONE[0])
    assert back >= GONE[1]
    # The rest is done on three CPUs, sooner or later: EEVDF balances at ticks.
    assert result.end_ns <= 53 * MS


def test_time_without_the_cpu_is_no_waste(simulator: WasmSimulator) -> None:
    result = run(simulator, away(hogs(1, 1), until_ns=0), "fifo", replace(FREE, cpus=FREE.cpus[:2]))
    assert (result.end_ns, result.cpus[1].busy_ns, result.cpus[1].idle_waste_ns) == (15 * MS, 5 * MS, 0)


def said(simulator: WasmSimulator, plan: SimPlan, to: str = "7") -> str:
    watcher = SimTask(name="watcher", program=0, cpuset=-1, arrival_ns=14 * MS)
    plan = replace(plan, tasks=(*plan.tasks, watcher))
    end = run(simulator, plan, policy(source(to)), replace(FREE, cpus=FREE.cpus[:2])).end
    assert end.verdict == SimVerdict.EJECTED, end
    return end.message.removeprefix("scx_bpf_error: ")


def test_the_policy_is_told_when_the_cpu_is_empty(simulator: WasmSimulator) -> None:
    """The running task is pushed (no quiescent), its mask is broken (set_cpumask), then ops.cpu_offline()."""
    assert said(simulator, away(hogs(0)), "SCX_DSQ_LOCAL") == "E1" + "~ME" + "]" + "0" + "-q" + "["


def test_a_local_queue_of_a_cpu_that_is_gone_is_the_global_one(simulator: WasmSimulator) -> None:
    """task_can_run_on_remote_rq(): no error, the policy may not know yet."""
    plan = away(hogs(1), until_ns=0)
    assert said(simulator, plan, "SCX_DSQ_LOCAL_ON | 1") == "E1" + "~E" + "]" + "0" + "-q"


def test_a_policy_that_does_not_know_how_a_cpu_comes_back(simulator: WasmSimulator) -> None:
    text = source("7").replace(".cpu_online = (void *)h_cpu_online,", "")
    end = run(simulator, away(hogs(-1, work_ms=40)), policy(text), FREE).end
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 66)
    assert end.message.endswith("cpu 1 going online, exiting scheduler")


def test_a_real_time_task_moves_too(simulator: WasmSimulator) -> None:
    plan = hogs(-1, 0)
    plan = replace(plan, tasks=(plan.tasks[0], replace(plan.tasks[1], realtime=True)))
    result = run(simulator, away(plan), scheduler("policy"), replace(FREE, cpus=FREE.cpus[:2]), trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    assert [(cpu, until) for task, cpu, _, until in stints(result) if task == 1] == [(1, 5 * MS), (0, 10 * MS)]


def test_a_wish_for_a_cpu_that_is_gone_is_refused(simulator: WasmSimulator) -> None:
    """__set_cpus_allowed_ptr(): EINVAL, and the task goes on where it may."""
    wish = (step(Op.RUN, 7 * MS), step(Op.AFFINITY, 0), step(Op.RUN, MS))
    plan = replace(hogs(1), programs=(wish,))
    result = run(simulator, away(plan), "eevdf", FREE, trace=True)
    assert result.end_ns == 8 * MS
    assert stints(result)[-1][1] == 0


@pytest.mark.parametrize(("cpus", "until_ns"), [(1, 0), (2, 4 * MS)], ids=["the-only-one", "back-before-it-went"])
def test_plans_that_cannot_be(simulator: WasmSimulator, cpus: int, until_ns: int) -> None:
    plan = away(hogs(-1), cpu=cpus - 1, until_ns=until_ns)
    with pytest.raises(InputError):
        run(simulator, plan, "fifo", cpus)
