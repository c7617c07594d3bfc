"""The GitHub forge: what it writes, how often, and what it leaves alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from schedops.adapters.forge.github_api import Api
from schedops.adapters.forge.github_forge import GitHubForge
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.pull import Commit, FileChange
from schedops.model.verdict import Verdict
from tests.fakes.github import Fault
from tests.fakes.refusals import code_of

BRANCH = "schedops/agent/ci-builds/build-order-0123abcd"
DESIRED = "policies/desired/builders.ci-builds.yaml"
FILES = (
    FileChange(path="comparison.svg", content=b"<svg/>\n"),
    FileChange(path="evidence/decision.json", content=b"{}\n"),
    FileChange(path="evidence/samples.bin", content=b"\xff\x00"),
)


def test_a_proposal_takes_at_most_twelve_calls_and_again_one(github, hub, proposal, head):
    wanted = proposal(head, attachments=FILES, draft=True, verdict=Verdict.INCONCLUSIVE)
    github.publish(wanted)
    assert len(hub.calls) <= 12

    hub.plan()
    assert github.publish(wanted).action == "unchanged"
    assert len(hub.calls) == 1
    assert hub.writes == []


def test_an_update_takes_at_most_twelve_calls(github, hub, proposal, head):
    github.publish(
        proposal(head, draft=True, verdict=Verdict.INCONCLUSIVE, labels=("schedops", "schedops/inconclusive"))
    )
    hub.plan()

    other = proposal(head, content=b"policy: x\n", attachments=FILES[:2], labels=("schedops", "schedops/pass"))
    published = github.publish(other)

    assert len(hub.calls) <= 12
    assert hub.pulls[1]["draft"] is False
    assert hub.pulls[1]["labels"] == ["schedops", "schedops/pass"]
    assert published.pull.labels == ("schedops", "schedops/pass")


def test_what_a_reviewer_gets(github, hub, proposal, head):
    text = "# PASS\n\n![figures](attachments/comparison.svg)\n"
    github.publish(proposal(head, body=text, attachments=FILES))

    pull = hub.pulls[1]
    commit = hub.git.sha("refs/schedops/evidence/ci-builds/build-order-0123abcd")
    assert f"![figures](https://github.com/octo/policies/raw/{commit}/comparison.svg)" in pull["body"]
    assert f"(https://github.com/octo/policies/tree/{commit})" in pull["body"]
    assert (pull["head"], pull["base"]) == (BRANCH, "main")
    assert hub.git("show", f"{commit}:comparison.svg") == "<svg/>"
    assert hub.git("show", f"{BRANCH}:{DESIRED}") == "policy: build-order"
    assert hub.git("diff", "--name-only", f"main...{BRANCH}") == DESIRED
    assert github.attachments(1) == ("comparison.svg", "evidence/decision.json", "evidence/samples.bin")
    assert github.attachment(1, "evidence/samples.bin") == b"\xff\x00"
    assert github.address(1) == "https://github.com/octo/policies/pull/1"


def test_older_evidence_stays_reachable(github, hub, proposal, head):
    github.publish(proposal(head, attachments=FILES))
    first = hub.git.sha("refs/schedops/evidence/ci-builds/build-order-0123abcd")
    github.publish(proposal(head, attachments=FILES[:2]))

    assert hub.git.is_ancestor(first, "refs/schedops/evidence/ci-builds/build-order-0123abcd")
    assert github.attachments(1) == ("comparison.svg", "evidence/decision.json")


def test_same_evidence_is_not_written_again(github, hub, proposal, head):
    github.publish(proposal(head, attachments=FILES))
    hub.plan()
    github.publish(proposal(head, attachments=FILES, body="# other\n"))

    assert hub.pulls[1]["body"].startswith("# other\n")
    assert ("POST", "/repos/octo/policies/git/blobs") not in hub.calls
    assert not any("evidence" in path for _, path in hub.calls)


def test_the_branch_only_moves_forward(github, hub, proposal, head):
    first = github.publish(proposal(head)).pull.head_commit
    second = github.publish(proposal(head, content=b"policy: other\n")).pull.head_commit

    assert first != second == hub.git.sha(BRANCH)
    assert hub.git.is_ancestor(first, second)


def test_an_update_on_a_newer_base_shows_only_the_proposal(github, hub, repo, proposal, head):
    github.publish(proposal(head))
    newer = repo.commit("README", "hello\n")

    assert github.publish(proposal(newer)).action == "updated"
    assert hub.git("diff", "--name-only", f"main...{BRANCH}") == DESIRED


def test_commits_of_a_proposal_follow_each_other(github, hub, proposal, head):
    commits = tuple(
        Commit(message=f"step {n}\n", changes=(FileChange(path=f"policies/{n}.yaml", content=b"x: 1\n"),))
        for n in (1, 2)
    )
    github.publish(proposal(head, commits=commits))

    assert hub.git("log", "--format=%s", f"main..{BRANCH}").splitlines() == ["step 2", "step 1"]


@pytest.mark.parametrize("author", ["human@example.org", "schedops@localhost"])
def test_somebodys_commit_is_left_alone_and_said_once(github, hub, proposal, head, author):
    github.publish(proposal(head))
    tip = hub.person_commits(BRANCH, author=author)
    before = dict(hub.pulls[1])

    for content in (b"policy: b\n", b"policy: c\n"):
        with pytest.raises(Refused) as caught:
            github.publish(proposal(head, content=content))
        assert caught.value.code == "human-commits"

    assert hub.git.sha(BRANCH) == tip
    assert len(hub.comments[1]) == 1
    assert {**hub.pulls[1], "last_head": ""} == {**before, "last_head": ""}


def test_the_same_proposal_beside_somebodys_commit_is_no_news(github, hub, proposal, head):
    wanted = proposal(head)
    github.publish(wanted)
    hub.person_commits(BRANCH)

    assert github.publish(wanted).action == "unchanged"
    assert hub.comments == {}


def test_a_commit_that_somebody_pushes_meanwhile_is_not_lost(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.plan()
    pushed = []
    hub.between[5] = lambda: pushed.append(hub.person_commits(BRANCH))  # just before the branch would be moved

    with pytest.raises(Refused) as caught:
        github.publish(proposal(head, content=b"policy: b\n"))

    assert caught.value.code == "human-commits"
    assert hub.calls[4] == ("PATCH", f"/repos/octo/policies/git/refs/heads/{BRANCH}")
    assert hub.git.sha(BRANCH) == pushed[0]


def test_the_comment_is_not_written_twice_when_its_answer_is_lost(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.person_commits(BRANCH)
    hub.plan(n4=Fault(after=True))

    with pytest.raises(Refused):
        github.publish(proposal(head, content=b"policy: b\n"))

    assert hub.calls[3] == ("POST", "/repos/octo/policies/issues/1/comments")
    assert len(hub.comments[1]) == 1


@pytest.mark.parametrize("content", [b"policy: build-order\n", b"policy: other\n"])
def test_what_somebody_closed_stays_closed(github, hub, proposal, head, content):
    github.publish(proposal(head))
    hub.close(1)
    hub.plan()

    with pytest.raises(Refused) as caught:
        github.publish(proposal(head, content=content))

    assert caught.value.code == "closed-by-reviewer"
    assert "pull/1" in caught.value.where
    assert hub.writes == []


def test_reopened_by_somebody_is_updated_again(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.close(1)
    hub.pulls[1]["state"] = "open"

    assert github.publish(proposal(head, content=b"policy: other\n")).action == "updated"


def test_merged_is_unchanged_and_other_content_is_a_new_one(github, hub, repo, proposal, head):
    wanted = proposal(head, attachments=FILES)
    github.publish(wanted)
    merged = github.merge(1)
    assert (merged.state, merged.updated) == ("merged", "2026-02-01T00:00:00Z")
    repo("pull", "-q", str(hub.git.path), "main")
    base = repo("rev-parse", "HEAD")
    old_files = hub.git.sha("refs/schedops/evidence/ci-builds/build-order-0123abcd")

    assert github.publish(replace(wanted, base_commit=base)).pull.number == 1
    other = github.publish(proposal(base, content=b"policy: long-first\n"))

    assert (other.action, other.pull.number) == ("created", 2)
    assert hub.git("diff", "--name-only", f"main...{BRANCH}") == DESIRED
    assert hub.git.is_ancestor(old_files, "refs/schedops/evidence/ci-builds/build-order-0123abcd")


def test_somebodys_labels_and_words_stay(github, hub, proposal, head):
    github.publish(proposal(head, labels=("schedops", "schedops/inconclusive")))
    hub.pulls[1]["labels"] += ["needs-bench"]
    hub.pulls[1]["labels"].remove("schedops/inconclusive")
    hub.pulls[1]["body"] = hub.pulls[1]["body"].replace("\n", "\r\n") + "\r\nreviewed by me\r\n"

    assert github.publish(proposal(head, labels=("schedops", "schedops/inconclusive"))).action == "unchanged"
    assert "reviewed by me" in hub.pulls[1]["body"]
    github.publish(proposal(head, labels=("schedops", "schedops/pass")))

    assert hub.pulls[1]["labels"] == ["schedops", "needs-bench", "schedops/pass"]


def test_a_fork_with_our_branch_and_seal_is_nobody(github, hub, proposal, head):
    github.publish(proposal(head))
    hub.pulls[2] = {**hub.pulls[1], "home": "mallory/policies", "title": "theirs"}
    hub.pulls[3] = {**hub.pulls[1], "head": "feature", "title": "a person's"}
    hub.git("update-ref", "refs/heads/feature", head)

    assert [pull.number for pull in github.pulls()] == [1]
    assert code_of(lambda: github.body(2)) == "no-pull"
    assert github.publish(proposal(head)).pull.number == 1


def test_a_seal_that_somebody_broke_is_no_pass(github, hub, proposal, head):
    github.publish(proposal(head))
    for broken in ("<!-- schedops:github {} -->", '<!-- schedops:github {"content":[' + "[" * 5000 + " -->", ""):
        hub.pulls[1]["body"] = f"# PASS\n{broken}"
        assert github.pulls()[0].verdict is Verdict.ERROR
        assert github.attachments(1) == ()

    assert github.publish(proposal(head)).action == "updated"
    assert github.pulls()[0].verdict is Verdict.PASS


def test_every_page_is_read(github, hub, proposal, head):
    for n in range(5):
        github.publish(proposal(head, key=f"0000000{n}", branch=f"schedops/agent/w/p-0000000{n}"))
    hub.page = 2
    hub.plan()

    assert [pull.number for pull in github.pulls()] == [1, 2, 3, 4, 5]
    assert len(hub.calls) == 3


def test_a_branch_that_is_not_ours_is_not_taken(github, hub, repo, proposal, head):
    repo("push", "-q", str(hub.git.path), f"HEAD:refs/heads/{BRANCH}")

    assert code_of(lambda: github.publish(proposal(head))) == "branch-taken"
    assert hub.pulls == {}
    assert hub.git.sha(BRANCH) == head


def test_a_commit_that_was_not_pushed(github, hub, repo, proposal, head):
    repo("push", "-q", str(hub.git.path), "HEAD:main")
    newer = repo.commit("README", "hello\n")

    with pytest.raises(InputError) as caught:
        GitHubForge.publish(github, proposal(newer))

    assert caught.value.code == "base-not-pushed"
    assert caught.value.hint.startswith("git push")


def test_a_base_that_github_does_not_have(github, repo, proposal, head):
    repo("checkout", "-q", "-b", "side")

    with pytest.raises(InputError) as caught:
        github.publish(proposal(head))

    assert caught.value.code == "github-rejected"
    assert "base invalid" in caught.value.message


def test_detached_head_is_against_the_default_branch(github, repo, proposal, head):
    repo("checkout", "-q", "--detach")

    assert github.publish(proposal(head)).pull.base == "main"


def test_no_drafts_means_no_pull_request_without_a_pass(github, hub, proposal, head):
    hub.drafts = False

    assert code_of(lambda: github.publish(proposal(head, draft=True)), Unavailable) == "no-drafts"
    assert hub.pulls == {}


def test_a_body_that_is_too_long_is_refused(github, hub, proposal, head):
    assert code_of(lambda: github.publish(proposal(head, body="x" * 60_000))) == "body-too-long"


def test_a_pull_request_that_is_not_listed_yet_is_not_doubled(github, hub, proposal, head):
    wanted = proposal(head)
    github.publish(wanted)
    hub.hidden_lists = 3

    again = github.publish(wanted)

    assert again.pull.number == 1
    assert list(hub.pulls) == [1]


def test_checkout_says_how(github, proposal, head):
    github.publish(proposal(head))

    with pytest.raises(Refused) as caught:
        github.checkout(1)

    assert caught.value.hint == "git fetch origin pull/1/head && git switch --detach FETCH_HEAD"


def test_a_wrong_token_and_a_repository_that_is_not_there(hub, repo, proposal, head):
    for name, token, code in (
        ("octo/policies", "ghp_wrong", "github-token"),
        ("octo/none", "ghp_test_0123456789", "no-repository"),
    ):
        api = Api(hub.url, name, token)
        with pytest.raises(InputError) as caught:
            GitHubForge(repo.root, api).publish(proposal(head))
        api.close()
        assert caught.value.code == code
        assert token not in str(vars(caught.value))


def test_shallow_clone(github, hub, repo, proposal, head, tmp_path):
    newer = repo.commit("README", "two\n")
    shallow = type(repo)(tmp_path / "shallow")
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{repo.root}", shallow.root], check=True)
    repo("push", "-q", str(hub.git.path), "HEAD:main")

    assert GitHubForge(shallow.root, github._api).publish(proposal(newer)).action == "created"
