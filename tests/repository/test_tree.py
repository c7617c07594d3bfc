from __future__ import annotations

from pathlib import Path

import pytest

from schedops.errors import InputError
from schedops.repository import open_tree
from schedops.repository.tree import names_in
from schedops.schema.files import data_dir


def test_the_nearest_tree_at_or_above(maker):
    root = maker.sound()
    deep = root / "policies" / "library" / "one"
    for start in (root, root / "policies", deep):
        assert (open_tree(start).root, open_tree(start).starter) == (root, False)


def test_outside_of_a_tree_it_is_the_starter_library(tmp_path):
    tree = open_tree(tmp_path)
    assert tree.starter
    assert tree.root == data_dir("policies").parent


def test_another_repository_above_is_not_ours(maker):
    inner = maker.sound() / "vendor" / "other"
    (inner / ".git").mkdir(parents=True)
    assert open_tree(inner).starter


def test_a_directory_that_is_merely_named_policies_is_none(tmp_path):
    (tmp_path / "policies" / "firewall").mkdir(parents=True)
    assert open_tree(tmp_path).starter


def test_names_are_sorted_and_hidden_ones_left_out(maker):
    for name in ("b.yaml", "a.yaml", ".c.yaml", "d.txt"):
        maker.file(f"workloads/{name}", "")
    assert names_in(maker.root, "workloads", ".yaml") == ("a.yaml", "b.yaml")
    assert names_in(maker.root, "nothing") == ()


def test_a_file_in_place_of_a_directory_is_told(maker):
    maker.file("library", "")
    with pytest.raises(InputError) as caught:
        names_in(maker.root, "library")
    assert caught.value.code == "file-unreadable"
    assert Path(caught.value.where) == maker.root / "policies" / "library"
