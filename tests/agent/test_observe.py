from dataclasses import replace

from schedops.agent.observe import observe
from schedops.model.profile import ClassFinding, Figure, Profile, TierCost
from schedops.model.workload import Guard, Objective, Slo
from tests.fakes.workloads import builds

WORKLOAD = builds(
    objectives=(Objective(metric="mean_build_time_per_floor", unit="ratio", direction="lower", min_effect=0.05),),
    guards=(Guard(metric="all_done_per_floor", unit="ratio", direction="lower", max_harm=0.1, hard=True),),
    slos=(Slo(metric="all_done_per_floor", unit="ratio", direction="lower", bound=2.5, hard=True),),
)
PROFILE = Profile(
    workload="b",
    kernel="7.3.4",
    cpus=2,
    seed=1,
    accelerator="kvm",
    figures=(Figure(name="jobs", value=92, unit="count", how="counted"),),
    classes=(ClassFinding(name="saturating-groups", because="4 groups", confidence=0.9),),
    cpu_ms_quantiles=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    costs=(TierCost(tier="probe", seconds=12.0, how="measured"),),
)


def test_every_figure_is_one_of_the_profile():
    found = observe(WORKLOAD, PROFILE)
    assert found.paragraph == "saturating-groups: 4 groups. Measured (2 CPUs, 7.3.4): jobs 92."
    assert observe(WORKLOAD, replace(PROFILE, words="Several groups.")).paragraph.startswith("Several groups. Measured")


def test_targets_are_the_workloads_own():
    assert observe(WORKLOAD, PROFILE).targets == (
        "mean build time per floor 5% less or better, against both defaults",
        "all done per floor 10% worse at most",
        "all done per floor at most 2.5 ratio",
    )


def test_a_closer_look_is_asked_for_only_where_the_class_is_unsure():
    unsure = replace(PROFILE, classes=(ClassFinding(name="mixed", because="", confidence=0.51),))
    assert observe(WORKLOAD, PROFILE).closer == ""
    assert observe(WORKLOAD, unsure).closer == (
        "mixed is not sure, confidence 0.51; `schedops profile --tier probe` would say more in about 12 s"
    )
    assert observe(WORKLOAD, replace(unsure, costs=())).closer == ""
    assert "no class was found" in observe(WORKLOAD, replace(PROFILE, classes=())).closer
