from __future__ import annotations

import pytest

from schedops.errors import InputError
from schedops.model.policy import Policy, PolicySource
from schedops.repository import resolve_policy
from schedops.repository.derive import UNDESCRIBED, derived
from schedops.schema.read import load
from schedops.schema.write import yaml_bytes

SOURCE = """\
/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A sample of a scheduler
 * with one queue.
 */
#include <scx/common.bpf.h>
char _license[] SEC("license") = "GPL";
const volatile u64 slice_ns = 5000000ULL;
const volatile bool greedy = true;
const volatile u32 nr_cpus;
const volatile int level = 3;
const volatile u32 table[4];
const volatile u64 computed = 5 * 1000;
/* const volatile u64 commented = 1; */
void BPF_STRUCT_OPS(sample_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_bpf_dsq_insert_vtime(p, 0, slice_ns, p->scx.dsq_vtime, enq_flags);
}
void BPF_STRUCT_OPS(sample_cpu_online, s32 cpu) {}
void BPF_STRUCT_OPS(sample_cpu_offline, s32 cpu) {}
void BPF_STRUCT_OPS(sample_set_weight, struct task_struct *p, u32 weight) {}
SCX_OPS_DEFINE(sample_ops, .enqueue = (void *)sample_enqueue, .flags = SCX_OPS_SWITCH_PARTIAL, .name = "sample");
"""


@pytest.fixture
def bare(tmp_path):
    (tmp_path / "policies/library").mkdir(parents=True)

    def make(text: str = SOURCE) -> PolicySource:
        (tmp_path / "sample.bpf.c").write_text(text)
        return resolve_policy(tmp_path, "./sample.bpf.c", cwd=tmp_path)

    return make


def made(bare: PolicySource, **given: str) -> Policy:
    options = {"name": "sample", "description": "", "licence": "", **given}
    return derived(bare, **options).source.policy


def test_what_a_source_says_of_itself(bare):
    policy = made(bare())
    assert (policy.name, policy.ops_name, policy.licence) == ("sample", "sample", "GPL-2.0")
    assert policy.description == "A sample of a scheduler with one queue."
    assert policy.requires == ("scx_bpf_dsq_insert_vtime",)
    held = policy.capabilities
    assert (held.weights, held.hotplug, held.partial, held.cgroups, held.hints) == (True, True, True, False, False)
    assert load(yaml_bytes(policy), Policy) == policy


def test_constants_have_type_and_value_and_no_range_that_nobody_gave(bare):
    params = {param.name: param for param in made(bare()).params}
    assert list(params) == ["slice_ns", "greedy", "nr_cpus"]
    slice_ns = params["slice_ns"]
    assert (slice_ns.type, slice_ns.default, slice_ns.min, slice_ns.max, slice_ns.unit) == (
        "u64", 5_000_000, 5_000_000, 5_000_000, "ns",
    )  # fmt: skip
    assert (params["greedy"].default, params["greedy"].min, params["greedy"].max) == (1, 0, 1)
    assert params["nr_cpus"].default == 0
    assert params["nr_cpus"].meaning == UNDESCRIBED
    notes = " ".join(derived(bare(), name="sample", description="", licence="").notes)
    assert all(name in notes for name in ("level", "table", "computed", "ranges"))
    assert "commented" not in notes


def test_what_is_given_goes_before_what_is_derived(bare):
    policy = made(bare(), description="Mine.", licence="MIT")
    assert (policy.description, policy.licence) == ("Mine.", "MIT")


def test_a_source_without_a_licence_is_asked_for_it(bare):
    with pytest.raises(InputError, match="no SPDX") as error:
        made(bare(SOURCE.replace("SPDX-License-Identifier", "Licence")))
    assert error.value.code == "no-licence"


def test_a_source_without_a_name_cannot_be_told_from_others(bare):
    with pytest.raises(InputError, match=r"\.name"):
        made(bare(SOURCE.replace('.name = "sample"', "")))
