"""Records of ``schedops-hint`` (``schedops/host/hint_files.c``): ``KEY CPU_US WALL_US EXIT_CODE UNIX_TIME`` a line."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from schedops.workloads.hints import Measured

HEADER = b"schedops-hint-log 1"
_RECORD = re.compile(rb"([0-9a-f]{16}) ([0-9]{1,15}) ([0-9]{1,15}) ([0-9]{1,3}) ([0-9]{1,11})")
_LAST_SECOND = 253402300799  # of the year 9999


def launches(data: bytes, *, today: str) -> tuple[tuple[Measured, ...], int]:
    """CPU time of every launch that succeeded, and how many lines were no records; a line cut short is one.

    :param today: ISO 8601; no record is of a later day, whatever it says.
    """
    found, broken = [], 0
    for line in data.split(b"\n"):
        if not line or line == HEADER:
            continue
        match = _RECORD.fullmatch(line)
        if match is None:
            broken += 1
        elif (one := _measured(match, today)) is not None:
            found.append(one)
    return tuple(found), broken


def _measured(match: re.Match[bytes], today: str) -> Measured | None:
    cpu_us, code, ended_s = int(match[2]), int(match[4]), min(int(match[5]), _LAST_SECOND)
    if code != 0 or cpu_us == 0:
        return None
    day = datetime.fromtimestamp(ended_s, UTC).date().isoformat()
    return Measured(key=match[1].decode(), us=cpu_us, date=min(day, today))
