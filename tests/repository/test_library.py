from __future__ import annotations

import pytest

from schedops.errors import InputError
from schedops.repository import find_policy, load_policies

BOTH = '/* const volatile u64 slice_us = 1; */\nconst  volatile\tu64 slice_us = {value};\n"{name}"\n'


def problems(maker) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_policies(maker.root)
    assert (caught.value.code, caught.value.exit_code) == ("invalid-document", 2)
    return caught.value.detail.splitlines()


def test_policies_come_with_source_and_headers(maker):
    one, two = load_policies(maker.sound())
    assert (one.policy.name, two.policy.name) == ("one", "two")
    assert one.path == "policies/library/one/one.bpf.c"
    assert one.text.startswith('#include "own.h"\n')
    assert one.headers == (("own.h", "/* nothing */\n"),)
    assert one.policy.params[0].max == 20000


def test_an_empty_library_is_empty(tmp_path):
    assert load_policies(tmp_path) == ()


def test_find_by_name_although_another_is_broken(maker):
    maker.sound()
    maker.policy("two", ("name: two", "name: three"))
    assert find_policy(maker.root, "one").policy.name == "one"


@pytest.mark.parametrize("name", ["onee", "../one", "", "one/", "/etc"])
def test_an_unknown_name_is_refused(maker, name):
    with pytest.raises(InputError) as caught:
        find_policy(maker.sound(), name)
    assert caught.value.code == "unknown-policy"


def test_the_nearest_name_is_offered(maker):
    with pytest.raises(InputError) as caught:
        find_policy(maker.sound(), "onee")
    assert caught.value.hint == "did you mean one? `schedops library list` names them all"


def test_every_problem_of_every_policy_at_once(maker):
    maker.policy("one", ("name: one", "name: other"), ("default: 5000", "default: 50"), ("max: 20000", "max: 40"))
    maker.policy("two", ("tags: [builds]", "tags: [builds, builds]"), ("pathway: create", "pathway: magic"))
    maker.file("library/three/notes.txt", "")
    lines = problems(maker)
    assert lines[:3] == [
        "policies/library/one/policy.yaml::$.name: other lives in a directory named one",
        "policies/library/one/policy.yaml::$.params[0].min: 500 us is above max 40",
        "policies/library/one/policy.yaml::$.params[0].default: slice_us is 5000 in one.bpf.c, not 50",
    ]
    assert "policies/library/two/policy.yaml::$.tags: an entry occurs twice" in lines
    assert any(line.startswith("policies/library/two/policy.yaml::$.provenance.pathway: 'magic'") for line in lines)
    assert any(line.startswith("policies/library/three/policy.yaml::$: ") for line in lines)
    assert lines[3] == 'policies/library/one/policy.yaml::$.ops_name: one.bpf.c never says "other"'
    assert len(lines) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("default: 5000", "default: 100"), "$.params[0].default: 100 us is not within 500..20000"),
        (("type: u64", "type: u8"), "$.params[0].type: 500..20000 does not fit u8"),
        (("type: u64", "type: u32"), "$.params[0].type: slice_us is u64 in one.bpf.c, not u32"),
        (("name: slice_us", "name: slyce_us"), "$.params[0].name: one.bpf.c has no `const volatile u64 slyce_us`"),
        (("ops_name: one", "ops_name: other"), '$.ops_name: one.bpf.c never says "other"'),
    ],
)
def test_what_the_source_does_not_keep(maker, change, message):
    maker.policy("one", change)
    assert f"policies/library/one/policy.yaml::{message}" in problems(maker)


@pytest.mark.parametrize("value", ["5000", "5000ULL", "0x1388", "4 * 1250", "SOME_MACRO"])
def test_defaults_that_agree_or_cannot_be_read(maker, value):
    maker.policy("one", source=BOTH.replace("{value}", value))
    assert load_policies(maker.root)[0].policy.name == "one"


@pytest.mark.parametrize("value", ["0", "5001", "0x10"])
def test_a_constant_in_a_comment_does_not_count(maker, value):
    maker.policy("one", source=BOTH.replace("{value}", value))
    assert "slice_us is" in problems(maker)[0]


def test_a_source_outside_of_its_directory_is_refused(maker):
    maker.sound()
    source = maker.root / "policies/library/one/one.bpf.c"
    source.unlink()
    source.symlink_to("../two/two.bpf.c")
    assert len(lines := problems(maker)) == 1
    assert "a symlink leads out of" in lines[0]
    assert lines[0].startswith("policies/library/one/one.bpf.c::$: ")


def test_a_missing_source_is_told(maker):
    maker.sound()
    (maker.root / "policies/library/one/one.bpf.c").unlink()
    assert problems(maker)[0].endswith("one.bpf.c does not exist")


@pytest.mark.parametrize(("data", "message"), [(b"\xff", "not UTF-8: byte 0 is 0xff"), (b"a\0", "NUL byte")])
def test_a_source_that_is_no_text_is_refused(maker, data, message):
    maker.sound()
    (maker.root / "policies/library/one/one.bpf.c").write_bytes(data)
    assert problems(maker) == [f"policies/library/one/one.bpf.c::$: {message}"]


@pytest.mark.parametrize("part", ["/*", "const volatile u64 a =", "const ", "const volatile a ", "//", "="])
def test_a_hostile_source_is_not_slow(maker, part):
    maker.policy("one", source=part * ((1 << 20) // len(part)))
    assert problems(maker)  # hours when the search is quadratic
