"""Things are done side by side, answers come in order, and nothing goes on after the end."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from schedops.adapters.crew import Threads
from schedops.ports import Alone


def test_answers_come_in_the_order_of_the_things() -> None:
    both = threading.Barrier(2, timeout=20)

    def work(thing: int) -> int:
        both.wait()  # passes only when two are at work at once
        return thing * thing

    assert Threads().each(work, [3, 4], at_once=2) == [9, 16]


def test_one_at_a_time_is_in_the_callers_own_thread() -> None:
    seen: list[threading.Thread] = []
    for crew in (Threads(), Alone()):
        crew.each(lambda _: seen.append(threading.current_thread()), [1, 2], at_once=1)
    assert set(seen) == {threading.main_thread()}


def test_what_goes_wrong_ends_the_others_and_is_raised() -> None:
    both = threading.Barrier(2, timeout=20)
    ended, begun = threading.Event(), []
    finished: list[int] = []

    def work(thing: int) -> None:
        both.wait()
        if thing == 1:
            raise KeyboardInterrupt
        assert ended.wait(20)  # as a guest that is waited for
        finished.append(thing)

    with pytest.raises(KeyboardInterrupt):
        Threads(SimpleNamespace(begin=lambda: begun.append(1), stop=ended.set)).each(work, [1, 2], at_once=2)
    assert (begun, finished) == ([1], [2])  # nobody is left behind


def test_guests_never_share_a_core() -> None:
    crew = Threads()
    assert crew.guests_at_once(cpus=crew.cores()) == 1
    assert crew.guests_at_once(cpus=10 * crew.cores()) == 1
    assert 1 <= crew.guests_at_once(cpus=1) <= crew.cores()
