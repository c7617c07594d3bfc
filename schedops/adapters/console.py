"""Port Progress on stderr: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from schedops.model.event import Event
from schedops.report.progress import BAR_AFTER_S, Moment, duration, ended_line, moment_line, note_line, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from schedops.ports import Progress

PLAIN_EVERY_S = 5.0
_ENDED = ("finished", "reused", "failed")
_COLOURS = {"finished": "green", "reused": "cyan", "failed": "red", "note": "dim"}
_REFRESH_HZ = 4  # the cores belong to what is measured


@contextmanager
def console_progress(stream: TextIO | None = None) -> Iterator[Progress]:
    """A Progress for as long as the context; the terminal is as it was afterwards, however it ends.

    :param stream: by default stderr.
    """
    out = sys.stderr if stream is None else stream
    if not out.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield PlainProgress(out)
        return
    from rich.console import Console  # noqa: PLC0415 - 0.1 s, and only on a terminal
    from rich.live import Live  # noqa: PLC0415 - as above

    console = Console(file=out)
    live = LiveProgress(console)
    display = Live(
        console=console,
        refresh_per_second=_REFRESH_HZ,
        get_renderable=live.render,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with display:
        yield live


class _Stages:
    """Which stages are going on, since when, and what they said last."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._started: dict[str, float] = {}
        self._last: dict[str, Event] = {}

    def take(self, event: Event) -> None:
        if event.kind in _ENDED:
            self._started.pop(event.stage, None)
            self._last.pop(event.stage, None)
        elif event.kind in ("started", "progress"):
            self._started.setdefault(event.stage, self.now())
            self._last[event.stage] = event

    def moments(self) -> list[Moment]:
        now = self.now()
        # A copy: the display reads this from a thread of its own.
        return [Moment(event, now - self._started.get(stage, now)) for stage, event in list(self._last.items())]


class PlainProgress:
    """A line per stage that ended and per note, and now and then one of what goes on. No escape codes."""

    def __init__(self, out: TextIO, *, now: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._stages = _Stages(now)
        self._said_at: dict[str, float] = {}
        self._unicode = _is_unicode(out)

    def emit(self, event: Event) -> None:
        """See the port."""
        self._stages.take(event)
        if event.kind in _ENDED:
            self._said_at.pop(event.stage, None)
            self._say(ended_line(event, unicode=self._unicode))
        elif event.kind == "note":
            self._say(note_line(event, unicode=self._unicode))
        else:
            self._say_now_and_then(event.stage)

    def _say_now_and_then(self, stage: str) -> None:
        now = self._stages.now()
        if now - self._said_at.setdefault(stage, now) >= PLAIN_EVERY_S:
            self._said_at[stage] = now
            for moment in self._stages.moments():
                if moment.event.stage == stage:
                    self._say(moment_line(moment))

    def _say(self, line: str) -> None:
        # Progress never stops the work: whoever read it may be gone, or the disk of the log full.
        with suppress(OSError, ValueError):
            self._out.write(f"{line}\n")
            self._out.flush()


class LiveProgress:
    """Lines of what ended above, a spinner or a bar for what goes on below."""

    def __init__(self, console: Console, *, now: Callable[[], float] = time.monotonic) -> None:
        from rich.spinner import Spinner  # noqa: PLC0415 - loaded already when there is a live display

        self._console = console
        self._spinner = Spinner("line")
        self._stages = _Stages(now)
        self._unicode = _is_unicode(console.file)

    def emit(self, event: Event) -> None:
        """See the port."""
        from rich.text import Text  # noqa: PLC0415 - loaded already when there is a live display

        self._stages.take(event)
        if event.kind in ("started", "progress"):
            return
        line = (note_line if event.kind == "note" else ended_line)(event, unicode=self._unicode)
        text = Text(line)
        text.stylize(_COLOURS.get(event.kind, ""), 0, len(line) if event.kind == "note" else 1)
        with suppress(OSError, ValueError):
            self._console.print(text, soft_wrap=True)

    def render(self) -> RenderableType:
        """What goes on now."""
        from rich.console import Group  # noqa: PLC0415 - as above

        return Group(*(_row(moment, self._spinner) for moment in self._stages.moments()))


def _row(moment: Moment, spinner: RenderableType) -> RenderableType:
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    event = moment.event
    row = Table.grid(padding=(0, 1))
    words = Text(f"{visible(event.stage):<9} {visible(event.text)}", no_wrap=True, overflow="ellipsis")
    cells: list[RenderableType] = [spinner, words]
    if moment.elapsed_s >= BAR_AFTER_S:
        fraction = event.fraction
        bar = ProgressBar(total=1.0, completed=fraction or 0.0, width=24, pulse=fraction is None)
        left = moment.remaining_s
        said = duration(moment.elapsed_s) + (f", about {duration(left)} left" if left is not None else "")
        cells += [bar, Text(said, style="dim", no_wrap=True)]
    row.add_row(*cells)
    return row


def _is_unicode(out: object) -> bool:
    return "utf" in (getattr(out, "encoding", None) or "utf-8").lower()
