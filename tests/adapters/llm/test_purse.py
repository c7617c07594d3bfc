"""Spending of a day on the disk."""

from __future__ import annotations

import threading
from pathlib import Path

from schedops.adapters.llm.purse import FilePurse


class Clock:
    def __init__(self, day: str = "2026-11-21") -> None:
        self.day = day

    def now_utc(self) -> str:
        return f"{self.day}T10:00:00Z"

    def monotonic_s(self) -> float:
        return 0.0


def test_what_is_set_aside_is_spent_until_it_is_settled(tmp_path: Path):
    purse = FilePurse(tmp_path / "spending", clock=Clock())
    name = purse.take(1.0, limit_usd=1.5)
    assert name is not None
    assert purse.take(1.0, limit_usd=1.5) is None
    purse.settle(name, 0.25)
    assert FilePurse(tmp_path / "spending", clock=Clock()).spent_usd() == 0.25


def test_a_new_day_begins_with_nothing_and_the_old_call_stays_on_its_own(tmp_path: Path):
    clock = Clock()
    purse = FilePurse(tmp_path, clock=clock)
    name = purse.take(1.0, limit_usd=1.0)
    clock.day = "2026-11-22"
    assert purse.spent_usd() == 0
    purse.settle(str(name), 0.5)
    assert purse.spent_usd() == 0
    assert FilePurse(tmp_path, clock=Clock()).spent_usd() == 0.5


def test_a_half_written_line_is_not_an_end(tmp_path: Path):
    purse = FilePurse(tmp_path, clock=Clock())
    purse.take(1.0, limit_usd=None)
    with (tmp_path / "2026-11-21.jsonl").open("a") as file:
        file.write('{"name": "x", "us\n[]\n{"name": "y", "usd": -5}\n')
    assert purse.spent_usd() == 1.0
    assert purse.take(1.0, limit_usd=1.5) is None


def test_many_at_once_never_pass_the_limit(tmp_path: Path):
    taken = []

    def take() -> None:
        purse = FilePurse(tmp_path, clock=Clock())
        taken.extend(name for _ in range(5) if (name := purse.take(0.1, limit_usd=1.0)) is not None)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) in {9, 10}  # ten tenths are a little more than one
    assert FilePurse(tmp_path, clock=Clock()).spent_usd() <= 1.0 + 1e-9
