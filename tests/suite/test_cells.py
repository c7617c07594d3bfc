"""Which cells there are, what they are called, and how parts of a suite become one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.schema.canonical import canonical_bytes
from schedops.suite.cells import Shard, grounds_of, joined, places, shard_of, with_cells
from tests.fakes.suites import filled, ground, head, measured, workload

HEAD = head(workload("a"), workload("bb"), policies=("p", "q"), seeds=3)
WHOLE = filled(HEAD, lambda place: {"request_p99_us": float(place.seed)})


def part(shard: Shard):
    keys = {place.key for place in places(HEAD, shard)}
    return with_cells(HEAD, {cell.key: cell for cell in WHOLE.cells if cell.key in keys})


@given(of=st.integers(1, 30))
def test_shards_are_the_suite_each_cell_once(of):
    parts = [part(Shard(number, of)) for number in range(1, of + 1)]
    assert sum(len(one.cells) for one in parts) == len(WHOLE.cells) == 18
    assert canonical_bytes(joined(list(reversed(parts)))) == canonical_bytes(WHOLE)


def test_every_cell_has_a_name_of_its_own():
    keys = [place.key for place in places(HEAD)]
    assert len(set(keys)) == len(keys) == 18


@pytest.mark.parametrize(
    "change",
    [{"tool_sha256": "c" * 64}, {"machine_sha256": "c" * 64}, {"scale": 2.0}, {"cold": True}],
)
def test_a_name_says_all_that_a_run_depends_on(change):
    assert not {one.key for one in places(HEAD)} & {one.key for one in places(replace(HEAD, **change))}


def test_a_name_says_nothing_of_what_else_is_run():
    few = replace(HEAD, workloads=HEAD.workloads[:1], schedulers=HEAD.schedulers[::2], seeds=(2, 9))
    assert {one.key for one in places(few) if one.seed == 2} < {one.key for one in places(HEAD)}


def problem(*parts):
    with pytest.raises(InputError) as caught:
        joined(parts)
    return caught.value.code, caught.value.message


def test_parts_that_are_no_suite():
    one, two = part(Shard(1, 2)), part(Shard(2, 2))
    assert problem(one) == ("missing-cells", "9 cells are missing, the first is p on a, seed 1")
    assert problem(one, replace(two, scale=2.0)) == ("other-suite", "shards of different suites: scale")
    changed = replace(two.cells[0], metrics=())
    assert problem(one, two, replace(two, cells=(changed,))) == (
        "cells-differ", "two shards have other results of p on a, seed 1"
    )  # fmt: skip
    moved = replace(two.cells[0], seed=7)
    assert problem(one, replace(two, cells=(moved,)))[0] == "foreign-cell"
    assert canonical_bytes(joined([one, two, one])) == canonical_bytes(WHOLE)


@pytest.mark.parametrize(
    "text", ["", "1", "0/4", "5/4", "1/", "/4", "-1/4", "1/4/4", "a/b", "1/99999999999", "\u0661/\u0664"]
)
def test_what_is_no_shard(text):
    with pytest.raises(InputError):
        shard_of(text)


def test_a_shard_is_read_as_it_is_written():
    assert str(shard_of("3/12")) == "3/12"
    assert [place.seed for place in places(HEAD, shard_of("2/2"))][:3] == [1, 2, 2]


MEASURED = measured(WHOLE, lambda cell: ground(governor=cell.workload))


@given(of=st.integers(1, 5))
def test_what_is_compared_is_measured_by_one_shard(of):
    parts = []
    for number in range(1, of + 1):
        keys = {place.key for place in places(MEASURED, Shard(number, of))}
        cells = {cell.key: cell for cell in MEASURED.cells if cell.key in keys}
        known = {cell.ground for cell in cells.values()}
        assert len(known) == len({cell.workload for cell in cells.values()})
        grounds = {name: one for name, one in grounds_of(MEASURED).items() if name in known}
        parts.append(with_cells(MEASURED, cells, grounds))
    assert sorted(len(one.cells) for one in parts if one.cells) in ([18], [9, 9])
    # Shards ran on machines of their own, and say so.
    assert canonical_bytes(joined(parts)) == canonical_bytes(MEASURED)
    assert len(MEASURED.grounds) == 2


def test_a_measured_cell_says_where_and_a_simulated_one_does_not():
    nowhere = replace(MEASURED, grounds=MEASURED.grounds[:1])
    assert problem(nowhere)[0] == "foreign-cell"
    somewhere = replace(WHOLE, cells=(replace(WHOLE.cells[0], ground="a" * 64), *WHOLE.cells[1:]))
    assert problem(somewhere)[0] == "foreign-cell"
    assert problem(MEASURED, WHOLE) == ("other-suite", "shards of different suites: rung")
