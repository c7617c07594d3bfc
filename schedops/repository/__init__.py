"""The policy repository as values: the only room that reads files, all of them below ``policies/``."""

from schedops.repository.check import check_tree
from schedops.repository.documents import (
    load_assignments,
    load_fleet,
    load_hints,
    load_workload,
    load_workload_files,
    load_workloads,
)
from schedops.repository.history import load_active, load_history, load_outcomes
from schedops.repository.includes import ignored_includes, read_includes, with_includes
from schedops.repository.library import find_policy, load_policies, load_policy
from schedops.repository.machines import load_machine, ready_machines
from schedops.repository.named import DECLARABLE, is_bare, resolve_policy, resolve_subject
from schedops.repository.search import Hit, Query
from schedops.repository.tree import Tree, open_tree

__all__ = [
    "DECLARABLE",
    "Hit",
    "Query",
    "Tree",
    "check_tree",
    "find_policy",
    "ignored_includes",
    "is_bare",
    "load_active",
    "load_assignments",
    "load_fleet",
    "load_hints",
    "load_history",
    "load_machine",
    "load_outcomes",
    "load_policies",
    "load_policy",
    "load_workload",
    "load_workload_files",
    "load_workloads",
    "open_tree",
    "read_includes",
    "ready_machines",
    "resolve_policy",
    "resolve_subject",
    "with_includes",
]
