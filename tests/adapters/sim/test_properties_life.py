"""What holds for every run in which CPUs go and come, the policy has some tasks only, or is ejected on the way."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine
from schedops.model.simulation import SimPlan, SimResult, SimVerdict, TraceKind
from schedops.ports import SimScheduler
from tests.adapters.sim.conftest import MS, policy
from tests.adapters.sim.test_properties import changes_cpus, check_run, machines, plans, records

SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
const volatile u32 fails_at = 0;
const volatile u32 how = 0;
static u32 count;
static void perhaps(struct task_struct *p)
{
	if (++count != fails_at)
		return;
	if (how == 0)
		scx_bpf_error("so be it");
	else if (how == 1)
		scx_bpf_kick_cpu(-1, 0);
	else
		scx_bpf_dsq_move_to_local(99);
}
void BPF_STRUCT_OPS(l_enqueue, struct task_struct *p, u64 flags)
{
	perhaps(p);
	WHERE;
}
void BPF_STRUCT_OPS(l_dispatch, s32 cpu, struct task_struct *prev)
{
	perhaps(prev);
	scx_bpf_dsq_move_to_local(7);
}
void BPF_STRUCT_OPS(l_running, struct task_struct *p) { perhaps(p); }
void BPF_STRUCT_OPS(l_stopping, struct task_struct *p, bool runnable) { perhaps(p); }
void BPF_STRUCT_OPS(l_dequeue, struct task_struct *p, u64 flags) { perhaps(p); }
void BPF_STRUCT_OPS(l_cpu_online, s32 cpu) { }
void BPF_STRUCT_OPS(l_cpu_offline, s32 cpu) { }
s32 BPF_STRUCT_OPS_SLEEPABLE(l_init) { return scx_bpf_create_dsq(7, -1); }
SCX_OPS_DEFINE(l_ops, .enqueue = (void *)l_enqueue, .dispatch = (void *)l_dispatch, .running = (void *)l_running,
	.stopping = (void *)l_stopping, .dequeue = (void *)l_dequeue, .cpu_online = (void *)l_cpu_online,
	.cpu_offline = (void *)l_cpu_offline, .init = (void *)l_init, .flags = FLAGS, .name = "life");
"""
PLACES = {
    "fifo": "scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, flags)",
    "vtime": "scx_bpf_dsq_insert_vtime(p, 7, 3000000, p->scx.dsq_vtime, flags)",
    "local": "scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, flags)",
    "global": "scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, flags)",
}
BUILT_IN = tuple(SimScheduler(name=name) for name in ("fifo", "random", "eevdf"))


def life(place: str, flags: int = 0, *, custody: bool, fails_at: int = 0, how: int = 0) -> SimScheduler:
    text = SOURCE.replace("WHERE", PLACES[place]).replace("FLAGS", str(flags))
    return replace(policy(text, ("fails_at", fails_at), ("how", how)), custody=custody)


def policies(flags: int = 0) -> st.SearchStrategy[SimScheduler]:
    return st.builds(
        lambda place, custody: life(place, flags, custody=custody), st.sampled_from(sorted(PLACES)), st.booleans()
    )


@st.composite
def both_classes(draw: st.DrawFn, cpus: int) -> SimPlan:
    """Some ask for SCHED_EXT."""
    plan = draw(plans(cpus))
    asks = draw(st.integers(0, 2 ** len(plan.tasks) - 1))
    tasks = tuple(replace(task, ext=bool(asks >> number & 1)) for number, task in enumerate(plan.tasks))
    return replace(plan, tasks=tasks)


@st.composite
def absences(draw: st.DrawFn, plan: SimPlan, cpus: int) -> SimPlan:
    goes = draw(st.integers(1, 15 * MS))
    comes = draw(st.one_of(st.just(0), st.integers(goes + 1, goes + 20 * MS)))
    return replace(plan, offline_cpu=draw(st.integers(0, cpus - 1)), offline_ns=goes, online_ns=comes)


def check_absence(plan: SimPlan, result: SimResult) -> None:
    """Nobody runs there meanwhile, and who is bound leaves its CPUs only when it has to."""
    until = plan.online_ns or result.end_ns + 1
    on = None
    for time, _, task, cpu, kind in records(result):
        if kind == TraceKind.RUN and cpu == plan.offline_cpu:
            assert not plan.offline_ns < time < until
            on = (task, time)
        elif kind == TraceKind.STOP and on is not None and task == on[0]:
            assert not (on[1] < plan.offline_ns < time)
            on = None
        elif kind == TraceKind.RUN and plan.tasks[task].cpuset == 1 and not changes_cpus(plan, plan.tasks[task]):
            assert cpu in plan.cpusets[1] or set(plan.cpusets[1]) == {plan.offline_cpu}
        elif kind == TraceKind.RUN and plan.tasks[task].cpuset == 0 and not changes_cpus(plan, plan.tasks[task]):
            assert cpu == 0 or (plan.offline_cpu == 0 and time >= plan.offline_ns)


@settings(max_examples=40)
@given(
    data=st.data(),
    machine=machines().filter(lambda one: len(one.cpus) > 1),
    scheduler=st.one_of(st.sampled_from(BUILT_IN), policies(), policies(8)),
)
def test_a_cpu_that_goes_and_comes(
    simulator: WasmSimulator, data: st.DataObject, machine: Machine, scheduler: SimScheduler
) -> None:
    plan = data.draw(absences(data.draw(both_classes(len(machine.cpus))), len(machine.cpus)))
    result = simulator.run(plan, machine, scheduler, trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    check_run(plan, result)
    check_absence(plan, result)
    assert simulator.run(plan, machine, scheduler, trace=True) == result


@settings(max_examples=40)
@given(data=st.data(), machine=machines(), scheduler=policies(8))
def test_tasks_of_two_classes(
    simulator: WasmSimulator, data: st.DataObject, machine: Machine, scheduler: SimScheduler
) -> None:
    plan = data.draw(both_classes(len(machine.cpus)))
    result = simulator.run(plan, machine, scheduler, trace=True)
    assert result.end.verdict == SimVerdict.DONE, result.end
    check_run(plan, result)
    check_order(plan, result)
    assert simulator.run(plan, machine, scheduler, trace=False).tasks == result.tasks


def check_order(plan: SimPlan, result: SimResult) -> None:
    """A task of the policy's never takes a CPU from a fair one that could go on."""
    stopped: dict[int, int] = {}  # CPU -> who could have gone on, until somebody runs there
    for _, more, task, cpu, kind in records(result):
        if kind == TraceKind.STOP and more and not plan.tasks[task].ext:
            stopped[cpu] = task
        elif kind == TraceKind.RUN:
            fair = stopped.pop(cpu, None)
            # Unless the balancer took it elsewhere at that moment.
            assert fair is None or not plan.tasks[task].ext or result.tasks[fair].migrations != (0, 0, 0)


@settings(max_examples=40)
@given(
    data=st.data(),
    machine=machines(),
    place=st.sampled_from(sorted(PLACES)),
    flags=st.sampled_from((0, 8)),
    fails_at=st.integers(1, 60),
    how=st.integers(0, 2),
)
def test_an_ejection_on_the_way(
    simulator: WasmSimulator,
    data: st.DataObject,
    machine: Machine,
    place: str,
    flags: int,
    fails_at: int,
    how: int,
) -> None:
    plan = replace(data.draw(both_classes(len(machine.cpus))), go_on=True)
    if len(machine.cpus) > 1 and data.draw(st.booleans()):
        plan = data.draw(absences(plan, len(machine.cpus)))
    scheduler = life(place, flags, custody=data.draw(st.booleans()), fails_at=fails_at, how=how)
    result = simulator.run(plan, machine, scheduler, trace=True)
    assert result.end.verdict in (SimVerdict.DONE, SimVerdict.EJECTED), result.end
    assert (result.ejected_ns >= 0) == (result.end.verdict == SimVerdict.EJECTED)
    check_run(plan, result)
    short = simulator.run(replace(plan, go_on=False), machine, scheduler, trace=True)
    assert short.end == result.end
    assert result.trace.startswith(short.trace[: len(short.trace) - 24 * 50])
    assert simulator.run(plan, machine, scheduler, trace=True) == result
