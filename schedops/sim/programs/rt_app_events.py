"""The events of rt-app's threads as steps. A key is an event by its beginning: ``run0`` and ``run_a`` are ``run``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from schedops.model.machine import FULL_CAPACITY, Machine
from schedops.model.workload_kinds import TaskStep
from schedops.sim.programs.lenient_json import Pair, Table
from schedops.sim.programs.rt_app_values import Values

# In the order in which a key is compared (parse_task_event_data() of rt-app_parse_config.c), longer ones first.
_EVENTS = ("runtime", "run", "sleep", "mem", "iorun", "lock", "unlock", "signal", "broad", "wait", "sync", "barrier",
           "timer", "resume", "suspend", "yield", "fork")  # fmt: skip


def event_of(key: str) -> str:
    """Which event a key is; empty: none."""
    if key == "membind_nodes":  # a property that begins as an event does
        return ""
    return next((event for event in _EVENTS if key.startswith(event)), "")


def is_event(key: str) -> bool:
    """Whether rt-app takes the key for an event."""
    return bool(event_of(key))


@dataclass
class Steps:
    """Steps of one phase. *found*: how many events it has; one that takes no time makes no step."""

    made: tuple[TaskStep, ...]
    found: int


@dataclass
class _Phase:
    # What the events of one phase share: whose it is and which mutexes it holds so far.
    thread: str
    held: set[str] = field(default_factory=set)


@dataclass
class Events:
    """:param speed: of the CPU that "run" is counted in, as a fraction of the fastest one."""

    values: Values
    machine: Machine
    speed: float
    _timers: dict[str, dict[str, int]] = field(default_factory=dict)  # shared timer -> thread -> line
    _absolute: set[tuple[str, str]] = field(default_factory=set)
    _makers: dict[str, Callable[[Pair, _Phase], list[TaskStep]]] = field(init=False)

    def __post_init__(self) -> None:
        self._makers = {
            "run": self._run,
            "runtime": self._runtime,
            "sleep": self._sleep,
            "mem": self._refuse,
            "iorun": self._refuse,
            "lock": self._lock,
            "unlock": self._unlock,
            "signal": self._signal,
            "broad": self._broadcast,
            "wait": self._wait,
            "sync": self._sync,
            "barrier": self._barrier,
            "timer": self._timer,
            "resume": self._resume,
            "suspend": self._suspend,
            "yield": self._yields,
            "fork": self._fork,
        }

    def steps(self, thread: str, instances: int, phase: Table) -> Steps:
        """The events of a phase in the order of the file; an event whose key comes back happens again."""
        found = [pair for pair in phase.pairs if is_event(pair.key)]
        for pair in found:
            if event_of(pair.key) == "timer":
                self._note_mode(thread, pair)
        state, made = _Phase(thread), []
        for pair in found:
            made += self._makers[event_of(pair.key)](pair, state)
        return Steps(tuple(made), len(found))

    def check_shared_timers(self, instances: Mapping[str, int]) -> None:
        """A timer whose name does not begin with "unique" is one for all threads that name it; here only one may."""
        for name, threads in self._timers.items():
            if len(threads) > 1 or any(instances[thread] > 1 for thread in threads):
                line = min(threads.values())
                raise self.values.refused(f'timer {name!r} shared by threads (a "unique" one works)', line)

    def _note_mode(self, thread: str, pair: Pair) -> None:
        # The mode is the timer's, not the event's: one event that says absolute is enough.
        table = self.values.table(pair, pair.key, pair.line)
        mode = table.get("mode")
        if mode is not None and self.values.text(mode).startswith("absolute"):
            self._absolute.add((thread, self._ref(table, pair)))

    def _ref(self, table: Table, pair: Pair) -> str:
        ref = table.get("ref")
        return self.values.text(ref) if ref is not None else "unknown"

    def _run(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="run", us=self._us(pair) * self.speed)]

    def _runtime(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        # It looks at the clock every 32 us until the time is over (run_event()). As work that is right only where every
        # CPU is equally fast all the time.
        machine = self.machine
        slow = any(cpu.capacity != FULL_CAPACITY for cpu in machine.cpus)
        siblings = len({cpu.core for cpu in machine.cpus}) < len(machine.cpus)
        if slow or siblings or machine.frequency is not None:
            raise self.values.refused(f"{pair.key!r} on a machine whose CPUs are not always equally fast", pair.line)
        return [TaskStep(do="run", us=self._us(pair))]

    def _sleep(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="sleep", us=self._us(pair))]

    def _refuse(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        raise self.values.refused(f"{pair.key!r}", pair.line)

    def _lock(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        state.held.add(self._name(pair))
        return [TaskStep(do="lock", name=self._name(pair))]

    def _unlock(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        state.held.discard(self._name(pair))
        return [TaskStep(do="unlock", name=self._name(pair))]

    def _signal(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="signal", name=self._name(pair))]

    def _broadcast(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="broadcast", name=self._name(pair))]

    def _wait(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        ref, mutex = self._condition(pair)
        if mutex not in state.held:
            raise self.values.bad(f"{pair.key!r} waits with mutex {mutex!r}, which is not locked before it", pair.line)
        return [TaskStep(do="suspend", name=ref, mutex=mutex)]

    def _sync(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        # The tutorial says that sync takes the mutex, its examples take it themselves; both come to the same.
        ref, mutex = self._condition(pair)
        both = [TaskStep(do="signal", name=ref), TaskStep(do="suspend", name=ref, mutex=mutex)]
        if mutex in state.held:
            return both
        return [TaskStep(do="lock", name=mutex), *both, TaskStep(do="unlock", name=mutex)]

    def _barrier(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="barrier", name=self._name(pair))]

    def _timer(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        table = self.values.table(pair, pair.key, pair.line)
        for inner in table.pairs:
            if inner.key not in ("ref", "period", "mode"):
                raise self.values.refused(f"{inner.key!r} of a timer", inner.line)
        ref = self._ref(table, pair)
        if not ref.startswith("unique"):
            self._timers.setdefault(ref, {}).setdefault(state.thread, pair.line)
        absolute = (state.thread, ref) in self._absolute
        period_us = self.values.of(table, "period", 0, least=0)
        return [TaskStep(do="timer-absolute" if absolute else "timer", us=float(period_us), name=ref)]

    def _resume(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="broadcast", name=self._name(pair))]

    def _suspend(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        # Without a name it is the thread's own, as workgen fills it in.
        name = self._name(pair) if pair.given and pair.value else state.thread
        return [TaskStep(do="suspend", name=name)]

    def _yields(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="yield")]

    def _fork(self, pair: Pair, state: _Phase) -> list[TaskStep]:
        return [TaskStep(do="fork", name=self._name(pair))]

    def _us(self, pair: Pair) -> int:
        us = self.values.integer(pair)
        if us < 0:
            raise self.values.bad(f"{pair.key!r} is {us}", pair.line)
        return us

    def _name(self, pair: Pair) -> str:
        name = self.values.text(pair)
        if not name:
            raise self.values.bad(f"{pair.key!r} names nothing", pair.line)
        return name

    def _condition(self, pair: Pair) -> tuple[str, str]:
        table = self.values.table(pair, pair.key, pair.line)
        found = [table.get(key) for key in ("ref", "mutex")]
        names = [self._name(inner) if inner is not None else "unknown" for inner in found]
        return names[0], names[1]
