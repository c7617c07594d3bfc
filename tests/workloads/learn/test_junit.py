from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.workloads.learn.job_key import key_of_name
from schedops.workloads.learn.junit import MAX_DEPTH, report_times

# pytest's, Maven's and CTest's ways to write it.
REPORT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" tests="7" time="9.9">
<testcase classname="tests.test_a" name="test_one" time="1.250" />
<testcase classname="tests.test_a" name="test_two[x&amp;y]" time="0.5"><system-out>said</system-out></testcase>
<testcase classname="tests.test_a" name="test_failed" time="3.0"><failure message="m">text</failure></testcase>
<testcase classname="tests.test_a" name="test_error" time="3.0"><error/></testcase>
<testcase classname="tests.test_a" name="test_skipped" time="3.0"><skipped/></testcase>
<testcase name="no_class" time="1,234.5" />
<testcase name="no_time" /><testcase name="none" time="0.000"/><testcase name="odd" time="nan"/><testcase time="1"/>
</testsuite></testsuites>
"""


def read(data: bytes) -> dict[str, int]:
    found = report_times(data, date="2026-11-21", where="r.xml")
    assert {(one.clock, one.date, one.chain_us) for one in found} <= {("wall", "2026-11-21", None)}
    return {one.key: one.us for one in found}


def test_tests_that_passed_with_a_time_teach_it():
    assert read(REPORT) == {
        key_of_name("tests.test_a::test_one"): 1_250_000,
        key_of_name("tests.test_a::test_two[x&y]"): 500_000,
        key_of_name("no_class"): 1_234_500_000,
    }


BOMB = b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;">]><testsuite><testcase name="&b;" time="1"/></testsuite>'
OUTSIDE = b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><testsuite/>'


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b"", "no element found"),
        (b"<a><b></a>", "mismatched tag"),
        (b"<a>" * (MAX_DEPTH + 1), "nested deeper"),
        (b"\xff<a/>", "not well-formed"),
        (b'<a name="&unknown;"/>', "undefined entity"),
    ],
)
def test_what_is_no_plain_report_is_refused(bad, words):
    with pytest.raises(InputError, match=words) as caught:
        read(bad)
    assert caught.value.code == "bad-report"


PARTS = st.sampled_from(
    [
        b"<testcase name='a' time='1'>",
        b"</testcase>",
        b"<failure/>",
        b"<x>",
        b"</x>",
        b"&lt;",
        b"<testcase time='-1'/>",
        b"<",
    ]
)


@given(st.lists(PARTS | st.binary(max_size=9)))
def test_hostile_reports_end_in_measurements_or_a_refusal(parts):
    try:
        found = read(b"<testsuite>" + b"".join(parts) + b"</testsuite>")
    except InputError:
        return
    assert set(found.values()) <= {1_000_000}
