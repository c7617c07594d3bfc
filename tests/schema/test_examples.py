"""One realistic example of every document: it passes its schema and comes back unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from schedops.model.decision import Decision, Reason
from schedops.model.evidence import DocumentRef, Evidence, StageCost, Tools
from schedops.model.fleet import Assignment, Fleet, FleetKernel, HostGroup
from schedops.model.guest import SchedState
from schedops.model.jobs import Group, Hint, Hints, Job, JobPlan, RunReading, RunSetup
from schedops.model.kernel import Kernel
from schedops.model.machine import FrequencyRamp, IdleState, Machine, SimCpu
from schedops.model.measurements import Measurements, MetricValue, RoundPlan, Sample
from schedops.model.outcome import Effect, Outcome, OutcomeMachine, Standing
from schedops.model.plan import Alternative, Plan
from schedops.model.policy import Capabilities, Param, ParamValue, Policy, Provenance
from schedops.model.profile import ClassFinding, Figure, Profile
from schedops.model.program_policy import ProgramOption, ProgramPolicy
from schedops.model.pull import PullRequest
from schedops.model.trust import Threshold, Trust, TrustedKey
from schedops.model.verdict import Verdict
from schedops.model.verification import Check, ObjectRef, VerificationReport
from schedops.model.workload import BuildsModel, Guard, Objective, Workload
from schedops.schema.canonical import canonical_bytes, digest_of
from schedops.schema.decode import decode, encode
from schedops.schema.read import load
from schedops.schema.registry import KINDS
from schedops.schema.write import yaml_bytes
from tests.fakes.searches import searched
from tests.fakes.suites import filled, head, slo, workload

SHA = "0123456789abcdef" * 4
KERNEL = Kernel(name="6.16.3", release="6.16.3+deb14-cloud-amd64", btf_sha256=SHA, vmlinux_sha256=SHA, source="debian")
OBJECT = ObjectRef(kernel="6.16.3", btf_sha256=SHA, sha256=SHA)
CHOSEN = (ParamValue(name="slice_us", value=4000),)
STATE = SchedState(state="enabled", ops="build_order", enable_seq=3, switch_all=1, nr_rejected=0, task_on_ext=None)
JOBS = JobPlan(
    seed=7,
    cpus=2,
    groups=(Group(arrival_us=0, parallel=(4, 1, 4)),),
    jobs=(Job(key="0123456789abcdef", group=0, phase=0, work=12_000_000),),
)
READING = RunReading(
    start_us=(10,),
    end_us=(30_000,),
    cpu_us=(28_000,),
    run_delay_us=(900,),
    voluntary_switches=(1,),
    involuntary_switches=(2,),
    exit_codes=(0,),
    hints_accepted=1,
    wall_us=30_100,
    context_switches=40,
    wakeups=3,
)
SAMPLE = Sample(
    round=0,
    order=2,
    arm="candidate",
    seed=7,
    setup=RunSetup(cgroup_per_group=True, nice=(-3,), hint_ns=(0,), name_seed=1),
    before=STATE,
    after=STATE,
    reading=READING,
    metrics=(MetricValue(metric="mean_build_time_ms", unit="ms", value=30),),
    valid=True,
)
EXAMPLES: tuple[Any, ...] = (
    KERNEL,
    Machine(
        name="laptop-2-1",
        cpus=(SimCpu(core=0), SimCpu(core=0), SimCpu(core=1, llc=1, capacity=600)),
        tick_ns=4_000_000,
        idle_states=(IdleState(after_ns=0, exit_ns=1_000), IdleState(after_ns=200_000, exit_ns=80_000)),
        frequency=FrequencyRamp(floor=200, ramp_ns=20_000_000, decay_ns=200_000_000),
    ),
    Policy(
        name="build-order",
        description="Builds in order of arrival.",
        tags=("builds",),
        classes=("saturating-groups",),
        source="build-order.bpf.c",
        ops_name="build_order",
        params=(
            Param(
                name="slice_us", type="u64", default=5000, min=500, max=20_000, unit="us", meaning="Length of a turn."
            ),
        ),
        capabilities=Capabilities(cgroups=True),
        requires=("scx_bpf_dsq_insert_vtime",),
        loses_when="One small build waits behind a big one.",
        provenance=Provenance(author="agent", pathway="modify", base="fifo", base_sha256=SHA),
    ),
    Workload(
        name="ci-builds",
        description="Four builds.",
        objectives=(Objective(metric="mean_build_time_per_floor", unit="ratio", direction="lower", min_effect=0.05),),
        guards=(Guard(metric="all_done_per_floor", unit="ratio", direction="lower", max_harm=0.1, hard=True),),
        rounds=10,
        warmup_rounds=1,
        builds=BuildsModel(
            builds=4,
            compile_jobs=(6, 10, 16, 24),
            parallel_jobs=4,
            job_work=12_000_000,
            compile_sigma=0.5,
            link_factor=2,
            test_jobs=8,
            test_sigma=0.3,
            long_test_factor=6,
            length_sigma=0.3,
            arrival_gap_ms=200,
        ),
    ),
    Fleet(
        kernels=(FleetKernel(release="6.16"), FleetKernel(release="7.3.4", btf_sha256=SHA)),
        groups=(HostGroup(name="ci-runners", workloads=("ci-builds",)),),
    ),
    Assignment(group="ci-runners", workload="ci-builds", policy="build-order", params=CHOSEN, evidence_sha256=SHA),
    Hints(
        workload="ci-builds",
        hints=(Hint(key="0123456789abcdef", cpu_us=28_000, n=3, spread=0.12, measured="2026-11-21"),),
    ),
    Profile(
        workload="ci-builds",
        kernel="6.16.3",
        cpus=2,
        seed=1,
        accelerator="tcg-multi",
        figures=(Figure(name="wakeups_per_s", value=12.5, unit="1/s", how="voluntary switches by wall time"),),
        classes=(ClassFinding(name="saturating-groups", because="2.0 of 2 CPUs busy"),),
        cpu_ms_quantiles=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    ),
    Plan(
        workload="ci-builds",
        planner="offline",
        policy="build-order",
        params=CHOSEN,
        uses_hints=True,
        hypothesis="Finishing builds instead of sharing shortens the mean build time.",
        predicted_metric="mean_build_time_per_floor",
        predicted_change=-0.25,
        reasons=("several saturating groups",),
        alternatives=(Alternative(policy="fifo", score=0.5, why="does not know builds"),),
        cost_usd=0,
    ),
    VerificationReport(
        policy="build-order",
        source_sha256=SHA,
        stages=("load",),
        verdict=Verdict.PASS,
        checks=(Check(stage="load", kernel="6.16.3", verdict=Verdict.PASS, text="4 programs accepted", seconds=0.4),),
        objects=(OBJECT,),
        kernels_missing=("7.3",),
    ),
    Measurements(
        workload="ci-builds",
        policy="build-order",
        kernel="6.16.3",
        cpus=2,
        accelerator="tcg-multi",
        object_sha256=SHA,
        rung="micro-vm",
        warmup_rounds=1,
        rounds=(RoundPlan(round=0, plan=JOBS),),
        samples=(SAMPLE,),
        seconds=90.0,
    ),
    Decision(
        workload="ci-builds",
        policy="build-order",
        rung="micro-vm",
        verdict=Verdict.INCONCLUSIVE,
        recommendation="nothing",
        summary="Too few pairs.",
        reasons=(
            Reason(
                metric="mean_build_time_per_floor",
                role="objective",
                baseline="eevdf",
                arm="candidate",
                pairs=3,
                estimate=-0.2,
                low=None,
                high=None,
                threshold=0.05,
                hard=True,
                verdict=Verdict.INCONCLUSIVE,
                text="3 pairs are too few for an interval",
            ),
        ),
        confidence=0.95,
    ),
    Evidence(
        workload="ci-builds",
        workload_sha256=SHA,
        policy="build-order",
        policy_sha256=SHA,
        base_commit="a" * 40,
        tools=Tools(
            schedops="0.1.0", schedops_sha256=SHA, clang="19.1.7", bpftool="7.5.0", qemu="10.0.2", accelerator="kvm"
        ),
        kernels=(KERNEL,),
        objects=(OBJECT,),
        documents=(DocumentRef(kind="Profile", file="profile.json", sha256=SHA),),
        costs=(StageCost(stage="bench", seconds=90.0, usd=0, reused=False),),
        created="2026-11-21T09:00:00Z",
    ),
    Outcome(
        policy="build-order",
        policy_sha256=SHA,
        params=CHOSEN,
        workload="ci-builds",
        classes=("saturating-groups",),
        machine=OutcomeMachine(fingerprint=SHA, cpus=2, accelerator="kvm", cpu_model="AMD EPYC"),
        kernel="6.16.3",
        rung="micro-vm",
        verdict=Verdict.PASS,
        effects=(
            Effect(
                metric="mean_build_time_per_floor",
                direction="lower",
                baseline="eevdf",
                estimate=-0.2,
                low=None,
                high=None,
            ),
        ),
        evidence_sha256=SHA,
        created="2026-11-21T09:00:00Z",
    ),
    Standing(
        policy="build-order",
        policy_sha256=SHA,
        state="verified",
        because="passes on 1 workload",
        created="2026-11-21T09:00:00Z",
    ),
    Trust(
        keys=(TrustedKey(name="ci", key=f"ssh-ed25519 {'A' * 68}", roles=("build", "gate"), not_after=None),),
        thresholds=(Threshold(role="gate", keys=1),),
        revoked=(f"sha256:{SHA}",),
    ),
    ProgramPolicy(
        name="scx-simple",
        description="A simple scheduler.",
        program="scx_simple",
        version="scx_simple 1.0",
        sha256=SHA,
        options=(ProgramOption(names=("-s", "--slice-us"), value="US", default="20000", choices=("1", "20000")),),
    ),
    PullRequest(
        number=1,
        key="ci-runners/ci-builds",
        title="ci-runners: build-order for ci-builds",
        state="open",
        draft=False,
        verdict=Verdict.PASS,
        branch="schedops/ci-builds",
        base="main",
        head_commit="b" * 40,
        labels=("schedops",),
        created="2026-11-21T09:00:00Z",
        updated="2026-11-21T09:00:00Z",
    ),
    filled(head(workload("a", slo(9.0))), lambda place: {"request_p99_us": 5.0}),
    searched(),
)


def kind(value: Any) -> str:
    return type(value).__name__


def test_every_kind_has_an_example():
    assert sorted(map(kind, EXAMPLES)) == list(KINDS)


@pytest.mark.parametrize("value", EXAMPLES, ids=kind)
def test_json_comes_back(value):
    assert load(canonical_bytes(value), type(value)) == value


@pytest.mark.parametrize("value", EXAMPLES, ids=kind)
def test_yaml_comes_back_with_the_same_digest(value):
    again = load(yaml_bytes(value), type(value))
    assert again == value
    assert digest_of(again) == digest_of(value)


@pytest.mark.parametrize("value", EXAMPLES, ids=kind)
def test_the_encoded_form_comes_back(value):
    document = encode(value)
    assert encode(decode(type(value), document)) == document
