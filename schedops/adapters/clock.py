"""The machine's clocks, behind the Clock port."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SystemClock:
    """Wall-clock time in UTC and the monotonic clock."""

    def now_utc(self) -> str:
        """ISO 8601 with seconds, ending in Z."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary moment."""
        return time.monotonic()
