from __future__ import annotations

import os
from pathlib import Path

import pytest

from schedops.errors import InputError
from schedops.model.fleet import Fleet
from schedops.model.guest import SchedState
from schedops.model.kernel import Kernel
from schedops.model.measurements import Measurements
from schedops.model.workload import Workload
from schedops.schema.canonical import canonical_bytes
from schedops.schema.files import read_bounded
from schedops.schema.read import load

FLEET = """\
apiVersion: schedops/v1
kind: Fleet
kernels:
  - release: "6.16"
groups:
  - name: ci-runners
    workloads: [ci-builds]
"""
KERNEL = Kernel(name="6.16", release="6.16.3", btf_sha256="a" * 64, vmlinux_sha256="b" * 64, source="debian")


def error_of(source: bytes | Path, type_: type, **options) -> InputError:
    with pytest.raises(InputError) as caught:
        load(source, type_, **options)
    assert caught.value.exit_code == 2
    return caught.value


def test_a_file_becomes_a_value(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET)
    fleet = load(path, Fleet)
    assert fleet.kernels[0].release == "6.16"
    assert fleet.kernels[0].btf_sha256 is None
    assert fleet.groups[0].workloads == ("ci-builds",)


def test_canonical_bytes_are_read_back():
    assert load(canonical_bytes(KERNEL), Kernel) == KERNEL


def test_every_problem_of_a_file_at_once(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text(
        "apiVersion: schedops/v1\nkind: Fleet\nkernels:\n  - release: 6.16\n    release: 7\n  - relase: x\n"
        "groups:\n  - name: Bad Name\n    workloads: []\n  - &a {name: g, workloads: [w, w]}\n  - *a\nzzz: .nan\n"
    )
    error = error_of(path, Fleet)
    assert error.code == "invalid-document"
    assert error.message == f"{path}: 10 problems"
    assert (
        error.detail.splitlines()
        == [
            f"{path}::$.kernels[0]: line 5: duplicate key 'release'",
            f"{path}::$.groups[1]: line 10: anchor &a; write the value out where it is needed",
            f"{path}::$.groups[2]: line 11: alias *a; write the value out",
            f"{path}::$.zzz: line 12: .nan is not a number that JSON knows; NaN and infinity are refused",
            f"{path}::$.groups[0].name: 'Bad Name' does not match ^[a-z0-9]([a-z0-9-]{{0,61}}[a-z0-9])?$",
            f"{path}::$.groups[0].workloads: [] has fewer than 1 entries",
            f"{path}::$.groups[1].workloads: an entry occurs twice",
            f"{path}::$.kernels[0].release: 6.16 is not a string; write it in quotes",
            f"{path}::$.kernels[1]: release is missing",
            f"{path}::$.kernels[1].relase: unknown property; did you mean release?",
        ]
        or len(error.detail.splitlines()) == 11
    )


def test_a_document_of_another_kind_is_refused():
    lines = error_of(FLEET.encode(), Kernel, where="k.yaml").detail.splitlines()
    assert "k.yaml::$.kind: 'Fleet' must be \"Kernel\"" in lines
    assert "k.yaml::$: btf_sha256 is missing" in lines


def test_invariants_come_with_the_rest():
    text = "apiVersion: schedops/v1\nkind: Workload\nname: w\ndescription: d\nguards: []\nrounds: 0\nwarmup_rounds: 0\n"
    text += "objectives: [{metric: m, unit: ms, direction: lower, min_effect: 0.1}]\n"
    assert error_of(text.encode(), Workload, where="w").detail.splitlines() == [
        "w::$: exactly one of builds, batch, requests, pipes, graph, tasks and rt_app must be given",
        "w::$.rounds: 0 is below 1",
    ]


def test_a_newline_at_the_end_does_not_slip_through_a_pattern():
    text = FLEET.replace("name: ci-runners", 'name: "ci-runners\\n"')
    assert len(error_of(text.encode(), Fleet).detail.splitlines()) == 1


def test_4_0_is_not_an_integer():
    text = canonical_bytes(KERNEL).decode().replace('"6.16.3"', "4.0")
    assert "4.0 is not a string" in error_of(text.encode(), Kernel).detail


@pytest.mark.parametrize("data", [b"", b"[]", b"3", b"{", b"{}", b"null", b"\xff"])
def test_what_is_no_document_is_refused(data):
    assert error_of(data, Kernel).detail


def test_a_value_that_is_no_document_cannot_be_loaded():
    with pytest.raises(TypeError):
        load(b"{}", SchedState)


def test_one_mebibyte_is_the_limit(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET + "#" * ((1 << 20) - len(FLEET)))
    assert load(path, Fleet)
    path.write_text(FLEET + "#" * ((1 << 20) - len(FLEET) + 1))
    assert error_of(path, Fleet).code == "file-too-large"
    assert error_of(b"{" + b" " * (1 << 20) + b"}", Fleet).code == "file-too-large"


def test_raw_samples_may_be_larger():
    data = b"{" + b" " * (2 << 20) + b"}"
    assert error_of(data, Measurements).code == "invalid-document"


def test_symlinks_may_not_leave_the_tree(tmp_path):
    tree, outside = tmp_path / "tree", tmp_path / "secret.yaml"
    tree.mkdir()
    outside.write_text(FLEET)
    (tree / "inside.yaml").write_text(FLEET)
    (tree / "good.yaml").symlink_to("inside.yaml")
    (tree / "bad.yaml").symlink_to(outside)
    (tree / "dir").symlink_to(tmp_path)
    (tree / "loop").symlink_to("loop")
    assert load(tree / "good.yaml", Fleet, root=tree)
    assert error_of(tree / "bad.yaml", Fleet, root=tree).code == "file-outside"
    assert error_of(tree / "dir" / "secret.yaml", Fleet, root=tree).code == "file-outside"
    assert error_of(tree / "loop", Fleet, root=tree).code == "file-unreadable"


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path, code in ((tmp_path / "pipe", "not-a-file"), (Path("/dev/zero"), "not-a-file"), (tmp_path, "not-a-file")):
        with pytest.raises(InputError) as caught:
            read_bounded(path)
        assert caught.value.code == code, path


def test_a_missing_file_is_named(tmp_path):
    error = error_of(tmp_path / "nothing.yaml", Fleet)
    assert (error.code, error.where) == ("file-missing", str(tmp_path / "nothing.yaml"))
