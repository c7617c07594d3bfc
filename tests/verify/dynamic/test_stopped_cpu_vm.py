"""A host that stops one CPU of a guest, really: its tasks wait, the guest says why, and the policy is not to blame."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.guest import LoadGroup, LoadPlan
from schedops.model.verdict import Verdict
from schedops.verify.dynamic import limits, loads, waits
from schedops.verify.dynamic.look import Session
from schedops.verify.object.elf import inspect
from tests.verify.readings import POLICY

pytestmark = pytest.mark.vm

_SEIZE, _INTERRUPT, _DETACH, _WALL = 0x4206, 0x4207, 17, 0x40000000
_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_ptrace.restype = ctypes.c_long


def _ticks(process: int, thread: int) -> int:
    fields = Path(f"/proc/{process}/task/{thread}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _busiest(process: int) -> list[int]:
    """Threads by what they used within a moment; during a load of hogs the emulated CPUs come first."""
    threads = [int(path.name) for path in Path(f"/proc/{process}/task").iterdir()]
    before = {thread: _ticks(process, thread) for thread in threads}
    time.sleep(0.3)
    return sorted(threads, key=lambda thread: before[thread] - _ticks(process, thread))


def _stop_one_cpu(process: int, seconds: float, done: list[int]) -> None:
    """What a hypervisor does to a guest's CPU, done by ptrace; the whole emulator where that is not allowed."""
    time.sleep(0.5)
    thread = _busiest(process)[0]
    if _ptrace(_SEIZE, thread, None, None) or _ptrace(_INTERRUPT, thread, None, None):
        os.kill(process, 19)
        time.sleep(seconds)
        os.kill(process, 18)
    else:
        os.waitpid(thread, _WALL)
        time.sleep(seconds)
        _ptrace(_DETACH, thread, None, None)
    done.append(thread)


def _during(guest: GuestSession, seconds: float) -> tuple[threading.Thread, list[int]]:
    done: list[int] = []
    stopper = threading.Thread(target=_stop_one_cpu, args=(guest._machine.process.pid, seconds, done))
    stopper.start()
    return stopper, done


def test_a_cpu_that_the_host_stops_is_seen_and_no_fail(guest: GuestSession, fifo) -> None:
    elf = fifo("TIMEOUT_MS 20000")
    policy = replace(POLICY, ops_name=inspect(elf).ops_name)
    session = Session(guest=guest, policy=policy, elf=elf, cpus=2, note=lambda _: None)
    session.attach()
    bound = tuple(LoadGroup(name=f"hogs on CPU {cpu}", kind="hog", count=2, cpus=(cpu,)) for cpu in (0, 1))
    plan = LoadPlan(groups=(*bound, *loads.mixed(2).groups), duration_ms=4000)
    stopper, done = _during(guest, 2.4)
    look = session.look(plan)
    stopper.join()
    assert done
    assert look.reading.harness_jitter_ms > 2200
    assert look.reading.stolen_ms > 2200
    assert max(group.max_wait_ms for group in look.reading.groups) > 2200
    outcome = waits.lived(look, limits.FEW)
    assert (outcome.verdict, outcome.starved) == (Verdict.INCONCLUSIVE, True), outcome
