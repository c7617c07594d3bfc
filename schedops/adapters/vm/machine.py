"""One QEMU process with its three channels, and its end, however it comes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from schedops import proc
from schedops.adapters.vm.drain import Drain
from schedops.adapters.vm.guest_port import Port, PortLost
from schedops.adapters.vm.qemu_command import ChannelHandles, MachineSpec, qemu_command
from schedops.adapters.vm.qmp import Qmp, QmpError
from schedops.adapters.vm.wire import Garbled
from schedops.errors import Unavailable

if TYPE_CHECKING:
    from subprocess import Popen  # noqa: TID251 - the name of a type; proc makes the process

CONSOLE_BYTES = 64 << 10
_STDERR_BYTES = 8 << 10
_EMULATOR_FAULT = "Oops: int3"
_QMP_DEADLINE_S = 20.0


class Machine:
    """A running QEMU. *port* leads to the agent inside, *qmp* to the emulator itself."""

    advice = "run it again; `schedops doctor` checks the emulator"

    def __init__(self, process: Popen[bytes], port: socket.socket, console: Drain, stderr: Drain) -> None:
        self.process = process
        self.port = Port(port)
        self.qmp: Qmp
        self._console = console
        self._stderr = stderr

    @property
    def alive(self) -> bool:
        """QEMU has not ended."""
        return self.process.poll() is None

    def cpu_us(self) -> int | None:
        """CPU time the host has given QEMU so far; None when the host does not say. Resolution: one clock tick."""
        try:
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        user, system = stat.rpartition(")")[2].split()[11:13]  # utime, stime: proc(5), fields 14 and 15
        return (int(user) + int(system)) * 1_000_000 // os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """End it now; safe to repeat."""
        proc.kill_group(self.process)

    def last_words(self) -> str:
        """How QEMU ended, what it complained about, and the end of the guest's console; bounded, printable."""
        code = self.process.poll()
        ended = "" if code is None else f"QEMU ended with {code}\n"
        return ended + self._stderr.tail(2000) + self._console.tail(6000)

    @property
    def emulator_fault(self) -> bool:
        """The console shows a known fault of multi-threaded TCG before QEMU 10."""
        return _EMULATOR_FAULT in self._console.tail()

    @property
    def console_bytes_seen(self) -> int:
        """How much the guest has written to its console, kept or not."""
        return self._console.seen_bytes

    def wait_ready(self, deadline_s: float) -> None:
        """Until the agent in the guest says it is up.

        :raises Unavailable: ``guest-not-up`` with the console's end, when it does not in time or QEMU gives up.
        """
        until = time.monotonic() + deadline_s
        try:
            while not self.port.poll_ready(0.2):
                self._check_running(until, deadline_s)
        except (PortLost, Garbled, QmpError, OSError) as error:
            raise self.unavailable("guest-not-up", f"the guest did not come up: {error}") from None

    def unavailable(self, code: str, message: str) -> Unavailable:
        """An error with this machine's last words."""
        self.process.poll()
        return Unavailable(code, message, detail=self.last_words(), hint="run it again; `schedops doctor` says more")

    @property
    def complaint(self) -> str:
        """The last line QEMU wrote to its standard error."""
        lines = self._stderr.tail().split("\n")
        return next((line[:300] for line in reversed(lines) if line.strip()), "it said nothing")

    def _check_running(self, until: float, deadline_s: float) -> None:
        if not self.alive:
            raise PortLost("QEMU ended")
        # It answers nobody while it copies a large initramfs into the guest.
        state = self.qmp.status(deadline_s=max(1.0, until - time.monotonic()))
        if state != "running":
            raise PortLost(f"QEMU stopped it: {state}")
        if time.monotonic() > until:
            raise PortLost(f"nothing heard within {deadline_s:g} s")


@contextmanager
def running(spec: MachineSpec, *, ram: Path, restored: bool) -> Iterator[Machine]:
    """A machine that is gone when the context ends.

    :raises Unavailable: QEMU could not be started or does not answer.
    """
    ends = [socket.socketpair() for _ in range(4)]  # QMP, port, console, standard error
    ours = [pair[0] for pair in ends]
    try:
        process = _spawn(spec, ram, [pair[1].fileno() for pair in ends], restored=restored)
    finally:
        for pair in ends:
            pair[1].close()
    drains = (
        Drain(ours[2].detach(), keep_bytes=CONSOLE_BYTES),
        Drain(ours[3].detach(), keep_bytes=_STDERR_BYTES),
    )
    machine = Machine(process, ours[1], *drains)
    try:
        machine.qmp = _greeted(machine, ours[0])
        yield machine
    finally:
        machine.kill()
        for end in ours:
            end.close()


def _spawn(spec: MachineSpec, ram: Path, theirs: list[int], *, restored: bool) -> Popen[bytes]:
    handles = ChannelHandles(*theirs[:3])
    command = qemu_command(spec, ram=ram, restored=restored, handles=handles)
    return proc.spawn(command, env=spec.qemu.env, stderr=theirs[3], pass_fds=theirs[:3])


def _greeted(machine: Machine, sock: socket.socket) -> Qmp:
    try:
        return Qmp(sock, deadline_s=_QMP_DEADLINE_S)
    except QmpError:
        time.sleep(0.05)  # its complaint and its end arrive by other ways
        raise machine.unavailable("qemu-failed", f"QEMU did not start: {machine.complaint}") from None
