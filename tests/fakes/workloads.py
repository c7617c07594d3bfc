"""The two shapes of workload, small."""

from __future__ import annotations

from schedops.model.jobs import Hint, Hints, JobPlan
from schedops.model.policy import Capabilities, Param, Policy, Provenance
from schedops.model.verification import BuiltObject
from schedops.model.workload import BatchModel, BuildsModel, Workload

BUILT = BuiltObject(elf=b"\x7fELF", sha256="d" * 64, kernel="6.18.15")


def batch(**changes: object) -> Workload:
    model = BatchModel(short_jobs_per_cpu=5, long_jobs=1, job_work=100_000, long_factor=7.4, length_sigma=0.15)
    return Workload(name="w", description="", rounds=6, warmup_rounds=1, batch=model, **_empty(changes))


def builds(**changes: object) -> Workload:
    model = BuildsModel(
        builds=4,
        compile_jobs=(6, 10, 16, 24),
        parallel_jobs=4,
        job_work=50_000,
        compile_sigma=0.5,
        link_factor=2,
        test_jobs=8,
        test_sigma=0.3,
        long_test_factor=6,
        length_sigma=0.15,
        arrival_gap_ms=250,
    )
    return Workload(name="b", description="", rounds=6, warmup_rounds=1, builds=model, **_empty(changes))


def hints(plan: JobPlan, us_per_work: float = 1.0) -> Hints:
    """Perfect ones."""
    found = {job.key: round(job.work * us_per_work) for job in plan.jobs}
    return Hints(
        workload="w",
        hints=tuple(Hint(key=key, cpu_us=us, n=1, spread=None, measured="2026-11-21") for key, us in found.items()),
    )


def policy(name: str = "ours", **changes: object) -> Policy:
    given: dict[str, object] = {
        "description": "",
        "tags": (),
        "classes": (),
        "source": f"{name}.bpf.c",
        "ops_name": "ours",
        "params": (),
        "capabilities": Capabilities(hints=True, cgroups=True),
        "loses_when": "",
        "provenance": Provenance(author="human", pathway="create"),
    }
    return Policy(name=name, **(given | changes))


def param(name: str, default: int, low: int, high: int, unit: str = "us") -> Param:
    return Param(name=name, type="u64", default=default, min=low, max=high, unit=unit, meaning="")


def _empty(changes: dict[str, object]) -> dict[str, object]:
    return {"objectives": (), "guards": ()} | changes
