from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.model.fleet import Assignment
from schedops.model.jobs import Group, Hint, Hints, JobPlan
from schedops.model.kernel import Kernel
from schedops.model.measurements import MetricValue
from schedops.model.policy import ParamValue
from schedops.model.verdict import Verdict
from schedops.model.verification import BuiltObject, Check
from schedops.model.workload import Workload
from schedops.schema.canonical import canonical_bytes, digest_of
from schedops.schema.decode import decode, encode

ASSIGNMENT = Assignment(
    group="g", workload="w", policy="fifo", params=(ParamValue(name="slice_us", value=3),), evidence_sha256="ab"
)


def problems(type_: type, document: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        decode(type_, document)
    assert caught.value.code == "invalid-document"
    assert caught.value.exit_code == 2
    return caught.value.detail.splitlines()


def test_a_document_says_what_it_is():
    assert encode(ASSIGNMENT) == {
        "apiVersion": "schedops/v1",
        "kind": "Assignment",
        "group": "g",
        "workload": "w",
        "policy": "fifo",
        "params": [{"name": "slice_us", "value": 3}],
        "settings": None,
        "evidence_sha256": "ab",
    }


def test_a_value_inside_a_document_does_not():
    assert encode(ParamValue(name="x", value=1)) == {"name": "x", "value": 1}


def test_round_trip():
    assert decode(Assignment, encode(ASSIGNMENT)) == ASSIGNMENT


def test_an_enum_travels_as_its_value():
    check = Check(stage="load", kernel="6.16", verdict=Verdict.INCONCLUSIVE, text="t", seconds=1.0)
    assert encode(check)["verdict"] == "INCONCLUSIVE"
    assert decode(Check, encode(check)) == check


def test_every_problem_at_once():
    document = {"apiVersion": "schedops/v2", "kind": "Hints", "hints": [{"key": 1, "cpu_us": True, "n": "3"}], "x": 0}
    assert problems(Hints, document) == [
        "Hints::$.apiVersion: 'schedops/v2' must be schedops/v1",
        "Hints::$.x: unknown property",
        "Hints::$: workload is missing",
        "Hints::$.hints[0]: measured is missing",
        "Hints::$.hints[0]: spread is missing",
        "Hints::$.hints[0].key: 1 is not a string",
        "Hints::$.hints[0].cpu_us: True is not an integer",
        "Hints::$.hints[0].n: '3' is not an integer",
    ]


def test_a_document_without_its_kind_is_refused():
    assert problems(Hints, {"apiVersion": "schedops/v1", "workload": "w", "hints": []}) == [
        "Hints::$: kind is missing, it must be Hints"
    ]


@pytest.mark.parametrize("value", [None, [], "x", 3, True])
def test_what_is_no_object_is_refused(value):
    assert len(problems(Kernel, value)) == 1


def test_an_integer_does_for_a_float_and_becomes_one():
    value = decode(MetricValue, {"metric": "m", "unit": "ms", "value": 3})
    assert type(value.value) is float
    assert digest_of(value) == digest_of(MetricValue(metric="m", unit="ms", value=3))


@pytest.mark.parametrize("number", [True, "3", None, math.nan, math.inf, 10**400])
def test_what_is_no_finite_number_is_refused(number):
    assert len(problems(MetricValue, {"metric": "m", "unit": "ms", "value": number})) == 1


def test_a_float_does_not_do_for_an_integer():
    assert problems(Group, {"arrival_us": 1.0, "parallel": []}) == ["Group::$.arrival_us: 1.0 is not an integer"]


def test_invariants_of_the_type_are_problems_too():
    document = {
        "apiVersion": "schedops/v1", "kind": "Workload", "name": "w", "description": "d", "objectives": [],
        "guards": [], "rounds": 1, "warmup_rounds": 0,
    }  # fmt: skip
    kinds = "builds, batch, requests, pipes, graph, tasks and rt_app"
    assert problems(Workload, document) == [f"Workload::$: exactly one of {kinds} must be given"]


def test_bytes_have_no_place_in_a_document():
    with pytest.raises(TypeError):
        encode(BuiltObject(elf=b"\x7fELF", sha256="ab", kernel="k"))


def test_canonical_bytes_are_exact():
    kernel = Kernel(name="ä", release="6.16", btf_sha256="b", vmlinux_sha256="v", source="added")
    assert canonical_bytes(kernel).decode() == (
        '{"apiVersion":"schedops/v1","btf_sha256":"b","kind":"Kernel","name":"ä","release":"6.16","source":"added",'
        '"vmlinux_sha256":"v"}\n'
    )
    assert digest_of(kernel).startswith("sha256:")
    assert len(digest_of(kernel)) == 71


def test_nan_has_no_bytes():
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_bytes(MetricValue(metric="m", unit="ms", value=math.nan))


HINTS = st.builds(
    Hints,
    workload=st.text(),
    hints=st.lists(
        st.builds(
            Hint,
            key=st.text(),
            cpu_us=st.integers(),
            n=st.integers(),
            spread=st.none() | st.floats(allow_nan=False, allow_infinity=False),
            measured=st.dates().map(str),
            chain_us=st.none() | st.integers(),
            clock=st.text(),
        ),
        max_size=3,
    ).map(tuple),
)


@given(HINTS)
def test_any_value_survives_the_round_trip(hints):
    assert decode(Hints, encode(hints)) == hints


def test_columns_of_integers_survive():
    plan = JobPlan(seed=1, cpus=2, groups=(Group(arrival_us=0, parallel=(4, 1, 4)),), jobs=())
    assert decode(JobPlan, encode(plan)) == plan
