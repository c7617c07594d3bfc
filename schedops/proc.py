"""The only door to other processes: argv lists, deadlines, an environment built from nothing, bounded output."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from schedops.errors import Unavailable

MAX_OUTPUT_BYTES = 4 << 20
_PASSED_ON = (
    "PATH",
    "HOME",
    "TERM",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)
# util-linux, essential on every Debian. Not a preexec_fn: that may deadlock in a process with threads, and Python
# 3.12 and later warn about it.
_DIES_WITH_PARENT = ("/usr/bin/setpriv", "--pdeathsig", "KILL", "--")


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ended by itself within its deadline."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """It exited with 0."""
        return self.returncode == 0


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A small environment: a handful of passed-on names, a fixed locale, then *extra*."""
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env["LC_ALL"] = "C.UTF-8"
    env.update(extra or {})
    return env


def run(
    argv: Sequence[str | Path],
    *,
    deadline_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    max_output_bytes: int = MAX_OUTPUT_BYTES,
) -> Completed:
    """Run to the end and return what it said, whatever its exit code.

    :param env: added to :func:`environment`.
    :raises Unavailable: ``tool-missing`` when there is no such program, ``command-timeout`` past *deadline_s*,
        ``command-flood`` when it writes more than *max_output_bytes* to one stream. The process group is killed first.
    """
    words = tuple(str(word) for word in argv)
    started = time.monotonic()
    process = spawn(words, cwd=cwd, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    readers = [_Reader(stream, max_output_bytes, process) for stream in (process.stdout, process.stderr)]
    feeder = threading.Thread(target=_feed, args=(process, stdin), daemon=True)
    feeder.start()
    try:
        _wait(process, deadline_s)
    except subprocess.TimeoutExpired:
        kill_group(process)
        raise Unavailable(
            "command-timeout", f"{words[0]} did not end within {deadline_s:g} s", where=shlex.join(words)[:400]
        ) from None
    except BaseException:
        kill_group(process)
        raise
    finally:
        for reader in readers:
            reader.join(timeout=5)
    if any(reader.flooded for reader in readers):
        raise Unavailable(
            "command-flood", f"{words[0]} wrote more than {max_output_bytes} bytes", where=shlex.join(words)[:400]
        )
    out, err = (bytes(reader.data) for reader in readers)
    return Completed(words, process.returncode, out, err, time.monotonic() - started)


def checked(argv: Sequence[str | Path], *, deadline_s: float, **options: object) -> Completed:
    """As :func:`run`, for commands that have no business failing.

    :raises Unavailable: ``command-failed`` with the command, its code and its last words.
    """
    done = run(argv, deadline_s=deadline_s, **options)  # type: ignore[arg-type]
    if not done.ok:
        raise Unavailable(
            "command-failed",
            f"{done.argv[0]} exited with {done.returncode}",
            where=shlex.join(done.argv)[:400],
            detail=printable((done.stderr or done.stdout)[-2000:]),
        )
    return done


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
    stderr: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
    outlives: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a process in a group of its own that dies with the thread that started it, however that ends.

    :param outlives: it does not; it has other means to notice that nobody needs it any more.

    Linux sends the signal when the *thread* that forked ends, so long-lived children are spawned from the main one.

    :raises Unavailable: ``tool-missing`` or ``tool-broken`` when it cannot be started.
    """
    built = environment(env)
    program = shutil.which(argv[0], path=built.get("PATH"))
    if program is None:
        raise Unavailable(
            "tool-missing", f"{argv[0]} was not found", hint="`schedops doctor` says what is missing and how to get it"
        )
    try:
        return subprocess.Popen(
            [*(() if outlives else _DIES_WITH_PARENT), program, *argv[1:]],
            cwd=cwd,
            env=built,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable("tool-broken", f"{argv[0]} could not be started: {error.strerror}") from None


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and everything it started; wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=10)


def printable(data: bytes) -> str:
    """Untrusted bytes as text without control characters (escape codes included), newline and tab kept."""
    text = data.decode("utf-8", errors="replace")
    return "".join(c for c in text if c in "\n\t" or (c.isprintable()))


def _wait(process: subprocess.Popen[bytes], deadline_s: float) -> None:
    """As ``Popen.wait``, which only looks again after 1, 2, 4 ... 50 ms when it has a timeout."""
    with contextlib.suppress(OSError):  # a kernel, or a sandbox, without pidfd_open
        descriptor = os.pidfd_open(process.pid)
        try:
            end = select.poll()
            end.register(descriptor, select.POLLIN)
            if not end.poll(1000 * deadline_s):
                raise subprocess.TimeoutExpired(process.args, deadline_s)
        finally:
            os.close(descriptor)
    process.wait(timeout=deadline_s)


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    try:
        with process.stdin as pipe:
            pipe.write(data)
    except (BrokenPipeError, ValueError):
        pass


class _Reader(threading.Thread):
    """Drains one stream up to a limit, so that neither side can fill the other's memory or block it."""

    def __init__(self, stream: IO[bytes] | None, limit: int, process: subprocess.Popen[bytes]) -> None:
        super().__init__(daemon=True)
        self.data = bytearray()
        self.flooded = False
        assert stream is not None  # spawned with a pipe
        self._stream = stream
        self._limit = limit
        self._process = process
        self.start()

    def run(self) -> None:
        with self._stream:
            while chunk := self._stream.read1(65536):  # type: ignore[attr-defined]
                if len(self.data) + len(chunk) > self._limit:
                    self.flooded = True
                    kill_group(self._process)
                    return
                self.data += chunk
