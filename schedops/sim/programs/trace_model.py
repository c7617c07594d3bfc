"""A recording of the scheduler as tasks with programs: what each ran, how long it slept, whom it woke.

A task that another one woke waits for that one again; a task that an interrupt woke sleeps as long as it did. What it
waited for a CPU is not part of the model: that is for the simulated scheduler to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from schedops.errors import InputError
from schedops.model.workload_kinds import TaskClass, TaskPhase, TasksModel, TaskStep
from schedops.sim.programs.trace_text import Recording, Switch, Wakeup

MAX_TASKS = 1000
MAX_DEPTH = 50  # of forks, one by the other; deeper ones begin when they were recorded
MAX_STEPS = 20_000  # so that the file stays below the size that documents may have
_DEFAULT_PRIO = 120  # DEFAULT_PRIO, include/linux/sched/prio.h
_FIRST_NORMAL = 100  # MAX_RT_PRIO: below are real-time tasks, which neither fair scheduler nor policy sees


@dataclass(frozen=True, slots=True)
class Imported:
    """:param seconds: of the recording that the model covers; :param of_seconds: of all of it.

    :param left_out: tasks that are not in it because they are real-time.
    """

    model: TasksModel
    seconds: float
    of_seconds: float
    left_out: int


def imported(recording: Recording, *, where: str) -> Imported:
    """The recording as a model, cut where it would have more than :data:`MAX_STEPS` steps.

    :raises InputError: ``no-trace``: nothing but idleness in it.
    """
    made = _Model(recording)
    first, last = recording.events[0].time_ns, recording.events[-1].time_ns
    end = made.play()
    classes = made.classes(end)
    if not classes:
        raise InputError("no-trace", "no task ran while it was recorded", where=where)
    left_out = sum(prio < _FIRST_NORMAL for thread, prio in recording.priorities.items() if thread)
    return Imported(TasksModel(classes=classes), (end - first) / 1e9, (last - first) / 1e9, left_out)


@dataclass
class _Thread:
    name: str
    nice: int
    start_ns: int
    wakes_on: str  # its semaphore
    depth: int = 0  # forks that led to it
    forked: bool = False
    steps: list[TaskStep] = field(default_factory=list)
    on_cpu_since: int | None = None
    blocked_at: int | None = None

    def add(self, do: str, ns: int = 0, name: str = "") -> None:
        us = round(ns / 1000, 3)
        if do in ("run", "sleep"):
            if ns <= 0:
                return
            if self.steps and self.steps[-1].do == do:
                us = round(us + self.steps.pop().us, 3)
        self.steps.append(TaskStep(do=do, us=us, name=name))

    def until(self, now_ns: int) -> None:
        """It has run up to now, if it is on a CPU."""
        if self.on_cpu_since is not None:
            self.add("run", now_ns - self.on_cpu_since)
            self.on_cpu_since = now_ns


class _Model:
    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.threads: dict[int, _Thread] = {}
        self.first_ns = recording.events[0].time_ns
        self.room = MAX_STEPS // 3  # no event adds more than three steps, so this many events fit for sure

    def play(self) -> int:
        """Go through the events as long as there is room; when that ended."""
        end = self.first_ns
        for event in self.recording.events:
            if self.full():
                break
            end = event.time_ns
            if isinstance(event, Switch):
                self.leaves(event)
                self.comes(event)
            else:
                self.wakes(event)
        return end

    def full(self) -> bool:
        if len(self.threads) >= MAX_TASKS:
            return True
        self.room -= 1
        if self.room <= 0:
            self.room = (MAX_STEPS - sum(len(one.steps) for one in self.threads.values())) // 3
        return self.room <= 0

    def thread(self, number: int, start_ns: int) -> _Thread | None:
        # None: idleness, or real-time.
        prio = self.recording.priorities.get(number, _DEFAULT_PRIO)
        if not number or prio < _FIRST_NORMAL:
            return None
        if number not in self.threads:
            name = f"{_plain(self.recording.names[number])}.{number}"
            nice = max(-20, min(19, prio - _DEFAULT_PRIO))
            self.threads[number] = _Thread(name, nice, start_ns, f"w{number}")
        return self.threads[number]

    def leaves(self, event: Switch) -> None:
        known = event.before in self.threads
        thread = self.thread(event.before, self.first_ns)
        if thread is None:
            return
        if not known:
            thread.on_cpu_since = self.first_ns  # it ran already when the recording began
        thread.until(event.time_ns)
        thread.on_cpu_since = None
        thread.blocked_at = None if event.runnable or event.gone else event.time_ns

    def comes(self, event: Switch) -> None:
        thread = self.thread(event.after, self.first_ns)
        if thread is None:
            return
        if thread.blocked_at is not None:  # its wake-up was lost
            thread.add("sleep", event.time_ns - thread.blocked_at)
        thread.blocked_at, thread.on_cpu_since = None, event.time_ns

    def wakes(self, event: Wakeup) -> None:
        known = event.who in self.threads
        by = self.threads.get(event.by)
        if by is not None and (by.on_cpu_since is None or event.by == event.who):
            by = None
        thread = self.thread(event.who, event.time_ns)
        if thread is None or (known and thread.blocked_at is None):
            return
        if by is not None and event.new and not known and by.depth < MAX_DEPTH:
            by.until(event.time_ns)
            by.add("fork", name=thread.name)
            thread.forked, thread.depth = True, by.depth + 1
        elif by is not None and not event.new:
            by.until(event.time_ns)
            by.add("post", name=thread.wakes_on)
            thread.add("wait", name=thread.wakes_on)
            thread.start_ns = thread.start_ns if known else self.first_ns
        elif thread.blocked_at is not None:
            thread.add("sleep", event.time_ns - thread.blocked_at)
        thread.blocked_at = None

    def classes(self, end_ns: int) -> tuple[TaskClass, ...]:
        for one in self.threads.values():
            one.until(end_ns)
        return tuple(self.task_class(one) for one in self.threads.values() if one.steps or one.forked)

    def task_class(self, one: _Thread) -> TaskClass:
        steps = tuple(one.steps) or (TaskStep(do="run"),)
        return TaskClass(
            name=one.name,
            phases=(TaskPhase(steps=steps),),
            tasks=0 if one.forked else 1,
            start_ms=0.0 if one.forked else round((one.start_ns - self.first_ns) / 1e6, 6),
            nice=one.nice,
        )


def _plain(comm: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.:+-]", "_", comm)[:15]
    return plain if re.match(r"[A-Za-z0-9_]", plain) else f"_{plain}"[:15]
