"""Rules of kernel/sched/ext.c and ext_idle.c (Linux 6.18), each seen by a policy that says what it saw."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine, SimCpu
from schedops.model.simulation import Op, SimEnd, SimPlan, SimTask, SimVerdict
from tests.adapters.sim.conftest import MS, mixed_plan, policy, run, step

PLACES = ("INIT_TASK", "INIT", "SELECT_CPU", "ENQUEUE", "DISPATCH", "RUNNING", "TICK", "IDLE", "EXIT_TASK", "EXIT")
SOURCE = """
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
#define SAY(format, args...) scx_bpf_error(format, ##args)
struct held { struct bpf_timer timer; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, u32); __type(value, struct held); }
	timers SEC(".maps");
static u32 count, seen;
static int rings(void *map, u32 *key, struct held *held)
{
	struct task_struct *p = bpf_get_current_task_btf();
	SAY("%d %s %d %d", p->pid, p->comm, p->flags & 2, scx_bpf_task_running(p));
	return 0;
}
s32 BPF_STRUCT_OPS(r_select_cpu, struct task_struct *p, s32 prev_cpu, u64 flags) { SELECT_CPU; return prev_cpu; }
void BPF_STRUCT_OPS(r_enqueue, struct task_struct *p, u64 flags) { ENQUEUE; scx_bpf_dsq_insert(p, 7, 3000000, 0); }
void BPF_STRUCT_OPS(r_dispatch, s32 cpu, struct task_struct *prev) { DISPATCH; scx_bpf_dsq_move_to_local(7); }
void BPF_STRUCT_OPS(r_running, struct task_struct *p) { RUNNING; }
void BPF_STRUCT_OPS(r_tick, struct task_struct *p) { TICK; }
void BPF_STRUCT_OPS(r_update_idle, s32 cpu, bool idle) { IDLE; }
s32 BPF_STRUCT_OPS_SLEEPABLE(r_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	INIT_TASK;
	return 0;
}
void BPF_STRUCT_OPS(r_exit_task, struct task_struct *p, struct scx_exit_task_args *args) { EXIT_TASK; }
s32 BPF_STRUCT_OPS_SLEEPABLE(r_init) { u32 key = 0; INIT; return scx_bpf_create_dsq(7, -1); }
void BPF_STRUCT_OPS(r_exit, struct scx_exit_info *info) { EXIT; }
SCX_OPS_DEFINE(r_ops, .select_cpu = (void *)r_select_cpu, .enqueue = (void *)r_enqueue,
	.dispatch = (void *)r_dispatch, .running = (void *)r_running, .tick = (void *)r_tick,
	.init_task = (void *)r_init_task, .exit_task = (void *)r_exit_task, .init = (void *)r_init,
	.exit = (void *)r_exit, UPDATE_IDLE .flags = FLAGS, .name = "rules");
"""
TOLD = ".update_idle = (void *)r_update_idle,"
KEEP = "SCX_OPS_KEEP_BUILTIN_IDLE"
PER_NODE = "SCX_OPS_BUILTIN_IDLE_PER_NODE"
NODES = Machine(name="nodes", cpus=tuple(SimCpu(core=n, llc=n // 2, node=n // 2) for n in range(4)))
ONE = (step(Op.RUN, 100), step(Op.SLEEP, 100), step(Op.RUN, 100))


def source(flags: str = "0", **code: str) -> str:
    text = SOURCE.replace("UPDATE_IDLE", TOLD if "IDLE" in code else "").replace("FLAGS", flags)
    for name in PLACES:
        text = text.replace(f" {name};", f" {code.get(name, '')};").replace(f"\t{name};", f"\t{code.get(name, '')};")
    return text


def end_of(simulator: WasmSimulator, plan: SimPlan, cpus: int | Machine, flags: str = "0", **code: str) -> SimEnd:
    return run(simulator, plan, policy(source(flags, **code)), cpus).end


def said(simulator: WasmSimulator, plan: SimPlan, cpus: int | Machine = 3, flags: str = "0", **code: str) -> str:
    end = end_of(simulator, plan, cpus, flags, **code)
    assert end.verdict == SimVerdict.EJECTED, end
    return end.message.partition(": ")[2]


def alone(*names: str, cpuset: int = -1) -> SimPlan:
    tasks = tuple(SimTask(name=name, program=0, cpuset=cpuset) for name in names)
    return SimPlan(seed=1, programs=(ONE,), tasks=tasks, cpusets=() if cpuset < 0 else ((1,),), end_ns=50 * MS)


@pytest.mark.parametrize(("number", "flags"), [(0, "0"), (1, "1")])
def test_a_new_task_comes_without_cpu_selected(simulator: WasmSimulator, number: int, flags: str) -> None:
    """wake_up_new_task() does not pass on what select_task_rq() noted, try_to_wake_up() does."""
    code = f'if (count++ == {number}) SAY("%d", !!(flags & SCX_ENQ_CPU_SELECTED))'
    assert said(simulator, alone("one"), ENQUEUE=code) == flags


def test_preempt_goes_to_the_front_of_a_queue(simulator: WasmSimulator) -> None:
    """dispatch_enqueue(): SCX_ENQ_PREEMPT is as good as SCX_ENQ_HEAD."""
    code = (
        "if (count++ < 6) { scx_bpf_dsq_insert(p, 7, 1, count == 6 ? SCX_ENQ_PREEMPT : 0);"
        "seen = count; return; } if (seen == 6) { struct task_struct *q;"
        'bpf_for_each(scx_dsq, q, 7, 0) SAY("%d", q->pid); }'
    )
    assert said(simulator, mixed_plan(end_ns=20 * MS), 1, ENQUEUE=code) == "1005"


def test_cpu_masks(simulator: WasmSimulator) -> None:
    """lib/cpumask.c through kernel/bpf/cpumask.c; what is not found is the number of CPUs."""
    code = (
        "struct bpf_cpumask *a = bpf_cpumask_create(), *b = bpf_cpumask_create(); if (!a || !b) return -12;"
        "const struct cpumask *ca = (void *)a, *cb = (void *)b; bpf_cpumask_setall(a); u32 full = bpf_cpumask_full(ca);"
        "u32 was = bpf_cpumask_test_and_clear_cpu(1, a), is = bpf_cpumask_test_and_set_cpu(1, b);"
        "u32 zero = bpf_cpumask_first_zero(ca), both = bpf_cpumask_first_and(ca, cb);"
        "u32 one = bpf_cpumask_any_distribute(ca), two = bpf_cpumask_any_distribute(ca);"
        "u32 none = bpf_cpumask_any_and_distribute(ca, cb); bpf_cpumask_xor(a, ca, cb);"
        'SAY("%d%d%d %d %d %d%d %d %d", full, was, is, zero, both, one, two, none,'
        " bpf_cpumask_equal(ca, cb) * 2 + bpf_cpumask_full(ca))"
    )
    assert said(simulator, alone("one"), INIT=code) == "110 1 3 02 3 1"


def test_constants_of_the_headers_are_filled_in(simulator: WasmSimulator) -> None:
    """As SCX_ENUM_INIT() does from the kernel's BTF: SCX_ENQ_HEAD is a variable, SCX_ENQ_IMMED is not in 6.18."""
    code = 'SAY("%llx %llx", SCX_ENQ_HEAD, SCX_ENQ_IMMED)'
    assert said(simulator, alone("one"), ENQUEUE=code) == "10 0"


def test_an_idle_cpu_runs_its_idle_task(simulator: WasmSimulator) -> None:
    start = (
        "struct held *held = bpf_map_lookup_elem(&timers, &key); if (!held || bpf_timer_init(&held->timer, &timers, 1)"
        " || bpf_timer_set_callback(&held->timer, rings)) return -1; bpf_timer_start(&held->timer, 700000, 0)"
    )
    sleeper = (step(Op.RUN, 100), step(Op.SLEEP, 5 * MS), step(Op.RUN, 100))
    plan = SimPlan(seed=1, programs=(sleeper,), tasks=(SimTask(name="one", program=0),))
    assert said(simulator, plan, INIT=start) == "0 swapper/0 2 1"


CURRENT = {
    "running": ("RUNNING", 'if (p->pid == 1001) SAY("%s", bpf_get_current_task_btf()->comm)', "one"),
    "cpu-curr": ("RUNNING", 'if (p->pid == 1001) SAY("%s", scx_bpf_cpu_curr(0)->comm)', "one"),
    "from-idle": ("RUNNING", 'SAY("%s", bpf_get_current_task_btf()->comm)', "swapper/0"),
    "of-no-cpu": ("RUNNING", "scx_bpf_cpu_curr(64)", "invalid CPU 64"),
    "disabled": ("RUNNING", 'if (p->pid == 1001) SAY("%d", p->migration_disabled)', "0"),
    "queued": ("ENQUEUE", 'SAY("%d", p->migration_disabled)', "0"),
    "blocks": (
        "DISPATCH",
        'if (prev && !(prev->scx.flags & SCX_TASK_QUEUED)) SAY("%d %s", prev->migration_disabled, prev->comm)',
        "1 one",
    ),
}


@pytest.mark.parametrize("what", CURRENT)
def test_the_current_task(simulator: WasmSimulator, what: str) -> None:
    """rq->curr is the old task until the switch is done; its migration is disabled while a program runs."""
    place, code, words = CURRENT[what]
    assert said(simulator, alone("one", "two"), 1, **{place: code}) == words


WORDS = [
    ("INIT", "return 5", "ops.init() returned an invalid errno 5", "0"),
    ("DISPATCH", "scx_bpf_dsq_nr_queued(SCX_DSQ_LOCAL_ON | 64)", "invalid CPU 64", "0"),
    ("DISPATCH", "scx_bpf_dsq_peek(SCX_DSQ_LOCAL)", "peek disallowed on builtin DSQ 0x8000000000000002", "0"),
    ("RUNNING", "scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 0, 0)", "per-node idle tracking is disabled", "0"),
    ("RUNNING", "scx_bpf_pick_idle_cpu(p->cpus_ptr, 0)", "per-node idle tracking is enabled", PER_NODE),
    ("RUNNING", "scx_bpf_pick_any_cpu(p->cpus_ptr, 0)", "per-node idle tracking is enabled", PER_NODE),
    ("RUNNING", "scx_bpf_get_idle_cpumask()", "SCX_OPS_BUILTIN_IDLE_PER_NODE enabled", PER_NODE),
    ("RUNNING", "scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 9, 0)", "invalid node 9", PER_NODE),
    (
        "IDLE",
        "scx_bpf_pick_idle_cpu(0, 0)",
        "SCX_OPS_BUILTIN_IDLE_PER_NODE requires CPU idle selection enabled",
        PER_NODE,
    ),
    (
        "IDLE",
        "bpf_get_smp_processor_id(); scx_bpf_test_and_clear_cpu_idle(0)",
        "built-in idle tracking is disabled",
        "0",
    ),
    (
        "RUNNING",
        (
            "struct task_struct *q; bpf_for_each(scx_dsq, q, 7, 0)"
            " scx_bpf_dsq_move(BPF_FOR_EACH_ITER, q, SCX_DSQ_LOCAL, 0)"
        ),
        "kfunc with mask 0x2 called from an operation only allowing 0x10",
        "0",
    ),
]


@pytest.mark.parametrize(("place", "code", "words", "flags"), WORDS, ids=[f"{row[0]}-{row[1][:30]}" for row in WORDS])
def test_the_kernels_words(simulator: WasmSimulator, place: str, code: str, words: str, flags: str) -> None:
    assert said(simulator, mixed_plan(end_ns=20 * MS), NODES, flags, **{place: code}) == words


def test_a_fork_fails_where_init_task_does(simulator: WasmSimulator) -> None:
    """scx_fork(): the kernel does not eject the policy for it, but the task never comes."""
    end = end_of(simulator, alone("one"), 1, INIT_TASK="return -12")
    assert (end.verdict, end.message) == (SimVerdict.FAULT, "one[1000] cannot be forked: ops.init_task() failed (-12)")


def test_the_idle_mask_changes_before_the_policy_is_told(simulator: WasmSimulator) -> None:
    """__scx_update_idle(), 6.15 and later."""
    code = (
        "const struct cpumask *m = scx_bpf_get_idle_cpumask(); if (bpf_cpumask_test_cpu(cpu, m) != idle)"
        ' SAY("late"); scx_bpf_put_cpumask(m)'
    )
    assert end_of(simulator, mixed_plan(end_ns=20 * MS), 3, KEEP, IDLE=code).verdict == SimVerdict.DONE


def test_any_cpu_needs_no_idle_tracking(simulator: WasmSimulator) -> None:
    code = 'if (scx_bpf_pick_any_cpu(p->cpus_ptr, 0) < 0) SAY("none")'
    assert end_of(simulator, mixed_plan(end_ns=20 * MS), 3, ENQUEUE=code, IDLE="").verdict == SimVerdict.DONE


def test_idle_cpus_are_looked_for_in_the_node_first(simulator: WasmSimulator) -> None:
    """scx_pick_idle_cpu() with SCX_OPS_BUILTIN_IDLE_PER_NODE: then in the others, unless it is to stay."""
    code = (
        "s32 a = scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 1, 0), b = scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 1, 0),"
        " c = scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 1, SCX_PICK_IDLE_IN_NODE),"
        ' d = scx_bpf_pick_idle_cpu_node(p->cpus_ptr, 1, 0); SAY("%d %d %d %d", a / 2, b / 2, c, d / 2)'
    )
    assert said(simulator, alone("one"), NODES, PER_NODE, INIT_TASK=code) == "1 1 -16 0"


def test_a_task_of_one_cpu_gets_that_or_none(simulator: WasmSimulator) -> None:
    """select_cpu_from_kfunc(): no search for tasks that may use one CPU."""
    code = (
        "bool idle = true; s32 a = scx_bpf_select_cpu_dfl(p, 1, 0, &idle);"
        'SAY("%d %d %d", a, idle, scx_bpf_select_cpu_and(p, 0, 0, p->cpus_ptr, 0))'
    )
    assert said(simulator, alone("one", cpuset=0), ENQUEUE=code) == "1 1 -16"


def test_each_node_has_a_global_queue(simulator: WasmSimulator) -> None:
    """find_global_dsq(): tasks that never leave CPU 0's node are run by that node alone."""
    plan = mixed_plan(end_ns=100 * MS)
    code = (
        "for (int i = 0; i < 4; i++) scx_bpf_kick_cpu(i, SCX_KICK_IDLE);"
        "scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, 3000000, 0); return"
    )
    result = run(simulator, plan, policy(source(ENQUEUE=code)), NODES)
    assert result.end.verdict == SimVerdict.DONE
    assert [cpu.busy_ns > 0 for cpu in result.cpus] == [True, True, False, False]


def test_a_cpu_that_kicks_itself_kicks_whom_it_goes_to(simulator: WasmSimulator) -> None:
    """irq_work runs after the switch: the next task is the one without a slice, and ops.dispatch() is called anew."""
    code = (
        "if (prev && !count++) scx_bpf_kick_cpu(cpu, SCX_KICK_PREEMPT);"
        'else if (prev) SAY("%s %llu", prev->comm, prev->scx.slice)'
    )
    plan = SimPlan(
        seed=1,
        programs=((step(Op.RUN, 30 * MS),),),
        tasks=tuple(SimTask(name=name, program=0) for name in ("one", "two", "three")),
        end_ns=50 * MS,
    )
    assert said(simulator, plan, 1, DISPATCH=code) == "two 0"


def test_a_cpu_that_may_not_be_used_is_replaced(simulator: WasmSimulator) -> None:
    """select_fallback_rq(): by the first one of the node where the task was."""
    code = 'if (count++ == 1) SAY("%d", scx_bpf_task_cpu(p))'
    tasks = (SimTask(name="one", program=0, cpuset=0),)
    plan = SimPlan(seed=1, programs=(ONE,), tasks=tasks, cpusets=((2, 3),), end_ns=50 * MS)
    assert said(simulator, plan, NODES, SELECT_CPU="prev_cpu = 1", ENQUEUE=code) == "2"


def test_a_cpu_goes_offline(simulator: WasmSimulator) -> None:
    """handle_hotplug(): without the callback the policy has to be loaded anew."""
    plan = replace(mixed_plan(end_ns=20 * MS), offline_ns=5 * MS, offline_cpu=1)
    end = end_of(simulator, plan, 3)
    assert (end.verdict, end.kind) == (SimVerdict.EJECTED, 66)
    assert end.message.endswith("cpu 1 going offline, exiting scheduler")


def test_waiting_for_a_kicked_cpu_takes_no_time(simulator: WasmSimulator) -> None:
    code = "if (flags & SCX_ENQ_WAKEUP) scx_bpf_kick_cpu(0, SCX_KICK_PREEMPT | SCX_KICK_WAIT)"
    assert end_of(simulator, mixed_plan(end_ns=20 * MS), 3, ENQUEUE=code).verdict == SimVerdict.DONE


LEFT = {
    "why": ("EXIT", "if (info->kind == 64 && info->exit_code == 0) __builtin_trap()", True),
    "reason": ("EXIT", 'if (!bpf_strncmp(info->reason, 15, "unregistered fr")) __builtin_trap()', True),
    "tasks": ("EXIT_TASK", "if (++count == 20) __builtin_trap()", True),
    "each-once": ("EXIT_TASK", "if (++count == 21) __builtin_trap()", False),
    "too-late": ("EXIT", 'SAY("nobody hears this")', False),
}


@pytest.mark.parametrize("what", LEFT)
def test_the_policy_is_unloaded_at_the_end(simulator: WasmSimulator, what: str) -> None:
    """scx_disable_workfn(): every task that is there leaves it, then ops.exit() is told why."""
    place, code, traps = LEFT[what]
    end = end_of(simulator, mixed_plan(end_ns=20 * MS), 3, **{place: code})
    assert end.verdict == (SimVerdict.FAULT if traps else SimVerdict.DONE), end


def test_an_ejected_policy_stays_ejected(simulator: WasmSimulator) -> None:
    code = 'if (info->kind == 1024 && !bpf_strncmp(info->msg, 14, "invalid CPU 64")) for (;;) count++'
    end = end_of(simulator, mixed_plan(end_ns=20 * MS), 3, RUNNING="scx_bpf_kick_cpu(64, 0)", EXIT=code)
    assert (end.verdict, end.message) == (SimVerdict.EJECTED, "runtime error: invalid CPU 64")
