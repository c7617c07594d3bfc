"""Which files a proposal writes; what is written reads back to the same value."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.fleet import Assignment
from schedops.model.jobs import Hints
from schedops.model.policy import Policy, PolicySource
from schedops.model.pull import FileChange
from schedops.propose.change import assignment, commit, files, title
from schedops.schema.canonical import digest_of
from schedops.schema.read import load
from tests.fakes.dossier import HINTS, PLAN, POLICY, dossier

SETTINGS = {"informed": 0.8, "candidate": 1.2}


def contents(made):
    return {change.path: change.content for change in files(made)}


def test_policy_is_assigned_with_parameters_and_hints():
    made = dossier()
    written = contents(made)

    assert sorted(written) == ["policies/desired/runners.w.yaml", "policies/hints/w.yaml"]
    desired = load(written["policies/desired/runners.w.yaml"], Assignment)
    assert desired == assignment(made)
    assert (desired.policy, desired.settings) == ("p", None)
    assert [(param.name, param.value) for param in desired.params] == [("age_ms", 300), ("slice_us", 5000)]
    assert desired.evidence_sha256 == digest_of(made.evidence)
    assert load(written["policies/hints/w.yaml"], Hints) == replace(HINTS, hints=HINTS.hints[::-1])


def test_settings_assign_no_policy():
    desired = assignment(dossier(**SETTINGS))

    assert (desired.policy, desired.params, desired.settings) == (None, (), "informed-default")


def test_hints_are_written_only_when_read():
    unread = replace(PLAN, uses_hints=False)

    assert sorted(contents(dossier(plan=unread))) == ["policies/desired/runners.w.yaml"]
    assert "policies/hints/w.yaml" in contents(dossier(plan=unread, **SETTINGS))
    assert sorted(contents(dossier(hints=None))) == ["policies/desired/runners.w.yaml"]


def test_newer_evidence_alone_is_no_change():
    known = replace(assignment(dossier()), evidence_sha256="sha256:" + "c" * 64)

    assert assignment(dossier(desired=known)) == known
    assert assignment(dossier(desired=replace(known, policy="q"))).policy == "p"


def test_one_commit_tells_verdict_and_evidence():
    made = commit(dossier())

    assert made.message.splitlines()[0] == title(dossier()) == "runners: w under p"
    assert "Schedops-Verdict: PASS" in made.message
    assert title(dossier(**SETTINGS)) == "runners: w with nice values from hints, no policy"


def test_a_created_policy_comes_with_its_files_and_settings_do_not():
    created = PolicySource(policy=replace(POLICY, source="p.bpf.c"), path="p", text="int x;\n")
    written = contents(dossier(created=created))
    assert written["policies/library/p/p.bpf.c"] == b"int x;\n"
    assert load(written["policies/library/p/policy.yaml"], Policy) == created.policy
    assert not any("library" in path for path in contents(dossier(created=created, **SETTINGS)))


def test_what_was_learnt_goes_along_unless_nothing_else_changes():
    learnt = (FileChange(path="policies/LESSONS.md", content=b"x"),)
    made = dossier(learnt=learnt)
    assert "policies/LESSONS.md" in contents(made)
    assert "policies/LESSONS.md" not in contents(replace(made, desired=assignment(made)))
