"""The local forge on real git: what merges, what does not, and whatever the user's history does meanwhile."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from schedops.adapters.forge.forge_local import LocalForge
from schedops.errors import InputError, Unavailable
from schedops.model.pull import Commit, FileChange
from schedops.model.verdict import Verdict

DESIRED = "policies/desired/builders.ci-builds.yaml"


def test_merge_then_pull_brings_the_file(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))

    pull = forge.merge(1)
    repo("pull", "-q", ".schedops/forge.git", pull.base)

    assert (pull.state, pull.updated) == ("merged", "2026-02-01T00:00:00Z")
    assert (repo.root / DESIRED).read_text() == "policy: build-order\n"
    assert repo("log", "-1", "--format=%s").startswith("Merge pull request 1: ")
    assert "+policy: build-order" in forge.diff(1)


def test_merge_takes_the_users_newer_commits_along(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    newer = repo.commit("README", "hello\n")

    forge.merge(1)
    repo("pull", "-q", "--ff-only", ".schedops/forge.git", "main")

    assert repo("rev-parse", "HEAD^1") == newer


def test_merged_proposal_again_is_unchanged_and_other_content_is_a_new_one(repo, forge, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    forge.publish(wanted)
    merged = forge.merge(1)

    assert forge.publish(wanted).pull == merged
    repo("pull", "-q", ".schedops/forge.git", "main")
    assert forge.publish(replace(wanted, base_commit=repo("rev-parse", "HEAD"))).pull == merged
    other = forge.publish(proposal(repo("rev-parse", "HEAD"), content=b"policy: long-first\n"))
    assert (other.action, other.pull.number) == ("created", 2)


def test_merge_refuses_draft_twice_and_conflict(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")
    forge.publish(proposal(head, draft=True, verdict=Verdict.INCONCLUSIVE))
    with pytest.raises(InputError) as caught:
        forge.merge(1)
    assert caught.value.code == "still-a-draft"

    forge.publish(proposal(head))
    repo.commit(DESIRED, "policy: mine\n")
    with pytest.raises(InputError) as caught:
        forge.merge(1)
    assert caught.value.code == "conflict"
    assert DESIRED in caught.value.message

    forge.publish(proposal(repo("rev-parse", "HEAD")))
    assert forge.merge(1).state == "merged"
    with pytest.raises(InputError) as caught:
        forge.merge(1)
    assert caught.value.code == "not-open"


def test_two_merges_that_do_not_touch_both_arrive(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")
    forge.publish(proposal(head))
    commit = Commit(message="other\n", changes=(FileChange(path="policies/desired/b.w.yaml", content=b"x\n"),))
    forge.publish(proposal(head, key="ffff0000", branch="schedops/agent/w/x-ffff0000", commits=(commit,)))

    forge.merge(1)
    forge.merge(2)
    repo("pull", "-q", "--ff-only", ".schedops/forge.git", "main")

    assert (repo.root / DESIRED).exists()
    assert (repo.root / "policies/desired/b.w.yaml").exists()


def test_rewritten_branch_of_the_user_is_followed(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    repo("commit", "-q", "--amend", "-m", "rewritten")
    head = repo("rev-parse", "HEAD")

    published = forge.publish(proposal(head))

    assert published.action == "updated"
    assert repo("--git-dir=.schedops/forge.git", "rev-parse", "main") == head


def test_detached_head_proposes_against_the_known_branch_and_moves_nothing(repo, forge, proposal):
    old = repo("rev-parse", "HEAD")
    new = repo.commit("README", "hello\n")
    forge.publish(proposal(new))
    repo("checkout", "-q", "--detach", old)

    published = forge.publish(proposal(old))

    assert published.pull.base == "main"
    assert repo("--git-dir=.schedops/forge.git", "rev-parse", "main") == new


def test_detached_head_from_the_start(repo, forge, proposal):
    repo("checkout", "-q", "--detach")

    assert forge.publish(proposal(repo("rev-parse", "HEAD"))).pull.base == "main"


def test_branch_that_would_hide_the_proposals_is_refused(repo, forge, proposal):
    repo("checkout", "-q", "-b", "schedops")

    with pytest.raises(InputError) as caught:
        forge.publish(proposal(repo("rev-parse", "HEAD")))

    assert caught.value.code == "branch-taken"


def test_shallow_clone(repo, clock, proposal, tmp_path):
    repo.commit("README", "two\n")
    repo.commit("README", "three\n")
    shallow = type(repo)(tmp_path / "shallow")
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repo.root}", shallow.root], check=True)
    forge = LocalForge(shallow.root, clock=clock)

    forge.publish(proposal(shallow("rev-parse", "HEAD")))
    forge.merge(1)
    shallow("pull", "-q", "--ff-only", ".schedops/forge.git", "main")

    assert (shallow.root / DESIRED).exists()


def test_linked_work_tree(repo, clock, proposal, tmp_path):
    linked = type(repo)(tmp_path / "linked")
    repo("worktree", "add", "-q", str(linked.root), "-b", "side")
    forge = LocalForge(linked.root, clock=clock)

    assert forge.publish(proposal(linked("rev-parse", "HEAD"))).pull.base == "side"
    assert linked("status", "--porcelain") == ""


def test_unrelated_histories_are_not_called_a_conflict(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    repo("checkout", "-q", "--orphan", "new")
    repo("commit", "-q", "-m", "unrelated")
    repo("branch", "-f", "main")
    repo("--git-dir=.schedops/forge.git", "fetch", "-q", ".", "+main:refs/heads/main")

    with pytest.raises(Unavailable) as caught:
        forge.merge(1)

    assert caught.value.code == "git-failed"
