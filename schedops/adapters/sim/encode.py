"""A plan and a machine as the words that the engine reads, in the order of ``schedops/sim/engine/setup.c``."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from schedops.errors import InputError
from schedops.model.machine import FULL_CAPACITY, MAX_CPUS, Machine
from schedops.model.simulation import Op, SimPlan, SimTask, SyncKind

_MASK_WORDS = MAX_CPUS // 64
_MAX_QUEUE = 65536
_SYNC_OF = {
    Op.WAIT: SyncKind.SEMAPHORE,
    Op.POST: SyncKind.SEMAPHORE,
    Op.LOCK: SyncKind.LOCK,
    Op.UNLOCK: SyncKind.LOCK,
    Op.BARRIER: SyncKind.BARRIER,
    Op.SEND: SyncKind.QUEUE,
    Op.RECV: SyncKind.QUEUE,
    Op.SUSPEND: SyncKind.EVENT,
    Op.SIGNAL: SyncKind.EVENT,
}
_LIMIT_NS = 1 << 50  # 13 days; work is kept in ns * 1024


def encode(plan: SimPlan, machine: Machine) -> bytes:
    """All of it, checked: the engine trusts every index.

    :raises InputError: ``sim-plan``: the plan or the machine is not whole, with the place.
    """
    _check_machine(machine)
    check_plan(plan, len(machine.cpus))
    words = array("q", (_signed(plan.seed), plan.end_ns))
    words.extend((plan.offline_ns, plan.offline_cpu, plan.online_ns, int(plan.go_on)))
    words.extend(_machine_words(machine))
    words.extend(plan_words(plan))
    for task in plan.tasks:
        words.extend(_task_words(task))
    return words.tobytes()


def plan_words(plan: SimPlan) -> array[int]:
    """What its tasks need: the micro-VM's player reads the same words (``schedops/guest/player_plan.c``)."""
    words = array("q", (len(plan.labels), len(plan.tasks), len(plan.cgroups)))
    for cgroup in plan.cgroups:
        words.extend((cgroup.parent, cgroup.weight))
    words.append(len(plan.tables))
    for table in plan.tables:
        words.extend((len(table), *table))
    words.append(len(plan.cpusets))
    for cpuset in plan.cpusets:
        words.extend(_mask(cpuset))
    words.append(len(plan.syncs))
    for sync in plan.syncs:
        words.extend((sync.kind, sync.value))
    words.append(len(plan.programs))
    for program in plan.programs:
        words.append(len(program))
        for instruction in program:
            words.extend(instruction)
    return words


def _machine_words(machine: Machine) -> Iterable[int]:
    ramp = machine.frequency
    yield machine.tick_ns
    yield machine.switch_ns
    yield from (machine.migrate_llc_ns, machine.migrate_across_llc_ns, machine.migrate_across_node_ns)
    yield machine.smt_capacity
    yield from (ramp.floor, ramp.ramp_ns, ramp.decay_ns) if ramp else (FULL_CAPACITY, 0, 0)
    yield len(machine.idle_states)
    for state in machine.idle_states:
        yield from (state.after_ns, state.exit_ns)
    yield len(machine.cpus)
    for cpu in machine.cpus:
        yield from (cpu.core, cpu.llc, cpu.node, cpu.capacity)


def _task_words(task: SimTask) -> Iterable[int]:
    comm = task.name.encode("utf-8", "replace")[:15].ljust(16, b"\0")
    return (
        task.program,
        task.label,
        task.cgroup,
        task.nice,
        task.cpuset,
        task.arrival_ns,
        task.hint_ns,
        int(task.realtime),
        int(task.kernel),
        int(task.ext),
        int.from_bytes(comm[:8], "little", signed=True),
        int.from_bytes(comm[8:], "little", signed=True),
    )


def _mask(cpus: Iterable[int]) -> list[int]:
    bits = 0
    for cpu in cpus:
        bits |= 1 << cpu
    return [_signed(bits >> 64 * word) for word in range(_MASK_WORDS)]


def _signed(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


def _need(holds: bool, text: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise InputError("sim-plan", text, hint="the model of the workload or the machine file is not whole")


def _check_machine(machine: Machine) -> None:
    cpus = machine.cpus
    _need(0 < len(cpus) <= MAX_CPUS, f"{len(cpus)} CPUs: 1 .. {MAX_CPUS} can be simulated")
    _need(machine.tick_ns >= 1000, f"a tick of {machine.tick_ns} ns: at least 1000")
    _need(0 < machine.smt_capacity <= FULL_CAPACITY, f"smt_capacity {machine.smt_capacity}: 1 .. 1024")
    _need(len(machine.idle_states) <= 4, "more than four idle states")
    for number, cpu in enumerate(cpus):
        _need(0 < cpu.capacity <= FULL_CAPACITY, f"CPU {number}: capacity {cpu.capacity}: 1 .. 1024")
        _need(0 <= cpu.llc < MAX_CPUS and 0 <= cpu.node < MAX_CPUS, f"CPU {number}: llc and node: 0 .. {MAX_CPUS - 1}")
    if ramp := machine.frequency:
        _need(0 < ramp.floor <= FULL_CAPACITY, f"frequency floor {ramp.floor}: 1 .. 1024")
        _need(ramp.ramp_ns > 0 and ramp.decay_ns > 0, "ramp_ns and decay_ns are above 0")


def check_plan(plan: SimPlan, cpus: int) -> None:
    """:raises InputError: ``sim-plan``: it is not whole, or names a CPU that a machine with *cpus* does not have."""
    _need(0 < len(plan.tasks) < 1 << 20, f"{len(plan.tasks)} tasks: 1 .. {(1 << 20) - 1} can be simulated")
    _need(0 <= plan.end_ns < _LIMIT_NS, f"end_ns {plan.end_ns}")
    _check_hotplug(plan, cpus)
    _need(bool(plan.labels), "no labels")
    _check_cgroups(plan)
    for number, table in enumerate(plan.tables):
        _need(
            bool(table) and all(0 <= value < _LIMIT_NS for value in table), f"table {number} is empty or out of range"
        )
    for number, cpuset in enumerate(plan.cpusets):
        _need(bool(cpuset) and all(0 <= cpu < cpus for cpu in cpuset), f"cpuset {number} of a machine with {cpus} CPUs")
    for number, sync in enumerate(plan.syncs):
        least = 1 if sync.kind in (SyncKind.BARRIER, SyncKind.QUEUE) else 0
        _need(least <= sync.value <= _MAX_QUEUE, f"sync {number}: value {sync.value}")
    for number, task in enumerate(plan.tasks):
        _check_task(plan, number, task)
    for number in range(len(plan.programs)):
        _check_program(plan, number)


def _check_hotplug(plan: SimPlan, cpus: int) -> None:
    _need(0 <= plan.offline_ns < _LIMIT_NS and 0 <= plan.offline_cpu < cpus, f"CPU {plan.offline_cpu} goes offline")
    _need(not plan.offline_ns or cpus > 1, "the only CPU goes offline")
    back = plan.offline_ns and plan.offline_ns < plan.online_ns < _LIMIT_NS
    _need(not plan.online_ns or bool(back), f"online_ns {plan.online_ns}: a CPU comes back after it went")


def _check_cgroups(plan: SimPlan) -> None:
    _need(bool(plan.cgroups) and plan.cgroups[0].parent == -1, "cgroup 0 is the root, with parent -1")
    for number, cgroup in enumerate(plan.cgroups[1:], start=1):
        _need(0 <= cgroup.parent < number, f"cgroup {number}: its parent comes before it")
        _need(1 <= cgroup.weight <= 10000, f"cgroup {number}: weight {cgroup.weight}: 1 .. 10000")


def _check_task(plan: SimPlan, number: int, task: SimTask) -> None:
    where = f"task {number} ({task.name})"
    _need(0 <= task.program < len(plan.programs), f"{where}: no program {task.program}")
    _need(0 <= task.label < len(plan.labels), f"{where}: no label {task.label}")
    _need(0 <= task.cgroup < len(plan.cgroups), f"{where}: no cgroup {task.cgroup}")
    _need(-1 <= task.cpuset < len(plan.cpusets), f"{where}: no cpuset {task.cpuset}")
    _need(-20 <= task.nice <= 19, f"{where}: nice {task.nice}")
    _need(-1 <= task.arrival_ns < _LIMIT_NS, f"{where}: arrival_ns {task.arrival_ns}")
    _need(not (task.realtime and task.ext), f"{where}: SCHED_FIFO and SCHED_EXT at once")
    if task.realtime:
        moves = any(instruction.op == Op.AFFINITY for instruction in plan.programs[task.program])
        bound = task.cpuset >= 0 and len(set(plan.cpusets[task.cpuset])) == 1
        _need(bound and not moves, f"{where}: a real-time task is bound to one CPU for good")
    _need(0 <= task.hint_ns < 1 << 63, f"{where}: hint_ns {task.hint_ns}")


def _check_program(plan: SimPlan, number: int) -> None:
    program = plan.programs[number]
    for place, (op, a, b, c) in enumerate(program):
        where = f"program {number}, step {place}"
        _need(0 <= op < len(Op), f"{where}: no operation {op}")
        _need(min(b, c) >= 0 and max(abs(a), b, c) < _LIMIT_NS, f"{where}: operand out of range")
        _need(a >= 0 or op == Op.NICE, f"{where}: operand out of range")
        if op in _SYNC_OF:
            _need(
                a < len(plan.syncs) and plan.syncs[a].kind == _SYNC_OF[Op(op)], f"{where}: no {_SYNC_OF[Op(op)].name}"
            )
        elif op in (Op.RUN_TABLE, Op.SLEEP_TABLE):
            _need(a < len(plan.tables), f"{where}: no table {a}")
        elif op == Op.NICE:
            _need(-20 <= a <= 19, f"{where}: nice {a}")
        elif op == Op.AFFINITY:
            _need(a < len(plan.cpusets), f"{where}: no cpuset {a}")
        elif op in (Op.LOOP, Op.JUMP):
            _need(a <= len(program), f"{where}: no step {a}")
        elif op == Op.FORK:
            _check_fork(plan, where, a, max(b, 1))
        if op == Op.SUSPEND and b:
            _need(b <= len(plan.syncs) and plan.syncs[b - 1].kind == SyncKind.LOCK, f"{where}: no LOCK {b - 1}")


def _check_fork(plan: SimPlan, where: str, first: int, count: int) -> None:
    _need(first + count <= len(plan.tasks), f"{where}: no task {first + count - 1}")
    timed = [task for task in range(first, first + count) if plan.tasks[task].arrival_ns >= 0]
    _need(not timed, f"{where}: task {timed[:1]} arrives by itself")
