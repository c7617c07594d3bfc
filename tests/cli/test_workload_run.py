"""``workload run`` from the command line to the envelope; no guest is booted and nothing is downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.cli.main import main
from schedops.ports import World
from tests.cli.test_measuring import Kernels, Toolchain
from tests.fakes.guest import HOST_FACTS, IMAGE, Clock, Host
from tests.fakes.real import Machines, played

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    def run(words: str, machines: Machines) -> tuple[int, str, str]:
        archive = tmp_path / "archive.cpio"
        (tmp_path / "PACKAGES").write_text("xz-utils 5.8\ngzip 1.13\n")
        monkeypatch.setattr(
            "schedops.adapters.toolbox.guest_programs.programs_archive", lambda packages, *, progress: archive
        )
        monkeypatch.setattr(
            "schedops.wiring.world",
            lambda progress: World(
                clock=Clock(),
                progress=progress,
                toolchain=Toolchain(),
                machines=machines,
                kernels=Kernels(IMAGE),
                host=Host(),
            ),
        )
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return run


def test_runs_are_printed_with_all_that_figures_depend_on(run: Run) -> None:
    machines = Machines(attached="build_order")
    words = "workload run xz-gzip-mix --policy build-order --hints --runs 2 --seed 7 --output json"
    code, out, _ = run(words, machines)
    data = json.loads(out)["data"]
    assert code == 0
    arms = ["eevdf", "informed", "build-order"]
    assert [one["arm"] for one in data["runs"]] == [*arms, *reversed(arms)]
    assert data["programs"] == ["gzip 1.13", "xz-utils 5.8"]
    assert (data["size"]["seed"], data["size"]["warmups"], data["size"]["hints"]) == (7, 1, True)
    assert data["environment"]["accelerator"] == "tcg-multi"
    assert data["environment"]["host"]["cpu_model"] == HOST_FACTS.cpu_model
    assert {one["metric"] for one in data["runs"][0]["metrics"]} >= {"makespan_per_floor", "slowest_short_per_floor"}
    assert machines.calls.count("boot") == 1
    code, out, _ = run("workload run xz-gzip-mix --cold --runs 2", again := Machines())
    assert (code, again.calls.count("boot")) == (0, 2)
    assert out.splitlines()[2].split() == ["METRIC", "(MEDIAN)", "UNIT", "EEVDF"]


def test_a_run_that_did_not_do_its_work_is_told_and_no_success(run: Run) -> None:
    codes = lambda number, plan: replace(played(plan), exit_codes=(0,) * (len(plan.jobs) - 1) + (number,))  # noqa: E731
    code, out, _ = run("workload run xz-gzip-mix --runs 2 --warmup 0", Machines(reading=codes))
    assert code == 69  # that says nothing of a policy
    assert "eevdf, run 2: xz ended with 1: xz -6 -T1 -c numbers" in out
    words = "workload run xz-gzip-mix --policy build-order --warmup 0"
    code, out, _ = run(words, Machines(attached="build_order", reading=codes))
    assert code == 1
    assert "build-order, run 1: xz ended with 1" in out


def test_how_long_it_takes_at_most_is_told_where_it_was_measured(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("schedops.pipeline.prepared.expected_s", lambda workload, accelerator, *, scale: 9.0 * scale)
    words = "workload run xz-gzip-mix --policy build-order --runs 2 --warmup 1"
    _, _, err = run(words, Machines(attached="build_order"))
    assert "6 runs, at most about 54 s: one took 9 s on two emulated CPUs" in err
    _, _, err = run("workload run xz-gzip-mix --warmup 0", Machines())
    assert "at most" not in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("xz-gzip-mix --cold --warmup 1", "no warm-up"),
        ("ci-builds", "a model without real programs"),
        ("kernel-build", "builds sources that nobody has named"),
        ("xz-gzip-mix --source /tmp", "brings what it works on"),
    ],
)
def test_what_cannot_be_run_is_bad_input(run: Run, words: str, said: str) -> None:
    code, _, err = run(f"workload run {words}", Machines())
    assert (code, said in err) == (2, True)
