"""Colours on a terminal only, and not where NO_COLOR is set."""

from __future__ import annotations

import io

import pytest

from schedops.cli.colours import STYLES, painter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_has_colours() -> None:
    paint = painter(Terminal())
    assert paint("FAIL", "FAIL") == "\x1b[1;31mFAIL\x1b[0m"
    assert paint("no such style", "x") == "x"
    assert {paint(style, "x") for style in STYLES} != {"x"}


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_none_gets_none(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert painter(Terminal())("FAIL", "FAIL") == "FAIL"


def test_a_file_gets_none() -> None:
    assert painter(io.StringIO())("FAIL", "FAIL") == "FAIL"
