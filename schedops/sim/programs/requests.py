"""Requests and responses: messengers and workers.

Closed, as schbench (Chris Mason; msg_and_wait() and run_msg_thread() of schbench.c): a worker posts that it is free
and waits, its messenger wakes it, it sleeps a moment as if for the network, works, and begins anew. As there, the time
of a request counts from the worker's own first moment, and the wait for the CPU before it is the wake-up latency.
"""

from __future__ import annotations

import math

from schedops.model.simulation import Instruction, Op, Program, SimPlan, SyncKind
from schedops.model.workload_kinds import RequestsModel
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.lengths import LOGNORMAL, is_drawn, length_table
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.steps import ns_of_ms, ns_of_us, post, run, wait
from schedops.workloads.draw import exponential, generator

QUEUED = 65_536  # requests of one messenger that may wait in an open loop; more and it is no queue but a flood
MAX_GAPS = 20_000  # between requests of one messenger; after so many they come again
_FOREVER = (Instruction(Op.JUMP, 0),)


def requests_plan(model: RequestsModel, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan; *scale* multiplies the workers."""
    builder = PlanBuilder()
    workers = workers_each(model, wanted.cpus, wanted.scale)
    for messenger in range(model.messengers):
        if model.rate_per_s > 0:
            _open(builder, model, wanted, messenger, workers)
        else:
            _closed(builder, model, messenger, workers)
    return builder.plan(seed=wanted.seed, end_ns=ns_of_ms(model.duration_ms)), Extent()


def workers_each(model: RequestsModel, cpus: int, scale: float) -> int:
    """Workers of one messenger on a machine of so many CPUs."""
    by_cpu = round(model.workers_per_cpu * cpus * scale / model.messengers)
    return max(1, by_cpu, round(model.workers * scale))


def _closed(builder: PlanBuilder, model: RequestsModel, messenger: int, workers: int) -> None:
    free, go = builder.semaphore(), builder.semaphore()
    hands_out = (*wait(free), *run(ns_of_us(model.dispatch_us)), *post(go), *_FOREVER)
    builder.task(f"messenger-{messenger}", hands_out, label="messenger")
    begin, end = Instruction(Op.BEGIN), Instruction(Op.END)
    works = (*post(free), *wait(go), begin, *_request(builder, model), end, *_FOREVER)
    _workers(builder, messenger, workers, works)


def _open(builder: PlanBuilder, model: RequestsModel, wanted: Situation, messenger: int, workers: int) -> None:
    queue = builder.sync(SyncKind.QUEUE, QUEUED)
    each_per_ms = model.rate_per_s / model.messengers / 1000
    count = min(MAX_GAPS, math.ceil(1.5 * each_per_ms * model.duration_ms) + 16)
    rng = generator("arrivals", wanted.name, wanted.seed, messenger)
    # Timers that catch up: a messenger that comes late hands out what came meanwhile, and the rate stays.
    hands_out = [
        step
        for _ in range(count)
        for step in (
            Instruction(Op.TIMER, max(1, ns_of_ms(exponential(rng, 1 / each_per_ms)))),
            *run(ns_of_us(model.dispatch_us)),
            Instruction(Op.SEND, queue),
        )
    ]
    builder.task(f"messenger-{messenger}", (*hands_out, *_FOREVER), label="messenger")
    works = (Instruction(Op.RECV, queue), *_request(builder, model), Instruction(Op.END), *_FOREVER)
    _workers(builder, messenger, workers, works)


def _request(builder: PlanBuilder, model: RequestsModel) -> Program:
    think_ns, work_ns = ns_of_us(model.think_us), max(1, ns_of_us(model.work_us))
    thinks = (Instruction(Op.SLEEP, think_ns),) if think_ns else ()
    if not is_drawn(LOGNORMAL, model.work_sigma):
        return (*thinks, *run(work_ns))
    table = builder.table(length_table(LOGNORMAL, work_ns, model.work_sigma))
    return (*thinks, Instruction(Op.RUN_TABLE, table))


def _workers(builder: PlanBuilder, messenger: int, workers: int, program: Program) -> None:
    for worker in range(workers):
        builder.task(f"worker-{messenger}-{worker}", program, label="worker")
