"""One step of a tasks model to instructions; the names that steps share to places in the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schedops.model.simulation import Instruction, Op, Program, SyncKind
from schedops.model.workload_kinds import TaskClass, TaskStep
from schedops.sim.programs.builder import PlanBuilder
from schedops.sim.programs.lengths import is_drawn, length_table
from schedops.sim.programs.steps import ns_of_us

MAX_TIMERS = 4  # of one task; the engine's
DEFAULT_CAPACITY = 256  # messages of a queue whose senders do not say
_TIMERS = ("timer", "timer-absolute")
_LENGTHS = {"run": (Op.RUN, Op.RUN_TABLE), "sleep": (Op.SLEEP, Op.SLEEP_TABLE)}
_PLAIN = {"yield": Op.YIELD, "begin": Op.BEGIN, "end": Op.END}
_ON = {
    "lock": (Op.LOCK, SyncKind.LOCK),
    "unlock": (Op.UNLOCK, SyncKind.LOCK),
    "wait": (Op.WAIT, SyncKind.SEMAPHORE),
    "post": (Op.POST, SyncKind.SEMAPHORE),
    "barrier": (Op.BARRIER, SyncKind.BARRIER),
    "send": (Op.SEND, SyncKind.QUEUE),
    "recv": (Op.RECV, SyncKind.QUEUE),
    "suspend": (Op.SUSPEND, SyncKind.EVENT),
    "signal": (Op.SIGNAL, SyncKind.EVENT),
    "broadcast": (Op.SIGNAL, SyncKind.EVENT),
}


@dataclass
class Names:
    """Locks, semaphores, barriers, queues and events by name; each is made when it is first asked for.

    :param counts: class -> how many tasks of it there are.
    """

    builder: PlanBuilder
    classes: Sequence[TaskClass]
    counts: Mapping[str, int]
    _known: dict[tuple[SyncKind, str], int] = field(default_factory=dict)

    def place(self, kind: SyncKind, name: str) -> int:
        """Index of the object. :raises ValueError: it has no name."""
        if not name:
            raise ValueError(f"a {kind.name.lower()} needs a name")
        if (kind, name) not in self._known:
            self._known[kind, name] = self.builder.sync(kind, self._value(kind, name))
        return self._known[kind, name]

    def timers(self, one: TaskClass) -> list[str]:
        """Names of a class's timers, in order of their first use. :raises ValueError: more than the engine has."""
        found = dict.fromkeys(step.name for phase in one.phases for step in phase.steps if step.do in _TIMERS)
        if len(found) > MAX_TIMERS:
            raise ValueError(f"{len(found)} timers in one task, at most {MAX_TIMERS} can be simulated")
        return list(found)

    def _value(self, kind: SyncKind, name: str) -> int:
        if kind is SyncKind.LOCK:
            return 1  # as a futex: whoever comes first gets it, the first who waits is woken (kernel/futex/)
        if kind is SyncKind.BARRIER:
            return sum(self.counts[one.name] * _uses(one, "barrier", name) for one in self.classes)
        if kind is SyncKind.QUEUE:
            sizes = [step.count for one in self.classes for phase in one.phases for step in phase.steps
                     if step.do == "send" and step.name == name and step.count > 0]  # fmt: skip
            return max(sizes, default=DEFAULT_CAPACITY)
        return 0


def instructions(step: TaskStep, names: Names, one: TaskClass) -> Program:
    """The step as the engine wants it. :raises ValueError: what is wrong with it."""
    if step.do in _LENGTHS:
        return _length(step, names, *_LENGTHS[step.do])
    if step.do in _TIMERS:
        late = 0 if step.do == "timer-absolute" else 1
        return (Instruction(Op.TIMER, ns_of_us(step.us), names.timers(one).index(step.name), late),)
    if step.do in _ON:
        op, kind = _ON[step.do]
        return (Instruction(op, names.place(kind, step.name), _second(step, names)),)
    if step.do == "nice":
        return _nice(step)
    return (Instruction(_PLAIN[step.do]),)


def _uses(one: TaskClass, do: str, name: str) -> int:
    return sum(step.do == do and step.name == name for phase in one.phases for step in phase.steps)


def _length(step: TaskStep, names: Names, fixed: Op, drawn: Op) -> Program:
    ns = ns_of_us(step.us)
    if ns < 1:
        return ()
    if is_drawn(step.draw, step.sigma):
        return (Instruction(drawn, names.builder.table(length_table(step.draw, ns, step.sigma))),)
    return (Instruction(fixed, ns),)


def _second(step: TaskStep, names: Names) -> int:
    # Operand b of what works on an object.
    if step.do in ("wait", "post"):
        return max(step.count, 0)
    if step.do == "suspend" and step.mutex:
        return names.place(SyncKind.LOCK, step.mutex) + 1
    return int(step.do == "signal")


def _nice(step: TaskStep) -> Program:
    if not -20 <= step.count <= 19:
        raise ValueError(f"nice {step.count} is not within -20..19")
    return (Instruction(Op.NICE, step.count),)
