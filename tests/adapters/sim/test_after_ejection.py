"""Life after an ejection, when the plan asks for it: everybody goes on under EEVDF, the verdict stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.simulation import Op, SimPlan, SimResult, SimTask, SimVerdict
from schedops.ports import SimScheduler
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run, step
from tests.adapters.sim.test_properties import check_trace

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
struct { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 64); __type(value, u32); } kept SEC(".maps");
struct timer { struct bpf_timer timer; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct timer); }
	timers SEC(".maps");
static u32 count, left, gone;
static int fire(void *map, int *key, struct timer *t)
{
	if (gone)
		for (;;)
			count++;
	bpf_timer_start(&t->timer, 1000000, 0);
	return 0;
}
void BPF_STRUCT_OPS(a_enqueue, struct task_struct *p, u64 flags)
{
	u32 pid = p->pid;

	if (gone)
		for (;;)
			count++;
	count++;
	ENQUEUE;
	scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, 0);
}
void BPF_STRUCT_OPS(a_dispatch, s32 cpu, struct task_struct *prev) { DISPATCH; scx_bpf_dsq_move_to_local(7); }
void BPF_STRUCT_OPS(a_running, struct task_struct *p) { RUNNING; }
void BPF_STRUCT_OPS(a_exit_task, struct task_struct *p, struct scx_exit_task_args *args) { left++; }
s32 BPF_STRUCT_OPS_SLEEPABLE(a_init)
{
	u32 zero = 0;
	struct timer *t = bpf_map_lookup_elem(&timers, &zero);

	if (t) {
		bpf_timer_init(&t->timer, &timers, 1);
		bpf_timer_set_callback(&t->timer, fire);
		bpf_timer_start(&t->timer, 1000000, 0);
	}
	scx_bpf_create_dsq(7, -1);
	return INIT;
}
void BPF_STRUCT_OPS(a_exit, struct scx_exit_info *info)
{
	gone = 1;
	EXIT;
}
SCX_OPS_DEFINE(a_ops, .enqueue = (void *)a_enqueue, .dispatch = (void *)a_dispatch, .running = (void *)a_running,
	.exit_task = (void *)a_exit_task, .init = (void *)a_init, .exit = (void *)a_exit,
	.timeout_ms = 1000, .flags = FLAGS, .name = "after");
"""
WRONG = {
    "by-itself": {"RUNNING": 'if (count > 50) scx_bpf_error("enough")'},
    "in-dispatch": {"DISPATCH": "if (count > 50) scx_bpf_dsq_move_to_local(9)"},
    "wrong-cpu": {"ENQUEUE": "if (count > 50) { scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL_ON | 99, 1, 0); return; }"},
    "builtin-vtime": {"ENQUEUE": "if (count > 50) { scx_bpf_dsq_insert_vtime(p, SCX_DSQ_GLOBAL, 1, 1, 0); return; }"},
    "loses-a-task": {"ENQUEUE": "if (count > 50) { bpf_map_push_elem(&kept, &pid, 0); return; }"},
    "never-starts": {"INIT": "-22"},
}


def faulty(flags: str = "0", **code: str) -> SimScheduler:
    text = SOURCE.replace("FLAGS", flags)
    for name in ("ENQUEUE", "DISPATCH", "RUNNING", "EXIT;", "INIT"):
        plain = name.strip(";")
        text = text.replace(f"{name}", code.get(plain, "0" if plain == "INIT" else "") + (";" if ";" in name else ""))
    return policy(text)


def going_on(plan: SimPlan) -> SimPlan:
    return replace(plan, go_on=True)


def sound(result: SimResult) -> None:
    assert all(cpu.busy_ns + cpu.idle_ns == result.end_ns for cpu in result.cpus)
    assert sum(task.cpu_ns for task in result.tasks) == sum(cpu.busy_ns for cpu in result.cpus)


@pytest.mark.parametrize("cpus", [1, 3])
@pytest.mark.parametrize("what", WRONG)
def test_everybody_goes_on(simulator: WasmSimulator, what: str, cpus: int) -> None:
    plan = mixed_plan(end_ns=3000 * MS)
    short = run(simulator, plan, faulty(**WRONG[what]), cpus)
    assert short.end.verdict == SimVerdict.EJECTED, short.end
    assert short.ejected_ns == -1
    result = run(simulator, going_on(plan), faulty(**WRONG[what]), cpus, trace=True)
    assert (result.end, result.ejected_ns) == (short.end, short.end_ns)
    assert result.end_ns == 3000 * MS
    sound(result)
    assert all(task.cpu_ns > 10 * MS for task in result.tasks)
    # As EEVDF shares it: the two that never sleep get alike.
    hogs = [task.cpu_ns for task in result.tasks[:2]]
    assert max(hogs) - min(hogs) < 250 * MS


def test_the_line_is_still_told(simulator: WasmSimulator) -> None:
    end = run(simulator, going_on(mixed_plan()), faulty(**WRONG["by-itself"]), 2).end
    assert (end.kind, end.message) == (1025, "scx_bpf_error: enough")
    assert end.place.startswith("policy.bpf.c:")


def test_what_never_starts_is_eevdf_from_the_beginning(simulator: WasmSimulator) -> None:
    result = run(simulator, going_on(mixed_plan()), faulty(INIT="-22"), 2)
    assert result.ejected_ns == 0
    assert result.tasks == run(simulator, mixed_plan(), "eevdf", 2).tasks


def test_a_policy_that_is_not_ejected_is_not_changed(simulator: WasmSimulator) -> None:
    assert run(simulator, going_on(mixed_plan()), faulty(), 2) == run(simulator, mixed_plan(), faulty(), 2)


def test_the_plan_ends_when_its_tasks_do(simulator: WasmSimulator) -> None:
    work = (step(Op.RUN, 2 * MS), step(Op.SLEEP, MS), step(Op.LOOP, 0, 20))
    plan = SimPlan(
        seed=1, tasks=tuple(SimTask(name=f"t{n}", program=0, arrival_ns=n * MS) for n in range(6)), programs=(work,)
    )
    result = run(simulator, going_on(plan), faulty(**WRONG["by-itself"]), 2, trace=True)
    assert result.end.verdict == SimVerdict.EJECTED
    assert 0 < result.ejected_ns < result.end_ns
    assert all(task.completion_ns > result.ejected_ns for task in result.tasks)
    sound(result)
    check_trace(result)


def test_a_policy_that_does_not_end_its_callback_ends_the_run(simulator: WasmSimulator) -> None:
    """The kernel's verifier has no endless loops; here what was known before them is what is said."""
    endless = 'if (count > 50) { scx_bpf_error("enough"); for (;;) count++; }'
    plan = mixed_plan()
    result = run(simulator, going_on(plan), faulty(RUNNING=endless), 2)
    assert result == run(simulator, plan, faulty(RUNNING=endless), 2)
    assert result.end.message == "scx_bpf_error: enough"


def test_the_policy_takes_its_leave(simulator: WasmSimulator) -> None:
    """Every task leaves it before ops.exit() is told why: a trap there would end the second run."""
    wrong = WRONG["by-itself"]
    told = "if (left != 20 || info->kind != 1025) for (;;) count++"
    result = run(simulator, going_on(mixed_plan()), faulty(**wrong, EXIT=told), 2)
    assert result.ejected_ns > 0
    assert run(simulator, going_on(mixed_plan()), faulty(**wrong, EXIT="for (;;) count++"), 2).ejected_ns == -1


@pytest.mark.parametrize("realtime", [False, True])
def test_a_partial_policy_leaves_its_tasks_to_the_others(simulator: WasmSimulator, *, realtime: bool) -> None:
    plan = mixed_plan(end_ns=600 * MS)
    tasks = [replace(task, ext=bool(number % 2)) for number, task in enumerate(plan.tasks)]
    if realtime:
        tasks[4] = replace(tasks[4], realtime=True, cpuset=0, ext=False)
    plan = replace(plan, tasks=tuple(tasks), cpusets=((0,),))
    scheduler = faulty("SCX_OPS_SWITCH_PARTIAL", **WRONG["by-itself"])
    result = run(simulator, going_on(plan), scheduler, 3, trace=True)
    assert result.end.message == "scx_bpf_error: enough", result.end
    assert 0 < result.ejected_ns < result.end_ns == 600 * MS
    assert all(task.cpu_ns > 10 * MS for task in result.tasks)
    sound(result)


def test_a_cpu_that_goes_offline_ejects_and_everybody_goes_on(simulator: WasmSimulator) -> None:
    plan = replace(mixed_plan(), offline_cpu=1, offline_ns=50 * MS, online_ns=90 * MS)
    result = run(simulator, going_on(plan), faulty(), 2)
    assert (result.end.kind, result.ejected_ns, result.end_ns) == (66, 50 * MS, 500 * MS)
    sound(result)
    assert 400 * MS < result.cpus[1].busy_ns <= 460 * MS
