"""What a suite's schedulers are called, what their cells depend on, and how far it says it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.errors import InputError
from schedops.model.machine import flat_machine
from schedops.model.policy import ParamValue
from schedops.model.simulation import SimEnd, SimVerdict
from schedops.model.suite import SuiteCell
from schedops.pipeline.suite import Entrant, SuiteSpec, head_of, run_suite
from schedops.ports import SimScheduler
from schedops.repository import find_policy, load_workload
from schedops.schema.files import data_dir
from schedops.suite.cells import Shard

ROOT = data_dir("policies").parent
SOURCE = find_policy(ROOT, "fifo")
EEVDF = Entrant(label="eevdf", scheduler=SimScheduler("eevdf"), arm="eevdf")


def policy(source=SOURCE, *, label="p", arm="candidate", **params: int) -> Entrant:
    values = tuple(ParamValue(name=name, value=value) for name, value in params.items())
    return Entrant(label=label, scheduler=SimScheduler(source.policy.name, source, values), arm=arm)


def spec(*entrants: Entrant, seeds: int = 3) -> SuiteSpec:
    return SuiteSpec(
        tool_sha256="a" * 64,
        machine=flat_machine(2),
        entrants=(EEVDF, *entrants),
        workloads=(load_workload(ROOT, "ping-pong"), load_workload(ROOT, "uneven-batch")),
        seeds=tuple(range(1, seeds + 1)),
        shipped=(SOURCE,),
    )


def scheduler(entrant: Entrant):
    return head_of(spec(entrant)).schedulers[1]


def test_tracks():
    assert head_of(spec(policy())).schedulers[0].track == ""
    assert scheduler(policy(slice_us=900)).track == "T1"
    assert scheduler(policy(replace(SOURCE, path="elsewhere"))).track == "T1"
    assert scheduler(policy(replace(SOURCE, text=SOURCE.text + "\n"))).track == "T2"
    assert scheduler(policy(replace(SOURCE, headers=(("own.h", ""),)))).track == "T2"


def test_a_scheduler_s_digest_is_of_what_its_runs_depend_on():
    same = [policy(), policy(label="q"), policy(replace(SOURCE, path="elsewhere"))]
    other = [
        policy(slice_us=900),
        policy(replace(SOURCE, text=SOURCE.text + "\n")),
        policy(replace(SOURCE, headers=(("own.h", ""),))),
        policy(arm="informed"),
        Entrant(label="p", scheduler=SimScheduler("fifo"), arm="candidate"),
    ]
    assert len({scheduler(one).sha256 for one in same}) == 1
    assert len({scheduler(one).sha256 for one in (same[0], *other)}) == 1 + len(other)


def test_each_scheduler_once():
    with pytest.raises(InputError) as caught:
        head_of(spec(policy(), policy(slice_us=900)))
    assert caught.value.code == "twice"


class Hands:
    def __init__(self):
        self.work = []

    def run(self, work, done):
        self.work = list(work)
        for one in reversed(self.work):
            done(cell(one))


def cell(work):
    return SuiteCell(
        key=work.key,
        workload=work.load.workload.name,
        scheduler=work.entrant.label,
        seed=work.seed,
        end=SimEnd(verdict=SimVerdict.DONE),
    )


class Clock:
    def __init__(self):
        self.now = 0.0

    def monotonic_s(self):
        self.now += 1
        return self.now


class Told:
    def __init__(self):
        self.events = []

    def emit(self, event):
        self.events.append(event)


def run(asked, **options):
    hands, told, kept = Hands(), Told(), []
    found = run_suite(asked, hands=hands, clock=Clock(), progress=told, keep=kept.append, **options)
    return found, hands, told.events, kept


def test_what_is_known_is_not_run_again():
    whole, hands, events, kept = run(spec(policy()))
    assert len(whole.cells) == len(hands.work) == len(kept) == 2 * 2 * 3
    known = {one.key: one for one in whole.cells[:5]}
    moved = {whole.cells[6].key: replace(whole.cells[5], key=whole.cells[6].key)}
    again, hands, events, kept = run(spec(policy()), known={**known, **moved})
    assert again == whole
    assert len(hands.work) == len(kept) == 7
    assert events[0].text == "5 of 12 cells are known, 1 are of other inputs"
    assert events[1].text == "2 schedulers, 2 workloads, 3 seeds: 12 cells, 5 of them known"
    assert run(spec(policy()), known={one.key: one for one in whole.cells})[1].work == []


def test_the_estimate_waits_for_ten_cells():
    _, _, events, _ = run(spec(policy()))
    steps = [one for one in events if one.kind == "progress"]
    assert [one.remaining_s is None for one in steps] == [True] * 9 + [False] * 3
    assert steps[-1].fraction == 1.0
    assert steps[-1].remaining_s == 0.0
    assert steps[9].remaining_s == pytest.approx(1 * (12 / 10 - 1))  # the clock was asked once since


def test_where_it_is_known_how_long_cells_take_the_estimate_is_there_at_once():
    _, _, events, _ = run(spec(policy()), expected_s={"ping-pong": 5.0, "uneven-batch": 15.0})
    assert events[0].text.endswith("12 cells, at most about 2 min 00 s")
    steps = [one for one in events if one.kind == "progress"]
    # The fake hands begin with the last workload, whose cells weigh three times as much.
    assert [round(one.fraction * 120) for one in steps] == [15, 30, 45, 60, 75, 90, 95, 100, 105, 110, 115, 120]
    assert [one.remaining_s is None for one in steps] == [False] * 12
    assert steps[0].remaining_s == pytest.approx(1 * (120 / 15 - 1))


def test_a_shard_runs_its_own_cells():
    found, hands, _, _ = run(spec(policy()), shard=Shard(2, 5))
    assert len(found.cells) == len(hands.work) == 3
