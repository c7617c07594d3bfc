"""Commands of a build (``ninja -t compdb``, compile_commands.json with ``output``): which job makes which file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from schedops.errors import InputError
from schedops.workloads.learn.job_key import key_of_command

LAUNCHER = "schedops-hint"
_SHELL = re.compile(r"[;|<>`$*?(]|&(?!&)(?<!&&)")  # more than one program, or words that only a shell can make
_QUOTED = re.compile(r"[\"'\\]")


def command_keys(data: bytes, *, root: str | None) -> dict[str, str]:
    """Output -> key of the command that makes it; left out where a command is more than one program.

    :raises InputError: ``bad-commands``: no JSON list of objects.
    """
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise InputError("bad-commands", "this is no list of commands", hint="ninja -t compdb > commands.json")
    keys = {}
    for entry in entries:
        output, cwd, command = (_text(entry, name) for name in ("output", "directory", "command"))
        words = _words(command)
        if output and words:
            keys[output] = key_of_command(words, cwd=cwd.rstrip("/"), root=root)
    return keys


def _text(entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, dict) else None
    return value if isinstance(value, str) else ""


def _words(command: str) -> list[str]:
    if _SHELL.search(command):
        return []
    try:
        words = shlex.split(command) if _QUOTED.search(command) else command.split()
    except ValueError:
        return []
    steps = [list(step) for between, step in groupby(words, key=lambda word: word == "&&") if not between]
    programs = [step for step in steps if step != [":"]]  # CMake links with `: && cc ... && :`
    return _launched(programs[0]) if len(programs) == 1 else []


def _launched(words: Sequence[str]) -> list[str]:
    # What the launcher itself would see.
    if PurePosixPath(words[0]).name != LAUNCHER:
        return list(words)
    return [] if words[1:] and words[1].startswith("--key") else list(words[2:] if words[1:2] == ["--"] else words[1:])
