"""An outcome as a proposal writes it."""

from __future__ import annotations

from schedops.model.outcome import Effect, Outcome, OutcomeMachine
from schedops.model.policy import ParamValue
from schedops.model.verdict import Verdict

EFFECT = Effect(
    metric="mean_build_time_per_floor", direction="lower", baseline="eevdf", estimate=-0.292, low=-0.31, high=-0.27
)
OUTCOME = Outcome(
    policy="build-order",
    policy_sha256="0" * 64,
    params=(ParamValue(name="slice_us", value=1500),),
    workload="ci-builds",
    classes=("saturating-groups", "cpu-bound"),
    machine=OutcomeMachine(fingerprint="1" * 64, cpus=2, accelerator="kvm", cpu_model="a CPU"),
    kernel="7.3.4",
    rung="micro-vm",
    verdict=Verdict.PASS,
    effects=(EFFECT,),
    evidence_sha256="sha256:" + "a" * 64,
    created="2026-11-21T22:14:44Z",
)
