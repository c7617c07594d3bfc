"""One call under watch: what it raised, how long it took, and whether it touched a file it had no business with."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_WRITES = {
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "subprocess.Popen",
    "socket.connect",
}


class TooSlow(BaseException):
    """Not an Exception: nobody on the way may swallow it."""


class Watch:
    """Remembers every write of this process to a file outside *allowed*; installed once, since hooks stay."""

    def __init__(self, *allowed: Path) -> None:
        self._allowed = tuple(str(path) for path in allowed)
        self._on = False
        self.touched: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, args: tuple[object, ...]) -> None:
        if not self._on:
            return
        writes = event == "open" and isinstance(args[1], str) and any(sign in args[1] for sign in "wax+")
        if (writes or event in _WRITES) and not self._is_allowed(args):
            self.touched.append(f"{event} {str(args)[:200]}")

    def _is_allowed(self, args: tuple[object, ...]) -> bool:
        return bool(self._allowed) and str(args[0]).startswith(self._allowed)

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Look at what happens inside."""
        self._on = True
        try:
            yield
        finally:
            self._on = False


def told(call: Callable[[], object], fine: tuple[type[Exception], ...], seconds: float) -> tuple[str, float]:
    """What *call* broke, empty when nothing, and its seconds. Exceptions of *fine* say what they should."""
    started = time.monotonic()
    wrong = ""
    try:
        with _at_most(seconds):
            call()
    except fine as error:
        wrong = "" if str(error).strip() else f"{type(error).__name__} without a word"
    except TooSlow:
        wrong = f"took longer than {seconds:g} s"
    except Exception:  # noqa: BLE001 - that is what is looked for
        wrong = "".join(traceback.format_exc(limit=-4))
    return wrong, time.monotonic() - started


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
