from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.model.jobs import Hints
from schedops.pipeline.hints import BuildFacts, HistoryFile, learn
from schedops.workloads.learn.job_key import key_of_name, key_of_output

EMPTY = Hints(workload="w", hints=())
DAY = "2026-11-21"
HEADS = (b"", b"# ninja log v5\n", b"# ninja log v7\n", b"schedops-hint-log 1\n", b"<testsuite>", b"\xef\xbb\xbf<")


def file(data: bytes, name: str = "f") -> HistoryFile:
    return HistoryFile(name=name, data=data, date=DAY)


def test_files_of_every_kind_make_one_document():
    files = [
        file(b"# ninja log v6\n0\t5\t1\ta.o\t1f\n"),
        file(b'<testsuite><testcase name="t" time="0.25"/></testsuite>'),
        file(f"schedops-hint-log 1\n{key_of_name('t')} 1000 2000 0 1795219200\n".encode()),
    ]
    found = learn(EMPTY, files, BuildFacts())
    assert {(one.key, one.cpu_us, one.clock) for one in found.hints.hints} == {
        (key_of_output("a.o"), 5000, "wall"),
        (key_of_name("t"), 1000, "cpu"),  # measured, where the report only saw time go by
    }
    assert (found.measurements, found.notes, len(found.hints.learnt)) == (3, (), 3)


def test_a_file_teaches_once_even_twice_at_a_time():
    log = file(b"# ninja log v6\n0\t5\t1\ta.o\t1f\n", "log")
    found = learn(EMPTY, [log, log], BuildFacts())
    assert (found.measurements, found.notes) == (1, ("log was learnt before",))
    assert learn(found.hints, [log], BuildFacts()).hints == found.hints


def test_a_file_of_no_known_kind_is_refused():
    with pytest.raises(InputError, match="is no log of schedops-hint"):
        learn(EMPTY, [file(b"Makefile:2: target 'a' does not exist\n", "makefile.trace")], BuildFacts())


@given(st.sampled_from(HEADS), st.binary(max_size=200))
def test_hostile_files_are_learnt_or_refused(head, data):
    try:
        found = learn(EMPTY, [file(head + data)], BuildFacts())
    except InputError:
        return
    assert all(one.cpu_us > 0 and one.n > 0 for one in found.hints.hints)
