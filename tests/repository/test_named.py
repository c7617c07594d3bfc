from __future__ import annotations

import shutil

import pytest

from schedops.errors import InputError
from schedops.model.policy import Capabilities, PrebuiltPolicy
from schedops.repository import find_policy, is_bare, resolve_policy, resolve_subject

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
    assert found.path == "My_Policy.bpf.c"
    assert found.text == BARE
    assert resolve_policy(root, str(away / "My_Policy.bpf.c"), cwd=root).path == str(away / "My_Policy.bpf.c")


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


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ('struct sched_ext_ops o = { .name = "has a space-and-dash" };', "has a space-and-dash"),
        ('struct sched_ext_ops o = { .name = "' + "x" * 200 + '" };', "x" * 200),
        ('struct sched_ext_ops o = { .name = (char *)"cast" };', "cast"),
        ('struct other a = { .name = "no" };\nstruct sched_ext_ops o = {\n /* .name = "old", */ .name="yes" };', "yes"),
        ('#define NAME "by_macro"\nstruct sched_ext_ops o = { .name = NAME };', "by_macro"),
        ('SCX_OPS_DEFINE(o, .enqueue = (void *)f,\n .name = "foreign");', "foreign"),
        ("struct sched_ext_ops o = { .enqueue = (void *)f };", ""),
        ("struct sched_ext_ops o = { .name = ELSEWHERE };", ""),
        ('extern struct sched_ext_ops o;\nstruct a { .name = "x" };struct sched_ext_ops o = { 0 };', "x"),
    ],
)
def test_a_name_that_the_kernel_would_not_have_is_no_bad_input(maker, source, name):
    root = maker.sound()
    maker.file("library/one/bare.bpf.c", source)
    found = resolve_policy(root, "./bare.bpf.c", cwd=root / "policies/library/one")
    assert (found.policy.ops_name, is_bare(found.policy)) == (name, True)


def test_a_bare_file_promises_what_was_declared(maker):
    root = maker.sound()
    maker.file("library/one/bare.bpf.c", BARE)
    cwd = root / "policies/library/one"
    found = resolve_subject(root, "bare.bpf.c", cwd=cwd, declared=("weights", "hotplug"))
    assert found.policy.capabilities == Capabilities(weights=True, hotplug=True)
    assert resolve_subject(root, "bare.bpf.c", cwd=cwd).policy.capabilities == Capabilities()
    assert resolve_subject(root, "one", cwd=cwd) == find_policy(root, "one")
    with pytest.raises(InputError) as caught:
        resolve_subject(root, "one", cwd=cwd, declared=("weights",))
    assert (caught.value.code, caught.value.where) == (
        "declared-twice",
        "policies/library/one/policy.yaml::$.capabilities",
    )


def test_standard_input(maker):
    root = maker.sound()
    found = resolve_subject(root, "-", cwd=root, declared=("partial",), stdin=BARE.encode())
    assert (found.path, found.text, found.policy.name, found.policy.ops_name) == ("<stdin>", BARE, "stdin", "bare_ops")
    assert (found.policy.capabilities.partial, found.headers) == (True, (("own.h", "/* nothing */\n"),))
    for data, name in [
        (b"\xff", "invalid-document"),
        (b"struct sched_ext_ops a\0", "invalid-document"),
        (b"", "not-a-policy"),
        (b" " * (1 << 20) + b"x", "file-too-large"),
    ]:
        with pytest.raises(InputError) as caught:
            resolve_subject(root, "-", cwd=root, stdin=data)
        assert caught.value.code == name


def test_a_built_object(maker, tmp_path_factory):
    root, away = maker.sound(), tmp_path_factory.mktemp("away")
    (away / "My.bpf.o").write_bytes(b"\x7fELF and so on")
    found = resolve_subject(root, "My.bpf.o", cwd=away, declared=("weights",))
    assert isinstance(found, PrebuiltPolicy)
    assert (found.elf, found.path, found.policy.name) == (b"\x7fELF and so on", "My.bpf.o", "my")
    assert (found.policy.capabilities.weights, found.policy.ops_name, is_bare(found.policy)) == (True, "", True)
    (away / "text.bpf.o").write_text("no object")
    for name, why in [("text.bpf.o", "not-a-policy"), ("none.bpf.o", "file-missing")]:
        with pytest.raises(InputError) as caught:
            resolve_subject(root, name, cwd=away)
        assert caught.value.code == why


def test_a_hostile_source_is_read_in_time(maker):
    root = maker.sound()
    text = "sched_ext_ops " * 60_000 + '.name = "' + ".name = " * 10_000
    maker.file("library/one/bare.bpf.c", text)
    assert resolve_policy(root, "./bare.bpf.c", cwd=root / "policies/library/one").policy.ops_name == ""
