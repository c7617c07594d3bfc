"""Groups of senders and receivers, as hackbench has them (tools/perf/bench/sched-messaging.c of Linux 6.12)."""

from __future__ import annotations

from schedops.model.simulation import Instruction, Op, Program, SimPlan, SyncKind
from schedops.model.workload_kinds import PipesModel
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.steps import looped, ns_of_us, run


def pipes_plan(model: PipesModel, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan; *scale* multiplies the groups. All begin when the last one is there, as hackbench's do."""
    builder = PlanBuilder()
    groups = max(1, round(model.groups * wanted.scale))
    barrier = builder.sync(SyncKind.BARRIER, 2 * groups * model.pairs)
    begin = (Instruction(Op.BARRIER, barrier),)
    for group in range(groups):
        queues = [builder.sync(SyncKind.QUEUE, model.capacity) for _ in range(model.pairs)]
        for at, queue in enumerate(queues):
            builder.task(f"receiver-{group}-{at}", (*begin, *_receives(model, queue)), label="receiver")
        sends = (*begin, *_sends(model, queues))
        for at in range(model.pairs):
            builder.task(f"sender-{group}-{at}", sends, label="sender")
    return builder.plan(seed=wanted.seed), _extent(model, groups)


def _receives(model: PipesModel, queue: int) -> Program:
    body = (Instruction(Op.RECV, queue), *run(ns_of_us(model.message_us)))
    return looped(body, model.messages * model.pairs, 0, 1)


def _sends(model: PipesModel, queues: list[int]) -> Program:
    body: Program = ()
    for queue in queues:
        body += (*run(ns_of_us(model.message_us)), Instruction(Op.SEND, queue))
    return looped(body, model.messages, 0, 1)


def _extent(model: PipesModel, groups: int) -> Extent:
    messages = groups * model.pairs**2 * model.messages
    own_ns = model.pairs * model.messages * ns_of_us(model.message_us)
    return Extent(work_ns=2 * messages * ns_of_us(model.message_us), chain_ns=own_ns, messages=messages)
