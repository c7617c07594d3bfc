from __future__ import annotations

from pathlib import Path

import pytest

from schedops.errors import InputError
from schedops.model.machine import Machine, SimCpu, flat_machine
from schedops.report.machine_file import machine_file
from schedops.repository import load_machine, ready_machines
from schedops.schema.read import load

SIBLINGS_APART = """\
apiVersion: schedops/v1
kind: Machine
name: torn
cpus:
  - {core: 0, llc: 0}
  - {core: 0, llc: 1}
"""


@pytest.mark.parametrize("name", ready_machines())
def test_a_ready_machine_has_its_name_and_a_fastest_cpu(name):
    machine = load_machine(name, cwd=Path("/"))
    assert machine.name == name
    assert max(cpu.capacity for cpu in machine.cpus) == 1024


@pytest.mark.parametrize("name", ready_machines())
def test_a_machine_file_reads_back(name):
    machine = load_machine(name, cwd=Path("/"))
    assert load(machine_file(machine, comments=["one\ntwo"]).encode(), Machine) == machine


def test_ready_machines_are_what_they_say():
    by_name = {name: load_machine(name, cwd=Path("/")) for name in ready_machines()}
    assert sorted(by_name) == ["laptop-4-4", "nodes-2", "odd-172", "odd-3", "server-172", "smt-16"]
    assert [len(by_name[name].cpus) for name in sorted(by_name)] == [8, 32, 172, 3, 172, 16]
    assert len({cpu.capacity for cpu in by_name["laptop-4-4"].cpus}) == 2
    assert {cpu.node for cpu in by_name["nodes-2"].cpus} == {0, 1}
    assert by_name["smt-16"].cpus[0].core == by_name["smt-16"].cpus[8].core
    threads = [sum(other.core == cpu.core for other in by_name["odd-172"].cpus) for cpu in by_name["odd-172"].cpus]
    assert set(threads) == {1, 2}


@pytest.mark.parametrize("cpus", [1, 3, 172, 512])
def test_flat_machines_need_no_file(cpus):
    assert load_machine(f"flat-{cpus}", cwd=Path("/")) == flat_machine(cpus)


@pytest.mark.parametrize("name", ["flat-0", "flat-513", "flat-08", "nothing", "Laptop-4-4"])
def test_an_unknown_machine_says_what_there_is(name):
    with pytest.raises(InputError) as caught:
        load_machine(name, cwd=Path("/"))
    assert caught.value.code == "unknown-machine"
    assert "laptop-4-4" in caught.value.hint


def test_problems_are_said_with_their_place(tmp_path):
    (tmp_path / "torn.yaml").write_text(SIBLINGS_APART)
    with pytest.raises(InputError) as caught:
        load_machine("torn.yaml", cwd=tmp_path)
    assert caught.value.detail == "torn.yaml::$: core 0 is in llc 0 and in llc 1"
    (tmp_path / "bad.yaml").write_text(SIBLINGS_APART.replace("llc: 1", "llc: 0, capacity: 2000, speed: 1"))
    with pytest.raises(InputError) as caught:
        load_machine("./bad.yaml", cwd=tmp_path)
    assert caught.value.detail.splitlines() == [
        "./bad.yaml::$.cpus[1].capacity: 2000 is above 1024",
        "./bad.yaml::$.cpus[1].speed: unknown property",
    ]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError) as caught:
        load_machine("mine.yaml", cwd=tmp_path)
    assert caught.value.code == "file-missing"


@pytest.mark.parametrize(
    ("cpus", "message"),
    [((), "1 to 512"), ((SimCpu(core=0),) * 513, "1 to 512"), ((SimCpu(core=0), SimCpu(core=1, node=1)), "llc 0")],
)
def test_what_no_machine_can_be(cpus, message):
    with pytest.raises(ValueError, match=message):
        Machine(name="x", cpus=cpus)
