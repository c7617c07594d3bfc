"""Whoever waits for a guest is set free when all are stopped, and no guest is started afterwards."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from schedops.adapters.crew import Threads
from schedops.adapters.vm.qemu import Qemu
from schedops.adapters.vm.stoppable import StoppableMachines
from schedops.errors import GuestLost, Unavailable
from schedops.ports import KernelImage
from tests.fakes.guest import IMAGE


class Guest:
    def __init__(self) -> None:
        self.ended = threading.Event()

    def end(self) -> None:
        self.ended.set()

    def state(self) -> None:
        assert self.ended.wait(20)
        raise GuestLost("the port closed", attached=False)


class Machines:
    def __init__(self) -> None:
        self.guests: list[Guest] = []
        self.gone = 0

    @contextmanager
    def boot(self, image, *, cpus, sockets=1, programs=None):
        self.guests.append(Guest())
        yield self.guests[-1]
        self.gone += 1

    def accelerator(self):
        return "tcg"


def test_an_interrupt_ends_every_guest_and_starts_no_other() -> None:
    inner = Machines()
    machines = StoppableMachines(inner)
    up = threading.Barrier(2, timeout=20)
    said: list[str] = []

    def work(thing: int) -> None:
        with machines.boot(IMAGE, cpus=1) as guest:
            up.wait()
            if thing == 1:
                raise KeyboardInterrupt
            with pytest.raises(GuestLost):
                guest.state()
        with pytest.raises(Unavailable) as again, machines.boot(IMAGE, cpus=1):
            pass
        said.append(again.value.code)

    with pytest.raises(KeyboardInterrupt):
        Threads(machines).each(work, [1, 2], at_once=2)
    assert (len(inner.guests), said) == (2, ["interrupted"])
    machines.begin()
    with machines.boot(IMAGE, cpus=1):
        pass
    assert machines.accelerator() == "tcg"


@pytest.mark.vm
def test_a_real_guest_is_ended_while_it_is_waited_for(newest_kernel: KernelImage) -> None:
    machines = StoppableMachines(Qemu())
    timer = threading.Timer(0.3, machines.stop)
    with machines.boot(newest_kernel, cpus=2) as guest:
        timer.start()
        with pytest.raises(GuestLost):
            _ask_on(guest)
    timer.join()


def _ask_on(guest) -> None:
    while True:
        guest.state()
