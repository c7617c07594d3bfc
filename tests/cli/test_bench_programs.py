"""``bench`` over real programs, from the command line to the envelope and back by ``gate --replay``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.cli.main import main
from schedops.model.programs import ProgramPlan, ProgramReading
from schedops.ports import World
from tests.cli.test_measuring import ROOT, Kernels, Toolchain
from tests.fakes.guest import IMAGE, Clock, Host
from tests.fakes.real import Machines, played

JOINED = "60000 rows, 53989829826619\n"  # what sort-join says when it is done
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "PACKAGES").write_text("gzip 1.13\n")
    monkeypatch.setattr(
        "schedops.adapters.toolbox.guest_programs.programs_archive",
        lambda packages, *, progress: tmp_path / "archive.cpio",
    )

    def run(words: str, machines: Machines) -> tuple[int, str, str]:
        ports = {"toolchain": Toolchain(), "machines": machines, "kernels": Kernels(IMAGE), "host": Host()}
        monkeypatch.setattr("schedops.wiring.world", lambda progress: World(clock=Clock(), progress=progress, **ports))
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return run


def faster(machines: Machines) -> Callable[[int, ProgramPlan], ProgramReading]:
    def reading(number: int, plan: ProgramPlan) -> ProgramReading:
        share = (0.7 if machines.now.ops else 1.0) * (1 + number % 7 / 500)
        end_us = tuple(round(end * share) for end in played(plan).end_us)
        outputs = tuple(JOINED if "query" in job.argv else "" for job in plan.jobs)
        return replace(played(plan), end_us=end_us, outputs=outputs, machine_cpu_us=90_000)

    return reading


@pytest.mark.parametrize(
    "words",
    ["long-first --workload xz-gzip-mix --programs", "long-first --workload sort-join"],
    ids=["where the model has jobs they have to be asked for", "where it has none they are what runs"],
)
def test_a_verdict_on_real_programs_that_can_be_replayed(run: Run, words: str) -> None:
    machines = Machines(attached="long_first")
    machines.reading = faster(machines)
    code, out, err = run(f"bench {words} --rounds 8 --output json", machines)
    data = json.loads(out)["data"]
    assert (code, data["verdict"]) == (0, "PASS"), data["decision"]["summary"]
    assert "expected CPU time of" in err
    measured = data["measurements"]
    assert measured["programs"]["versions"] == ["gzip 1.13"]
    assert {sample["reading"] for sample in measured["samples"]} == {None}
    code, out, _ = run(f"gate --replay .schedops/runs/{data['run']}", machines)
    assert code == 0
    assert "PASS" in out
    _, _, err = run(f"bench {words} --rounds 1 --cold", machines)
    assert "assumed)" not in err  # the noise of the earlier run counts


def test_jobs_and_programs_are_never_compared(run: Run) -> None:
    machines = Machines(attached="long_first")
    machines.reading = faster(machines)
    _, out, _ = run("bench long-first --workload sort-join --rounds 1 --output json", machines)
    measured = Path(".schedops/runs") / json.loads(out)["data"]["run"] / "measurements.json"
    other = json.loads(measured.read_text())
    other["programs"]["versions"] = ["gzip 2"]
    Path("other.json").write_text(json.dumps(other))
    code, _, err = run(f"gate --replay {measured} --against other.json --workload sort-join", machines)
    assert code == 1
    assert "what ran: real programs: gzip 1.13 and real programs: gzip 2" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("build-order --workload ci-builds --programs", "a model without real programs"),
        ("fifo --workload kernel-build", "build sources that have to be named"),
        ("fifo --workload web-requests", "which only the simulator runs"),
        ("fifo --workload sort-join --programs --on sim", "--on sim knows no --kernel, --programs"),
    ],
)
def test_what_cannot_be_run_is_bad_input(run: Run, words: str, said: str) -> None:
    code, _, err = run(f"bench {words}", Machines())
    assert (code, said in err) == (2, True), err
