from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from schedops.schema.strict import MAX_DEPTH, parse


def value_of(text: str) -> object:
    value, problems = parse(text.encode())
    assert problems == ()
    return value


def told(data: str | bytes) -> list[str]:
    _, problems = parse(data if isinstance(data, bytes) else data.encode())
    return [f"{problem.path}: {problem.message}" for problem in problems]


def test_plain_yaml():
    text = "a: 1\nb: [x, 2.5, true, null]\nc:\n  d: |\n    two\n    lines\ne: ''\nf: {}\n"
    assert value_of(text) == {"a": 1, "b": ["x", 2.5, True, None], "c": {"d": "two\nlines\n"}, "e": "", "f": {}}


@pytest.mark.parametrize(
    "word", ["on", "off", "yes", "No", "y", "TRUE", "True", "2026-11-21", "12:30:00", "6.16.3", "0x", "Null"]
)
def test_what_yaml_1_1_would_guess_at_is_a_string(word):
    assert value_of(f"a: {word}") == {"a": word}


def test_keys_that_yaml_1_1_would_guess_at_are_strings():
    assert value_of("on: 1\nyes: 2\n2026-01-01: 3") == {"on": 1, "yes": 2, "2026-01-01": 3}


def test_every_duplicate_key_is_told_with_its_line():
    assert told("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n") == [
        "$.b: line 4: duplicate key 'c'",
        "$: line 5: duplicate key 'a'",
    ]


def test_the_first_of_two_keys_is_kept():
    assert parse(b"a: 1\na: 2")[0] == {"a": 1}


def test_anchors_aliases_and_merge_keys():
    assert told("a: &x {k: 1}\nb: *x\nc:\n  <<: {k: 2}\n") == [
        "$.a: line 1: anchor &x; write the value out where it is needed",
        "$.b: line 2: alias *x; write the value out",
        "$.c: line 4: merge key <<; write the members out",
    ]


def test_a_billion_laughs_are_refused_at_once():
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    assert told("\n".join(lines))[0] == "$.a0: line 1: anchor &a0; write the value out where it is needed"


@pytest.mark.parametrize("word", [".nan", ".NaN", ".inf", "-.inf", "+.Inf"])
def test_nan_and_infinity_are_refused(word):
    assert told(f"a:\n  b: {word}") == [
        f"$.a.b: line 2: {word} is not a number that JSON knows; NaN and infinity are refused"
    ]


@pytest.mark.parametrize("word", ["010", "0x1F", "0b11", "0o17", "12_000", "+5", "00"])
def test_numbers_that_readers_disagree_on_are_refused(word):
    assert told(f"a: {word}") == [
        f"$.a: line 1: {word!r} means different numbers to different readers; write plain digits or quote it"
    ]


def test_quoted_they_are_strings():
    assert value_of("a: '010'\nb: \".nan\"\nc: 'null'\nd: '<<'\n'<<': 1") == {
        "a": "010", "b": ".nan", "c": "null", "d": "<<", "<<": 1
    }  # fmt: skip


def test_a_number_of_many_digits_is_refused():
    assert told("a: " + "9" * 5000) == ["$.a: line 1: a number of 5000 digits"]
    assert told("a: 1e999") == ["$.a: line 1: 1e999 is too large for a number"]
    assert told('{"a": ' + "9" * 5000 + "}") == ["$: a number of 5000 digits"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n\tb: 1", "$: line 2: tab; indent with spaces"),
        ("a: !!python/none x", "$.a: line 1: tag 'tag:yaml.org,2002:python/none'; tags are refused"),
        ("a: !!str 5", "$.a: line 1: tag 'tag:yaml.org,2002:str'; tags are refused"),
        ("1: x", "$: line 1: key 1 is not a string; write it in quotes"),
        ("? [a]\n: x", "$: line 1: key ['a'] is not a string; write it in quotes"),
        ("a: 1\n---\nb: 2", "$: line 2: a second document in one file"),
        ("", "$: the file is empty"),
        ("# only a comment\n", "$: the file is empty"),
        ('a: "\\e[31m"', "$.a: control character U+001B"),
        ('{"a": ["\\u202e"]}', "$.a[0]: control character U+202E"),
        ('{"a": 1, "b": {"c": 1, "c": 1, "c": 2}}', "$: duplicate key 'c'"),
        ('{"a": NaN}', "$: .nan is not a number that JSON knows; NaN and infinity are refused"),
        ('{"a": 1e999}', "$: 1e999 is too large for a number"),
        ('{"a": 1,\n}', "$: line "),  # Python 3.13 blames the comma, older ones the line after it
    ],
)  # fmt: skip
def test_refused_by_name(text, message):
    assert any(line.startswith(message) for line in told(text)), told(text)


def test_nul_and_other_encodings():
    assert told(b"a: 1\nb: \0") == ["$: line 2: NUL byte"]
    assert told("a: ä".encode("latin-1")) == ["$: not UTF-8: byte 3 is 0xe4"]
    assert told("a: x".encode("utf-16"))[0].startswith("$: not UTF-8")


def nested_yaml(depth):
    return "[" * depth + "1" + "]" * depth


def test_nesting_up_to_the_limit():
    assert told("a: " + nested_yaml(MAX_DEPTH - 1)) == []
    assert told("a: " + nested_yaml(MAX_DEPTH + 1)) == [f"$: line 1: nested deeper than {MAX_DEPTH}"]
    assert told("a: " + nested_yaml(200_000)) == [f"$: line 1: nested deeper than {MAX_DEPTH}"]


def test_nesting_of_json():
    assert told('{"a": ' + nested_yaml(MAX_DEPTH - 1) + "}") == []
    assert told('{"a": ' + nested_yaml(MAX_DEPTH + 1) + "}")[0].endswith(f"nested deeper than {MAX_DEPTH}")
    assert told('{"a": ' + nested_yaml(200_000) + "}") == [f"$: nested deeper than {MAX_DEPTH}"]


WORD = st.text(st.characters(categories=("L", "N")))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(WORD, JSON, max_size=3))
def test_json_means_what_json_means(document):
    assert parse(json.dumps(document).encode()) == (document, ())


@given(st.binary(max_size=200) | st.text(st.characters(codec="utf-8"), max_size=200).map(str.encode))
def test_any_bytes_give_a_value_or_problems(data):
    value, problems = parse(data)
    assert problems or isinstance(value, dict | list | str | int | float | bool | None)
    assert not (isinstance(value, float) and not math.isfinite(value))


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_yaml_never_means_something_else_than_a_quoted_string_says(text):
    value, problems = parse(("a: " + json.dumps(text)).encode())
    assert problems or value == {"a": text}


@pytest.mark.parametrize("text", ["a: 1\nb: [x]", "a: &x 1\nb: *x", "a: !!set {}", "a: [\n", "x: 'unclosed"])
def test_both_parsers_of_pyyaml_say_the_same(text, monkeypatch):
    fast = parse(text.encode())
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    slow = parse(text.encode())
    assert fast[0] == slow[0]
    assert [p.path for p in fast[1]] == [p.path for p in slow[1]]
