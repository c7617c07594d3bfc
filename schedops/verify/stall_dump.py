"""What sched_ext dumps when it puts a policy out (``scx_dump_state()``, Linux 6.12 to 7.3), told in a few sentences.

Pure. A dump is untrusted: task names are anybody's, and a policy can print into it from ``ops.dump``.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

_MAX_LINES = 4000
_MAX_LINE = 300
_TRACED = re.compile(r"^.{0,80}?\bsched_ext_dump: ")
_HEAD = re.compile(r"^\s+(?P<why>runnable task stall) \((?P<comm>.{0,15})\[(?P<pid>\d{1,10})\] failed to run for ")
_BY = re.compile(r"^(?P<comm>.{0,15})\[(?P<pid>\d{1,10})\] triggered exit kind \d{1,10}\b")
_CPU = re.compile(r"^CPU (?P<cpu>\d{1,5})\s*: nr_run=(?P<runnable>\d{1,6})\b")
_CURRENT = re.compile(r"^\s+curr=(?P<comm>.{0,15})\[(?P<pid>\d{1,10})\] class=(?P<kind>\w{1,40})")
_TASK = re.compile(
    r"^ (?P<mark>[* ])(?P<state>\S) (?P<comm>.{0,15})\[(?P<pid>\d{1,10})\](?: \*?(?:root|sub\d+-\d+))? "
    r"(?P<since_ms>[+-]\d{1,12})ms$"
)
_STATE = re.compile(r"\bdsq_flags=0x[0-9a-f]+ ops_state/qseq=(?P<ops_state>\d+)/\d+")
_QUEUE = re.compile(r"\bdsq_id=(?P<queue>0x[0-9a-f]{1,16}|\(n/a\))")
_SLICE = re.compile(r"\bslice=(?P<slice>\d{1,20}) weight=(?P<weight>\d{1,10})")
_CPUS = re.compile(r"^\s+cpus=(?P<mask>[0-9a-f,]{1,300})(?: no_mig=(?P<pinned>\d+))?")

_QUEUED = 2  # SCX_OPSS_QUEUED: the policy's enqueue has taken it
_BUILT_IN = 1 << 63
_LOCAL = _BUILT_IN | 2
_GLOBAL = _BUILT_IN | 1
_BYPASS = _BUILT_IN | 3
_INFINITE = 2**64 - 1
_WEIGHT_NICE_0 = 100


@dataclass(slots=True)
class DumpedTask:
    """:param waited_ms: how long it was ready to run; 0 when it is running. :param queue: -1: in none."""

    comm: str
    pid: int
    cpu: int
    running: bool
    waited_ms: int
    ops_state: int = 0
    queue: int = -1
    slice_ns: int = 0
    weight: int = _WEIGHT_NICE_0
    cpus: tuple[int, ...] = ()
    pinned: bool = False

    def __str__(self) -> str:
        return f"{self.comm}[{self.pid}]"


@dataclass(slots=True)
class DumpedCpu:
    """:param kind: scheduling class of the task that runs, such as ``idle_sched_class``."""

    cpu: int
    runnable: int
    current: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Dump:
    """:param stalled: pid that the kernel names; 0 when it names none.

    :param by: the task that found it, mostly the watchdog's worker: it runs since it made the dump.
    """

    stalled: int
    by: str
    cpus: tuple[DumpedCpu, ...]
    tasks: tuple[DumpedTask, ...]


def stall_words(text: str) -> str:
    """Two or three sentences: who waited, how long, where it may run, where it was, what went on there.

    Empty when the dump has no task that waited, or is none.
    """
    dump = read_dump(text)
    task = _stalled(dump)
    if task is None:
        return ""
    parts = [_who(task, dump), _where(task, dump), _meanwhile(task, dump)]
    return " ".join(part for part in parts if part)


def read_dump(text: str) -> Dump:
    """The CPUs and tasks of a dump; whatever cannot be read is left out."""
    stalled, by, cpus, tasks = 0, "", list[DumpedCpu](), list[DumpedTask]()
    for raw in text.splitlines()[:_MAX_LINES]:
        line = _TRACED.sub("", raw[:_MAX_LINE]).rstrip()
        if not stalled and not cpus and (head := _HEAD.match(line)):
            stalled = int(head["pid"])
        elif not by and not cpus and (head := _BY.match(line)):
            by = f"{head['comm']}[{head['pid']}]"
        elif match := _CPU.match(line):
            cpus.append(DumpedCpu(int(match["cpu"]), int(match["runnable"])))
        elif cpus and (match := _TASK.match(line)):
            tasks.append(_task(match, cpus[-1].cpu))
        elif tasks and tasks[-1].cpu == cpus[-1].cpu:
            _detail(tasks[-1], line)
        elif cpus and (match := _CURRENT.match(line)):
            cpus[-1].current, cpus[-1].kind = f"{match['comm']}[{match['pid']}]", match["kind"]
    return Dump(stalled, by, tuple(cpus), tuple(tasks))


def _task(match: re.Match[str], cpu: int) -> DumpedTask:
    running, since_ms = match["mark"] == "*", int(match["since_ms"])
    waited_ms = 0 if running else max(0, -since_ms)
    return DumpedTask(match["comm"], int(match["pid"]), cpu, running, waited_ms)


def _detail(task: DumpedTask, line: str) -> None:
    if match := _STATE.search(line):
        task.ops_state = int(match["ops_state"])
    elif (match := _QUEUE.search(line)) and match["queue"].startswith("0x"):
        task.queue = int(match["queue"], 16)
    elif match := _SLICE.search(line):
        task.slice_ns, task.weight = int(match["slice"]), int(match["weight"])
    elif match := _CPUS.match(line):
        task.cpus, task.pinned = _bits(match["mask"]), (match["pinned"] or "0") != "0"


def _bits(mask: str) -> tuple[int, ...]:
    """CPU numbers of a kernel bitmap such as ``f`` or ``1,00000003``."""
    value = int(mask.replace(",", "") or "0", 16)
    return tuple(bit for bit in range(value.bit_length()) if value >> bit & 1)


def _stalled(dump: Dump) -> DumpedTask | None:
    waiting = [task for task in dump.tasks if task.waited_ms]
    named = [task for task in waiting if task.pid == dump.stalled]
    return max(named or waiting, key=lambda task: task.waited_ms, default=None)


def _who(task: DumpedTask, dump: Dump) -> str:
    niced = f" (weight {task.weight}, where nice 0 has 100)" if task.weight != _WEIGHT_NICE_0 else ""
    said = f"{task}{niced} was ready to run for {task.waited_ms / 1000:.1f} s on CPU {task.cpu} and did not run"
    if task.cpus and len(task.cpus) == 1:
        return f"{said}; it may run on CPU {task.cpus[0]} only."
    if task.pinned:
        return f"{said}; its migration is disabled, so it must run on that CPU."
    if task.cpus and len(task.cpus) < len(dump.cpus):
        return f"{said}; it may run on CPUs {', '.join(map(str, task.cpus[:16]))}."
    return f"{said}."


def _where(task: DumpedTask, dump: Dump) -> str:
    others = Counter(other.queue for other in dump.tasks if not other.running and other is not task)
    if task.queue < 0:
        if task.ops_state == _QUEUED:
            held = sum(other.queue < 0 and other.ops_state == _QUEUED for other in dump.tasks if not other.running) - 1
            more = f", as it holds {held} other task{'s' * (held != 1)}" if held > 0 else ""
            return f"The policy's enqueue took it and never handed it to any queue{more}."
        return "It was in no queue, and the policy was not asked about it again."
    more = f" with {others[task.queue]} more" if others[task.queue] else ""
    return f"It was in {_queue_name(task.queue)}{more}, {_why_there(task)}."


def _queue_name(queue: int) -> str:
    names = {_LOCAL: "the CPU's local queue", _GLOBAL: "the global queue", _BYPASS: "the bypass queue"}
    return names.get(queue, f"queue {queue:#x}" if queue >= 1024 else f"queue {queue}")


def _why_there(task: DumpedTask) -> str:
    if task.queue in (_LOCAL, _GLOBAL, _BYPASS):
        return "which the kernel empties by itself once the CPU is free: the task that runs there does not give it up"
    if len(task.cpus) == 1:
        return f"and ops.dispatch() on CPU {task.cpus[0]} never took it from there"
    return "and ops.dispatch() on none of its CPUs took it from there"


def _meanwhile(task: DumpedTask, dump: Dump) -> str:
    cpu = next((one for one in dump.cpus if one.cpu == task.cpu), None)
    if cpu is None or not cpu.current:
        return ""
    if cpu.current == dump.by:
        return f"{_tasks(cpu.runnable)} were ready to run on CPU {cpu.cpu}."
    if cpu.kind.startswith("idle"):
        return f"Meanwhile CPU {cpu.cpu} was idle with {_tasks(cpu.runnable)} ready to run."
    runs = next((one for one in dump.tasks if one.running and one.cpu == cpu.cpu), None)
    slice_words = ", with an infinite slice" if runs is not None and runs.slice_ns == _INFINITE else ""
    theirs = "" if cpu.kind.startswith("ext") else f" of another class ({cpu.kind})"
    return f"Meanwhile CPU {cpu.cpu} ran {cpu.current}{theirs}{slice_words}, {_tasks(cpu.runnable)} ready to run."


def _tasks(number: int) -> str:
    return f"{number} task{'s' * (number != 1)}"
