"""Merging on GitHub: what is asked of it, and every answer that is no yes."""

from __future__ import annotations

import pytest

from schedops.errors import Refused, Unavailable
from schedops.model.verdict import Verdict
from tests.fakes.github import Fault
from tests.fakes.refusals import code_of

BRANCH = "schedops/agent/ci-builds/build-order-0123abcd"
DESIRED = "policies/desired/builders.ci-builds.yaml"


def test_merge_refuses_a_draft_a_conflict_and_what_is_merged(github, hub, repo, proposal, head):
    github.publish(proposal(head, draft=True, verdict=Verdict.INCONCLUSIVE))
    assert code_of(lambda: github.merge(1)) == "still-a-draft"
    github.publish(proposal(head))
    repo.commit(DESIRED, "policy: mine\n")
    repo("push", "-q", str(hub.git.path), "HEAD:main")
    assert code_of(lambda: github.merge(1)) == "conflict"
    repo("reset", "-q", "--hard", head)
    repo("push", "-qf", str(hub.git.path), "HEAD:main")
    assert github.merge(1).state == "merged"
    assert code_of(lambda: github.merge(1)) == "not-open"


def test_merge_waits_until_github_knows_whether_it_fits(github, hub, slept, proposal, head):
    github.publish(proposal(head))
    hub.undecided = 3

    assert github.merge(1).state == "merged"
    assert slept == [1.0, 2.0]


def test_merge_that_github_never_decides(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.undecided = 99

    assert code_of(lambda: github.merge(1), Unavailable) == "github-undecided"
    assert hub.pulls[1]["state"] == "open"


def test_merge_whose_answer_was_lost_is_a_merge(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.plan(n2=Fault(after=True))

    assert github.merge(1).state == "merged"
    assert hub.git("log", "--format=%s", "--merges", "main").count("Merge") == 1


def test_merge_that_the_rules_of_the_repository_forbid(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.protected = "At least 1 approving review is required by reviewers with write access."

    with pytest.raises(Refused) as caught:
        github.merge(1)

    assert "approving review" in caught.value.message


def test_merge_of_what_moved_meanwhile(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.plan()
    hub.between[2] = lambda: hub.person_commits(BRANCH)

    assert code_of(lambda: github.merge(1)) == "head-moved"
    assert hub.pulls[1]["state"] == "open"
