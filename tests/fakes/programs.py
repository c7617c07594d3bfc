"""Plays plans in Python: every step of every program, one queue, no preemption, no costs. Slow, and obviously right.

Draws come from a generator of its own, so lengths from tables are others than the engine's.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from dataclasses import dataclass, field

from schedops.model.machine import Machine
from schedops.model.simulation import (
    CpuResult,
    Histogram,
    Instruction,
    LabelResult,
    Op,
    SimEnd,
    SimPlan,
    SimResult,
    SimVerdict,
    TaskResult,
)


def play(plan: SimPlan, machine: Machine, *, max_steps: int = 2_000_000) -> SimResult:
    return _Play(plan, machine, max_steps).run()


@dataclass
class _Task:
    index: int
    pc: int = 0
    state: str = "new"
    ready_ns: int = 0
    arrival_ns: int = -1
    first_ns: int = -1
    done_ns: int = -1
    cpu_ns: int = 0
    wait_ns: int = 0
    wakeups: int = 0
    stints: int = 0
    begin_ns: int = 0
    wants: int = 0
    relock: int = 0
    counters: list[int] = field(default_factory=lambda: [0] * 4)
    timers: list[int | None] = field(default_factory=lambda: [None] * 4)


@dataclass
class _Sync:
    value: int
    count: int = 0
    holder: int | None = None
    waiting: deque = field(default_factory=deque)
    messages: deque = field(default_factory=deque)


class _Play:
    def __init__(self, plan: SimPlan, machine: Machine, max_steps: int) -> None:
        self.plan, self.machine, self.left = plan, machine, max_steps
        self.now, self.seq, self.events, self.ready = 0, 0, [], deque()
        self.tasks = [_Task(at) for at in range(len(plan.tasks))]
        self.syncs = [_Sync(one.value, count=one.value if one.kind == 0 else 0) for one in plan.syncs]
        self.free = list(range(len(machine.cpus)))
        self.busy = [0] * len(machine.cpus)
        self.requests = [Counter() for _ in plan.labels]
        self.waits = [Counter() for _ in plan.labels]
        self.draws = [random.Random(f"{plan.seed}/{at}") for at in range(len(plan.tasks))]
        self.nices: dict[int, int] = {}
        self.allowed = [task.cpuset for task in plan.tasks]
        self.error = ""

    def run(self) -> SimResult:
        for at, task in enumerate(self.plan.tasks):
            if task.arrival_ns >= 0:
                self.at(task.arrival_ns, self.arrive, at)
        while self.events and not self.error:
            when, _, action, argument = heapq.heappop(self.events)
            if self.plan.end_ns and when > self.plan.end_ns:
                break
            self.now = when
            action(argument)
            self.fill()
        left = [task for task in self.tasks if task.state not in ("done", "new")]
        if self.plan.end_ns:
            self.now, left = self.plan.end_ns, []
        verdict = SimVerdict.PLAN_ERROR if self.error else SimVerdict.STUCK if left else SimVerdict.DONE
        return self.result(SimEnd(verdict=verdict, message=self.error))

    def at(self, when: int, action, argument) -> None:
        self.seq += 1
        heapq.heappush(self.events, (when, self.seq, action, argument))

    def arrive(self, index: int) -> None:
        task = self.tasks[index]
        if task.state != "new":
            self.error = f"task {index} is there already"
            return
        task.arrival_ns = self.now
        self.wake(index)

    def wake(self, index: int) -> None:
        task = self.tasks[index]
        assert task.state in ("new", "blocked"), (index, task.state)
        task.state, task.ready_ns = "ready", self.now
        task.wakeups += 1
        self.ready.append(index)

    def fill(self) -> None:
        while not self.error and (found := self.next_pair()):
            self.ready.remove(found[0])
            self.free.remove(found[1])
            self.begin(*found)

    def next_pair(self) -> tuple[int, int] | None:
        pairs = ((index, cpu) for index in self.ready for cpu in self.free if self.may(index, cpu))
        return next(pairs, None)

    def may(self, index: int, cpu: int) -> bool:
        return self.allowed[index] < 0 or cpu in self.plan.cpusets[self.allowed[index]]

    def begin(self, index: int, cpu: int) -> None:
        task = self.tasks[index]
        task.state = "running"
        task.stints += 1
        waited = self.now - task.ready_ns
        task.wait_ns += waited
        self.waits[self.plan.tasks[index].label][_bucket(waited)] += 1
        if task.first_ns < 0:
            task.first_ns = self.now
        self.go((index, cpu))

    def go(self, place: tuple[int, int]) -> None:
        index, cpu = place
        task, program = self.tasks[index], self.plan.programs[self.plan.tasks[index].program]
        instant = 0
        while not self.error:
            step = Instruction(*program[task.pc]) if task.pc < len(program) else Instruction(Op.EXIT)
            if task.relock:
                step, task.relock = Instruction(Op.LOCK, task.relock - 1), 0
                task.pc -= 1
            task.pc += 1
            self.left -= 1
            instant += 1
            if self.left < 0 or instant > 10_000:
                self.error = f"task {index} does not come to an end, at step {task.pc}"
                return
            if step.op in (Op.RUN, Op.RUN_TABLE):
                work = step.a if step.op == Op.RUN else self.draw(index, step.a)
                took = -(-work * 1024 // self.machine.cpus[cpu].capacity)
                task.cpu_ns += took
                self.busy[cpu] += took
                self.at(self.now + took, self.go, place)
                return
            if not self.step(index, step):
                self.leave(index, cpu)
                return
            if not self.may(index, cpu):
                task.state = "blocked"
                self.leave(index, cpu)
                self.wake(index)
                return

    def leave(self, index: int, cpu: int) -> None:
        self.free.append(cpu)
        self.free.sort()
        if self.tasks[index].state == "running":
            self.tasks[index].state = "blocked"

    def draw(self, index: int, table: int) -> int:
        return self.draws[index].choice(self.plan.tables[table])

    def step(self, index: int, step: Instruction) -> bool:
        return getattr(self, f"_{Op(step.op).name.lower()}")(self.tasks[index], step) is not False

    def _sleep_until(self, task: _Task, when: int) -> bool:
        if when <= self.now:
            return True
        self.at(when, self.wake, task.index)
        return False

    def _block(self, task: _Task, sync: _Sync) -> bool:
        sync.waiting.append(task.index)
        return False

    def _exit(self, task: _Task, step: Instruction) -> bool:
        task.state, task.done_ns = "done", self.now
        return False

    def _sleep(self, task, step):
        return self._sleep_until(task, self.now + step.a)

    def _sleep_table(self, task, step):
        return self._sleep_until(task, self.now + self.draw(task.index, step.a))

    def _timer(self, task, step):
        since = task.timers[step.b]
        when = (self.now if since is None else since) + step.a
        task.timers[step.b] = max(when, self.now) if step.c else when
        return self._sleep_until(task, when)

    def _wait(self, task, step):
        sync, tokens = self.syncs[step.a], step.b or 1
        if not sync.waiting and sync.count >= tokens:
            sync.count -= tokens
            return True
        task.wants = tokens
        return self._block(task, sync)

    def _post(self, task, step):
        sync = self.syncs[step.a]
        sync.count += step.b or 1
        while sync.waiting and self.tasks[sync.waiting[0]].wants <= sync.count:
            woken = sync.waiting.popleft()
            sync.count -= self.tasks[woken].wants
            self.wake(woken)

    def _lock(self, task, step):
        sync = self.syncs[step.a]
        if sync.holder is None:
            sync.holder = task.index
            return True
        if sync.value:
            task.pc -= 1
        return self._block(task, sync)

    def _unlock(self, task, step):
        sync = self.syncs[step.a]
        if sync.holder != task.index:
            self.error = f"task {task.index} releases a lock that it does not hold"
            return
        woken = sync.waiting.popleft() if sync.waiting else None
        sync.holder = None if sync.value else woken
        if woken is not None:
            self.wake(woken)

    def _barrier(self, task, step):
        sync = self.syncs[step.a]
        sync.count += 1
        if sync.count < sync.value:
            return self._block(task, sync)
        sync.count = 0
        while sync.waiting:
            self.wake(sync.waiting.popleft())
        return True

    def _fork(self, task, step):
        for index in range(step.a, step.a + (step.b or 1)):
            self.arrive(index)

    def _loop(self, task, step):
        task.counters[step.c] += 1
        if step.b and task.counters[step.c] >= step.b:
            task.counters[step.c] = 0
        else:
            task.pc = step.a

    def _jump(self, task, step):
        task.pc = step.a

    def _yield(self, task, step):
        self.at(self.now, self.wake, task.index)
        return False

    def _nice(self, task, step):
        self.nices[task.index] = step.a

    def _affinity(self, task, step):
        self.allowed[task.index] = step.a

    def _begin(self, task, step):
        task.begin_ns = self.now

    def _end(self, task, step):
        self.requests[self.plan.tasks[task.index].label][_bucket(self.now - task.begin_ns)] += 1

    def _send(self, task, step):
        sync, message = self.syncs[step.a], task.begin_ns if step.b else self.now
        if len(sync.messages) == sync.value:
            task.wants = message
            return self._block(task, sync)
        if sync.waiting and not sync.messages:
            receiver = sync.waiting.popleft()
            self.tasks[receiver].begin_ns = message
            self.wake(receiver)
        else:
            sync.messages.append(message)
        return True

    def _recv(self, task, step):
        sync = self.syncs[step.a]
        if not sync.messages:
            return self._block(task, sync)
        task.begin_ns = sync.messages.popleft()
        if sync.waiting:
            sender = sync.waiting.popleft()
            sync.messages.append(self.tasks[sender].wants)
            self.wake(sender)
        return True

    def _suspend(self, task, step):
        if step.b:
            self._unlock(task, Instruction(Op.UNLOCK, step.b - 1))
            task.relock = step.b
        return self._block(task, self.syncs[step.a])

    def _signal(self, task, step):
        waiting = self.syncs[step.a].waiting
        for _ in range(min(len(waiting), 1) if step.b else len(waiting)):
            self.wake(waiting.popleft())

    def result(self, end: SimEnd) -> SimResult:
        return SimResult(
            end=end,
            end_ns=self.now,
            tasks=tuple(map(self.task, self.tasks)),
            cpus=tuple(CpuResult(busy_ns=busy, idle_ns=max(self.now - busy, 0), idle_waste_ns=0) for busy in self.busy),
            labels=tuple(
                LabelResult(
                    wakeup=Histogram(tuple(sorted(waits.items()))), request=Histogram(tuple(sorted(took.items())))
                )
                for waits, took in zip(self.waits, self.requests, strict=True)
            ),
            decisions=sum(task.stints for task in self.tasks),
            wakeups=sum(task.wakeups for task in self.tasks),
            ticks=0,
            completions=0,
        )

    @staticmethod
    def task(task: _Task) -> TaskResult:
        return TaskResult(
            arrival_ns=task.arrival_ns,
            first_run_ns=task.first_ns,
            completion_ns=task.done_ns,
            cpu_ns=task.cpu_ns,
            wait_ns=task.wait_ns,
            max_wait_ns=task.wait_ns,
            switches=task.stints,
            preemptions=0,
            wakeups=task.wakeups,
            migrations=(0, 0, 0),
        )


def _histogram(counts: Counter) -> Histogram:
    return Histogram(tuple(sorted(counts.items())))


def _bucket(value: int) -> int:
    # The inverse of schedops.model.simulation.bucket_bounds.
    if value < 16:
        return value
    shift = value.bit_length() - 5
    return (shift + 1) * 16 + (value >> shift) - 16
