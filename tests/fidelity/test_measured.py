from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from benchmarks.fidelity import samples as kept
from benchmarks.fidelity.cells import Arm
from benchmarks.fidelity.measured import Bed, blocks_of, measure
from benchmarks.fidelity.samples import Host, Samples
from schedops.errors import GuestLost, InputError, Refused, Unavailable
from schedops.model.guest import AttachReading, PlayReading, SchedState
from schedops.model.policy import Capabilities, Policy, PolicySource, Provenance
from schedops.model.simulation import CpuResult, Histogram, LabelResult, SimEnd, SimPlan, SimResult, TaskResult
from tests.fakes.guest import DISABLED, IMAGE

HOST = Host("7.3.4", "tcg-multi", "10.0")
NS = 1_000_000_000


def arm(name: str, ops: str) -> Arm:
    policy = Policy(
        name=name,
        description="",
        tags=(),
        classes=(),
        source=f"{name}.bpf.c",
        ops_name=ops,
        loses_when="",
        provenance=Provenance(author="human", pathway="create"),
        capabilities=Capabilities(hints=True),
    )
    return Arm(name, PolicySource(policy=policy, path=f"{name}.bpf.c", text="/* nothing */"))


ARMS = (Arm("eevdf"), Arm("eevdf again"), arm("fifo", "fifo_ops"), arm("long-first", "long_first"))


@dataclass
class Guests:
    """The port Machines. Plays are counted over all guests, but for those of the costs.

    :param gone_in: plays in which the guest is lost. :param dropped_in: plays after which no policy is in charge.
    """

    gone_in: frozenset[int] = frozenset()
    dropped_in: frozenset[int] = frozenset()
    gone_in_costs: bool = False
    outcome: str = "attached"
    hints: int = 1_000
    verdict: str = "done"
    costs: str = "done"
    plays: list[tuple[str, SimPlan, int]] = field(default_factory=list)
    boots: int = 0

    @contextmanager
    def boot(self, image, *, cpus: int, sockets: int = 1) -> Iterator[Playing]:
        assert (image, cpus) == (IMAGE, 2)
        self.boots += 1
        yield Playing(self)


@dataclass
class Playing:
    """The part of the port Guest that is asked."""

    guests: Guests
    now: SchedState = DISABLED

    def attach(self, elf: bytes, *, deadline_s: float) -> AttachReading:
        before = self.now
        if self.guests.outcome == "attached":
            self.now = replace(DISABLED, state="enabled", ops=elf.decode(), enable_seq=1, task_on_ext=True)
        return AttachReading(
            outcome=self.guests.outcome,
            errno=22,
            before=before,
            after=self.now,
            log="bad access",
            seconds=0.1,
            verified_instructions=1,
        )

    def detach(self, *, deadline_s: float) -> None:
        self.now = DISABLED

    def state(self) -> SchedState:
        return self.now

    def play(self, plan: SimPlan, *, name_seed: int, deadline_s: float) -> PlayReading:
        if plan.labels in {("alone",), ("ping", "pong"), ("ringer", "sleeper")}:
            if self.guests.gone_in_costs:
                raise GuestLost("no answer", attached=False)
            return reading_of(plan, replace(self.guests, verdict=self.guests.costs))
        number = len(self.guests.plays)
        self.guests.plays.append((self.now.ops, plan, name_seed))
        if number in self.guests.gone_in:
            raise GuestLost("no answer", attached=bool(self.now.ops))
        if number in self.guests.dropped_in:
            self.now = DISABLED
        return reading_of(plan, self.guests)


def reading_of(plan: SimPlan, guests: Guests) -> PlayReading:
    """Every task has the CPU for a second and a tenth more for each place; those of endless programs do not end."""
    tasks = tuple(
        TaskResult(
            arrival_ns=0,
            first_run_ns=1_000,
            completion_ns=-1 if plan.end_ns else NS + at,
            cpu_ns=NS // 10 + at,
            wait_ns=0,
            max_wait_ns=-1,
            switches=3,
            preemptions=1,
            wakeups=1,
            migrations=(0, 0, 0),
        )
        for at, _ in enumerate(plan.tasks)
    )
    nothing = LabelResult(wakeup=Histogram(((100, 3),)), request=Histogram())
    result = SimResult(
        end=SimEnd(verdict=guests.verdict, message="in words"),
        end_ns=2 * NS,
        tasks=tasks,
        cpus=(CpuResult(busy_ns=NS, idle_ns=NS, idle_waste_ns=-1),) * 2,
        labels=(nothing,) * len(plan.labels),
        decisions=1,
        wakeups=1,
        ticks=-1,
        completions=-1,
    )
    return PlayReading(
        result=result,
        ns_per_1000=5_200,
        hints_accepted=guests.hints,
        cpu_ns=NS,
        wall_ns=NS,
        context_switches=9,
        clean=True,
    )


class Ticking:
    """The port Clock: a second a look."""

    def __init__(self) -> None:
        self.looks = 0

    def now_utc(self) -> str:
        raise NotImplementedError

    def monotonic_s(self) -> float:
        self.looks += 1
        return float(self.looks)


@dataclass
class Bench:
    guests: Guests
    path: Path
    told: list[str] = field(default_factory=list)
    samples: Samples = field(default_factory=lambda: Samples(HOST))

    def go(self, *workloads: str, rounds: int = 2, budget_s: float = math.inf) -> None:
        bed = Bed(
            machines=self.guests,
            image=IMAGE,
            arms=ARMS,
            objects={one.name: one.ops_name.encode() for one in ARMS if one.source},
            clock=Ticking(),
            tell=self.told.append,
            budget_s=budget_s,
        )
        measure(bed, blocks_of(workloads, rounds, ARMS), self.samples, self.path)

    def valid(self) -> list[tuple[str, int, str]]:
        return [(one.workload, one.number, one.arm) for one in self.samples.runs if not one.why]


@pytest.fixture
def bench(tmp_path):
    return Bench(Guests(), tmp_path / "deep" / "samples.json")


def test_rounds_of_all_arms_in_one_boot(bench):
    bench.go("nice-hogs", "workers-2")
    assert bench.guests.boots == 1
    assert [(one.workload, one.number) for one in bench.samples.runs[::4]] == [
        ("nice-hogs", 0), ("workers-2", 0), ("nice-hogs", 1), ("workers-2", 1)
    ]  # fmt: skip
    assert [one.arm for one in bench.samples.runs[:4]] != [one.arm for one in bench.samples.runs[8:12]]
    assert {one.arm: one.why for one in bench.samples.runs} == dict.fromkeys((one.name for one in ARMS), "")
    ops = [ops for ops, _, _ in bench.guests.plays[:4]]
    assert sorted(ops) == ["", "", "fifo_ops", "long_first"]
    assert len({seed for _, _, seed in bench.guests.plays}) == len(bench.guests.plays)
    assert set(bench.samples.hops) == {"eevdf", "fifo", "long-first"}
    assert bench.samples.runs[0].values["loop_ns"] == 5.2
    assert "4 of 4 blocks, about 0 min left" in bench.told[-1]


def test_what_is_there_is_not_played_again(bench):
    bench.go("nice-hogs", rounds=1)
    played = len(bench.guests.plays)
    bench.samples = kept.read(bench.path)
    bench.go("nice-hogs", rounds=1)
    assert (len(bench.guests.plays), bench.guests.boots) == (played, 1)
    bench.go("nice-hogs", rounds=2)
    assert len(bench.guests.plays) == 2 * played
    one = bench.samples.runs[0]
    bench.samples.runs[0] = replace(one, digest="another")
    bench.go("nice-hogs", rounds=2)
    assert len(bench.guests.plays) == 3 * played
    assert len(bench.samples.runs) == 2 * len(ARMS)


def test_a_lost_guest_costs_a_block_that_is_played_anew(bench):
    bench.guests.gone_in = frozenset({2})
    bench.go("nice-hogs")
    assert bench.guests.boots == 2
    assert len(bench.guests.plays) == 3 + 8
    assert len(bench.valid()) == 8


def test_a_guest_that_is_lost_twice_costs_what_it_did_not_show(bench):
    bench.guests.gone_in = frozenset({2, 5})
    bench.go("nice-hogs")
    assert bench.guests.boots == 3
    lost = [one for one in bench.samples.runs if one.why]
    assert [(one.number, one.why) for one in lost] == [(0, "the guest was lost: no answer")] * 2
    assert len(bench.valid()) == 6
    assert [(one.arm, one.why) for one in kept.read(bench.path).runs] == [(r.arm, r.why) for r in bench.samples.runs]


def test_costs_that_cannot_be_measured_end_it(bench):
    bench.guests.gone_in_costs = True
    with pytest.raises(GuestLost):
        bench.go("nice-hogs")
    assert bench.guests.boots == 2


def test_costs_of_a_run_that_is_not_whole_are_none(bench):
    bench.guests.costs = "late"
    with pytest.raises(Unavailable, match="what a switch costs could not be measured: it ended as late"):
        bench.go("nice-hogs")
    assert not bench.samples.hops


def test_a_run_under_another_scheduler_does_not_count(bench):
    bench.guests.dropped_in = frozenset(range(4))
    bench.go("nice-hogs", rounds=1)
    wrong = {one.arm: one.why for one in bench.samples.runs if one.why}
    assert set(wrong) == {"fifo", "long-first"}
    assert all("after the run the policy was disabled" in why for why in wrong.values())
    assert "fifo does not count" in bench.told[-1]


@pytest.mark.parametrize(
    ("more", "why"),
    [({"verdict": "late"}, "it ended as late: in words"), ({"hints": 3}, "the loader took 3 of 11 hints")],
)
def test_a_run_that_is_not_whole_does_not_count(bench, more, why):
    bench.guests = Guests(**more)
    bench.go("small-batch", rounds=1)
    assert next(one.why for one in bench.samples.runs if one.arm == "long-first") == why


def test_a_policy_that_does_not_attach_ends_it(bench):
    bench.guests.outcome = "load-failed"
    with pytest.raises(Refused, match="fifo did not attach"):
        bench.go("nice-hogs")


def test_no_block_begins_after_its_time(bench):
    bench.go("nice-hogs", rounds=8, budget_s=30)
    rounds = len(bench.samples.runs) // len(ARMS)
    assert 1 <= rounds < 8
    assert f"{8 - rounds} blocks are left" in bench.told[-1]
    bench.go("nice-hogs", rounds=8)
    assert len(bench.samples.runs) == 8 * len(ARMS)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "host": 3}'])
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "samples.json"
    assert kept.read(path) is None
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="holds no samples"):
        kept.read(path)
