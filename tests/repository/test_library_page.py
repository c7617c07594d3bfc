"""docs/library.md says of the library what the library says of itself."""

from __future__ import annotations

import json

from benchmarks.library_page import page
from schedops.repository import load_policies
from schedops.schema.files import data_dir

ROOT = data_dir("policies").parent


def test_the_page_is_of_these_policies_and_of_that_sweep():
    policies = [one.policy for one in load_policies(ROOT)]
    sweeps = json.loads((ROOT / "docs/library-sweep.json").read_text(encoding="utf-8"))
    assert {one.name for one in policies} == set(sweeps[0]["rows"][0]["policies"])
    # If not: benchmarks/library_table.py, with --page-only if only words changed.
    assert (ROOT / "docs/library.md").read_text(encoding="utf-8") == page(policies, sweeps)
