"""The one byte form of a value, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from schedops.schema.decode import encode


def canonical_bytes(value: Any) -> bytes:
    """JSON with sorted keys and fixed separators, one newline at the end: equal values give equal bytes.

    :raises ValueError: it holds NaN or infinity, which JSON has no word for.
    """
    text = json.dumps(encode(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8") + b"\n"


def digest_of(value: Any) -> str:
    """``sha256:<hex>`` of the canonical bytes."""
    return f"sha256:{hashlib.sha256(canonical_bytes(value)).hexdigest()}"
