"""Progress on stderr: plain lines into a pipe, a display on a terminal that is gone afterwards."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

from schedops.adapters.console import PlainProgress, console_progress
from schedops.model.event import Event

SCRIPT = """
from schedops.adapters.console import console_progress
from schedops.model.event import Event
with console_progress() as progress:
    progress.emit(Event(kind="started", stage="bench"))
    progress.emit(Event(kind="progress", stage="bench", text="round 1", fraction=0.1))
    progress.emit(Event(kind="note", stage="bench", text="odd [bold] \\x1b[31m"))
    {ending}
"""
FINISH = 'progress.emit(Event(kind="finished", stage="bench", text="30 runs", seconds=3.0))'
ROOT = Path(__file__).parents[2]


def test_plain_lines_are_few_and_without_escape_codes():
    out, now = io.StringIO(), [0.0]
    progress = PlainProgress(out, now=lambda: now[0])
    progress.emit(Event(kind="started", stage="bench"))
    for second in range(13):
        now[0] = float(second)
        progress.emit(Event(kind="progress", stage="bench", text=f"round {second}", fraction=second / 13))
    progress.emit(Event(kind="finished", stage="bench", text="30 runs", seconds=12.0))

    lines = out.getvalue().splitlines()
    assert [line.split("(")[0].rstrip() for line in lines[:2]] == ["  bench     round 5", "  bench     round 10"]
    assert lines[2].startswith("✓ bench     30 runs")
    assert len(lines) == 3
    assert "\x1b" not in out.getvalue()


def test_a_reader_that_went_away_does_not_stop_the_work():
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    PlainProgress(Gone()).emit(Event(kind="finished", stage="bench"))


def test_a_pipe_gets_plain_lines(capsys):
    with console_progress() as progress:
        progress.emit(Event(kind="finished", stage="bench", text="30 runs", seconds=3.0))

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("✓ bench")
    assert "\x1b" not in captured.err


def on_terminal(script, **extra):
    ours, theirs = pty.openpty()
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT), **extra}
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=theirs, env=env)
    os.close(theirs)
    seen = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # EIO: the other side closed
            break
        seen += chunk
    os.close(ours)
    assert process.stdout is not None
    said = process.stdout.read()
    process.stdout.close()
    return process.wait(timeout=60), said, seen.decode()


def test_a_terminal_gets_a_display_and_the_cursor_back():
    code, out, seen = on_terminal(SCRIPT.format(ending=FINISH))

    assert (code, out) == (0, b"")
    assert "30 runs" in seen
    assert "odd [bold] [31m" in seen
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")


def test_an_interrupted_display_gives_the_cursor_back():
    code, _, seen = on_terminal(SCRIPT.format(ending="raise KeyboardInterrupt"))

    assert code != 0
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")


def test_no_color_and_dumb_terminals_are_respected():
    colour = "\x1b[32m"

    assert colour in on_terminal(SCRIPT.format(ending=FINISH))[2]
    assert colour not in on_terminal(SCRIPT.format(ending=FINISH), NO_COLOR="1")[2]
    assert "\x1b" not in on_terminal(SCRIPT.format(ending=FINISH), TERM="dumb")[2]
