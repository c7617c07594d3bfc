"""The one verb of the local forge that touches the user's work tree."""

from __future__ import annotations

import pytest

from schedops.errors import InputError

DESIRED = "policies/desired/builders.ci-builds.yaml"


def test_checkout_switches_the_users_work_tree(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))

    branch = forge.checkout(1)

    assert branch == "schedops/pr-1"
    assert repo("symbolic-ref", "--short", "HEAD") == branch
    assert (repo.root / DESIRED).exists()
    assert repo("status", "--porcelain") == ""


def test_checkout_runs_no_hook(repo, forge, proposal):
    hook = repo.root / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ntouch hook-ran\n")
    hook.chmod(0o755)
    forge.publish(proposal(repo("rev-parse", "HEAD")))

    forge.checkout(1)

    assert not (repo.root / "hook-ran").exists()


def test_checkout_refuses_a_dirty_work_tree(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    repo.write("policies/fleet.yaml", "mine\n")

    with pytest.raises(InputError) as caught:
        forge.checkout(1)

    assert caught.value.code == "dirty-work-tree"
    assert caught.value.where == "policies/fleet.yaml"
    assert repo("symbolic-ref", "--short", "HEAD") == "main"


def test_checkout_keeps_an_untracked_file_in_its_way(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    repo.write(DESIRED, "mine\n")

    with pytest.raises(InputError) as caught:
        forge.checkout(1)

    assert caught.value.code == "checkout-refused"
    assert (repo.root / DESIRED).read_text() == "mine\n"


def test_checkout_follows_an_update_but_keeps_own_commits(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")
    forge.publish(proposal(head))
    forge.checkout(1)
    forge.publish(proposal(head, content=b"policy: long-first\n"))
    forge.checkout(1)
    assert (repo.root / DESIRED).read_text() == "policy: long-first\n"

    own = repo.commit(DESIRED, "policy: mine\n")
    with pytest.raises(InputError) as caught:
        forge.checkout(1)
    assert caught.value.code == "own-commits"
    assert repo("rev-parse", "schedops/pr-1") == own
