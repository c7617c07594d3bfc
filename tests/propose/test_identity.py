"""The same intent has the same key, whatever the figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.errors import InputError
from schedops.model.fleet import Fleet, HostGroup
from schedops.model.policy import ParamValue
from schedops.propose.dossier import group_for
from schedops.propose.identity import branch_of, key_of
from tests.fakes.dossier import PLAN, POLICY, dossier

FLEET = Fleet(
    kernels=(), groups=(HostGroup(name="a", workloads=("w",)), HostGroup(name="b", workloads=("w", "only-b")))
)


def test_key_and_branch_are_stable():
    assert key_of(dossier()) == "b32b8864"
    assert branch_of(dossier()) == "schedops/agent/w/p-b32b8864"


def test_figures_and_parameters_are_no_other_intent():
    other = replace(PLAN, params=(ParamValue(name="slice_us", value=1),))

    assert key_of(dossier(candidate=0.7, plan=other)) == key_of(dossier())


def test_policy_group_and_settings_are_another_intent():
    keys = {
        key_of(dossier()),
        key_of(dossier(policy=replace(POLICY, name="q"))),
        key_of(dossier(group="others")),
        key_of(dossier(informed=0.8, candidate=1.2)),
    }

    assert len(keys) == 4


def test_a_name_cannot_leave_its_place_in_the_branch():
    assert branch_of(dossier(policy=replace(POLICY, name="../x y.lock"))).startswith("schedops/agent/w/x-y-lock-")


def test_group_is_the_only_one_or_the_one_named():
    assert group_for(FLEET, "only-b") == "b"
    assert group_for(FLEET, "w", "a") == "a"


@pytest.mark.parametrize(("workload", "wanted"), [("w", None), ("none", None), ("only-b", "a"), ("w", "c")])
def test_group_in_doubt_is_asked_for(workload, wanted):
    with pytest.raises(InputError) as caught:
        group_for(FLEET, workload, wanted)

    assert caught.value.code == "no-group"
