from __future__ import annotations

import json
import struct
from dataclasses import replace

from schedops.model.machine import flat_machine
from schedops.model.simulation import TRACE_RECORD, SimTask, TraceKind
from schedops.ports import SimScheduler
from schedops.sim.perfetto.chrome import chrome_trace
from schedops.sim.stream import Traced, slices
from tests.fakes.simulator import Simulator, plan_of_works

MS = 1_000_000


def traced(plan=None, name="eevdf, simulated"):
    plan = plan or plan_of_works(10 * MS + 1, 6 * MS, 3 * MS)
    return Traced(name, plan, Simulator().run(plan, flat_machine(2), SimScheduler("eevdf"), trace=True))


def events(*runs):
    return json.loads(b"".join(chrome_trace(runs)))["traceEvents"]


def test_slices_with_exact_times():
    run = traced()
    found = [
        (one["tid"], one["name"], round(one["ts"] * 1000), round((one["ts"] + one["dur"]) * 1000))
        for one in events(run)
        if one["ph"] == "X"
    ]
    assert found == [
        (one.cpu, f"job-{one.task}:{one.task}", one.start_ns, one.end_ns)
        for one in slices(run.result.trace, run.result.end_ns)
    ]


def test_it_says_what_it_is():
    document = json.loads(b"".join(chrome_trace([traced()])))
    assert "simulated" in document["otherData"]["measured"]
    named = [one["args"]["name"] for one in document["traceEvents"] if one["name"] in ("process_name", "thread_name")]
    assert named == ["eevdf, simulated", "CPU 0", "CPU 1"]


def test_counters_and_processes():
    found = events(traced(), traced(name="other"))
    assert {one["pid"] for one in found} == {1, 2}
    assert {one["name"] for one in found if one["ph"] == "C"} == {"DSQ 0", "DSQ 1", "DSQ 2"}


def test_a_wake_up_by_a_task_flows_to_the_slice_that_follows():
    stream = [(5, 0, 0, 0, TraceKind.RUN), (9, 1, 1, 0, TraceKind.WAKE), (12, 3, 1, 1, TraceKind.RUN)]
    trace = b"".join(struct.pack(TRACE_RECORD, *record) for record in stream)
    run = traced()
    found = events(run._replace(result=replace(run.result, trace=trace, end_ns=20)))
    flows = [(one["ph"], one["id"], one["tid"], one["ts"]) for one in found if one["ph"] in "sf"]
    assert flows == [("s", "1.1", 0, 0.009), ("f", "1.1", 1, 0.012)]


def test_any_name_is_json():
    plan = plan_of_works(MS)
    plan = replace(plan, tasks=(SimTask(name='"\\\n\u2028', program=0),))
    assert [one["name"] for one in events(traced(plan)) if one["ph"] == "X"] == ['"\\\n\u2028:0']
