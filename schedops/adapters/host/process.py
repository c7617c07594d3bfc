"""The program of guests as a process of this machine: an agent in its room, and the supervisor that outlives us."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import subprocess  # noqa: TID251 - for the name of an exception; proc makes the process
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from schedops import proc
from schedops.adapters.vm.drain import Drain
from schedops.adapters.vm.guest_image import guest_sources, program_of
from schedops.adapters.vm.guest_port import Port, PortLost
from schedops.adapters.vm.wire import Garbled
from schedops.errors import Unavailable

if TYPE_CHECKING:
    from subprocess import Popen  # noqa: TID251 - the name of a type

UP_S = 60.0  # the programs of a workload are unpacked by then
_GONE_S = 120.0  # it gives up by itself before
_STDERR_BYTES = 8 << 10
_NOTHING_LEFT = (0, 1)  # host.c: undone, or not begun


def host_program() -> Path:
    """The program, which nobody but us and root could have written or put another in the place of.

    :raises Unavailable: as :func:`schedops.adapters.vm.guest_image.guest_image`; ``program-not-ours``.
    """
    program = program_of(guest_sources())
    _require_ours(program.resolve())
    return program


def _require_ours(program: Path) -> None:
    for path in (program, *program.parents):
        status = path.stat()
        # Who may write to a directory may rename what is in it; in a sticky one, like /tmp, only what is his.
        sticky = path != program and status.st_mode & stat.S_ISVTX
        shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky
        if status.st_uid not in {0, os.geteuid()} or shared:
            text = "what would run with root's rights belongs to somebody else or can be written by others"
            raise Unavailable(
                "program-not-ours", text, where=str(path), hint="SCHEDOPS_CACHE: a directory of root's own"
            )


class HostProcess:
    """A running supervisor. Closing the port is what ends it, so our own end does too."""

    emulator_fault = False  # there is none
    advice = "run it again: this host is as it was"

    def __init__(self, process: Popen[bytes], ours: socket.socket, stderr: Drain, cgroups: Path) -> None:
        self.port = Port(ours)
        self._process = process
        self._socket = ours
        self._stderr = stderr
        self._usage = cgroups / "schedops/room/cpu.stat"

    def cpu_us(self) -> int | None:
        """CPU time of everything that was started to be measured, as its cgroup counts it."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int(self._usage.read_text(encoding="ascii").split()[1])  # "usage_usec <n>" is the first line
        return None

    def kill(self) -> None:
        """Have it all ended and undone, and wait for that; safe to repeat."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_GONE_S)

    def last_words(self) -> str:
        """See the protocol."""
        code = self._process.poll()
        return ("" if code is None else f"it ended with {code}\n") + self._stderr.tail(4000)

    def wait_ready(self, deadline_s: float) -> None:
        """:raises Unavailable: ``host-not-up`` with what it complained about."""
        until, why = time.monotonic() + deadline_s, f"nothing heard within {deadline_s:g} s"
        try:
            while time.monotonic() < until:
                if self.port.poll_ready(0.2):
                    return
        except (PortLost, Garbled, OSError) as error:
            why = str(error)
        self.kill()
        raise Unavailable("host-not-up", f"the agent did not come up on this host: {why}", detail=self.last_words())

    def require_undone(self) -> None:
        """:raises Unavailable: ``host-not-restored``: something of it is left."""
        if self._process.poll() in _NOTHING_LEFT:
            return
        self._stderr.join(timeout=1)
        raise Unavailable(
            "host-not-restored",
            "something is left on this host: see below",
            hint="cat /sys/kernel/sched_ext/state; the next run with --on host clears up before it begins",
            detail=self.last_words(),
        )


@contextmanager
def running(program: Path, cgroups: Path, *, lock: int, programs: Path | None = None) -> Iterator[HostProcess]:
    """A supervisor with its agent; when the context ends, nothing of them is left.

    :param lock: handle that it holds, too, for as long as it lives.
    :param programs: archive of real programs for the agent's root file system.
    :raises Unavailable: it does not come up; ``host-not-restored`` at the end, also when it did not come up.
    """
    with ExitStack() as stack:
        archive = -1 if programs is None else stack.enter_context(programs.open("rb")).fileno()
        ours, theirs = (stack.enter_context(end) for end in socket.socketpair())
        argv = [str(program), "host", str(theirs.fileno()), str(archive), str(cgroups)]
        process, stderr = start(argv, [theirs.fileno(), *([archive] if archive >= 0 else [])], lock=lock)
        theirs.close()
        machine = HostProcess(process, ours, stderr, cgroups)
        try:
            machine.wait_ready(UP_S)
            yield machine
        finally:
            machine.kill()
            machine.require_undone()


def start(argv: Sequence[str], handles: Sequence[int], *, lock: int) -> tuple[Popen[bytes], Drain]:
    """A process that outlives us, and what it says on its standard error."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = proc.spawn(argv, stdin=lock, stderr=theirs.fileno(), pass_fds=handles, outlives=True)
    return process, Drain(ours.detach(), keep_bytes=_STDERR_BYTES)
