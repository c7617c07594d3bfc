"""Colours, on a terminal that has them and whose user did not ask for none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from schedops.report.stage_table import plain_paint

STYLES = {
    "error": "bold red",
    "warning": "bold yellow",
    "note": "bold cyan",
    "place": "bold",
    "message": "bold",
    "caret": "bold green",
    "aside": "blue",
    "PASS": "bold green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "bold yellow",
    "ERROR": "bold magenta",
}


def painter(stream: TextIO) -> Callable[[str, str], str]:
    """(style, text) -> text with the terminal's codes; as it is where there is no terminal, or NO_COLOR is set."""
    if not stream.isatty():
        return plain_paint
    from rich.color import ColorSystem
    from rich.console import Console
    from rich.style import Style

    console = Console(file=stream)
    if console.no_color or console.color_system is None:
        return plain_paint
    styles = {name: Style.parse(words) for name, words in STYLES.items()}

    def paint(style: str, text: str) -> str:
        return styles[style].render(text, color_system=ColorSystem.STANDARD) if style in styles else text

    return paint
