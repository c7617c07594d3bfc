"""A search of two candidates, one with a name that means harm."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.policy import ParamValue
from schedops.model.search import Confirmation, Search, SearchFigure, SearchTrial


def searched() -> Search:
    trial = SearchTrial(
        number=0,
        candidate="p",
        params=(ParamValue(name="slice_us", value=3000),),
        origin="sampler",
        state="pruned",
        seeds=2,
        value=-0.1,
        broken=0.2,
        figures=(SearchFigure(metric="makespan", role="objective", change=-0.123),),
    )
    confirmed = Confirmation(trial=0, baseline="planned", metric="", estimate=-0.1, low=-0.2, high=-0.05, pairs=10)
    return Search(
        workload="w",
        workload_sha256="0" * 64,
        machine="flat-2",
        machine_sha256="1" * 64,
        cpus=2,
        scale=1.0,
        seed=1,
        sampler="tpe",
        budget_trials=40,
        budget_s=0.0,
        training_seeds=(1, 2),
        fresh_seeds=tuple(range(10)),
        ended="trials",
        trials=(trial, replace(trial, number=1, candidate="q", state="failed", note="<img src=x>", figures=())),
        planned=0,
        winner=0,
        chosen=0,
        confirmed=(confirmed,),
        because="better <script>",
        runs=17,
    )
