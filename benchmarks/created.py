"""Policies created by composition beside those of the library that they have to find again, in the simulator.

    python benchmarks/created.py [TRIALS [SEED]]

Of the library everything that knows hints or groups is taken away. Simulated, not measured; five to ten minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from schedops.adapters.clock import SystemClock
from schedops.adapters.console import console_progress
from schedops.agent.compose.recipe import recipe_of, words
from schedops.agent.compose.space import RecipeSpace
from schedops.agent.created import headers_of
from schedops.agent.lab import DEFAULT_SCHEDULER, Candidate
from schedops.agent.search import create, search
from schedops.agent.value import per_seed
from schedops.model.machine import flat_machine
from schedops.pipeline.lab import Budget, workbench
from schedops.pipeline.simulation import Load
from schedops.pipeline.suite import LocalHands
from schedops.repository import load_policies, load_workload
from schedops.stats.interval import paired_interval
from schedops.wiring import crew, simulator

ROOT = Path(__file__).parent.parent
PAIRS = (("ci-builds", "build-order"), ("uneven-batch", "long-first"))


def main(trials: int = 60, seed: int = 1) -> None:
    library = load_policies(ROOT)
    left = [one for one in library if not (one.policy.capabilities.hints or one.policy.capabilities.cgroups)]
    for workload, removed in PAIRS:
        load = Load(workload=load_workload(ROOT, workload), machine=flat_machine(2))
        with console_progress() as progress:
            bench = workbench(
                load,
                Budget(trials=trials),
                seed=seed,
                sampler="tpe",
                hands=LocalHands(simulator(), crew()),
                clock=SystemClock(),
                progress=progress,
                stage="create",
            )
            known = next(one for one in library if one.policy.name == removed)
            tuned = search(bench.terms, [(Candidate(removed, known), "default")], lab=bench.lab, told=bench.told)
            rivals = [(Candidate(one.policy.name, one), "default") for one in left]
            rest = search(bench.terms, rivals, lab=bench.lab, told=bench.told)
            space = RecipeSpace(headers_of(library), ("mixed",), hinted=True)
            found = create(bench.terms, space, lab=bench.lab, told=bench.told)
        print(f"{workload}: {len(found.trials)} candidates")
        for name, one, params in (
            (f"{removed}, tuned", Candidate(removed, known), tuned.trials[tuned.chosen].params),
            *((f"best of the rest, {one.policy.name}", Candidate(one.policy.name, one), rest.trials[rest.chosen].params)
              for one in left if one.policy.name == rest.trials[rest.chosen].candidate),
            ("created", Candidate("", space.source(recipe_of(found.trials[found.chosen].recipe))),
             found.trials[found.chosen].params),
        ):  # fmt: skip
            fresh = bench.terms.fresh_seeds
            candidate = Candidate(one.source.policy.name, one.source, params)
            base, new = ([run.metrics for run in bench.lab.run([(who, at) for at in fresh])]
                         for who in (DEFAULT_SCHEDULER, candidate))  # fmt: skip
            for objective in load.workload.objectives:
                logs = [b[objective.metric] / a[objective.metric] - 1 for a, b in zip(base, new, strict=True)]
                print(f"  {name:34} {objective.metric:28} {paired_interval(logs, confidence=0.95).estimate:+.1%}")
            mean = paired_interval(per_seed(load.workload, base, new), confidence=0.95)
            print(f"  {name:34} {'all objectives, ln':28} {mean.estimate:+.3f} [{mean.low:+.3f}, {mean.high:+.3f}]")
        chosen = found.trials[found.chosen]
        print(f"  {words(recipe_of(chosen.recipe))}")
        print(f"  {chosen.recipe}; {' '.join(f'{one.name}={one.value}' for one in chosen.params)}\n")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
