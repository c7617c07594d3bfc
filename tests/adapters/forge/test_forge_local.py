"""The local forge on real git: idempotent, consistent after a kill, the user's repository left alone."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from schedops.adapters.forge.forge_local import LocalForge
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.pull import Commit, FileChange
from schedops.model.verdict import Verdict

DESIRED = "policies/desired/builders.ci-builds.yaml"


@pytest.fixture
def forge(repo, clock) -> LocalForge:
    return LocalForge(repo.root, clock=clock)


def snapshot(repo):
    """Everything of the user's that must not change: references, index, configuration, work tree."""
    files = {}
    for path in sorted(repo.root.rglob("*")):
        inside = path.relative_to(repo.root)
        if path.is_file() and inside.parts[0] != ".schedops":
            files[str(inside)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


def forge_bytes(repo):
    root = repo.root / ".schedops/forge.git"
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_publish_opens_a_pull_request(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")

    published = forge.publish(proposal(head))

    assert published.action == "created"
    assert published.pull.number == 1
    assert published.pull.state == "open"
    assert published.pull.base == "main"
    assert forge.pulls() == (published.pull,)
    assert forge.body(1) == "# PASS\n"
    assert forge.attachments(1) == ("evidence/decision.json",)
    assert forge.attachment(1, "evidence/decision.json") == b"{}\n"
    assert "+policy: build-order" in forge.diff(1)


def test_publish_leaves_the_users_repository_alone(repo, forge, proposal):
    repo.write("policies/fleet.yaml", "kernels: [changed, staged]\n")
    repo("add", "policies/fleet.yaml")
    repo.write("notes.txt", "mine\n")
    before, status = snapshot(repo), repo("status", "--porcelain")

    forge.publish(proposal(repo("rev-parse", "HEAD")))

    assert snapshot(repo) == before
    assert repo("status", "--porcelain") == status
    assert ".schedops" not in status


def test_same_proposal_again_changes_no_byte(repo, forge, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    first = forge.publish(wanted)
    before = forge_bytes(repo)

    again = forge.publish(wanted)

    assert again.action == "unchanged"
    assert again.pull == first.pull
    assert forge_bytes(repo) == before


def test_a_later_date_alone_is_no_news(repo, forge, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    first = forge.publish(wanted)

    again = forge.publish(replace(wanted, created="2026-01-02T00:00:00Z"))

    assert (again.action, again.pull) == ("unchanged", first.pull)


def test_equal_proposals_have_equal_hashes_in_two_forges(repo, forge, proposal, clock, tmp_path):
    wanted = proposal(repo("rev-parse", "HEAD"))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", repo.root, clone], check=True)

    first, second = forge.publish(wanted), LocalForge(clone, clock=clock).publish(wanted)

    assert first == second


@pytest.mark.parametrize(
    "change",
    [
        {"body": "# PASS, and more\n"},
        {"content": b"policy: long-first\n"},
        {"attachments": (FileChange(path="evidence/decision.json", content=b"{1}\n"),)},
        {"draft": True, "verdict": Verdict.INCONCLUSIVE},
    ],
)
def test_other_content_updates_the_same_pull_request(repo, forge, proposal, change):
    head = repo("rev-parse", "HEAD")
    first = forge.publish(proposal(head))

    second = forge.publish(proposal(head, created="2026-01-02T00:00:00Z", **change))

    assert second.action == "updated"
    assert second.pull.number == 1
    assert second.pull.created == first.pull.created
    assert second.pull.updated == "2026-01-02T00:00:00Z"
    assert [pull.number for pull in forge.pulls()] == [1]


def test_each_state_is_a_commit(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")
    forge.publish(proposal(head))
    forge.publish(proposal(head, body="# other\n"))

    chain = repo("--git-dir=.schedops/forge.git", "log", "--format=%s %an", "refs/schedops/pulls/1")

    assert chain.splitlines() == ["update pull request 1 schedops", "open pull request 1 schedops"]


def test_another_key_is_another_pull_request(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")
    forge.publish(proposal(head))

    other = forge.publish(proposal(head, key="ffff0000", branch="schedops/agent/w/fifo-ffff0000"))

    assert (other.action, other.pull.number) == ("created", 2)


def test_commits_of_a_proposal_follow_each_other(repo, forge, proposal):
    head = repo("rev-parse", "HEAD")
    commits = tuple(
        Commit(message=f"step {n}\n", changes=(FileChange(path=f"policies/{n}.yaml", content=b"x: 1\n"),))
        for n in (1, 2)
    )

    pull = forge.publish(proposal(head, commits=commits)).pull

    log = repo("--git-dir=.schedops/forge.git", "log", "--format=%s", f"{head}..{pull.branch}")
    assert log.splitlines() == ["step 2", "step 1"]


def test_proposal_that_changes_nothing_is_refused(repo, forge, proposal):
    head = repo.commit(DESIRED, "policy: build-order\n")

    with pytest.raises(Refused) as caught:
        forge.publish(proposal(head))

    assert caught.value.code == "already-there"
    assert forge.pulls() == ()


def test_path_through_a_file_is_refused(repo, forge, proposal):
    head = repo.commit("policies/desired", "a file where a directory should be\n")

    with pytest.raises(InputError) as caught:
        forge.publish(proposal(head))

    assert caught.value.code == "path-taken"


def test_path_through_a_link_is_refused(repo, forge, proposal):
    (repo.root / "policies/desired").symlink_to("/etc")
    repo("add", "-A")
    repo("commit", "-q", "-m", "link")

    with pytest.raises(InputError) as caught:
        forge.publish(proposal(repo("rev-parse", "HEAD")))

    assert caught.value.code == "path-taken"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a//b", "a\nb"])
def test_attachment_path_must_stay_inside(repo, forge, proposal, path):
    with pytest.raises(InputError) as caught:
        forge.publish(proposal(repo("rev-parse", "HEAD"), attachments=(FileChange(path=path, content=b""),)))

    assert caught.value.code == "bad-path"
    assert forge.pulls() == ()


def test_unknown_pull_request_and_attachment(repo, forge, proposal):
    for ask in (forge.body, forge.diff, forge.checkout, forge.merge, forge.attachments):
        with pytest.raises(InputError) as caught:
            ask(7)
        assert caught.value.code == "no-pull"
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    with pytest.raises(InputError) as caught:
        forge.attachment(1, "evidence/none.json")
    assert caught.value.code == "no-attachment"
    assert "evidence/decision.json" in caught.value.hint


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


def _publish(root, clock, wanted, started=None):
    if started is not None:
        started.set()
    LocalForge(root, clock=clock).publish(wanted)


def test_concurrent_publishes_of_one_key_make_one_pull_request(repo, forge, clock, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_publish, args=(repo.root, clock, wanted)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert [pull.number for pull in forge.pulls()] == [1]
    assert forge.publish(wanted).action == "unchanged"


@pytest.mark.parametrize("delay_ms", [0, 5, 10, 20, 30, 40, 60, 80, 100, 140])
def test_killed_at_any_moment_leaves_a_forge_that_works(repo, forge, clock, proposal, delay_ms):
    head = repo("rev-parse", "HEAD")
    context = multiprocessing.get_context("fork")
    started = context.Event()
    process = context.Process(target=_publish, args=(repo.root, clock, proposal(head), started))
    process.start()
    started.wait(timeout=30)
    time.sleep(delay_ms / 1000)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(timeout=30)

    published = forge.publish(proposal(head))

    assert published.pull.number == 1
    assert [pull.number for pull in forge.pulls()] == [1]
    repo("--git-dir=.schedops/forge.git", "fsck", "--no-dangling")
    assert sorted(path.name for path in (repo.root / ".schedops").iterdir()) == [
        ".gitignore",
        "forge.git",
        "forge.lock",
    ]


def test_leftovers_of_a_killed_writer_are_cleared(repo, forge, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    forge.publish(wanted)
    own = repo.root / ".schedops"
    (own / "forge.git/refs/schedops/pulls/1.lock").write_text("")
    (own / "forge.git/packed-refs.lock").write_text("")
    (own / "forge-tmp-abc").mkdir()
    (own / "forge-tmp-abc/index").write_text("half")

    assert forge.publish(replace(wanted, body="# new\n")).action == "updated"
    assert not (own / "forge-tmp-abc").exists()


def test_path_of_a_directory_is_refused_and_neighbours_are_no_obstacle(repo, forge, proposal):
    repo.commit("policies/desired/other/x.yaml", "x\n")
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    head = repo.commit(f"{DESIRED}/x", "a directory where a file should be\n")

    with pytest.raises(InputError) as caught:
        forge.publish(proposal(head))

    assert caught.value.code == "path-taken"
    assert DESIRED in caught.value.message


def test_unrelated_histories_are_not_called_a_conflict(repo, forge, proposal):
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    repo("checkout", "-q", "--orphan", "new")
    repo("commit", "-q", "-m", "unrelated")
    repo("branch", "-f", "main")
    repo("--git-dir=.schedops/forge.git", "fetch", "-q", ".", "+main:refs/heads/main")

    with pytest.raises(Unavailable) as caught:
        forge.merge(1)

    assert caught.value.code == "git-failed"
