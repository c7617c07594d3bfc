from __future__ import annotations

from itertools import pairwise

import pytest

from schedops.errors import InputError
from schedops.model.simulation import Op, SimVerdict
from schedops.sim.programs.jobs import FORK_NS, REAP_NS
from schedops.workloads.tables import metric_table
from tests.sim.programs.kinds import graph, kernel, pipes, ran, values

DIAMOND = (("a", 10.0, ()), ("b", 20.0, ("a",)), ("c", 5.0, ("a",)), ("d", 1.0, ("b", "c")))


def begins(run, result) -> dict[str, float]:
    return {task.name: one.first_run_ns / 1e6 for task, one in zip(run.plan.tasks, result.tasks, strict=True)}


def ends(run, result) -> dict[str, float]:
    return {task.name: one.completion_ns / 1e6 for task, one in zip(run.plan.tasks, result.tasks, strict=True)}


def test_no_job_begins_its_work_before_what_it_waits_for():
    run, result = ran(graph(*DIAMOND))
    done = ends(run, result)
    assert result.end.verdict == SimVerdict.DONE
    assert done["a"] < done["c"] < done["b"] < done["d"]
    assert done["d"] == pytest.approx(31, abs=1)
    assert values(run, result)["makespan_per_floor"] == pytest.approx(1, abs=0.05)
    assert run.extent.work_ns == 36_000_000
    assert run.extent.chain_ns == 31_000_000


def test_job_slots_are_kept():
    wide = tuple((f"j{at}", 10.0, ()) for at in range(8))
    narrow, broad = (values(*ran(graph(*wide, parallel_jobs=slots), cpus=8))["makespan_ms"] for slots in (2, 8))
    assert (narrow, broad) == (pytest.approx(40, abs=2), pytest.approx(10, abs=2))


@pytest.mark.parametrize(
    ("jobs", "what"),
    [((("a", 1.0, ("b",)), ("b", 1.0, ())), "'a' waits for 'b', which is no job before it"),
     ((("a", 1.0, ()), ("a", 1.0, ())), "'a' is there twice")],
)  # fmt: skip
def test_what_is_no_graph(jobs, what):
    with pytest.raises(InputError, match=what) as caught:
        ran(graph(*jobs))
    assert caught.value.code == "bad-workload"


def test_a_chain_of_many_comes_to_an_end():
    jobs = [("j0", 1.0, ())] + [(f"j{at}", 1.0, (f"j{at - 1}", f"j{at // 2}")) for at in range(1, 60)]
    run, result = ran(graph(*jobs), cpus=4)
    assert result.end.verdict == SimVerdict.DONE
    assert run.extent.chain_ns == 60_000_000


def test_a_kernel_build_does_all_its_work_in_order():
    run, result = ran(kernel(), cpus=4)
    done, first = ends(run, result), begins(run, result)
    assert result.end.verdict == SimVerdict.DONE
    assert done["configure"] <= min(first[name] for name in first if name.startswith("make-"))
    assert max(done[name] for name in done if name.startswith("ar-")) <= first["ld-0"] <= done["ld-0"] <= first["ld-1"]
    work = sum(step.a for one in run.plan.tasks for step in run.plan.programs[one.program] if step.op == Op.RUN)
    assert run.extent.work_ns < work < run.extent.work_ns + (FORK_NS + REAP_NS) * len(run.plan.tasks)
    assert list(values(run, result)) == list(metric_table(run.workload))
    assert 1 <= values(run, result)["makespan_per_floor"] < 1.5


def test_serial_parts_may_be_chains_of_short_processes():
    plain, chained = (ran(kernel(process_ms=ms), cpus=4) for ms in (0.0, 5.0))
    done, first = ends(*chained), begins(*chained)
    parts = [name for name in done if name.startswith("configure-")]
    assert len(parts) == round(ends(*plain)["configure"] / 5)
    assert all(done[one] <= first[after] for one, after in pairwise(parts))
    assert "ld-1-0" in done
    assert any(name.startswith("sh-0-") for name in done)
    work = [run.extent.work_ns for run, _ in (plain, chained)]
    assert work[0] == work[1]
    assert values(*chained)["makespan_per_floor"] < 1.2 * values(*plain)["makespan_per_floor"]


def test_a_kernel_build_of_172_cpus_leaves_most_of_them_idle():
    run, result = ran(kernel(directories=20, compile_jobs=400, work_ms=60.0, configure_ms=800.0, links=4), cpus=172)
    assert values(run, result)["utilisation"] < 0.25
    assert len(run.plan.tasks) > 1600


def test_lengths_of_a_kernel_build_are_its_own_and_not_the_run_s():
    plans = [ran(kernel())[0].plan for _ in range(2)]
    assert plans[0] == plans[1]


def test_pipes_carry_every_message():
    run, result = ran(pipes())
    assert result.end.verdict == SimVerdict.DONE
    assert run.extent.messages == 2 * 3 * 3 * 5
    assert run.extent.work_ns == sum(task.cpu_ns for task in result.tasks)
    assert list(values(run, result)) == list(metric_table(run.workload))


def test_a_small_pipe_makes_its_senders_wait():
    small, large = (sum(task.wakeups for task in ran(pipes(capacity=size))[1].tasks) for size in (1, 256))
    assert small > large
