from __future__ import annotations

from pathlib import Path

import pytest

POLICY = """\
apiVersion: schedops/v1
kind: Policy
name: {name}
description: Builds in order of arrival.
tags: [builds]
classes: [saturating-groups]
source: {name}.bpf.c
ops_name: {name}
params:
  - {{name: slice_us, type: u64, default: 5000, min: 500, max: 20000, unit: us, meaning: How long a task runs.}}
loses_when: Everything is short.
provenance: {{author: human, pathway: create}}
"""
SOURCE = """\
#include "own.h"
const volatile u64 slice_us = 5000;
struct sched_ext_ops ops = {{ .name = "{name}" }};
"""
WORKLOAD = """\
apiVersion: schedops/v1
kind: Workload
name: {name}
description: A batch.
objectives: [{{metric: makespan_per_floor, unit: ratio, direction: lower, min_effect: 0.05}}]
guards: []
rounds: 10
warmup_rounds: 1
batch: {{short_jobs_per_cpu: 5, long_jobs: 1, job_work: 1000000, long_factor: 7.4, length_sigma: 0.15}}
"""
FLEET = """\
apiVersion: schedops/v1
kind: Fleet
kernels: [{release: "6.16"}]
groups: [{name: runners, workloads: [batch]}]
"""
HINTS = """\
apiVersion: schedops/v1
kind: Hints
workload: batch
hints: [{key: 0123456789abcdef, cpu_us: 5, n: 1, spread: null, measured: 2026-11-21}]
"""
ASSIGNMENT = """\
apiVersion: schedops/v1
kind: Assignment
group: runners
workload: batch
policy: one
params: [{{name: slice_us, value: {value}}}]
evidence_sha256: {digest}
"""


class Maker:
    """Writes a repository of policies, whole or broken."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def file(self, path: str, text: str) -> Path:
        place = self.root / "policies" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        return place

    def policy(self, name: str, *changes: tuple[str, str], source: str = SOURCE) -> None:
        text = POLICY.format(name=name)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        self.file(f"library/{name}/policy.yaml", text)
        self.file(f"library/{name}/{name}.bpf.c", source.format(name=name))

    def assignment(self, *, file: str = "runners.batch", value: int = 4000) -> None:
        self.file(f"desired/{file}.yaml", ASSIGNMENT.format(value=value, digest="a" * 64))

    def sound(self) -> Path:
        self.policy("one")
        self.policy("two")
        self.file("include/own.h", "/* nothing */\n")
        self.file("workloads/batch.yaml", WORKLOAD.format(name="batch"))
        self.file("fleet.yaml", FLEET)
        self.file("hints/batch.yaml", HINTS)
        self.assignment()
        return self.root


@pytest.fixture
def maker(tmp_path) -> Maker:
    return Maker(tmp_path)
