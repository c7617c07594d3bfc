from __future__ import annotations

import shutil

import pytest

from schedops.errors import InputError
from schedops.repository import find_policy, resolve_policy

BARE = 'struct sched_ext_ops ops = {\n\t.name\t= "bare_ops",\n};\n'


def code(*arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        resolve_policy(*arguments, **options)
    return caught.value.code


def test_a_name_a_directory_and_a_file_of_the_library_are_the_same(maker):
    root = maker.sound()
    one = find_policy(root, "one")
    assert resolve_policy(root, "one", cwd=root) == one
    assert resolve_policy(root, "policies/library/one", cwd=root) == one
    assert resolve_policy(root, ".", cwd=root / "policies/library/one") == one
    assert resolve_policy(root, "one.bpf.c", cwd=root / "policies/library/one") == one
    assert resolve_policy(root, str(root / "policies/library/one/one.bpf.c"), cwd=root) == one


def test_a_directory_outside_of_the_tree(maker, tmp_path_factory):
    root = maker.sound()
    away = tmp_path_factory.mktemp("away") / "one"
    shutil.copytree(root / "policies/library/one", away)
    found = resolve_policy(root, str(away), cwd=root)
    assert found.policy == find_policy(root, "one").policy
    assert found.path == "one/one.bpf.c"
    assert found.headers == (("own.h", "/* nothing */\n"),)


def test_a_bare_file_promises_nothing(maker, tmp_path_factory):
    root = maker.sound()
    away = tmp_path_factory.mktemp("away")
    (away / "My_Policy.bpf.c").write_text(BARE)
    found = resolve_policy(root, "./My_Policy.bpf.c", cwd=away)
    assert (found.policy.name, found.policy.ops_name, found.policy.params) == ("my-policy", "bare_ops", ())
    assert found.policy.capabilities.weights is False
    assert found.path == str(away / "My_Policy.bpf.c")
    assert found.text == BARE


def test_a_second_file_beside_a_policy_is_a_bare_one(maker):
    root = maker.sound()
    maker.file("library/one/other.bpf.c", BARE)
    found = resolve_policy(root, "other.bpf.c", cwd=root / "policies/library/one")
    assert (found.policy.name, found.path) == ("other", "policies/library/one/other.bpf.c")


def test_what_is_no_policy(maker):
    root = maker.sound()
    maker.file("library/one/nothing.bpf.c", "int x;\n")
    maker.file("library/one/code.c", BARE)
    folder = root / "policies/library/one"
    assert code(root, "three", cwd=root) == "unknown-policy"
    assert code(root, "./three", cwd=root) == "not-a-policy"
    assert code(root, "code.c", cwd=folder) == "unknown-policy"
    assert code(root, "./code.c", cwd=folder) == "not-a-policy"
    assert code(root, "nothing.bpf.c", cwd=folder) == "not-a-policy"
    assert code(root, "./missing.bpf.c", cwd=folder) == "not-a-policy"
    assert code(root, "./policies", cwd=root) == "invalid-document"


def test_a_bare_file_that_is_no_text(maker):
    root = maker.sound()
    place = maker.file("library/one/x.bpf.c", "")
    place.write_bytes(b"\xff\xfe")
    assert code(root, str(place), cwd=root) == "invalid-document"
