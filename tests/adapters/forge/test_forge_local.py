"""The local forge on real git: publishing is idempotent, and the user's repository is left alone."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace

import pytest

from schedops.adapters.forge.forge_local import LocalForge
from schedops.errors import InputError, Refused
from schedops.model.pull import Commit, FileChange
from schedops.model.verdict import Verdict

DESIRED = "policies/desired/builders.ci-builds.yaml"


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


def test_path_of_a_directory_is_refused_and_neighbours_are_no_obstacle(repo, forge, proposal):
    repo.commit("policies/desired/other/x.yaml", "x\n")
    forge.publish(proposal(repo("rev-parse", "HEAD")))
    head = repo.commit(f"{DESIRED}/x", "a directory where a file should be\n")

    with pytest.raises(InputError) as caught:
        forge.publish(proposal(head))

    assert caught.value.code == "path-taken"
    assert DESIRED in caught.value.message
