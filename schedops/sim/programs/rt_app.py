"""A use case of rt-app as a tasks model: the globals and the threads.

Source: scheduler-tools/rt-app, doc/tutorial.txt, and where that is silent src/rt-app_parse_config.c and src/rt-app.c.
Whatever would change what runs and cannot be simulated ends in an error that names it. What only concerns logs is read
over: :data:`_LOGS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.machine import FULL_CAPACITY, Machine
from schedops.model.simulation import SimPlan
from schedops.model.workload_kinds import RtAppModel, TaskClass, TaskPhase, TasksModel
from schedops.sim.programs.lenient_json import Pair, Table, parse
from schedops.sim.programs.rt_app_events import Events, is_event
from schedops.sim.programs.rt_app_values import Values
from schedops.sim.programs.situation import Extent, Situation
from schedops.sim.programs.tasks import tasks_plan

_LOGS = ("logdir", "log_basename", "log_size", "ftrace", "gnuplot", "cumulative_slack", "lock_pages", "io_device",
         "mem_buffer_size", "frag", "fragment")  # fmt: skip
_RT = ("SCHED_FIFO", "SCHED_RR", "SCHED_DEADLINE", "SCHED_IDLE")
_CLAMPS = ("util_min", "util_max", "dl-runtime", "dl-period", "dl-deadline", "period", "deadline")
_PROPERTIES = ("loop", "policy", "priority", "cpus", "nodes_membind", "membind_nodes", "taskgroup")
_THREAD = ("instance", "delay", "phases")


def rt_app_plan(model: RtAppModel, wanted: Situation) -> tuple[SimPlan, Extent]:
    """The plan; *scale* multiplies the instances of each thread. :raises InputError: as :func:`use_case`."""
    return tasks_plan(use_case(model.json, wanted.machine, name=wanted.name), wanted)


def use_case(text: str, machine: Machine, *, name: str) -> TasksModel:
    """The threads of a file as classes of tasks.

    :raises InputError: ``bad-json``; ``bad-rt-app`` for what rt-app itself would refuse; ``not-simulated`` with the
        name of what the simulator does not have.
    """
    return _UseCase(parse(text, where=name), machine, Values(name)).model()


@dataclass(frozen=True, slots=True)
class _UseCase:
    root: Table
    machine: Machine
    values: Values

    def model(self) -> TasksModel:
        for pair in self.root.pairs:
            if pair.key not in ("tasks", "global", "resources"):
                raise self.values.refused(f"object {pair.key!r}", pair.line)
        tasks = self.values.table(self.root.get("tasks"), "tasks", self.root.line)
        if not tasks.pairs:
            raise self.values.bad("there are no tasks", tasks.line)
        given = self.root.get("global")
        duration_s, capacity = self._globals(self.values.table(given, "global", 1) if given else Table((), 1))
        speed = self.machine.cpus[capacity].capacity / FULL_CAPACITY if capacity is not None else 1.0
        events = Events(self.values, self.machine, speed)
        classes = tuple(self._thread(pair, events) for pair in tasks.pairs)
        events.check_shared_timers({one.name: one.tasks for one in classes})
        return TasksModel(classes=classes, duration_ms=max(0.0, duration_s * 1000.0))

    def _globals(self, table: Table) -> tuple[int, int | None]:
        # Duration in seconds, -1 for ever; CPU whose speed a "run" is counted in, None: the fastest.
        duration, calibrated = -1, 0
        fastest = False
        for pair in table.pairs:
            if pair.key == "duration":
                duration = self.values.integer(pair)
            elif pair.key == "calibration":
                fastest = isinstance(pair.value, int)
                calibrated = 0 if fastest else self.values.cpu_name(pair, len(self.machine.cpus))
            elif pair.key == "default_policy":
                self._policy(pair)
            elif pair.key == "pi_enabled":
                if pair.value is not False:
                    raise self.values.refused("pi_enabled: priority inheritance of mutexes", pair.line)
            elif pair.key not in _LOGS:
                raise self.values.refused(f"global {pair.key!r}", pair.line)
        return duration, None if fastest else calibrated

    def _policy(self, pair: Pair) -> None:
        policy = self.values.text(pair)
        if policy in _RT:
            raise self.values.refused(f"{pair.key} {policy}", pair.line)
        if policy != "SCHED_OTHER":
            raise self.values.bad(f"{pair.key} {policy!r} is none of rt-app", pair.line)

    def _thread(self, pair: Pair, events: Events) -> TaskClass:
        thread = self.values.table(pair, pair.key, pair.line)
        phases = thread.get("phases")
        has_phases = phases is not None
        for inner in thread.pairs:
            self._known(inner, thread=True, events=not has_phases)
        loop = self.values.of(thread, "loop", -1)
        if phases is not None:
            tables = [(one.key, self.values.table(one, one.key, one.line))
                      for one in self.values.table(phases, "phases", pair.line).pairs]  # fmt: skip
            made = tuple(self._phase(pair.key, table, thread, events) for _, table in tables)
        else:
            # Without phases "loop" is the phase's, and then the thread runs once (parse_task_data()).
            made = (self._phase(pair.key, thread, thread, events, alone=True),)
            loop = 1 if thread.get("loop") else -1
        if loop == 0:
            made, loop = (TaskPhase(steps=()),), 1
        return TaskClass(
            name=pair.key,
            phases=made,
            tasks=self.values.of(thread, "instance", 1, least=0),
            loop=max(loop, 0),
            start_ms=self.values.of(thread, "delay", 0, least=0) / 1000.0,
            nice=self._nice(thread) or 0,
            cpus=self._cpus(thread),
            cgroup=self._taskgroup(thread),
        )

    def _known(self, pair: Pair, *, thread: bool, events: bool) -> None:
        if pair.key in _CLAMPS:
            raise self.values.refused(pair.key, pair.line)
        if pair.key == "policy":
            self._policy(pair)
        if pair.key in ("nodes_membind", "membind_nodes"):
            self._nodes(pair)
        known = pair.key in _PROPERTIES or (thread and pair.key in _THREAD)
        if not known and not (events and is_event(pair.key)):
            what = f"{pair.key!r} beside phases" if is_event(pair.key) else f"{pair.key!r}, which is no event of rt-app"
            raise self.values.refused(what, pair.line)

    def _phase(self, name: str, phase: Table, thread: Table, events: Events, *, alone: bool = False) -> TaskPhase:
        if not alone:
            for pair in phase.pairs:
                self._known(pair, thread=False, events=True)
            group = phase.get("taskgroup")
            if group is not None and self._taskgroup(phase) != self._taskgroup(thread):
                raise self.values.refused("a phase in a taskgroup of its own", group.line)
        steps = events.steps(name, self.values.of(thread, "instance", 1, least=0), phase)
        if not steps.found:
            raise self.values.bad(f"a phase of {name!r} has no events", phase.line)
        loop = self.values.of(phase, "loop", 1) if not alone or phase.get("loop") else 1
        return TaskPhase(
            steps=steps.made,
            loop=max(loop, 0),  # 0 as well is for ever, as rt-app counts (thread_body())
            cpus=() if alone else self._cpus(phase),
            nice=None if alone else self._nice(phase),
        )

    def _nice(self, table: Table) -> int | None:
        pair = table.get("priority")
        if pair is None:
            return None
        nice = self.values.integer(pair)
        if not -20 <= nice <= 19:
            raise self.values.bad(f"priority {nice} is not within -20..19", pair.line)
        return nice

    def _cpus(self, table: Table) -> tuple[int, ...]:
        pair = table.get("cpus")
        if pair is None:
            return ()
        cpus = self.values.integers(pair)
        if not cpus or min(cpus) < 0 or max(cpus) >= len(self.machine.cpus):
            have = f"{self.machine.name} has {len(self.machine.cpus)}"
            raise self.values.bad(f"cpus {list(cpus)} are not there, {have}", pair.line)
        return cpus

    def _nodes(self, pair: Pair) -> None:
        # Where memory lies costs nothing here; with one node there is nothing to choose.
        nodes = set(self.values.integers(pair))
        if nodes != {cpu.node for cpu in self.machine.cpus} or len(nodes) > 1:
            raise self.values.refused(f"{pair.key} {sorted(nodes)}", pair.line)

    def _taskgroup(self, table: Table) -> str:
        pair = table.get("taskgroup")
        path = self.values.text(pair) if pair is not None else ""
        if pair is not None and path and (not path.startswith("/") or "//" in path or len(path) > 200):
            raise self.values.bad(f"taskgroup {path[:60]!r} is no path that begins with /", pair.line)
        return path.rstrip("/")
