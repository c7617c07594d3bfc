"""Rules on real objects: a policy that breaks each of them on a line that says so, and one that only looks like it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from schedops.adapters.kernel.kernels import KernelStore
from schedops.model.kernel import KernelApi
from schedops.model.policy import Capabilities, Policy
from schedops.model.verification import Finding
from schedops.ports import KernelImage
from schedops.verify.object.check import RULES, SHARED, check_object
from schedops.verify.object.differ import differences
from schedops.verify.object.elf import inspect

from .conftest import source_of

pytestmark = pytest.mark.vm  # kernels and the compiler are needed, a guest is not
Build = Callable[..., bytes]


def api_of(image: KernelImage) -> KernelApi:
    return KernelStore(image.directory.parent).api(image)


def ends(kernels: tuple[KernelImage, ...]) -> tuple[KernelImage, ...]:
    """The oldest and the newest; each one more would be compiled for."""
    return tuple(dict.fromkeys((kernels[0], kernels[-1])))


def errors(findings: tuple[Finding, ...]) -> list[Finding]:
    return [one for one in findings if one.level == "error"]


def wanted(word: str) -> set[tuple[str, int]]:
    """(rule, line) of every "flaw RULE" or "doubt RULE" of the flawed policy; line 0 for those at the table."""
    text = source_of("flawed")
    table = text.index("/* At the table")
    found = set()
    for match in re.finditer(rf"\b{word} ([A-Z]+-?[A-Z-]*[A-Z])", text):
        if match.start() > text.index("#include"):
            found.add((match[1], text.count("\n", 0, match.start()) + 1 if match.start() < table else 0))
    return found


def placed(findings: tuple[Finding, ...], level: str) -> set[tuple[str, int]]:
    return {(one.rule, one.place.line if one.place else 0) for one in findings if one.level == level}


def test_every_flaw_is_found_on_its_line_and_nothing_else(
    build: Build, kernels: tuple[KernelImage, ...], policy: Policy
) -> None:
    for image in ends(kernels):
        found = check_object(inspect(build("flawed", image)), policy, api_of(image))
        assert placed(found, "error") == wanted("flaw")
        assert placed(found, "warning") == wanted("doubt")
        assert {one.rule for one in found} <= {rule.id for rule in RULES} | set(SHARED)


def test_a_policy_that_guards_what_it_calls_is_left_alone(
    build: Build, kernels: tuple[KernelImage, ...], policy: Policy
) -> None:
    for image in ends(kernels):
        found = check_object(inspect(build("good", image)), policy, api_of(image))
        assert [(one.level, one.rule) for one in found] == [("note", "ENUM-UNINIT")]


def test_a_missing_guard_is_found_through_the_function_in_between(
    build: Build, kernels: tuple[KernelImage, ...], policy: Policy
) -> None:
    oldest = api_of(kernels[0])
    assert "scx_bpf_dsq_peek" not in {kfunc.name for kfunc in oldest.kfuncs}
    elf = build("good", kernels[0], ("if (bpf_ksym_exists(scx_bpf_dsq_peek))", ""))
    (found,) = errors(check_object(inspect(elf), policy, oldest))
    assert (found.rule, found.place is not None and found.place.line) == (
        "COMPAT-KFUNC", source_of("good")[: source_of("good").index("scx_bpf_dsq_peek(dsq)")].count("\n") + 1
    )  # fmt: skip


def test_a_guard_that_cannot_be_answered_is_a_warning(
    build: Build, kernels: tuple[KernelImage, ...], policy: Policy
) -> None:
    guard = "if (bpf_core_type_exists(struct scx_sched_pcpu))"
    elf = build("good", kernels[0], ("if (bpf_ksym_exists(scx_bpf_dsq_peek))", guard), ("u64 peeked", WHATEVER))
    found = check_object(inspect(elf), policy, api_of(kernels[0]))
    assert [(one.level, one.rule) for one in found] == [("warning", "COMPAT-KFUNC"), ("note", "ENUM-UNINIT")]


WHATEVER = "struct scx_sched_pcpu___asked { int x; } __attribute__((preserve_access_index));\nu64 peeked"


def test_more_inserts_than_room(build: Build, newest_kernel: KernelImage, policy: Policy) -> None:
    for batch, found in (("2", True), ("39", True), ("40", False), ("0", True)):
        facts = inspect(build("flawed", newest_kernel, ("1U << 31,\n\t.name", f"{batch},\n\t.name")))
        rules = [one for one in check_object(facts, policy, None) if one.rule == "DISPATCH-BATCH"]
        assert bool(rules) is found
        for one in rules:
            assert "up to 40 inserts" in one.text
            assert one.place is not None
            assert "overflow" in source_of("flawed").splitlines()[one.place.line - 1]


def test_what_is_declared_is_allowed(build: Build, newest_kernel: KernelImage, policy: Policy) -> None:
    partial = replace(policy, capabilities=Capabilities(partial=True))
    found = check_object(inspect(build("flawed", newest_kernel)), partial, api_of(newest_kernel))
    assert ("PARTIAL", 0) not in placed(found, "error")


def test_objects_for_two_kernels_differ_in_a_constant(build: Build, kernels: tuple[KernelImage, ...]) -> None:
    objects = {image.kernel.name: inspect(build("good", image)) for image in ends(kernels)}
    values = [dict(api_of(image).enums)["SCX_ENQ_HEAD"] for image in (kernels[0], kernels[-1])]
    assert values == [0x10, 0x10000]
    (found,) = [one for one in differences(objects) if "0x10 " in one.text]
    assert (found.level, found.rule) == ("note", "ENUM-DRIFT")
    assert "0x10000" in found.text
    assert found.place is not None
    assert "SCX_ENQ_HEAD" in source_of("good").splitlines()[found.place.line - 1]


def test_one_object_for_two_kernels_is_an_error_where_its_constants_are_unknown(
    build: Build, kernels: tuple[KernelImage, ...], policy: Policy
) -> None:
    newer = "if (bpf_ksym_exists(scx_bpf_dsq_insert___v2___compat))"
    assert errors(check_object(inspect(build("good", kernels[0])), policy, api_of(kernels[-1]))) == []  # never there
    facts = inspect(build("good", kernels[0], (newer, newer.replace("if (", "if (ticks == 7 && "))))
    assert differences({"one": facts, "other": facts}) == ()
    assert errors(check_object(facts, policy, api_of(kernels[0]))) == []
    (found,) = errors(check_object(facts, policy, api_of(kernels[-1])))
    assert found.rule == "ENUM-DRIFT"
    assert "0x10," in found.text


def test_a_flag_behind_a_guard_is_left_alone(build: Build, kernels: tuple[KernelImage, ...], policy: Policy) -> None:
    guard = "if (bpf_core_enum_value_exists(enum scx_enq_flags, SCX_ENQ_IMMED))"
    guarded = ("peeked++;", f"{guard}\n\t\t\tscx_bpf_kick_cpu(1, 1 << 20);\n\t\telse\n\t\t\tpeeked++;")
    facts = inspect(build("good", kernels[-1], guarded, ("if (bpf_ksym_exists(scx_bpf_dsq_peek))", "")))
    old, new = (
        {one.text for one in errors(check_object(facts, policy, api_of(image))) if "kick_cpu" in one.text}
        for image in (kernels[0], kernels[-1])
    )
    assert (len(old), len(new)) == (0, 1)


def test_member_that_an_older_kernel_lacks(build: Build, kernels: tuple[KernelImage, ...], policy: Policy) -> None:
    oldest = api_of(kernels[0])
    assert "cgroup_set_bandwidth" not in oldest.ops_members
    change = (".running\t= (void *)g_running", ".cgroup_set_bandwidth = (void *)g_running")
    facts = inspect(build("good", kernels[-1], change))
    assert "COMPAT-OP" in {one.rule for one in errors(check_object(facts, policy, oldest))}
    assert errors(check_object(facts, policy, api_of(kernels[-1]))) == []


def test_the_probe_of_scx_headers_is_no_error(build: Build, newest_kernel: KernelImage, policy: Policy) -> None:
    levels = []
    for section in ("kprobe/do_exit", "fentry/bpf_scx_reg", "fentry/bpf_scx_unreg"):
        elf = build("flawed", newest_kernel, ('SEC("kprobe/do_exit")', f'SEC("{section}")'))
        found = check_object(inspect(elf), policy, api_of(newest_kernel))
        levels += [one.level for one in found if one.rule == "OBJ-EXTRA-PROG"]
    assert levels == ["error", "note", "error"]


def test_no_table_and_two_tables(build: Build, newest_kernel: KernelImage, policy: Policy) -> None:
    table = 'SEC(".struct_ops.link")\nstruct sched_ext_ops other = { .enqueue = (void *)g_enqueue, .name = "other" };'
    two = inspect(build("good", newest_kernel, ("char _license[]", f"{table}\nchar _license[]")))
    assert [one.rule for one in errors(check_object(two, policy, None))] == ["OBJ-OPS"]
    assert (two.ops, two.ops_name) == (None, "")
    none = inspect(build("good", newest_kernel, ('SEC(".struct_ops.link")', "")))
    assert [one.rule for one in errors(check_object(none, policy, None))] == ["OBJ-OPS"]


def test_rules_are_declared_once() -> None:
    ids = [rule.id for rule in RULES]
    assert len(set(ids)) == len(ids)
    assert not set(ids) & set(SHARED)
