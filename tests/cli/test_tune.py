"""``schedops tune`` from the command line to page and envelope; the real simulator runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.cli.main import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch, capsys, sim_modules):
    def run(words):
        monkeypatch.setattr("schedops.wiring.simulator", lambda: WasmSimulator(sim_modules))
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return run


def test_envelope_lists_every_trial_and_is_the_same_again(run):
    words = "tune build-order --workload ci-builds --scale 0.5 --trials 8 --param slice_us=20000 --output json"
    code, out, err = run(words)
    data = json.loads(out)["data"]
    assert (code, data["rung"], data["sampler"], data["ended"]) == (0, "simulated", "tpe", "trials")
    assert [one["number"] for one in data["trials"]] == list(range(8))
    assert [one["origin"] for one in data["trials"][:2]] == ["settings", "default"]
    assert data["trials"][1]["params"] == [{"name": "slice_us", "value": 20000}]
    assert "8 tried" in err
    assert run(words)[1] == out


def test_page_says_that_nothing_was_measured_and_what_is_chosen(run):
    code, out, _ = run("tune fifo --workload uneven-batch --scale 0.5 --trials 4 --sampler random")
    assert code == 0
    assert out.startswith("simulated, not measured; machine flat-2, 2 CPUs")
    assert "fresh seeds:" in out
    assert "chosen: fifo" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("tune eevdf --workload ci-builds", "has no parameters"),
        ("tune fifo --workload nothing-like-it", "nothing-like-it"),
        ("tune fifo --workload ci-builds --param slice_us=1", "not a whole number in 500..20000"),
    ],
)
def test_bad_input(run, words, said):
    code, _, err = run(words)
    assert code == 2
    assert said in err
