"""The Guest port over a running machine: encodes requests, holds replies to their types, notices the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar

from schedops.adapters.vm import account_codec, load_codec, play_codec, probe_codec, program_codec, wire
from schedops.adapters.vm import guest_codec as codec
from schedops.adapters.vm.guest_port import Port, PortLost, RequestRefused
from schedops.errors import GuestLost, Unavailable
from schedops.model.accounting import Accounting
from schedops.model.guest import AttachReading, DetachReading, LoadPlan, LoadReading, PlayReading, SchedState
from schedops.model.jobs import JobPlan, RunReading, RunSetup
from schedops.model.probe import ProbeReading
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.model.simulation import SimPlan

T = TypeVar("T")
_SHORT_S = 10.0
_PROBE_S = 20.0
_DUMP_CHARACTERS = 64 << 10
# The guest keeps the deadline itself and cleans up; this is how much later the host gives it up for lost.
_GRACE_S = 10.0


class Carrier(Protocol):
    """What the program of ``schedops/guest`` runs in: a virtual machine, or a room on a host."""

    @property
    def port(self) -> Port:
        """Where its agent answers."""

    @property
    def emulator_fault(self) -> bool:
        """It shows a known fault of its own."""

    @property
    def advice(self) -> str:
        """What to do when it was lost."""

    def cpu_us(self) -> int | None:
        """CPU time that it has had so far; None: nobody says."""

    def kill(self) -> None:
        """End it now; safe to repeat."""

    def last_words(self) -> str:
        """How it ended and what it complained about; bounded, printable."""


class GuestSession:
    """A guest that has said hello. After GuestLost it is dead and every further call raises GuestLost again."""

    def __init__(self, machine: Carrier, *, where: str) -> None:
        self._machine = machine
        self._where = where
        self._attached = False
        self._cpus = 0
        self._lost: GuestLost | None = None

    def hello(self, *, now_ns: int, cpus: int) -> None:
        """Give a fresh clone the time and random bytes of its own, and check that it is the guest we built."""
        payload = now_ns.to_bytes(8, "little") + secrets.token_bytes(64)

        def check(body: wire.Body) -> None:
            if body.number("version") != wire.VERSION or body.number("cpus") != cpus:
                raise wire.Garbled("another guest than the one that was built")

        self._ask("hello", payload, _SHORT_S, check)
        self._cpus = cpus

    def attach(self, elf: bytes, *, deadline_s: float) -> AttachReading:
        """See :class:`schedops.ports.Guest`."""
        self._attached = True  # from the first byte on: the object may take the guest down while it loads
        reading = self._ask("attach", elf, deadline_s, codec.attach_reading)
        self._attached = reading.outcome == "attached"
        return reading

    def detach(self, *, deadline_s: float) -> DetachReading:
        """See :class:`schedops.ports.Guest`."""
        reading = self._ask("detach", b"", deadline_s, codec.detach_reading)
        self._attached = reading.state.state != "disabled"
        return reading

    def state(self) -> SchedState:
        """See :class:`schedops.ports.Guest`."""
        return self._ask("state", b"", _SHORT_S, lambda body: codec.sched_state(body, "now"))

    def run_jobs(self, plan: JobPlan, setup: RunSetup, *, deadline_s: float) -> RunReading:
        """See :class:`schedops.ports.Guest`. Jobs still there at the deadline are killed and end with 137."""
        payload = codec.job_request(plan, setup)
        before = self._machine.cpu_us()
        since_s = time.monotonic()

        def read(body: wire.Body) -> RunReading:
            reading = codec.run_reading(body, len(plan.jobs))
            _check_claim(reading.wall_us / 1e6, since_s)
            return reading

        reading = self._ask("jobs", payload, deadline_s, read)
        return replace(reading, machine_cpu_us=self._spent(before))

    def mixed_load(self, plan: LoadPlan, *, deadline_s: float) -> LoadReading:
        """See :class:`schedops.ports.Guest`."""
        payload = load_codec.load_request(plan)
        since_s = time.monotonic()

        def read(body: wire.Body) -> LoadReading:
            reading = load_codec.load_reading(body, plan)
            _check_claim(reading.duration_ms / 1e3, since_s)
            return reading

        return self._ask("load", payload, deadline_s, read)

    def probe_start(self, elf: bytes, *, slot_ns: int) -> None:
        """See :class:`schedops.ports.Guest`."""

        def read(body: wire.Body) -> str:
            return "" if body.number("errno") == 0 else f"errno {body.number('errno')}: {body.text}"

        if refused := self._ask("probe-start", probe_codec.probe_request(elf, slot_ns), _PROBE_S, read):
            raise Unavailable(
                "probes-refused", "the kernel did not take the probes", where=self._where, detail=refused[-2000:]
            )

    def probe_stop(self) -> ProbeReading:
        """See :class:`schedops.ports.Guest`."""
        return self._ask("probe-stop", b"", _PROBE_S, probe_codec.probe_reading)

    def run_programs(self, plan: ProgramPlan, *, deadline_s: float) -> ProgramReading | None:
        """See :class:`schedops.ports.Guest`."""
        payload = program_codec.program_request(plan)
        before = self._machine.cpu_us()
        since_s = time.monotonic()
        failure: list[Unavailable] = []

        def read(body: wire.Body) -> ProgramReading | None:
            try:
                reading = program_codec.program_reading(body, plan)
            except Unavailable as error:
                failure.append(error)
                return None
            if reading is not None:
                _check_claim(reading.wall_us / 1e6, since_s)
            return reading

        reading = self._ask("programs", payload, deadline_s, read)
        spent = self._spent(before)
        if failure:
            raise failure[0]
        return replace(reading, machine_cpu_us=spent) if reading is not None else None

    def accounting(self) -> Accounting:
        """See :class:`schedops.ports.Guest`."""
        return self._ask("account", b"", _SHORT_S, account_codec.accounting)

    def play(self, plan: SimPlan, *, name_seed: int, deadline_s: float) -> PlayReading:
        """See :class:`schedops.ports.Guest`."""
        payload = play_codec.play_request(plan, cpus=self._cpus, name_seed=name_seed)
        before = self._machine.cpu_us()
        since_s = time.monotonic()

        def read(body: wire.Body) -> PlayReading:
            reading = play_codec.play_reading(body, plan, cpus=self._cpus)
            _check_claim(reading.wall_ns / 1e9, since_s)
            return reading

        reading = self._ask("play", payload, deadline_s, read)
        return replace(reading, machine_cpu_us=self._spent(before))

    def kernel_log(self) -> str:
        """See :class:`schedops.ports.Guest`."""
        return self._ask("kmsg", b"", _SHORT_S, lambda body: body.text)

    def dump(self) -> str:
        """See :class:`schedops.ports.Guest`."""
        return self._ask("dump", b"", _SHORT_S, lambda body: body.text[:_DUMP_CHARACTERS])

    def end(self) -> None:
        """Kill it, from any thread; whoever waits for its answer gets GuestLost."""
        self._machine.kill()

    def keep_busy(self, tasks: int) -> None:
        """Have *tasks* tasks work beside everything else from now on (0: none); for benchmarks of attaching."""

        def check(body: wire.Body) -> None:
            if body.number("tasks") != tasks:
                raise wire.Garbled("not as many tasks as were asked for")

        self._ask("busy", str(tasks).encode(), _SHORT_S, check)

    def _ask(self, verb: str, payload: bytes, deadline_s: float, read: Callable[[wire.Body], T]) -> T:
        if self._lost is not None:
            raise self._lost
        try:
            body = self._machine.port.request(verb, payload, guest_s=deadline_s, wait_s=deadline_s + _GRACE_S)
            return read(body)
        except RequestRefused:
            raise Unavailable("guest-refused", f"the guest could not do {verb!r}", where=self._where) from None
        except (PortLost, wire.Garbled) as error:
            self._lost = self._loss(str(error))
            raise self._lost from None

    def _spent(self, before_us: int | None) -> int | None:
        after_us = self._machine.cpu_us()
        return after_us - before_us if before_us is not None and after_us is not None else None

    def _loss(self, why: str) -> GuestLost:
        # A dying QEMU closes the port before its console is read to the end.
        time.sleep(0.05)
        self._machine.kill()
        return GuestLost(
            f"the guest was lost: {why}",
            attached=self._attached,
            known_emulator_fault=self._machine.emulator_fault,
            where=self._where,
            detail=self._machine.last_words(),
            hint=self._machine.advice,
        )


def _check_claim(claimed_s: float, since_s: float) -> None:
    """A guest cannot have worked for longer than it was waited for: its clock is the host's, and may only stand still.

    :raises Garbled: it says that it has.
    """
    waited_s = time.monotonic() - since_s
    if claimed_s > waited_s * 1.2 + 0.1:
        raise wire.Garbled(f"{claimed_s:.1f} s of work in {waited_s:.1f} s")
