"""What the kernel logged, read for three things: why a policy was put out, splats, faults of the emulator. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schedops.verify.exits import BY_US, words_of
from schedops.verify.splat_allowances import ALLOWED, Allowance

_MAX_TEXT = 300
_MAX_LINE = 1000
_STAMP = re.compile(r"^\s*(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[CT]\d+\])?\s*")
_DISABLED = re.compile(r'sched_ext: BPF (?:sub-)?scheduler "[^"]*" disabled \((?P<why>[^)]*)\)')
_DETAIL = re.compile(r"sched_ext: (?P<detail>(?!BPF (?:sub-)?scheduler)\S+: .+)")
_SPLAT = re.compile(
    r"\bBUG:|\bWARNING:|\bOops\b|soft lockup|hard LOCKUP|rcu.*(?:stall|starved)|blocked for more than"
    r"|general protection fault|Kernel panic|list_(?:add|del) corruption|scheduling while atomic|refcount_t:"
    r"|UBSAN:|KASAN:|KCSAN:|unable to handle|stack-protector|Bad page state|workqueue lockup"
    r"|possible (?:recursive|circular)|sleeping function called from invalid context|suspicious RCU usage"
)
_OF_TIME = re.compile(
    r"soft lockup|hard LOCKUP|rcu.*(?:stall|starved)|blocked for more than|workqueue lockup|hogged CPU|watchdog"
)
_EMULATOR = re.compile(r"Oops: int3\b|int3:? \S+ \[#1\]")
_STARVED_HOST = re.compile(r"watchdog failed to check in")


def exit_reason(log: str) -> str:
    """Why the kernel put a policy out, in words and in its own; empty when the log does not say so.

    Being told to leave by us is no reason.
    """
    lines = _lines(log)
    found = [(at, match["why"]) for at, line in enumerate(lines) if (match := _DISABLED.search(line))]
    put_out = [(at, why) for at, why in found if why != BY_US]
    if not put_out:
        return ""
    at, why = put_out[-1]
    # The message follows its "disabled" line; a log that is cut there may have it before.
    detail = _first_detail(lines[at:]) or _first_detail(lines)
    said = words_of(why)
    return (f"{said}: {detail}" if detail else said)[:_MAX_TEXT]


def splats(log: str, *, release: str = "", today: str = "", allowed: Sequence[Allowance] = ALLOWED) -> tuple[str, ...]:
    """Lines that no healthy kernel logs, in order, without those that are allowed.

    :param release: of the kernel, for what is allowed on some only.
    :param today: ISO 8601; entries past their date do not count. Empty: the date is not looked at.
    """
    found = (line for line in _lines(log) if _SPLAT.search(line) and not _EMULATOR.search(line))
    return tuple(
        line[:_MAX_TEXT] for line in found if not any(one.covers(line, release=release, today=today) for one in allowed)
    )


def complains_of_time(line: str) -> bool:
    """Nothing is broken: something took too long, for which a host that does not run the guest is as good a reason."""
    return bool(_OF_TIME.search(line))


def emulator_fault(log: str) -> bool:
    """The fault that QEMU < 10 makes under multi-threaded TCG; it says nothing about the policy."""
    return any(_EMULATOR.search(line) for line in _lines(log))


def host_starved(log: str) -> bool:
    """The kernel's own watchdog did not get to run: the host was too busy for a verdict."""
    return any(_STARVED_HOST.search(line) for line in _lines(log))


def _first_detail(lines: Sequence[str]) -> str:
    return next((match["detail"] for line in lines if (match := _DETAIL.search(line))), "")


def _lines(log: str) -> list[str]:
    return [_STAMP.sub("", line[:_MAX_LINE]) for line in log.splitlines()]
