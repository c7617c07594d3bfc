"""Does the offline planner choose what is best? Its choice beside every policy of the library, in the simulator.

    python benchmarks/planner_choice.py [WORKLOAD ...]

The planner sees a profile without a run, the library and the training seeds. Then its choice and every policy with its
default values run on fresh seeds; of those that break nothing the best is what an exhaustive sweep would have chosen.
Simulated, not measured; half a minute a workload.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from schedops.adapters.clock import SystemClock
from schedops.adapters.console import PlainProgress
from schedops.agent.lab import DEFAULT_SCHEDULER, SETTINGS_ALONE, Candidate
from schedops.agent.offline import OfflinePlanner
from schedops.agent.planner import Brief, Workbench
from schedops.agent.value import value_of
from schedops.errors import SchedopsError
from schedops.model.machine import flat_machine
from schedops.model.policy import PolicySource
from schedops.model.workload import JOB_KINDS, Workload
from schedops.pipeline.lab import Budget, workbench
from schedops.pipeline.simulation import Load
from schedops.pipeline.suite import LocalHands
from schedops.pipeline.suiting import summary_of
from schedops.ports import World
from schedops.repository import load_policies, load_workloads
from schedops.sim.programs.hints import model_hints
from schedops.wiring import crew, simulator, world

ROOT = Path(__file__).parent.parent
CPUS = 4  # as the sweep of docs/library.md
NEAR = math.log(1.03)
TRIALS = 40


def main(names: list[str]) -> None:
    library = load_policies(ROOT)
    progress = PlainProgress(sys.stderr)
    hands, joined = LocalHands(simulator(), crew()), world(progress)
    found = []
    for workload in load_workloads(ROOT):
        if not names or workload.name in names:
            load = Load(workload=workload, machine=flat_machine(CPUS))
            bench = workbench(
                load,
                Budget(trials=TRIALS),
                seed=1,
                sampler="tpe",
                hands=hands,
                clock=SystemClock(),
                progress=progress,
                stage=workload.name,
            )
            found.append(_judged(workload, bench, library, joined))
    print(f"the best, or within 3 % of it: {sum(found)} of {len(found)}")


def _judged(workload: Workload, bench: Workbench, library: Sequence[PolicySource], joined: World) -> bool:
    hints = model_hints(workload, seed=99, cpus=CPUS) if workload.model_kind in JOB_KINDS else None
    profile = summary_of(workload, hints, world=joined)
    brief = Brief(workload=workload, profile=profile, hints=hints, library=tuple(library), pathway="configure")
    try:
        chosen = OfflinePlanner().propose(brief, bench)
    except SchedopsError as error:
        print(f"{workload.name:20} MISS {error.message}", flush=True)
        return False
    others = {one.policy.name: _value(workload, bench, Candidate(one.policy.name, one)) for one in library}
    best = min(others, key=lambda name: others[name])
    ours = _value(workload, bench, chosen.candidate)
    near = ours <= others[best] + NEAR
    settings = "; settings are enough" if chosen.plan.settings_only else ""
    said = f"{chosen.candidate.name} {ours:+.3f}, best by default values {best} {others[best]:+.3f}{settings}"
    print(f"{workload.name:20} {'near' if near else 'MISS'} {said}", flush=True)
    return near


def _value(workload: Workload, bench: Workbench, candidate: Candidate) -> float:
    base, informed, new = (
        [one.metrics or {} for one in bench.lab.run([(who, seed) for seed in bench.terms.fresh_seeds])]
        for who in (DEFAULT_SCHEDULER, SETTINGS_ALONE, candidate)
    )
    value = value_of(workload, base, informed, new).value if all(new) else None
    return math.inf if value is None else value


if __name__ == "__main__":
    main(sys.argv[1:])
