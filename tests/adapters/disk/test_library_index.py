from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from schedops.adapters.disk import library_index
from schedops.adapters.disk.library_index import LibraryIndex
from schedops.model.outcome import RETIRED, Standing
from schedops.repository.history import FILE
from schedops.repository.search import Query
from schedops.schema.canonical import canonical_bytes

POLICY = """\
apiVersion: schedops/v1
kind: Policy
name: {name}
description: {description}
tags: [{tags}]
classes: [{class_}]
source: {name}.bpf.c
ops_name: {name}
loses_when: Never.
provenance: {{author: human, pathway: create}}
"""


def write(root: Path, name: str, description: str, tags: str = "x", class_: str = "cpu-bound") -> Path:
    folder = root / "policies/library" / name
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "policy.yaml"
    file.write_text(POLICY.format(name=name, description=description, tags=tags, class_=class_))
    return file


def age(root: Path) -> None:
    """As if everything had been written long ago."""
    for path in (root / "policies/library").rglob("*"):
        os.utime(path, ns=(10**18, 10**18))


@pytest.fixture
def root(tmp_path):
    write(tmp_path, "builds", "Builds in order of arrival.", "ci", "saturating-groups")
    write(tmp_path, "desk", "Head start for tasks that wake up often.", "desktop, latency", "mixed")
    return tmp_path


def index(root: Path, **options: object) -> LibraryIndex:
    return LibraryIndex(root, cache=root / "cache", **options)


def names(root: Path, text: str = "", **options: object) -> list[str]:
    one = index(root)
    try:
        return [hit.policy.name for hit in one.search(Query(text=text, **options))]
    finally:
        one.close()


def test_words_a_sentence_and_filters(root):
    assert names(root, "compile") == ["builds"]
    assert names(root, "my desktop stutters when others compile")[0] == "desk"
    assert names(root, only_class="mixed") == ["desk"]
    assert names(root, only_tag="ci") == ["builds"]
    assert names(root, "compile", only_tag="latency") == []
    assert names(root, classes=("saturating-groups",)) == ["builds"]
    assert names(root, "zzz") == []


def test_every_change_of_the_files_is_seen_at_once(root):
    assert names(root, "cache misses") == []
    file = write(root, "desk", "Keeps tasks near their cache.")
    assert names(root, "cache misses") == ["desk"]
    # The same size, within the same tick of the clock: times alone would not tell.
    before = file.stat()
    file.write_text(file.read_text().replace("cache", "queue"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert names(root, "cache misses") == []
    write(root, "third", "A cache is what this one knows.")
    assert names(root, "cache misses") == ["third"]
    shutil.rmtree(root / "policies/library/third")
    assert names(root, "cache misses") == []


def test_what_has_not_changed_is_not_read_again(root, monkeypatch):
    monkeypatch.setattr("schedops.adapters.disk.index_scan._YOUNG_NS", -(10**18))  # nothing is too young
    assert names(root, "compile") == ["builds"]
    monkeypatch.setattr(library_index, "read_files", lambda *_: pytest.fail("read again"))
    assert names(root, "compile") == ["builds"]


@pytest.mark.parametrize("damage", [b"no database", b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_made_anew(root, damage):
    path = index(root).path
    assert names(root, "compile") == ["builds"]
    path.write_bytes(damage)
    assert names(root, "compile") == ["builds"]
    assert sqlite3.connect(path).execute("SELECT count(*) FROM policy").fetchone() == (2,)


@pytest.mark.parametrize("statement", ["DROP TABLE label", "DROP TABLE words", "UPDATE content SET document = '{'",
                                       "UPDATE vector SET floats = x'00'"])  # fmt: skip
def test_an_index_that_is_wrong_inside_is_made_anew(root, statement):
    path = index(root).path
    assert names(root, "compile") == ["builds"]
    database = sqlite3.connect(path)
    database.execute(statement)
    database.commit()
    database.close()
    assert names(root, "compile") == ["builds"]


def test_a_cache_that_cannot_be_written_is_no_obstacle(root):
    (root / "cache").write_text("a file where the directory should be")
    assert names(root, "compile") == ["builds"]


def test_a_read_only_index_is_used_and_left_as_it_is(root, monkeypatch):
    assert names(root, "compile") == ["builds"]
    bytes_before = index(root).path.read_bytes()
    connect = sqlite3.connect

    def read_only(path, **options):
        return connect(path if path == ":memory:" else f"file:{path}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    one = index(root)
    assert [hit.policy.name for hit in one.search(Query(text="compile"))] == ["builds"]
    assert not one._rows.in_memory
    write(root, "third", "Ninja builds.")
    assert {hit.policy.name for hit in one.search(Query(text="compile"))} == {"builds", "third"}
    assert index(root).path.read_bytes() == bytes_before


def test_what_another_process_has_indexed_is_found(root):
    one, other = index(root), index(root)
    assert [hit.policy.name for hit in one.search(Query(text="compile"))] == ["builds"]
    write(root, "third", "Ninja builds.")
    shutil.rmtree(root / "policies/library/builds")
    assert [hit.policy.name for hit in other.search(Query(text="compile"))] == ["third"]
    (hit,) = one.search(Query(text="compile"), fresh=False)
    assert hit.policy.name == "third"
    assert hit.score == other.search(Query(text="compile"))[0].score


def test_another_process_that_holds_the_index_is_not_waited_for_in_vain(root, monkeypatch):
    monkeypatch.setattr(library_index, "_WAIT_S", 0.01)
    assert names(root, "compile") == ["builds"]
    other = sqlite3.connect(index(root).path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    write(root, "third", "Ninja builds.")
    assert set(names(root, "compile")) == {"builds", "third"}
    other.execute("ROLLBACK")
    other.close()
    assert index(root).path.exists()


def test_policies_that_cannot_be_read_are_left_out_and_named(root):
    (root / "policies/library/builds/policy.yaml").write_text("a: 1\na: 2\n")
    (root / "policies/library/no-policy").mkdir()
    one = index(root)
    assert [hit.policy.name for hit in one.search(Query(text="desktop"))] == ["desk"]
    assert one.unreadable() == ("builds",)


def test_retired_policies_are_not_found(root):
    line = Standing(
        policy="desk", policy_sha256="a" * 64, state=RETIRED, because="no use", created="2026-11-21T00:00:00Z"
    )
    assert names(root, "desktop") == ["desk"]
    (root / "policies/library/desk" / FILE).write_bytes(canonical_bytes(line))
    assert names(root, "desktop") == []


def test_a_broken_history_does_not_hide_a_policy(root):
    (root / "policies/library/desk" / FILE).write_text("<<<<<<< HEAD\n")
    assert names(root, "desktop") == ["desk"]


def test_an_empty_library(tmp_path):
    assert names(tmp_path, "desktop") == []


class Letters:
    """An embedder that only knows which letters there are."""

    name = "letters"
    dimensions = 26

    def embed(self, texts):
        found = [[float(chr(97 + at) in text.lower()) for at in range(26)] for text in texts]
        return [[value / (sum(row) ** 0.5 or 1.0) for value in row] for row in found]


def test_another_embedder_has_an_index_of_its_own(root):
    other = index(root, embedder=Letters())
    assert other.path != index(root).path
    (hit, *_) = other.search(Query(text="qwk often head start tasks"))
    assert hit.policy.name == "desk"
    assert any(why.startswith("near in meaning") for why in hit.why)


def test_old_indexes_go(root, monkeypatch):
    monkeypatch.setattr(library_index, "_KEPT", 1)
    names(root, "x")
    index(root, embedder=Letters()).search(Query(text="x"))
    assert len(list((root / "cache").glob("*.sqlite"))) == 1
