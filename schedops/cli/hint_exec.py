"""``schedops hint COMMAND``: becomes the launcher before anything heavy is imported, for it runs once a job."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import NoReturn

_COMMANDS = ("learn", "compile")
_OPTIONS = ("-h", "--help", "--print-launcher", "--output")


def wants_launcher(words: Sequence[str]) -> bool:
    """Is it a job that is to be run, and not one of our own commands? Those named alike go after ``--``."""
    return words[:1] == ["hint"] and len(words) > 1 and words[1].partition("=")[0] not in (*_COMMANDS, *_OPTIONS)


def become_launcher(words: Sequence[str]) -> NoReturn:
    """Run what follows ``hint`` under ``schedops-hint``; by itself where that cannot be built."""
    from schedops.adapters.host_programs import LAUNCHER, hint_launcher
    from schedops.errors import Unavailable

    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and the job would inherit that
        signal.signal(number, signal.SIG_DFL)
    try:
        program = str(hint_launcher())
    except Unavailable:
        command = _command(words[1:])
        if not command:
            raise
        _replace(command[0], command)
    _replace(program, [LAUNCHER, *words[1:]])


def _replace(program: str, words: Sequence[str]) -> NoReturn:
    try:
        os.execvp(program, list(words))  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"schedops hint: {words[0]}: {error.strerror}\n".encode("utf-8", "replace"))
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _command(words: Sequence[str]) -> list[str]:
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in ("--key", "--nice"):
            del rest[:1]
    return rest
