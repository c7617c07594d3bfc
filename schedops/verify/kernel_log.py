"""What the kernel logged, read for three things: why a policy was put out, splats, faults of the emulator. Pure."""

from __future__ import annotations

import re

_MAX_TEXT = 300
_STAMP = re.compile(r"^\s*(?:<\d+>)?\[\s*\d+\.\d+\]\s*")
_DISABLED = re.compile(r'sched_ext: BPF scheduler "[^"]*" disabled \((?P<why>[^)]*)\)')
_DETAIL = re.compile(r"sched_ext: (?P<detail>(?!BPF scheduler)\S+: .+)")
_BY_US = "unregistered from user space"
_SPLAT = re.compile(
    r"\bBUG:|\bWARNING:|\bOops\b|soft lockup|hard LOCKUP|rcu.*(?:stall|starved)|blocked for more than"
    r"|general protection fault|Kernel panic|list_(?:add|del) corruption|scheduling while atomic|refcount_t:"
)
_EMULATOR = re.compile(r"Oops: int3\b|int3:? \S+ \[#1\]")
_STARVED_HOST = re.compile(r"watchdog failed to check in")

_WORDS = {
    "runnable task stall": "a task that was ready to run was left waiting until the kernel's watchdog noticed",
    "runtime error": "it did something the kernel does not allow",
    "unregistered from BPF": "it gave up by itself (scx_bpf_exit)",
    "unregistered from the main kernel": "a CPU came or went and it does not handle that",
}


def exit_reason(log: str) -> str:
    """Why the kernel put a policy out, in words and in its own; empty when the log does not say so.

    Being told to leave by us is no reason.
    """
    lines = _lines(log)
    found = [match["why"] for line in lines if (match := _DISABLED.search(line)) and match["why"] != _BY_US]
    if not found:
        return ""
    why = found[-1]
    detail = next((match["detail"] for line in lines if (match := _DETAIL.search(line))), "")
    said = f"{_WORDS.get(why, 'the kernel put it out')} ({why})"
    return (f"{said}: {detail}" if detail else said)[:_MAX_TEXT]


def splats(log: str) -> tuple[str, ...]:
    """Lines that no healthy kernel logs, in order."""
    return tuple(line[:_MAX_TEXT] for line in _lines(log) if _SPLAT.search(line) and not _EMULATOR.search(line))


def emulator_fault(log: str) -> bool:
    """The fault that QEMU < 10 makes under multi-threaded TCG; it says nothing about the policy."""
    return any(_EMULATOR.search(line) for line in _lines(log))


def host_starved(log: str) -> bool:
    """The kernel's own watchdog did not get to run: the host was too busy for a verdict."""
    return any(_STARVED_HOST.search(line) for line in _lines(log))


def _lines(log: str) -> list[str]:
    return [_STAMP.sub("", line) for line in log.splitlines()]
