"""Runs: what is finished is not repeated, what is half is not believed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace

import pytest

from schedops.adapters.disk.runs import Runs
from schedops.errors import InputError
from schedops.model.kept import Kept
from schedops.model.plan import Plan

PLAN = Plan(
    workload="w",
    planner="offline",
    policy="fifo",
    params=(),
    uses_hints=False,
    hypothesis="it is quicker",
    predicted_metric="m",
    predicted_change=-0.1,
    reasons=(),
    alternatives=(),
    cost_usd=0.0,
)
KEPT = Kept(value=PLAN, seconds=1.5, usd=0.25)


@pytest.fixture
def runs(tmp_path, clock) -> Runs:
    return Runs(tmp_path, clock=clock)


def start(runs, **options):
    return runs.new_run(command="propose", parameters={"workload": "w"}, **options)


def test_stage_is_recalled_in_its_run_and_in_a_later_one(runs):
    with start(runs) as run:
        assert run.recall("plan", "d1", Plan) is None
        run.keep("plan", "d1", KEPT)
        assert run.recall("plan", "d1", Plan) == KEPT
    with start(runs) as later:
        assert later.recall("plan", "d1", Plan) == KEPT
        assert (later.directory / "plan.json").exists()


def test_other_inputs_are_not_recalled(runs):
    with start(runs) as run:
        run.keep("plan", "d1", KEPT)
        assert run.recall("plan", "d2", Plan) is None
        assert run.recall("profile", "d1", Plan) is None


def test_fresh_looks_in_its_own_run_only(runs):
    with start(runs) as run:
        run.keep("plan", "d1", KEPT)
    with start(runs, fresh=True) as fresh:
        assert fresh.recall("plan", "d1", Plan) is None
        fresh.keep("plan", "d1", KEPT)
        assert fresh.recall("plan", "d1", Plan) == KEPT


@pytest.mark.parametrize("name", ["plan.json", "plan.receipt"])
@pytest.mark.parametrize("damage", ["half", "empty", "gone", "garbage"])
def test_damaged_document_is_made_again(runs, name, damage):
    with start(runs) as run:
        run.keep("plan", "d1", KEPT)
        path = run.directory / name
        data = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes({"half": data[: len(data) // 2], "empty": b"", "garbage": b"\xff\x00[]"}[damage])

        assert run.recall("plan", "d1", Plan) is None


def test_run_is_resumed_with_its_parameters_and_documents(runs):
    with start(runs) as run:
        run.keep("plan", "d1", KEPT)

    assert runs.latest() == run.id
    with runs.open_run(run.id) as again:
        assert again.record.parameters == {"workload": "w"}
        assert again.recall("plan", "d1", Plan) == KEPT


@pytest.mark.parametrize("run", ["20260101-000000-abcd", "../..", "", "x"])
def test_unknown_run(runs, run):
    with pytest.raises(InputError) as caught, runs.open_run(run):
        pass

    assert caught.value.code == "no-run"


def test_running_run_is_not_resumed(runs):
    with start(runs) as run, pytest.raises(InputError) as caught, runs.open_run(run.id):
        pass

    assert caught.value.code == "run-busy"


@pytest.mark.parametrize(
    ("error", "state"), [(KeyboardInterrupt, "interrupted"), (RuntimeError, "failed"), (None, "finished")]
)
def test_state_says_how_it_ended(runs, error, state):
    def work():
        with start(runs) as run:
            assert runs.record(run.id).state == "running"
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(error):
            work()

    assert runs.record(runs.latest()).state == state


def _work_until_killed(runs, ready):
    with start(runs) as run:
        run.keep("plan", "d1", KEPT)
        (run.directory / ".verification.json.half").write_text("{")
        ready.set()
        signal.pause()


def test_killed_run_goes_on_and_its_lock_died_with_it(runs):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=_work_until_killed, args=(runs, ready))
    process.start()
    assert ready.wait(timeout=30)
    os.kill(process.pid, signal.SIGKILL)
    process.join(timeout=30)

    with runs.open_run(runs.latest()) as run:
        assert run.recall("plan", "d1", Plan) == KEPT
        assert not (run.directory / ".verification.json.half").exists()
    assert runs.record(run.id).state == "finished"


def test_leftovers_of_killed_runs_are_swept_and_those_of_running_ones_kept(runs):
    with start(runs) as dead:
        pass
    (dead.directory / ".plan.json.x").write_text("{")
    with start(runs) as running:
        (running.directory / ".plan.json.x").write_text("{")
        with start(runs):
            pass

        assert not (dead.directory / ".plan.json.x").exists()
        assert (running.directory / ".plan.json.x").exists()


# What earlier runs found


def test_documents_of_finished_runs_the_newest_first(runs):
    for number, workload in enumerate(("w", "v", "w", "w")):
        asked = {"workload": workload, "cpus": 2, "seed": number}
        with runs.new_run(command="bench", parameters=asked) as run:
            run.keep("plan", "sha256:1", Kept(value=replace(PLAN, policy=f"p{number}"), seconds=1.0, usd=0.0))
    wanted = {"workload": "w", "cpus": 2}
    assert {plan.policy for plan in runs.documents("plan", Plan, wanted, at_most=9)} == {"p0", "p2", "p3"}
    assert len(runs.documents("plan", Plan, wanted, at_most=2)) == 2
    assert runs.documents("plan", Plan, {"workload": "w", "cpus": 3}, at_most=9) == ()
    assert runs.documents("measurements", Plan, wanted, at_most=9) == ()


def test_documents_that_are_damaged_or_of_a_run_that_did_not_end_well_do_not_count(runs):
    with start(runs) as run:
        run.keep("plan", "sha256:1", KEPT)
    run.finish("failed")
    assert runs.documents("plan", Plan, {"workload": "w"}, at_most=9) == ()
    with start(runs) as run:
        run.keep("plan", "sha256:1", KEPT)
    assert runs.documents("plan", Plan, {"workload": "w"}, at_most=9) == (PLAN,)
    (run.directory / "plan.json").write_bytes(b"{}")
    assert runs.documents("plan", Plan, {"workload": "w"}, at_most=9) == ()
