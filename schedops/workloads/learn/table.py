"""The table of hints that ``schedops-hint`` searches: magic, number of rows, rows sorted by key; all little endian."""

from __future__ import annotations

import struct

from schedops.model.jobs import Hint, Hints

MAGIC = b"SCHHINT1"
_HEAD = struct.Struct("<8sQ")
_ROW = struct.Struct("<QQ")  # key, nanoseconds
_MAX_NS = (1 << 63) - 1


def table_bytes(hints: Hints) -> bytes:
    """Of each job the time to the end of its longest chain of dependants where that is known, else its own."""
    rows = sorted({int(hint.key, 16): _ns(hint) for hint in hints.hints}.items())
    return _HEAD.pack(MAGIC, len(rows)) + b"".join(_ROW.pack(key, ns) for key, ns in rows)


def _ns(hint: Hint) -> int:
    return min(max(hint.chain_us or 0, hint.cpu_us) * 1000, _MAX_NS)
