from __future__ import annotations

from schedops.model.jobs import Hint, Hints
from schedops.workloads.learn.table import table_bytes


def test_rows_are_sorted_and_say_the_chain_where_it_is_known():
    hints = (
        Hint(key="f" * 16, cpu_us=7, n=1, spread=None, measured="2026-11-21"),
        Hint(key="0" * 15 + "1", cpu_us=5, n=1, spread=None, measured="2026-11-21", chain_us=9),
    )
    assert table_bytes(Hints(workload="w", hints=hints)) == (
        b"SCHHINT1"
        + (2).to_bytes(8, "little")
        + (1).to_bytes(8, "little") + (9000).to_bytes(8, "little")
        + b"\xff" * 8 + (7000).to_bytes(8, "little")
    )  # fmt: skip
    assert table_bytes(Hints(workload="w", hints=())) == b"SCHHINT1" + bytes(8)
