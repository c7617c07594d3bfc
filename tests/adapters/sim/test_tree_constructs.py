"""What the schedulers of the kernel's tools/sched_ext use, and few others: they run with the library's scx headers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import FrequencyRamp, flat_machine
from schedops.model.simulation import SimEnd, SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run

# Five queues in a map of maps, a table that the loader would resize, and one CPU that is told of what comes.
SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
struct line { __uint(type, BPF_MAP_TYPE_QUEUE); __uint(max_entries, 64); __type(value, u32); }
	first SEC(".maps"), second SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, int);
	__array(values, struct line);
} lines SEC(".maps") = { .values = { [0] = &first, [1] = &second } };
const volatile u32 nr_cpu_ids = 2;
u64 RESIZABLE_ARRAY(data, turns);
struct { u64 four[4]; } table;
u32 kicks;
s32 BPF_STRUCT_OPS(t_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags) { return 0; }
void BPF_STRUCT_OPS(t_enqueue, struct task_struct *p, u64 enq_flags)
{
	u32 pid = p->pid;
	int which = pid & 1;
	void *line = bpf_map_lookup_elem(&lines, &which);

	if (!line || bpf_map_push_elem(line, &pid, 0))
		scx_bpf_error("no line");
	if (!scx_bpf_task_running(p))
		scx_bpf_kick_cpu(0, SCX_KICK_PREEMPT);
}
void BPF_STRUCT_OPS(t_dispatch, s32 cpu, struct task_struct *prev)
{
	u64 *turn = ARRAY_ELEM_PTR(turns, cpu, nr_cpu_ids), *four = MEMBER_VPTR(table, .four[cpu]);
	int which = turn ? ++*turn & 1 : 0;
	struct task_struct *p;
	void *line;
	u32 pid;

	if (!four || ARRAY_ELEM_PTR(turns, nr_cpu_ids, nr_cpu_ids) || MEMBER_VPTR(table, .four[4 + which]))
		scx_bpf_error("bounds");
	for (int i = 0; i < 2; i++, which ^= 1) {
		line = bpf_map_lookup_elem(&lines, &which);
		if (!line || bpf_map_pop_elem(line, &pid) || !(p = bpf_task_from_pid(pid)))
			continue;
		scx_bpf_dsq_insert(p, SCX_DSQ_LOCAL, SCX_SLICE_DFL, 0);
		bpf_task_release(p);
		return;
	}
	if (cpu)
		scx_bpf_kick_cpu(0, SCX_KICK_IDLE);
}
void BPF_STRUCT_OPS(t_tick, struct task_struct *p) { TICK; }
s32 BPF_STRUCT_OPS(t_init_task, struct task_struct *p, struct scx_init_task_args *args) { INIT_TASK; return 0; }
SCX_OPS_DEFINE(t_ops, .select_cpu = (void *)t_select_cpu, .enqueue = (void *)t_enqueue, .dispatch = (void *)t_dispatch,
	.tick = (void *)t_tick, .init_task = (void *)t_init_task, .timeout_ms = 2000, .name = "tree");
"""


def end_of(simulator: WasmSimulator, tick: str = "", init_task: str = "", *, ramp: bool = False) -> SimEnd:
    text = SOURCE.replace("INIT_TASK;", f"{init_task};").replace("TICK;", f"{tick};")
    machine = flat_machine(2)
    if ramp:
        machine = replace(machine, frequency=FrequencyRamp(floor=400, ramp_ns=20 * MS, decay_ns=50 * MS))
    return run(simulator, mixed_plan(end_ns=500 * MS), policy(text), machine).end


def test_maps_in_maps_checked_pointers_and_tables_to_resize(simulator: WasmSimulator) -> None:
    assert end_of(simulator) == SimEnd(verdict=SimVerdict.DONE)


@pytest.mark.parametrize("ramp", [False, True])
def test_a_frequency_is_set_where_nothing_comes_of_it(simulator: WasmSimulator, ramp: bool) -> None:
    end = end_of(simulator, "scx_bpf_cpuperf_set(0, scx_bpf_cpuperf_cur(0) / 2)", ramp=ramp)
    assert end.verdict == (SimVerdict.UNSUPPORTED if ramp else SimVerdict.DONE)
    assert ("scx_bpf_cpuperf_set" in end.message) == ramp


def test_a_frequency_that_is_none(simulator: WasmSimulator) -> None:
    end = end_of(simulator, "scx_bpf_cpuperf_set(1, 1025)")
    assert (end.verdict, end.message) == (
        SimVerdict.EJECTED,
        "runtime error: Invalid cpuperf target 1025 for CPU 1",
    )


def test_tasks_that_are_left_to_others_are_not_simulated(simulator: WasmSimulator) -> None:
    end = end_of(simulator, init_task="p->scx.disallow = p->pid == 1003")
    assert end.verdict == SimVerdict.UNSUPPORTED
    assert "p->scx.disallow" in end.message
