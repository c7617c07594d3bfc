from __future__ import annotations

from pathlib import Path

import pytest

from schedops.errors import InputError
from schedops.repository import (
    check_tree,
    load_assignments,
    load_fleet,
    load_hints,
    load_workload,
    load_workloads,
)
from schedops.schema.files import data_dir
from schedops.workloads.tables import BATCH_METRICS


def problems(function, *arguments) -> list[str]:
    with pytest.raises(InputError) as caught:
        function(*arguments)
    assert (caught.value.code, caught.value.exit_code) == ("invalid-document", 2)
    return caught.value.detail.splitlines()


def replace(maker, path: str, *changes: tuple[str, str]) -> None:
    text = (maker.root / "policies" / path).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    maker.file(path, text)


def test_a_sound_tree(maker):
    root = maker.sound()
    assert check_tree(root) == ()
    assert [workload.name for workload in load_workloads(root)] == ["batch"]
    assert load_workload(root, "batch").batch is not None
    assert load_fleet(root).groups[0].name == "runners"
    assert load_assignments(root)[0].policy == "one"


def test_this_repository_s_own_tree_is_sound():
    root = data_dir("policies").parent
    assert check_tree(root) == ()
    names = [workload.name for workload in load_workloads(root)]
    assert names == sorted(names)
    assert {"ci-builds", "kernel-build", "uneven-batch", "video-player", "web-requests"} <= set(names)
    assert len(names) >= 20
    assert all(one.tags and one.slos for one in load_workloads(root))
    assert [kernel.release for kernel in load_fleet(root).kernels] == ["6.16", "7.3"]


def test_hints_or_none(maker):
    root = maker.sound()
    hints = load_hints(root, "batch")
    assert hints is not None
    assert hints.hints[0].measured == "2026-11-21"
    assert load_hints(root, "other") is None
    assert load_hints(root, "../hints/batch") is None


def test_an_unknown_workload(maker):
    with pytest.raises(InputError) as caught:
        load_workload(maker.sound(), "bach")
    assert (caught.value.code, caught.value.exit_code) == ("unknown-workload", 2)
    assert "did you mean batch?" in caught.value.hint


def test_metrics_that_nobody_measures(maker):
    maker.sound()
    replace(
        maker,
        "workloads/batch.yaml",
        ("makespan_per_floor", "makespan"),
        ("guards: []", GUARDS),
        ("name: b", "name: c"),
    )
    assert problems(load_workload, maker.root, "batch") == [
        "policies/workloads/batch.yaml::$.name: catch lives in a file named batch.yaml",
        f"policies/workloads/batch.yaml::$.objectives[0].metric: makespan is not measured here; there are {MEASURED}",
        "policies/workloads/batch.yaml::$.guards[0].unit: makespan_ms is in ms, not s",
        "policies/workloads/batch.yaml::$.guards[1].metric: makespan_ms occurs twice",
    ]


def test_slos_that_nobody_can_judge(maker):
    maker.sound()
    replace(maker, "workloads/batch.yaml", ("guards: []", f"guards: []\n{SLOS}"))
    assert problems(load_workload, maker.root, "batch") == [
        f"policies/workloads/batch.yaml::$.slos[0].metric: makespan is not measured here; there are {MEASURED}",
        "policies/workloads/batch.yaml::$.slos[1].unit: makespan_ms is in ms, not s",
        "policies/workloads/batch.yaml::$.slos[3].metric: makespan_ms has a soft SLO already",
    ]


SLOS = """slos:
  - {metric: makespan, unit: ms, direction: lower, bound: 1, hard: true}
  - {metric: makespan_ms, unit: s, direction: lower, bound: 1, hard: true}
  - {metric: makespan_ms, unit: ms, direction: lower, bound: 1, hard: false}
  - {metric: makespan_ms, unit: ms, direction: lower, bound: 2, hard: false}
"""
MEASURED = ", ".join(BATCH_METRICS)
GUARDS = (
    "guards: [{metric: makespan_ms, unit: s, direction: lower, max_harm: 0.1, hard: true},"
    " {metric: makespan_ms, unit: ms, direction: lower, max_harm: 0.1, hard: true}]"
)


def test_a_fleet_of_unknown_workloads_and_doubles(maker):
    maker.sound()
    replace(
        maker,
        "fleet.yaml",
        ('[{release: "6.16"}]', '[{release: "6.16"}, {release: "6.16"}]'),
        ("[{name: runners, workloads: [batch]}]", "[{name: a, workloads: [batch]}, {name: a, workloads: [none]}]"),
    )  # fmt: skip
    assert problems(load_fleet, maker.root) == [
        "policies/fleet.yaml::$.groups[1].name: a second group a",
        "policies/fleet.yaml::$.groups[1].workloads[0]: there is no policies/workloads/none.yaml",
        "policies/fleet.yaml::$.kernels[1]: 6.16 occurs twice",
    ]


def test_a_missing_fleet_is_told(tmp_path):
    assert problems(load_fleet, tmp_path)[0].startswith("policies/fleet.yaml::$: ")


def test_hints_of_another_workload_or_with_doubles(maker):
    maker.sound()
    entry = "{key: 0123456789abcdef, cpu_us: 5, n: 1, spread: null, measured: 2026-11-21}"
    replace(maker, "hints/batch.yaml", ("workload: batch", "workload: other"), (entry, f"{entry}, {entry}"))
    assert problems(load_hints, maker.root, "batch") == [
        "policies/hints/batch.yaml::$.workload: other lives in a file named batch.yaml",
        "policies/hints/batch.yaml::$.hints: a key occurs twice",
    ]


def test_an_assignment_in_the_wrong_file_and_of_nothing(maker):
    maker.assignment(file="elsewhere")
    replace(maker, "desired/elsewhere.yaml", ("policy: one", "policy: null"))
    assert problems(load_assignments, maker.root) == [
        "policies/desired/elsewhere.yaml::$: group and workload belong in a file named runners.batch.yaml",
        "policies/desired/elsewhere.yaml::$: exactly one of policy and settings must be given",
    ]


def test_assignments_are_held_to_fleet_and_library(maker):
    root = maker.sound()
    maker.assignment(value=1)
    replace(maker, "fleet.yaml", ("runners", "hosts"))
    assert check_tree(root) == (
        "policies/desired/runners.batch.yaml::$: fleet.yaml has no group runners that runs batch",
        "policies/desired/runners.batch.yaml::$.params[0].value: 1 is not within 500..20000 us",
    )
    replace(maker, "desired/runners.batch.yaml", ("policy: one", "policy: three"))
    assert check_tree(root)[1] == "policies/desired/runners.batch.yaml::$.policy: the library has no three"


def test_two_policies_of_one_scheduler_name(maker):
    root = maker.sound()
    maker.policy("two", ("ops_name: two", "ops_name: one"), source='const volatile u64 slice_us = 5000; "one" "{name}"')
    assert check_tree(root) == ("policies/library/two/policy.yaml::$.ops_name: one is also the name of one",)


def test_every_problem_of_every_file_at_once(maker):
    root = maker.sound()
    maker.policy("one", ("default: 5000", "default: 1"))
    maker.file("workloads/batch.yaml", "a: &a 1\nb: *a\n")
    maker.file("workloads/dup.yaml", "name: x\nname: y\n")
    maker.file("fleet.yaml", "kernels: .nan\n")
    maker.file("hints/batch.yaml", "x" * (4 << 20) + "y")
    Path(root / "policies/desired/outside.yaml").symlink_to("/etc/passwd")
    told = check_tree(root)
    files = {line.split("::")[0] for line in told}
    assert files == {
        "policies/library/one/policy.yaml",
        "policies/workloads/batch.yaml",
        "policies/workloads/dup.yaml",
        "policies/fleet.yaml",
        "policies/hints/batch.yaml",
        "policies/desired/outside.yaml",
    }
    for words in (
        "anchor &a",
        "alias *a",
        "duplicate key 'name'",
        ".nan",
        "is larger than 4194304",
        "symlink leads out",
    ):
        assert any(words in line for line in told), words
    assert not any("root:" in line for line in told)


def test_a_tree_that_cannot_be_listed_is_told(maker):
    maker.file("library", "no directory")
    assert check_tree(maker.root)[0].endswith("library: Not a directory")
