"""Every step of a program does what ``model/simulation.py`` says; without costs the times are exact."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.model.machine import Machine, SimCpu, flat_machine
from schedops.model.simulation import Op, Program, SimPlan, SimTask, SimVerdict, Sync, SyncKind, bucket_bounds
from tests.adapters.sim.conftest import MS, run, step

FREE = replace(flat_machine(4), switch_ns=0, migrate_llc_ns=0)


def ends(simulator: WasmSimulator, *programs: Program, machine: Machine = FREE, **parts: object) -> list[int]:
    """When each program's task ends, in ms; all arrive at 0 on CPUs of their own."""
    tasks = tuple(SimTask(name=f"t{number}", program=number) for number in range(len(programs)))
    plan = SimPlan(**{"seed": 1, "programs": programs, "tasks": tasks, **parts})
    result = run(simulator, plan, "fifo", machine)
    assert result.end.verdict == SimVerdict.DONE, result.end
    assert all(task.completion_ns % MS == 0 for task in result.tasks)
    return [task.completion_ns // MS for task in result.tasks]


def test_run_sleep_and_loop(simulator: WasmSimulator) -> None:
    assert ends(simulator, (step(Op.RUN, 2 * MS), step(Op.SLEEP, 3 * MS), step(Op.LOOP, 0, 4))) == [20]


def test_two_loops_one_in_the_other(simulator: WasmSimulator) -> None:
    program = (step(Op.RUN, MS), step(Op.LOOP, 0, 3, 0), step(Op.LOOP, 0, 2, 1))
    assert ends(simulator, program) == [6]


def test_jump_leaves_out(simulator: WasmSimulator) -> None:
    assert ends(simulator, (step(Op.JUMP, 2), step(Op.RUN, 5 * MS), step(Op.RUN, MS))) == [1]


def test_tables_are_drawn_from_the_seed(simulator: WasmSimulator) -> None:
    program = (step(Op.RUN_TABLE, 0), step(Op.SLEEP_TABLE, 1), step(Op.LOOP, 0, 50))
    tables = ((MS, 2 * MS), (3 * MS, 4 * MS))
    first, again, other = (ends(simulator, program, tables=tables, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 50 * 4 < first[0] < 50 * 6


def test_a_timer_keeps_its_rhythm(simulator: WasmSimulator) -> None:
    # 7 ms of work against a period of 10; the third time it takes 25 and is late.
    rhythm = (step(Op.TIMER, 10 * MS), step(Op.RUN, 7 * MS))
    late = (step(Op.TIMER, 10 * MS), step(Op.RUN, 25 * MS))
    assert ends(simulator, (*rhythm, *rhythm)) == [27]
    assert ends(simulator, (*rhythm, *late, *rhythm, *rhythm)) == [10 + 10 + 25 + 7 + 7]
    anew = (step(Op.TIMER, 10 * MS, 0, 1), step(Op.RUN, 7 * MS))
    assert ends(simulator, (*rhythm, *late, *anew, *anew)) == [45 + 7 + 3 + 7]


def test_semaphores_hand_out_tokens_in_order(simulator: WasmSimulator) -> None:
    poster = (step(Op.RUN, 5 * MS), step(Op.POST, 0, 2), step(Op.RUN, 5 * MS), step(Op.POST, 0))
    greedy = (step(Op.WAIT, 0, 2), step(Op.RUN, MS))
    modest = (step(Op.RUN, MS), step(Op.WAIT, 0), step(Op.RUN, MS))
    assert ends(simulator, poster, greedy, modest, syncs=(Sync(kind=SyncKind.SEMAPHORE),)) == [10, 6, 11]


@pytest.mark.parametrize("free_for_all", [0, 1])
def test_a_lock_is_held_by_one(simulator: WasmSimulator, free_for_all: int) -> None:
    program = (step(Op.LOCK, 0), step(Op.RUN, 4 * MS), step(Op.UNLOCK, 0))
    syncs = (Sync(kind=SyncKind.LOCK, value=free_for_all),)
    assert ends(simulator, program, program, program, syncs=syncs) == [4, 8, 12]


def test_who_releases_a_lock_may_take_it_again_where_it_is_free_for_all(simulator: WasmSimulator) -> None:
    twice = (step(Op.LOCK, 0), step(Op.RUN, 4 * MS), step(Op.UNLOCK, 0)) * 2
    once = twice[:3]
    fair, unfair = (Sync(kind=SyncKind.LOCK, value=value) for value in (0, 1))
    assert ends(simulator, twice, once, syncs=(fair,)) == [12, 8]
    assert ends(simulator, twice, once, syncs=(unfair,)) == [8, 12]


def test_a_barrier_waits_for_all(simulator: WasmSimulator) -> None:
    programs = [(step(Op.RUN, work * MS), step(Op.BARRIER, 0), step(Op.RUN, MS)) for work in (1, 5, 3)]
    assert ends(simulator, *programs, syncs=(Sync(kind=SyncKind.BARRIER, value=3),)) == [6, 6, 6]


def test_a_fork_begins_then(simulator: WasmSimulator) -> None:
    parent = (step(Op.RUN, 2 * MS), step(Op.FORK, 1, 2), step(Op.WAIT, 0, 2), step(Op.RUN, MS))
    child = (step(Op.RUN, 3 * MS), step(Op.POST, 0))
    tasks = (SimTask(name="parent", program=0), *(SimTask(name="child", program=1, arrival_ns=-1) for _ in range(2)))
    assert ends(simulator, parent, child, tasks=tasks, syncs=(Sync(kind=SyncKind.SEMAPHORE),)) == [6, 5, 5]


def test_a_queue_blocks_when_full_and_when_empty(simulator: WasmSimulator) -> None:
    sender = (step(Op.SEND, 0), step(Op.LOOP, 0, 5), step(Op.RUN, MS))
    receiver = (step(Op.RECV, 0), step(Op.RUN, 2 * MS), step(Op.LOOP, 0, 5))
    # Two fit in; the receiver takes one every 2 ms, so the fifth goes in at 4 ms.
    assert ends(simulator, sender, receiver, syncs=(Sync(kind=SyncKind.QUEUE, value=2),)) == [5, 10]


def test_a_request_is_measured_from_its_begin(simulator: WasmSimulator) -> None:
    client = (step(Op.BEGIN), step(Op.RUN, MS), step(Op.SEND, 0, 1), step(Op.EXIT))
    server = (step(Op.RECV, 0), step(Op.RUN, 2 * MS), step(Op.END))
    tasks = (SimTask(name="client", program=0), SimTask(name="server", program=1, label=1))
    plan = SimPlan(
        seed=1,
        programs=(client, server),
        tasks=tasks,
        labels=("client", "server"),
        syncs=(Sync(kind=SyncKind.QUEUE, value=1),),
    )
    result = run(simulator, plan, "fifo", FREE)
    ((bucket, count),) = result.labels[1].request.counts
    low, high = bucket_bounds(bucket)
    assert count == 1
    assert low <= 3 * MS < high


def test_an_event_wakes_who_waits(simulator: WasmSimulator) -> None:
    waiter = (step(Op.SUSPEND, 0), step(Op.RUN, MS))
    signaller = (step(Op.RUN, 4 * MS), step(Op.SIGNAL, 0, 1), step(Op.RUN, 4 * MS), step(Op.SIGNAL, 0))
    assert ends(simulator, waiter, waiter, waiter, signaller, syncs=(Sync(kind=SyncKind.EVENT),)) == [5, 9, 9, 8]


@pytest.mark.parametrize("free_for_all", [0, 1])
def test_a_wait_on_an_event_releases_the_lock_meanwhile(simulator: WasmSimulator, free_for_all: int) -> None:
    syncs = (Sync(kind=SyncKind.EVENT), Sync(kind=SyncKind.LOCK, value=free_for_all))
    waiter = (step(Op.LOCK, 1), step(Op.SUSPEND, 0, 2), step(Op.RUN, MS), step(Op.UNLOCK, 1))
    other = (step(Op.RUN, MS), step(Op.LOCK, 1), step(Op.SIGNAL, 0), step(Op.RUN, 5 * MS), step(Op.UNLOCK, 1))
    assert ends(simulator, waiter, other, syncs=syncs) == [7, 6]


def test_affinity_moves_the_task(simulator: WasmSimulator) -> None:
    moves = (step(Op.RUN, MS), step(Op.AFFINITY, 0), step(Op.RUN, MS))
    plan = SimPlan(seed=1, programs=(moves,), tasks=(SimTask(name="t", program=0),), cpusets=((3,),))
    result = run(simulator, plan, "fifo", FREE)
    assert [cpu.busy_ns for cpu in result.cpus] == [MS, 0, 0, MS]


def test_yield_lets_the_other_one_run(simulator: WasmSimulator) -> None:
    """They take turns: otherwise the first would end after 3 ms."""
    polite = (step(Op.RUN, MS), step(Op.YIELD), step(Op.LOOP, 0, 3))
    assert ends(simulator, polite, polite, machine=replace(FREE, cpus=FREE.cpus[:1])) == [6, 6]


def test_a_slow_cpu_takes_longer_and_a_busy_sibling_slows_down(simulator: WasmSimulator) -> None:
    program = (step(Op.RUN, 4 * MS),)
    slow = replace(FREE, cpus=(SimCpu(core=0, capacity=512),))
    assert ends(simulator, program, machine=slow) == [8]
    siblings = replace(FREE, cpus=(SimCpu(core=0), SimCpu(core=0)), smt_capacity=512)
    # Half speed each until the short one is done, then alone at full speed.
    assert ends(simulator, program, (step(Op.RUN, MS),), machine=siblings) == [5, 2]


def test_a_plan_that_cannot_go_on_is_stuck(simulator: WasmSimulator) -> None:
    plan = SimPlan(
        seed=1,
        programs=((step(Op.WAIT, 0),),),
        tasks=(SimTask(name="t", program=0),),
        syncs=(Sync(kind=SyncKind.SEMAPHORE),),
    )
    assert run(simulator, plan).end.verdict == SimVerdict.STUCK


def test_a_program_without_time_is_an_error_of_the_plan(simulator: WasmSimulator) -> None:
    plan = SimPlan(seed=1, programs=((step(Op.JUMP, 0),),), tasks=(SimTask(name="spin", program=0),))
    end = run(simulator, plan).end
    assert end.verdict == SimVerdict.PLAN_ERROR
    assert "spin" in end.message
