from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.adapters.vm import account_codec, wire
from schedops.adapters.vm.guest_session import GuestSession
from schedops.model.accounting import COUNTERS, Accounting, Counter, Pressure
from schedops.model.jobs import Group, Job, JobPlan, RunSetup

REPLY = """now_ns 5000000000
ticks_per_s 100
cpu  10 0 20 300 1 0 2 3 0 0
ctxt 77
processes 8
psi_cpu 1000 0
psi_memory 5 4
run_queues 900 80 7
page_faults 66
major_faults 1
counter_task_clock_ns 5000 5000 5000
counter_switches 40 5000 5000
counter_migrations 3 5000 5000
counter_minor_faults 200 5000 5000
counter_major_faults 0 5000 5000
counter_cycles 900 5000 2500
no_counter_instructions 2
no_counter_cache_references 2
no_counter_cache_misses 95
"""


def reading(text: str = REPLY) -> Accounting:
    return account_codec.accounting(wire.parse_body(text.encode()))


def test_what_a_kernel_says_and_what_it_does_not() -> None:
    found = reading()
    assert found.cpu_ms == (100, 0, 200, 3000, 10, 0, 20, 30)
    assert (found.context_switches, found.forks, found.page_faults, found.major_faults) == (77, 8, 66, 1)
    assert (found.run_ns, found.wait_ns) == (900, 80)
    assert [one.name for one in found.counters] == list(COUNTERS)
    assert found.counters[5] == Counter(name="cycles", value=900, wanted_ns=5000, counted_ns=2500)
    assert found.counters[-1] == Counter(name="cache_misses", value=None, errno=95)
    assert found.cpu_pressure == Pressure(some_us=1000, full_us=0)
    assert found.memory_pressure == Pressure(some_us=5, full_us=4)
    assert found.io_pressure is None


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("ticks_per_s 100", "ticks_per_s 0"),
        ("ticks_per_s 100", "ticks_per_s 10001"),
        ("cpu  10 0", "cpu  10 x"),
        ("cpu  10 0 20 300 1 0 2 3 0 0", "cpu  10 0 20 300"),
        ("ctxt 77\n", ""),
        ("psi_cpu 1000 0", "psi_cpu 1000"),
        ("run_queues 900 80 7", "run_queues 900"),
        ("counter_cycles 900 5000 2500", "counter_cycles 900 2500 5000"),
        ("counter_cycles 900 5000 2500", "counter_cycles 900"),
        ("counter_cycles 900 5000 2500\n", ""),
        ("counter_cycles 900 5000 2500", "counter_cycles 900 5000 2500\ncounter_cycles 900 5000 2500"),
        ("no_counter_cache_misses 95", "no_counter_cache_misses 0"),
        ("no_counter_cache_misses 95", "no_counter_cache_misses 4096"),
    ],
)
def test_what_cannot_be_is_garbled(said: str, instead: str) -> None:
    assert said in REPLY
    with pytest.raises(wire.Garbled):
        reading(REPLY.replace(said, instead))


def test_what_happened_between_two() -> None:
    before = reading()
    after = replace(before, now_ns=before.now_ns + 9, forks=10, run_ns=1000, io_pressure=Pressure(some_us=1, full_us=1))
    found = after.since(before)
    assert (found.now_ns, found.forks, found.run_ns, found.wait_ns) == (9, 2, 100, 0)
    assert found.cpu_pressure == Pressure(some_us=0, full_us=0)
    assert found.io_pressure is None  # it was not known before
    with pytest.raises(ValueError, match="went back"):
        before.since(after)
    assert found.counters[0] == Counter(name="task_clock_ns", value=0)
    assert found.counters[-1].errno == 95
    fewer = replace(before.counters[0], value=1)
    with pytest.raises(ValueError, match="went back"):
        replace(before, counters=(fewer, *before.counters[1:])).since(before)


@pytest.mark.vm
def test_a_run_in_a_guest_is_accounted_for(guest: GuestSession) -> None:
    jobs = tuple(Job(key=str(n), group=0, phase=0, work=20_000_000) for n in range(4))
    plan = JobPlan(seed=1, cpus=2, groups=(Group(arrival_us=0, parallel=(4,)),), jobs=jobs)
    before = guest.accounting()
    setup = RunSetup(cgroup_per_group=True, nice=(0,) * 4, hint_ns=(0,) * 4, name_seed=1)
    run = guest.run_jobs(plan, setup, deadline_s=60)
    found = guest.accounting().since(before)
    assert found.forks >= len(jobs) + 1
    assert found.context_switches > 0
    assert found.run_ns is not None
    assert found.wait_ns is not None
    assert found.run_ns >= sum(run.cpu_us) * 900
    assert found.wait_ns > 0  # four jobs on two CPUs
    assert found.cpu_pressure is not None
    assert found.cpu_pressure.some_us > 0
    counted = {one.name: one for one in found.counters}
    # Whoever started the jobs is counted too.
    assert counted["task_clock_ns"].value >= sum(run.cpu_us) * 900
    assert counted["switches"].value >= len(jobs)
    assert counted["minor_faults"].value > 0
    hardware = [counted[name] for name in ("cycles", "instructions", "cache_references", "cache_misses")]
    assert all(one.errno if one.value is None else one.value for one in hardware)  # an emulated CPU has none
