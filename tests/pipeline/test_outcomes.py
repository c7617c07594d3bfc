from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.environment import Environment, HostFacts
from schedops.model.profile import ClassFinding
from schedops.pipeline.outcomes import machine_of, outcome_of
from schedops.pipeline.suiting import query_of, summary_of
from schedops.repository import load_workload
from schedops.repository.history import appended, parse_history
from schedops.schema.canonical import digest_of
from schedops.schema.files import data_dir
from tests.fakes.dossier import dossier

HOST = HostFacts(
    kernel="6.1", cpu_model="AMD EPYC", cpus=8, governor="none", smt="on", turbo="on", mitigations=("x: y",),
    microcode="0x1", virtualisation="kvm",
)  # fmt: skip
HERE = Environment(kernel="7.3.1", cpus=2, accelerator="kvm", qemu="10", host=HOST)


def test_a_line_of_history_says_what_the_gate_said():
    made = dossier()
    found = outcome_of(
        made.workload, ["batch"], made.plan.params, made.decision, made.evidence, environment=HERE
    )  # fmt: skip
    assert (found.policy, found.workload, found.verdict) == ("p", "w", made.decision.verdict)
    assert found.policy_sha256 == made.verification.source_sha256
    assert found.evidence_sha256 == digest_of(made.evidence)
    assert [param.name for param in found.params] == ["age_ms", "slice_us"]
    assert (found.kernel, found.machine.cpus, found.machine.accelerator) == ("7.3.1", 2, "kvm")
    objectives = {one.metric for one in made.workload.objectives}
    assert found.effects
    assert {effect.metric for effect in found.effects} <= objectives
    assert parse_history(appended(b"", [found]), "p").value.outcomes == (found,)


@pytest.mark.parametrize(
    "change", [{"kernel": "7.0"}, {"microcode": "0x2"}, {"governor": "performance"}, {"turbo": ""}]
)
def test_what_changes_by_an_update_leaves_it_the_same_machine(change):
    assert machine_of(replace(HOST, **change), cpus=2, accelerator="kvm") == machine_of(HOST, cpus=2, accelerator="kvm")


@pytest.mark.parametrize("change", [{"cpu_model": "Xeon"}, {"cpus": 16}, {"virtualisation": "none"}])
def test_other_hardware_is_another_machine(change):
    other = machine_of(replace(HOST, **change), cpus=2, accelerator="kvm")
    assert other.fingerprint != machine_of(HOST, cpus=2, accelerator="kvm").fingerprint


class NoWorld:
    """Nothing of it is used by a look that runs nothing."""

    host = None


def test_a_workload_becomes_a_query_without_a_run():
    workload = load_workload(data_dir("policies").parent, "ci-builds")
    profile = summary_of(workload, None, world=NoWorld())
    query = query_of(profile, workload, machine_of(HOST, cpus=8, accelerator=""))
    assert query.workload == "ci-builds"
    assert query.classes[0] == "saturating-groups"
    assert "mean build time per floor" in query.text
    assert not query.free


def test_a_profile_of_a_workload_that_nobody_has_is_enough():
    workload = load_workload(data_dir("policies").parent, "uneven-batch")
    profile = replace(
        summary_of(workload, None, world=NoWorld()), workload="other",
        classes=(ClassFinding(name="uneven-batch", because="x"),),
    )  # fmt: skip
    query = query_of(profile, None, machine_of(HOST, cpus=8, accelerator=""))
    assert (query.workload, query.classes) == ("other", ("uneven-batch",))
    assert "straggler" in query.text
