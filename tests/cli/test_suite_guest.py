"""``schedops suite --on vm`` from the command line; guests are played by a model and nothing is downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.cli.main import main
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.ports import World
from tests.cli.test_measuring import ROOT, Kernels, Toolchain
from tests.fakes.guest import HOST_FACTS, IMAGE, Clock, Host
from tests.fakes.real import Machines, played

Say = Callable[..., str]
FEW = (
    "--on vm --policy long-first --runs 2 --workload xz-gzip-mix --workload batch-compression --workload batch-git-add"
)
SUITE = f"suite run {FEW}"


def faster(machines: Machines) -> Callable[[int, ProgramPlan], ProgramReading]:
    def reading(number: int, plan: ProgramPlan) -> ProgramReading:
        share = 0.5 if machines.now.ops else 1.0
        end_us = tuple(round(end * share) for end in played(plan).end_us)
        return replace(played(plan), end_us=end_us, machine_cpu_us=90_000)

    return reading


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Say:
    monkeypatch.chdir(ROOT)
    (tmp_path / "PACKAGES").write_text("gzip 1.13\n")
    monkeypatch.setattr(
        "schedops.adapters.toolbox.guest_programs.programs_archive",
        lambda packages, *, progress: tmp_path / "archive.cpio",
    )

    def say(words: str, *, code: int = 0, machines: Machines | None = None) -> str:
        machines = machines or Machines(attached="long_first")
        machines.reading = faster(machines)
        ports = {"toolchain": Toolchain(), "machines": machines, "kernels": Kernels(IMAGE), "host": Host()}
        monkeypatch.setattr("schedops.wiring.world", lambda progress: World(clock=Clock(), progress=progress, **ports))
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        assert done.value.code == code, captured.err
        say.err, say.calls = captured.err, machines.calls
        return captured.out

    return say


def test_a_table_of_what_was_measured_and_where(say: Say, tmp_path: Path) -> None:
    text = say(f"{SUITE} --out {tmp_path}/o")
    assert text.startswith("measured on a real kernel in a micro-VM; kernel 6.18.15, 2 CPUs, tcg-multi, 2 seeds from 1")
    assert "simulated" not in text
    rows = [line.split() for line in text.splitlines()]
    assert next(row for row in rows if row[:2] == ["xz-gzip-mix", "makespan_per_floor"])[-1] == "2.00"
    assert text.count("2.00") >= 6
    assert say.calls.count("boot") == 3
    assert "left out" not in say.err
    results = json.loads((tmp_path / "o/results.json").read_text())
    assert (results["rung"], results["machine"], len(results["cells"])) == ("micro-vm", "6.18.15", 12)
    assert [one["programs"] for one in results["grounds"]] == [["gzip 1.13"]]
    assert results["grounds"][0]["environment"]["host"]["cpu_model"] == HOST_FACTS.cpu_model
    assert say(f"suite score {tmp_path}/o").splitlines()[0] == text.splitlines()[0]


def test_a_run_that_was_killed_goes_on_where_it_stopped(
    say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(f"{SUITE} --out {tmp_path}")
    whole = (tmp_path / "results.json").read_bytes()
    cells = tmp_path / "cells.jsonl"
    lines = cells.read_bytes().splitlines(keepends=True)
    assert len(lines) == 13  # the ground comes before the first cell
    cells.write_bytes(b"".join([*lines[:6], lines[6][:50]]))
    say(f"{SUITE} --out {tmp_path}", code=2)
    say(f"{SUITE} --out {tmp_path} --resume")
    assert (say.calls.count("boot"), (tmp_path / "results.json").read_bytes() == whole) == (2, True)
    say(f"{SUITE} --out {tmp_path} --resume")
    assert "boot" not in say.calls
    monkeypatch.setattr("tests.fakes.guest.HOST_FACTS", replace(HOST_FACTS, microcode="0x2"))
    say(f"{SUITE} --out {tmp_path} --resume")
    assert say.calls.count("boot") == 3
    assert "12 cells are run again, the earlier ones are not comparable: host microcode" in say.err


def test_shards_have_whole_workloads_and_are_joined(say: Say, tmp_path: Path) -> None:
    matrix = json.loads(say(f"suite plan {FEW} --shards 2"))
    assert [(one["shard"], one["cells"]) for one in matrix["include"]] == [("1/2", 8), ("2/2", 4)]
    for at, one in enumerate(matrix["include"]):
        assert f"{one['cells']} of 12 cells" in say(f"{SUITE} --out {tmp_path}/{at} --shard {one['shard']}")
    text = say(f"suite merge {tmp_path}/0 {tmp_path}/1 --out {tmp_path}/all")
    say(f"{SUITE} --out {tmp_path}/whole")
    assert (tmp_path / "all/results.json").read_bytes() == (tmp_path / "whole/results.json").read_bytes()
    assert "kernel 6.18.15" in text
    assert "missing-cells" in say(f"suite merge {tmp_path}/0 --out {tmp_path}/x", code=2) + say.err


def test_without_a_policy_the_default_scheduler_is_measured(say: Say, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    hidden = (ROOT / "policies/workloads/web-requests.yaml").read_text().replace("web-requests", "secret")
    (tmp_path / "hidden/secret.yaml").write_text(hidden)
    words = f"suite run --on vm --runs 1 --workload xz-gzip-mix --workload redis-like --hidden {tmp_path}/hidden"
    text = say(words, code=3)
    assert "left out, they are for the simulator or need sources: secret" in say.err
    assert "POLICY  TRACK  WORKLOADS" in text
    assert "eevdf   -      1 of 2" in text  # nobody says here what redis-benchmark has to say
    assert "no result: eevdf on redis-like: eevdf, seed 1: invalid: redis-benchmark did not say" in text
    assert "repeated, for a run was not valid: eevdf on redis-like, seed 1: redis-benchmark" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--on vm --machine flat-4", "--machine is for the simulator"),
        ("--on vm --executor dask:x", "--executor is for the simulator"),
        ("--on vm --baseline random", "the simulator's own"),
        ("--on vm --workload web-requests", "which only the simulator runs"),
        ("--on vm --workload kernel-build", "have to be named"),
        ("--on sim --policy fifo --kernel 6.18", "the simulator has none"),
        ("--on sim", "--policy is missing"),
    ],
)
def test_bad_input(say: Say, words: str, said: str) -> None:
    say(f"suite run {words}", code=2)
    assert said in say.err
