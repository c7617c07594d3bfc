"""``schedops suite`` from the command line, with the real simulator: run, kill and resume, shards, merge, score."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.cli.main import main
from tests.cli.test_simulate import UNSUPPORTED

ROOT = Path(__file__).parents[2]
FEW = "--policy long-first --seeds 6 --workload uneven-batch --workload ci-builds"
SUITE = f"suite run {FEW}"
HIDDEN = """\
apiVersion: schedops/v1
kind: Workload
name: secret
description: Nobody knows.
objectives: [{metric: mean_completion_ms, unit: ms, direction: lower, min_effect: 0.05}]
guards: []
slos: [{metric: mean_completion_ms, unit: ms, direction: lower, bound: 0.5, hard: true}]
rounds: 6
warmup_rounds: 0
tasks: {classes: [{name: a, tasks: 9, phases: [{steps: [{do: run, us: 1000}]}]}]}
"""
EJECTED = """\
#include "schedops.h"
char _license[] SEC("license") = "GPL";
void OP(bad_enqueue, struct task_struct *p, u64 flags) { scx_bpf_dsq_insert(p, 4711, 0, 0); }
SEC(".struct_ops.link")
struct sched_ext_ops bad_ops = { .enqueue = (void *)bad_enqueue, .name = "bad" };
"""


class Counting:
    def __init__(self, simulator):
        self.simulator, self.runs = simulator, 0

    def run(self, plan, machine, scheduler, *, trace):
        self.runs += 1
        return self.simulator.run(plan, machine, scheduler, trace=trace)


@pytest.fixture
def say(monkeypatch, capsys, sim_modules):
    monkeypatch.chdir(ROOT)

    def say(words, *, code=0):
        simulator = Counting(WasmSimulator(sim_modules))
        monkeypatch.setattr("schedops.wiring.simulator", lambda: simulator)
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        assert done.value.code == code, captured.err
        say.runs, say.err = simulator.runs, captured.err
        return captured.out

    return say


def test_a_table_and_raw_samples(say, tmp_path):
    text = say(f"{SUITE} --out {tmp_path}/o")
    assert "simulated, not measured; machine flat-4, 4 CPUs, 6 seeds from 1 on; baseline eevdf" in text
    assert "uneven-batch  makespan_per_floor         ratio  1." in text
    assert say.runs == 2 * 2 * 6
    assert "24 cells" in say.err
    results, said = (tmp_path / "o" / name for name in ("results.json", "results.sha256"))
    assert said.read_text() == f"{hashlib.sha256(results.read_bytes()).hexdigest()}  results.json\n"
    data = json.loads(say(f"suite score {tmp_path}/o --output json"))["data"]["score"]
    assert data["results_sha256"].endswith(said.read_text().split()[0])
    eevdf, policy = data["schedulers"]
    assert (eevdf["score"], policy["track"]) == (2.0, "T1")
    assert policy["score"] == pytest.approx(sum(one["points"] for one in policy["workloads"])) != 2.0
    assert say.runs == 0


def test_shards_and_what_was_broken_off_give_the_same_bytes(say, tmp_path):
    say(f"{SUITE} --out {tmp_path}/whole")
    whole = (tmp_path / "whole/results.json").read_bytes()
    matrix = json.loads(say(f"suite plan {FEW} --shards 3"))
    assert [one["shard"] for one in matrix["include"]] == ["1/3", "2/3", "3/3"]
    for at, one in enumerate(matrix["include"]):
        text = say(f"{SUITE} --out {tmp_path}/{at} --shard {one['shard']}")
        assert f"shard {one['shard']}: 8 of 24 cells" in text
        assert say.runs == 8
    say(f"suite merge {tmp_path}/0 {tmp_path}/2/results.json {tmp_path}/1 --out {tmp_path}/joined")
    assert (tmp_path / "joined/results.json").read_bytes() == whole
    assert "missing-cells" in say(f"suite merge {tmp_path}/0 {tmp_path}/2 --out {tmp_path}/x", code=2) + say.err
    assert "no result" in say(f"suite score {tmp_path}/0", code=3)

    cells = tmp_path / "whole/cells.jsonl"
    lines = cells.read_bytes().splitlines(keepends=True)
    cells.write_bytes(b"".join([*lines[:20], b"{}\n", b"\xff\n", lines[20], lines[21][:50]]))
    say(f"{SUITE} --out {tmp_path}/whole", code=2)
    assert "journal-there" in say.err
    say(f"{SUITE} --out {tmp_path}/whole --resume")
    assert say.runs == 3
    assert (tmp_path / "whole/results.json").read_bytes() == whole
    say(f"{SUITE} --param x --out {tmp_path}/whole --resume", code=2)
    say(f"suite run {FEW.replace('long-first', 'long-first:slice_us=2000')} --out {tmp_path}/whole --resume")
    assert say.runs == 12  # the baseline's are known


def test_hidden_workloads_have_slos_of_their_own(say, tmp_path):
    (tmp_path / "h").mkdir()
    (tmp_path / "h/secret.yaml").write_text(HIDDEN)
    text = say(f"suite run --policy fifo --seeds 1 --workload pipe-groups --hidden {tmp_path}/h")
    assert "secret (hidden)" in text
    assert "hard SLO missed: fifo on secret: mean_completion_ms " in text
    assert "SLO missed: 0" in text
    (tmp_path / "h/secret.yaml").rename(tmp_path / "h/pipe-groups.yaml")
    say(f"suite run --policy fifo --workload pipe-groups --hidden {tmp_path}/h", code=2)
    assert "$.name: secret lives in a file named pipe-groups.yaml" in say.err
    (tmp_path / "h/pipe-groups.yaml").write_text(HIDDEN.replace("secret", "pipe-groups"))
    say(f"suite run --policy fifo --workload pipe-groups --hidden {tmp_path}/h", code=2)
    assert "error[twice]" in say.err


@pytest.mark.parametrize(("source", "code", "why"), [(UNSUPPORTED, 3, "unsupported"), (EJECTED, 1, "ejected")])
def test_a_policy_that_does_not_get_through_has_no_result(say, tmp_path, source, code, why):
    (tmp_path / "bad.bpf.c").write_text(source)
    text = say(f"suite run --policy {tmp_path}/bad.bpf.c --seeds 1 --workload pipe-groups", code=code)
    assert "no result: bad on pipe-groups: bad, seed 1: " + why in text
    assert "bad     T2     0 of 1     0                 0.00    -               no result" in text


def test_a_workload_that_the_machine_cannot_run_has_no_result(say):
    text = say("suite run --policy fifo --seeds 1 --workload pinned-hogs --cpus 1", code=3)
    assert "no result: fifo on pinned-hogs: eevdf, seed 1: plan-error: 'hog-1' wants CPU 1, flat-1 has 1" in text


@pytest.mark.parametrize(
    "words",
    [
        "suite run",
        "suite run --policy nobody",
        "suite run --policy fifo --policy fifo",
        "suite run --policy fifo --resume",
        "suite run --policy fifo --out x --shard 3/2",
        "suite run --policy fifo --executor cloud",
        "suite run --policy fifo:slice_us=lots",
        "suite plan --policy fifo --shards 0",
        "suite score README.md",
        "suite score nowhere",
        "suite score README.md --budget 3",
        "suite score README.md --alpha a=b",
    ],
)
def test_bad_input(say, words):
    say(words, code=2)
    assert say.runs == 0
    assert "error" in say.err.lower()
    assert not Path("x").exists()


def test_a_budget_takes_points_away(say, tmp_path):
    say(f"suite run --policy fifo --policy long-first --seeds 1 --workload pipe-groups --out {tmp_path}")
    words = f"suite score {tmp_path} --budget 2 --lambda 0.5 --spent fifo=4"
    data = json.loads(say(f"{words} --output json", code=3))["data"]["score"]
    fifo, other = data["schedulers"][1:]
    assert fifo["penalty"] == 0.5
    assert fifo["score"] == pytest.approx(fifo["points"] - 0.5)
    assert (other["penalty"], other["score"]) == (None, None)
    assert "unknown" in say(words, code=3)
    data = json.loads(say(f"suite score {tmp_path} --track T2 --output json"))["data"]["score"]
    assert [one["scheduler"] for one in data["schedulers"]] == ["eevdf"]
