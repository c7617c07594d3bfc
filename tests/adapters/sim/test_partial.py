"""SCX_OPS_SWITCH_PARTIAL: the policy has the tasks that ask for SCHED_EXT, the fair class comes first with the rest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.errors import InputError
from schedops.model.machine import flat_machine
from schedops.model.simulation import Op, SimPlan, SimTask, SimVerdict
from schedops.ports import SimScheduler
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run, step
from tests.adapters.sim.test_hotplug import stints

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
static char seen[256];
static u32 count, told;
static void note(char letter) { if (count < 200) seen[count++] = letter; }
s32 BPF_STRUCT_OPS(p_select_cpu, struct task_struct *p, s32 prev_cpu, u64 flags)
{
	bool idle = false;

	return scx_bpf_select_cpu_dfl(p, prev_cpu, flags, &idle);
}
void BPF_STRUCT_OPS(p_enqueue, struct task_struct *p, u64 flags)
{
	if (p->comm[0] == 'w')
		scx_bpf_error("%s", seen);
	note(flags & SCX_ENQ_REENQ ? 'R' : 'E');
	scx_bpf_dsq_insert(p, TO, SCX_SLICE_DFL, 0);
	KICK;
}
void BPF_STRUCT_OPS(p_dispatch, s32 cpu, struct task_struct *prev) { DISPATCH; }
void BPF_STRUCT_OPS(p_running, struct task_struct *p) { note('+'); }
void BPF_STRUCT_OPS(p_stopping, struct task_struct *p, bool runnable) { note(runnable ? '~' : '-'); }
void BPF_STRUCT_OPS(p_enable, struct task_struct *p) { note('n'); }
void BPF_STRUCT_OPS(p_cpu_acquire, s32 cpu, struct scx_cpu_acquire_args *args) { note('A'); }
void BPF_STRUCT_OPS(p_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	if (args->reason != SCX_CPU_PREEMPT_UNKNOWN || args->task->comm[0] != 'f')
		scx_bpf_error("wrong");
	note('(');
	note('0' + scx_bpf_reenqueue_local());
	note(')');
}
s32 BPF_STRUCT_OPS(p_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	note('t');
	p->scx.disallow = DISALLOW;
	return 0;
}
SCX_OPS_DEFINE(p_ops, .select_cpu = (void *)p_select_cpu, .enqueue = (void *)p_enqueue,
	.dispatch = (void *)p_dispatch, .running = (void *)p_running, .stopping = (void *)p_stopping,
	.enable = (void *)p_enable, .init_task = (void *)p_init_task, RELEASE
	.timeout_ms = 1000, .flags = SCX_OPS_SWITCH_PARTIAL, .name = "partial");
"""
RELEASE = ".cpu_acquire = (void *)p_cpu_acquire, .cpu_release = (void *)p_cpu_release,"
FREE = replace(flat_machine(1), switch_ns=0, migrate_llc_ns=0)
TWO = replace(FREE, cpus=flat_machine(2).cpus)


def partial(*, quiet: bool = True, **code: str) -> SimScheduler:
    text = SOURCE.replace("if (p->comm[0] == 'w')", "if (0)") if quiet else SOURCE
    values = {"TO": "SCX_DSQ_LOCAL", "KICK": "", "DISPATCH": "", "DISALLOW": "0", "RELEASE": ""} | code
    for name, value in values.items():
        text = text.replace(name if name != "TO" else "p, TO", value if name != "TO" else f"p, {value}")
    return policy(text)


def task(name: str, work: int, at_ms: float = 0, **more: object) -> SimTask:
    return SimTask(name=name, program=work, arrival_ns=int(at_ms * MS), **more)  # type: ignore[arg-type]


def plan(*tasks: SimTask, **more: int) -> SimPlan:
    programs = tuple((step(Op.RUN, ms * MS),) for ms in range(1, 41))
    cpusets = tuple((cpu,) for cpu in range(max(one.cpuset for one in tasks) + 1))
    return SimPlan(seed=1, tasks=tasks, programs=programs, cpusets=cpusets, **more)  # type: ignore[arg-type]


def test_a_fair_task_preempts_one_of_the_policys(simulator: WasmSimulator) -> None:
    """And the other way round nothing happens, even by force: local_dsq_post_enq(), kick_one_cpu()."""
    forced = partial(
        KICK="scx_bpf_kick_cpu(0, SCX_KICK_PREEMPT)",
        TO="SCX_DSQ_LOCAL, 0, SCX_ENQ_PREEMPT); if (0) scx_bpf_dsq_insert(p, 1",
    )
    tasks = (task("ext", 9, ext=True), task("fair", 4, 3), task("late", 1, 4, ext=True))
    result = run(simulator, plan(*tasks), forced, FREE, trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    fair = next(one for one in stints(result) if one[0] == 1)
    assert fair == (1, 0, 3 * MS, 8 * MS)
    assert result.tasks[2].first_run_ns >= 8 * MS


def test_nobody_asks_for_it(simulator: WasmSimulator) -> None:
    """Then the policy has nothing to do: the run is EEVDF's, to the byte, and says so."""
    result = run(simulator, mixed_plan(), partial(), 8, trace=True)
    assert result.end.message == "no task asks for SCHED_EXT, and the policy has no others"
    assert replace(result, end=replace(result.end, message="")) == run(simulator, mixed_plan(), "eevdf", 8, trace=True)


def test_without_the_flag_everybody_is_the_policys(simulator: WasmSimulator) -> None:
    text = SOURCE.replace(".flags = SCX_OPS_SWITCH_PARTIAL,", "")
    for name, value in (
        ("RELEASE", ""),
        ("DISPATCH", ""),
        ("DISALLOW", "0"),
        ("KICK", ""),
        ("p, TO", "p, SCX_DSQ_LOCAL"),
    ):
        text = text.replace(name, value)
    mixed = mixed_plan(end_ns=50 * MS)
    asked = replace(mixed, tasks=tuple(replace(one, ext=True) for one in mixed.tasks))
    assert run(simulator, mixed, policy(text), 2) == run(simulator, asked, policy(text), 2)
    assert run(simulator, mixed, "eevdf", 2) == run(simulator, asked, "eevdf", 2)


def said(simulator: WasmSimulator, *tasks: SimTask, **code: str) -> str:
    watcher = SimTask(name="watcher", program=0, arrival_ns=30 * MS, ext=True)
    end = run(simulator, plan(*tasks, watcher), partial(quiet=False, **code), FREE).end
    assert end.verdict == SimVerdict.EJECTED, end
    return end.message.removeprefix("scx_bpf_error: ")


def test_the_policy_hears_of_all_and_has_its_own(simulator: WasmSimulator) -> None:
    """ops.init_task() for everybody, ops.enable() for SCHED_EXT: scx_fork(), scx_post_fork()."""
    assert said(simulator, task("ext", 9, ext=True), task("fair", 4, 3)) == "tn" + "E+" + "t" + "~" + "+-" + "tn"


def test_the_policy_is_told_of_the_cpu(simulator: WasmSimulator) -> None:
    """switch_class(): the reason of a fair task is none of those that have a name. Not told from idle."""
    tasks = (task("fair", 1), task("ext", 4, 2, ext=True), task("fair", 4, 4))
    assert said(simulator, *tasks, RELEASE=RELEASE) == "t" + "tnE+" + "t~(R1)" + "A+-" + "tn"


def test_a_cpu_with_a_fair_task_does_not_idle(simulator: WasmSimulator) -> None:
    tasks = (task("fair", 9, cpuset=0), task("ext", 1, 2, ext=True, cpuset=-1), task("fair", 20, 5, cpuset=1))
    result = run(simulator, plan(*tasks, task("ext", 1, 6, ext=True)), partial(), TWO, trace=True)
    ran = {number: (cpu, since) for number, cpu, since, _ in stints(result)}
    assert ran[1] == (1, 2 * MS)
    assert ran[3] == (0, 10 * MS)


def test_a_cpu_with_a_task_of_the_policys_does_not_idle(simulator: WasmSimulator) -> None:
    """select_idle_sibling(): idle_cpu() looks at nr_running, which counts every class."""
    tasks = (task("ext", 9, ext=True, cpuset=0), task("fair", 1, 2), task("fair", 1, 2), task("fair", 1, 5))
    result = run(simulator, plan(*tasks), partial(), TWO, trace=True)
    assert {cpu for number, cpu, _, _ in stints(result) if number in (1, 3)} == {1}
    assert result.tasks[0].completion_ns <= 12 * MS


def test_starved_by_fair_tasks_the_policy_is_ejected(simulator: WasmSimulator) -> None:
    """The watchdog does not ask whose fault it is; no deadline server for sched_ext before 7.1."""
    hog = (step(Op.RUN, 40 * MS), step(Op.LOOP, 0))
    tasks = (SimTask(name="fair", program=0), SimTask(name="ext", program=0, ext=True))
    starved = SimPlan(seed=1, tasks=tasks, programs=(hog,), end_ns=3000 * MS)
    end = run(simulator, starved, partial(), FREE).end
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 1026)
    assert "ext[1001] failed to run" in end.message


@pytest.mark.parametrize("asks", [True, False])
def test_who_asked_cannot_be_left_to_others(simulator: WasmSimulator, *, asks: bool) -> None:
    """scx_init_task(): p->scx.disallow during fork."""
    end = run(simulator, plan(task("one", 1, ext=asks)), partial(DISALLOW="1"), FREE).end
    refused = "runtime error: ops.init_task() set task->scx.disallow for one[1000] during fork"
    assert (end.verdict, end.message == refused) == (SimVerdict.EJECTED if asks else SimVerdict.DONE, asks)


def test_a_fair_task_cannot_be_dispatched(simulator: WasmSimulator) -> None:
    """finish_dispatch(): the policy does not have it."""
    steals = (
        "struct task_struct *p = bpf_task_from_pid(1000);"
        "if (p) { scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, 1, 0); bpf_task_release(p); }"
    )
    tasks = (task("fair", 9, cpuset=0), task("ext", 9, ext=True, cpuset=1))
    result = run(simulator, plan(*tasks), partial(DISPATCH=steals), TWO)
    assert result.end.verdict == SimVerdict.DONE, result.end
    assert [one.completion_ns for one in result.tasks] == [10 * MS, 10 * MS]


def test_nobody_is_of_two_classes(simulator: WasmSimulator) -> None:
    with pytest.raises(InputError):
        run(simulator, plan(task("both", 1, cpuset=0, realtime=True, ext=True)), partial(), FREE)
