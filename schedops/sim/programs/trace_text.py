"""Scheduling events out of the text of ``perf script``, ``perf sched script``, ``trace-cmd report`` and ftrace's trace.

Fields of the events: include/trace/events/sched.h, Linux 6.12 (sched_switch, sched_waking, sched_wakeup,
sched_wakeup_new). perf and trace-cmd print them either by name (``prev_comm=a prev_pid=1 ...``) or short (``a:1 [120] S
==> b:2 [120]``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from schedops.errors import InputError

MAX_LINE = 1024
MAX_EVENTS = 1_000_000
_EVENT = re.compile(r"\b(?:sched:)?(sched_switch|sched_waking|sched_wakeup|sched_wakeup_new):\s+")
_TIME = re.compile(r"(\d{1,10})\.(\d{6,9}):")
# perf writes a blank and the id behind the comm, or process and thread with a slash; ftrace a dash, and flags behind
_WHO = re.compile(
    r"(?:\s|-)(\d{1,10})(?:/(\d{1,10}))?\s{1,20}(?:\([\s\d-]{1,12}\)\s{1,4})?\[(\d{1,4})\](?:\s+(\S{4,8})\s)?"
)
_LONG_SWITCH = re.compile(
    r"prev_comm=(.{0,64}?) prev_pid=(\d{1,10}) prev_prio=(-?\d{1,4}) prev_state=(\S{1,16}) ==> "
    r"next_comm=(.{0,64}?) next_pid=(\d{1,10}) next_prio=(-?\d{1,4})"
)
_SHORT_SWITCH = re.compile(
    r"(.{0,64}?):(\d{1,10}) \[(-?\d{1,4})\] (\S{1,16}) ==> (.{0,64}?):(\d{1,10}) \[(-?\d{1,4})\]"
)
_LONG_WAKEUP = re.compile(r"comm=(.{0,64}?) pid=(\d{1,10}) prio=(-?\d{1,4})")
_SHORT_WAKEUP = re.compile(r"(.{0,64}?):(\d{1,10}) \[(-?\d{1,4})\]")
_INTERRUPT = frozenset("hHsSzZ")  # third letter of ftrace's flags: trace_print_lat_fmt() of kernel/trace/trace_output.c


@dataclass(frozen=True, slots=True)
class Switch:
    """A CPU goes from one task to another. Ids are of threads; 0 is idleness.

    :param runnable: the one that leaves could have gone on.
    :param gone: it has exited.
    """

    time_ns: int
    cpu: int
    before: int
    runnable: bool
    gone: bool
    after: int


@dataclass(frozen=True, slots=True)
class Wakeup:
    """A task becomes runnable.

    :param by: the task that did it; 0: an interrupt or nobody knows.
    :param new: it was just created.
    :param waking: it is a sched_waking: in the waker's context, where a sched_wakeup may come later and from elsewhere.
    """

    time_ns: int
    who: int
    by: int
    new: bool
    waking: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Recording:
    """Events in order of time; of each task its comm and first priority (120 is nice 0).

    :param lost: whoever recorded says that some events are missing.
    :param interrupts: it says which wake-ups came from interrupts; else the waker is whatever task was interrupted.
    """

    events: tuple[Switch | Wakeup, ...]
    names: dict[int, str]
    priorities: dict[int, int]
    lost: bool = False
    interrupts: bool = True


def in_order(events: Sequence[Switch | Wakeup]) -> tuple[Switch | Wakeup, ...]:
    """By time, each wake-up once: where there are sched_waking events, a sched_wakeup only says them again."""
    twice = any(isinstance(event, Wakeup) and event.waking for event in events)
    kept = (event for event in events if not twice or isinstance(event, Switch) or event.waking or event.new)
    return tuple(sorted(kept, key=lambda event: event.time_ns))


def recording(text: str, *, where: str) -> Recording:
    """What was recorded. Lines that are none of these events are read over.

    :raises InputError: ``no-trace``: not one event in it; ``trace-too-long``; ``bad-trace`` with the line of an event
        that cannot be read.
    """
    reader = _Reader(where)
    events = in_order(list(reader.events(text)))
    require_switches(events, where)
    return Recording(events, reader.names, reader.priorities, interrupts=reader.flags)


def require_switches(events: Iterable[Switch | Wakeup], where: str) -> None:
    """:raises InputError: ``no-trace``: nothing ran in it."""
    if not any(isinstance(event, Switch) for event in events):
        raise InputError(
            "no-trace",
            "there is no sched_switch event in it",
            where=where,
            hint="perf sched record -- COMMAND; perf sched script > FILE",
        )


class _Reader:
    def __init__(self, where: str) -> None:
        self.where = where
        self.names: dict[int, str] = {}
        self.priorities: dict[int, int] = {}
        self.flags = True

    def events(self, text: str) -> Iterator[Switch | Wakeup]:
        count = 0
        for number, line in enumerate(text.splitlines(), start=1):
            found = _EVENT.search(line[:MAX_LINE])
            if not found or line.lstrip().startswith("#"):
                continue
            count += 1
            if count > MAX_EVENTS:
                raise InputError("trace-too-long", f"more than {MAX_EVENTS} events", where=f"{self.where}:{number}")
            event = self.event(found[1], line[: found.start()], line[found.end() : MAX_LINE])
            if event is None:
                raise InputError("bad-trace", f"this {found[1]} cannot be read", where=f"{self.where}:{number}")
            yield event

    def event(self, kind: str, head: str, body: str) -> Switch | Wakeup | None:
        times, who = list(_TIME.finditer(head)), _WHO.search(" " + head)
        if not times or not who:
            return None
        time_ns = int(times[-1][1]) * 1_000_000_000 + int(times[-1][2].ljust(9, "0"))
        thread, cpu, flags = int(who[2] or who[1]), int(who[3]), who[4] or ""
        if kind == "sched_switch":
            return self.switch(time_ns, cpu, body)
        self.flags &= bool(flags) or not thread  # what wakes out of idleness is an interrupt in any case
        interrupt = len(flags) > 2 and flags[2] in _INTERRUPT
        return self.wakeup(time_ns, 0 if interrupt else thread, body, kind)

    def switch(self, time_ns: int, cpu: int, body: str) -> Switch | None:
        found = _LONG_SWITCH.search(body) or _SHORT_SWITCH.search(body)
        if not found:
            return None
        before_comm, before, before_prio, state, after_comm, after, after_prio = found.groups()
        self.know(int(before), before_comm, int(before_prio))
        self.know(int(after), after_comm, int(after_prio))
        return Switch(time_ns, cpu, int(before), state[0] == "R", state[0] in "XZ", int(after))

    def wakeup(self, time_ns: int, by: int, body: str, kind: str) -> Wakeup | None:
        found = _LONG_WAKEUP.search(body) or _SHORT_WAKEUP.search(body)
        if not found:
            return None
        comm, who, prio = found.groups()
        self.know(int(who), comm, int(prio))
        return Wakeup(time_ns, int(who), by, new=kind == "sched_wakeup_new", waking=kind == "sched_waking")

    def know(self, thread: int, comm: str, prio: int) -> None:
        # A task that has just been created still has its parent's name; the last one is its own.
        self.names[thread] = comm.strip()
        self.priorities.setdefault(thread, prio)
