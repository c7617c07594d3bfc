"""The kernel's accounting out of the guest's reply. Pure; everything read here is untrusted.

The format is written down in ``schedops/guest/account.c`` and ``counters.c``.
"""

from __future__ import annotations

from schedops.adapters.vm import wire
from schedops.model.accounting import COUNTERS, Accounting, Counter, Pressure

_CPU_FIGURES = 8
_MAX_HZ = 10_000
_MAX_ERRNO = 4095  # MAX_ERRNO, include/linux/err.h


def accounting(body: wire.Body) -> Accounting:
    """:raises Garbled: a field is missing, of another type, or out of range."""
    ticks_per_s = body.bounded("ticks_per_s", _MAX_HZ)
    cpu = body.one("cpu").split()[:_CPU_FIGURES]  # guest and guest_nice are in user and nice already
    ticks = wire.numbers(" ".join(cpu), _CPU_FIGURES)
    if ticks_per_s == 0:
        raise wire.Garbled("a clock without ticks")
    queues = _numbers(body, "run_queues", 3)
    return Accounting(
        now_ns=body.number("now_ns"),
        cpu_ms=tuple(one * 1000 // ticks_per_s for one in ticks),
        context_switches=body.number("ctxt"),
        forks=body.number("processes"),
        page_faults=body.number("page_faults"),
        major_faults=body.number("major_faults"),
        counters=tuple(_counter(body, name) for name in COUNTERS),
        run_ns=queues[0] if queues else None,
        wait_ns=queues[1] if queues else None,
        cpu_pressure=_pressure(body, "psi_cpu"),
        io_pressure=_pressure(body, "psi_io"),
        memory_pressure=_pressure(body, "psi_memory"),
    )


def _counter(body: wire.Body, name: str) -> Counter:
    if not body.all(f"counter_{name}"):
        errno = body.bounded(f"no_counter_{name}", _MAX_ERRNO)
        if not errno:
            raise wire.Garbled(f"{name!r} failed without an error")
        return Counter(name=name, value=None, errno=errno)
    value, wanted_ns, counted_ns = body.column(f"counter_{name}", 3)
    if counted_ns > wanted_ns:
        raise wire.Garbled(f"{name!r} was counted for longer than it was wanted")
    return Counter(name=name, value=value, wanted_ns=wanted_ns, counted_ns=counted_ns)


def _pressure(body: wire.Body, name: str) -> Pressure | None:
    found = _numbers(body, name, 2)
    return Pressure(some_us=found[0], full_us=found[1]) if found else None


def _numbers(body: wire.Body, name: str, length: int) -> tuple[int, ...]:
    """Nothing when there is no such field: not every kernel says everything."""
    return body.column(name, length) if body.all(name) else ()
