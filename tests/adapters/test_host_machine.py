"""Made-up sysfs trees: what is in them is in the machine, what is not is said."""

from __future__ import annotations

import pytest

from schedops.adapters.host_machine import cpu_list, describe_host
from schedops.errors import Unavailable
from schedops.model.machine import IdleState, Machine, SimCpu
from schedops.report.machine_file import machine_file
from schedops.schema.read import load


class Sysfs:
    def __init__(self, root):
        self.root = root

    def put(self, path, text):
        place = self.root / "devices/system/cpu" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n")

    def cpu(self, number, *, siblings, llc, node, **more):
        self.put(f"cpu{number}/topology/core_cpus_list", siblings)
        self.put(f"cpu{number}/cache/index0/level", 1)
        self.put(f"cpu{number}/cache/index0/shared_cpu_list", siblings)
        self.put(f"cpu{number}/cache/index3/level", 3)
        self.put(f"cpu{number}/cache/index3/type", "Unified")
        self.put(f"cpu{number}/cache/index3/shared_cpu_list", llc)
        self.put(f"cpu{number}/node{node}/x", "")
        for name, text in more.items():
            self.put(f"cpu{number}/{name}", text)

    def described(self, **more):
        return describe_host(sysfs=self.root, boot=self.root / "boot", release="6.18", **more)


@pytest.fixture
def sysfs(tmp_path):
    return Sysfs(tmp_path)


def test_cores_caches_nodes_and_speeds(sysfs):
    sysfs.put("online", "0-1,4-5")  # 2 and 3 are offline: the others close up
    for cpu in (0, 4):
        sysfs.cpu(cpu, siblings="0,4", llc="0,4", node=0, cpu_capacity=1000)
    for cpu in (1, 5):
        sysfs.cpu(cpu, siblings=cpu, llc="1,5", node=1, cpu_capacity=500)
    machine = sysfs.described().machine
    assert machine.cpus == (
        SimCpu(core=0, llc=0, node=0, capacity=1024),
        SimCpu(core=1, llc=1, node=1, capacity=512),
        SimCpu(core=0, llc=0, node=0, capacity=1024),
        SimCpu(core=2, llc=1, node=1, capacity=512),
    )


def test_a_cache_that_spans_nodes_is_split(sysfs):
    sysfs.put("online", "0-1")
    sysfs.cpu(0, siblings=0, llc="0-1", node=0)
    sysfs.cpu(1, siblings=1, llc="0-1", node=1)
    assert [(cpu.llc, cpu.node) for cpu in sysfs.described().machine.cpus] == [(0, 0), (1, 1)]


def test_tick_and_idle_states(sysfs):
    sysfs.put("online", "0")
    sysfs.cpu(0, siblings=0, llc=0, node=0)
    sysfs.put("../../../boot/config-6.18", "CONFIG_HZ_250=y\nCONFIG_HZ=250")
    states = ((0, 0, 0), (1, 1, 0), (4, 4, 0), (60, 200, 1), (170, 650, 0), (200, 900, 0), (210, 1000, 0))
    for number, (latency, residency, off) in enumerate(states):
        sysfs.put(f"cpu0/cpuidle/state{number}/latency", latency)
        sysfs.put(f"cpu0/cpuidle/state{number}/residency", residency)
        sysfs.put(f"cpu0/cpuidle/state{number}/disable", off)
    found = sysfs.described()
    assert found.machine.tick_ns == 4_000_000
    assert found.machine.idle_states == (
        IdleState(after_ns=0, exit_ns=1_000),
        IdleState(after_ns=650_000, exit_ns=170_000),
        IdleState(after_ns=900_000, exit_ns=200_000),
        IdleState(after_ns=1_000_000, exit_ns=210_000),
    )
    assert "CONFIG_HZ=250" in found.notes[1]


def test_what_is_assumed_is_said(sysfs):
    sysfs.put("cpu0/uevent", "")
    sysfs.put("cpu1/uevent", "")
    found = sysfs.described()
    assert found.machine == Machine(name="host", cpus=(SimCpu(core=0), SimCpu(core=1)))
    assert "taken as equal; tick: assumed, 1000 Hz; no idle states" in found.notes[1]
    text = machine_file(found.machine, comments=found.notes)
    assert text.startswith("# Described by schedops")
    assert load(text.encode(), Machine) == found.machine


def test_no_cpus_and_too_many(sysfs):
    with pytest.raises(Unavailable, match="does not say"):
        sysfs.described()
    sysfs.put("online", "0-512")
    with pytest.raises(Unavailable, match="513 CPUs"):
        sysfs.described()


def test_this_very_machine():
    found = describe_host()
    assert load(machine_file(found.machine).encode(), Machine) == found.machine


@pytest.mark.parametrize(
    ("text", "numbers"), [("0-2,5\n", (0, 1, 2, 5)), ("7", (7,)), ("", ()), ("a-b", ()), ("0-99999999", ())]
)
def test_lists_of_cpus(text, numbers):
    assert cpu_list(text) == numbers
