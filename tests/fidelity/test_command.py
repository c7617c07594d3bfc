"""The command itself, on samples that are there: everything but the guest."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import pytest

from benchmarks.fidelity.cells import WORKLOADS, Arm, inputs_digest, load
from benchmarks.fidelity.costs import lab
from benchmarks.fidelity.samples import Hops, Host, Sample, Samples
from schedops.adapters.sim.simulator import WasmSimulator
from schedops.repository import find_policy
from tests.fakes.fidelity import runs

ROOT = WORKLOADS.parents[2]
ARMS = (Arm("eevdf"), Arm("eevdf again"), Arm("fifo", find_policy(ROOT, "fifo")))


@pytest.fixture
def command(monkeypatch, sim_modules) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("fidelity_command", ROOT / "benchmarks" / "fidelity.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "simulator", lambda: WasmSimulator(sim_modules))
    return module


def kept(path, *, digest: str = "") -> None:
    """:param digest: of the samples; empty: what it is."""
    known = Hops(same_ns=3e4, other_ns=4e4, asleep_ns=6e4, work=1.0, both=1.2)
    samples = Samples(Host("7.3.4", "tcg-multi", "10.0"), "2026-01-02", {"eevdf": known})
    for number, values in runs(rounds=6, fifo=2 / 3)["nice-hogs"].items():
        for order, arm in enumerate(ARMS):
            now = digest or inputs_digest(load("nice-hogs"), arm, number=number, machine=lab())
            shown = values[arm.name]
            samples.runs.append(
                Sample(workload="nice-hogs", number=number, arm=arm.name, order=order, digest=now, values=shown)
            )
    samples.save(path)


def test_a_page_without_a_vm(command, tmp_path):
    kept(tmp_path / "samples.json")
    page = tmp_path / "out" / "page.md"
    (tmp_path / "out").mkdir()
    page.with_suffix(".txt").write_text("nice-hogs / fifo / *: it knows no weights\n", encoding="utf-8")
    words = ["--page-only", "--samples", str(tmp_path / "samples.json"), "--to", str(page)]
    assert command.main([*words, "--workload", "nice-hogs", "--policy", "fifo"]) == 0
    text = page.read_text(encoding="utf-8")
    # Weights 1024 and 335 without a policy that knows them: 0.5 / 0.75.
    row = next(line for line in text.splitlines() if line.startswith("| fifo | `share@heavy`"))
    assert row.split("|")[3].strip().startswith("-3")
    assert row.split("|")[6].strip() == "same sign"
    assert page.with_suffix(".svg").read_bytes().startswith(b"<svg")
    again = text
    assert command.main([*words, "--workload", "nice-hogs", "--policy", "fifo"]) == 0
    assert page.read_text(encoding="utf-8") == again


def test_samples_of_other_inputs_make_no_page(command, tmp_path, capsys):
    path = tmp_path / "samples.json"
    words = ["--page-only", "--samples", str(path), "--to", str(tmp_path / "page.md")]
    assert command.main([*words, "--workload", "nice-hogs", "--policy", "fifo"]) == 2
    assert "is not there" in capsys.readouterr().err
    kept(path, digest="of another day")
    assert command.main([*words, "--workload", "nice-hogs", "--policy", "fifo"]) == 2
    assert "none of these workloads as they are now" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
