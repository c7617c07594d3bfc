"""What was spent today by all runs of this user: a line for what is set aside, another for what it really cost."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from schedops.adapters.disk.locks import held
from schedops.ports import Clock

_WAIT_S = 10.0


class FilePurse:
    """One file a day (UTC), so that a new day begins with nothing spent and nothing has to be pruned to be right.

    :param directory: made when the first line is written.
    """

    def __init__(self, directory: Path, *, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._files: dict[str, Path] = {}

    def take(self, usd: float, *, limit_usd: float | None) -> str | None:
        """Set aside, on the disk before the call is made; None when it would pass the limit of the day.

        :raises Unavailable: ``busy``.
        """
        path = self._path()
        with held(path.with_suffix(".lock"), wait_s=_WAIT_S):
            if limit_usd is not None and _total(path) + usd > limit_usd:
                return None
            name = secrets.token_hex(8)
            self._files[name] = path
            _append(path, {"name": name, "usd": usd})
        return name

    def settle(self, name: str, usd: float) -> None:
        """The last line of a name counts; it goes to the day on which it was taken."""
        path = self._files.pop(name)
        with held(path.with_suffix(".lock"), wait_s=_WAIT_S):
            _append(path, {"name": name, "usd": usd})

    def spent_usd(self) -> float:
        """So far today."""
        return _total(self._path())

    def _path(self) -> Path:
        return self._directory / f"{self._clock.now_utc()[:10]}.jsonl"


def _append(path: Path, line: dict[str, object]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def _total(path: Path) -> float:
    if not path.exists():
        return 0.0
    amounts: dict[str, float] = {}
    for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines()):
        try:
            line = json.loads(text)
            amounts[str(line["name"])] = max(0.0, float(line["usd"]))
        except (ValueError, TypeError, KeyError):
            # A half-written line: the money of its call is set aside by the line before, or was never spent.
            amounts[f"line {number}"] = 0.0
    return sum(amounts.values())
