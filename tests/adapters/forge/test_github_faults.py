"""Every call of a publication fails once, in every way: the state converges, and nothing is doubled."""

from __future__ import annotations

import pytest

from schedops.adapters.forge.github_api import Api, Pace
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.pull import FileChange
from schedops.model.verdict import Verdict
from tests.adapters.conftest import make_proposal
from tests.fakes.github import Fault

BRANCH = "schedops/agent/ci-builds/build-order-0123abcd"
EVIDENCE = "refs/schedops/evidence/ci-builds/build-order-0123abcd"
FILES = (FileChange(path="comparison.svg", content=b"<svg/>\n"),)
FIRST = {"draft": True, "verdict": Verdict.INCONCLUSIVE, "labels": ("schedops", "schedops/inconclusive")}
SECOND = {"content": b"policy: b\n", "attachments": FILES, "labels": ("schedops", "schedops/pass"), "body": "# b\n"}
CREATE_CALLS, UPDATE_CALLS = 10, 12

LOST = Fault(after=True)
CUT = Fault(status=0)
DIES_AFTER = Fault(status=0, after=True, lasting=True)  # and with it, as nothing was done: before the next call
SECONDARY = Fault(
    status=403, headers={"Retry-After": "7"}, words="You have exceeded a secondary rate limit. Please wait."
)
TOO_MANY = Fault(status=429, words="too many requests")
USED_UP = Fault(
    status=403,
    headers={"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1030"},
    words="API rate limit exceeded for user ID 1.",
)


def state(hub):
    """What everybody can see, without numbers that are of a moment."""
    pulls = [{key: pull[key] for key in ("title", "draft", "state", "head", "base")} for pull in hub.pulls.values()]
    bodies = [pull["body"].partition("<!-- schedops:github")[0] for pull in hub.pulls.values()]
    labels = [sorted(pull["labels"]) for pull in hub.pulls.values()]
    trees = [hub.git.sha(f"{ref}^{{tree}}") for ref in (BRANCH, EVIDENCE)]
    return pulls, bodies, labels, trees, sorted(hub.git("for-each-ref", "--format=%(refname)").splitlines())


def expected(content, *, draft, verdict):
    return (
        [
            {
                "title": "builders: run ci-builds under build-order",
                "draft": draft,
                "state": "open",
                "head": BRANCH,
                "base": "main",
            }
        ],
        [content],
        [sorted(["schedops", f"schedops/{verdict}"])],
        sorted([f"refs/heads/{BRANCH}", "refs/heads/main", EVIDENCE]),
    )


def converged(hub, wanted, *, history):
    pulls, bodies, labels, trees, refs = state(hub)
    assert (pulls, [body.rstrip() for body in bodies], labels, refs) == wanted
    assert None not in trees
    assert hub.git("rev-list", "--count", f"main..{BRANCH}") == history
    assert hub.comments == {}


def publish_through(github, wanted):
    """At most twice: the second time GitHub is well again."""
    try:
        return github.publish(wanted)
    except Unavailable:
        github.hub.faults.clear()
        return github.publish(wanted)


@pytest.mark.parametrize("call", range(1, CREATE_CALLS + 1))
@pytest.mark.parametrize("fault", [LOST, DIES_AFTER], ids=["lost", "dies"])
def test_opening(github, hub, repo, call, fault):
    head = repo("rev-parse", "HEAD")
    hub.plan(**{f"n{call}": fault})

    publish_through(github, make_proposal(head, **FIRST))

    assert len(hub.calls) > call
    converged(hub, expected("# PASS", draft=True, verdict="inconclusive"), history="1")
    hub.plan()
    assert github.publish(make_proposal(head, **FIRST)).action == "unchanged"
    assert hub.writes == []


@pytest.mark.parametrize("call", range(1, UPDATE_CALLS + 1))
@pytest.mark.parametrize("fault", [LOST, DIES_AFTER], ids=["lost", "dies"])
def test_updating(github, hub, repo, call, fault):
    head = repo("rev-parse", "HEAD")
    github.publish(make_proposal(head, **FIRST))
    hub.plan(**{f"n{call}": fault})

    publish_through(github, make_proposal(head, **SECOND))

    assert len(hub.calls) > call
    converged(hub, expected("# b", draft=False, verdict="pass"), history="2")
    assert github.publish(make_proposal(head, **SECOND)).action == "unchanged"


def test_the_calls_are_as_many_as_the_faults_reach(github, hub, repo):
    head = repo("rev-parse", "HEAD")
    github.publish(make_proposal(head, **FIRST))
    assert len(hub.calls) == CREATE_CALLS
    hub.plan()
    github.publish(make_proposal(head, **SECOND))
    assert len(hub.calls) == UPDATE_CALLS


@pytest.mark.parametrize(
    ("fault", "waits"), [(CUT, 1.0), (Fault(), 1.0), (SECONDARY, 7.0), (TOO_MANY, 5.0), (USED_UP, 30.0)]
)
def test_what_passes_is_waited_for(github, hub, repo, slept, fault, waits):
    hub.plan(n1=fault, n8=fault)

    github.publish(make_proposal(repo("rev-parse", "HEAD"), **FIRST))

    assert slept == [waits, waits]
    converged(hub, expected("# PASS", draft=True, verdict="inconclusive"), history="1")


@pytest.mark.parametrize("reset", ["Retry-After", "X-RateLimit-Reset"])
def test_a_limit_that_lasts_is_not_slept_through(github, hub, repo, slept, reset):
    headers = {"X-RateLimit-Remaining": "0", reset: "3600" if reset == "Retry-After" else "4600"}
    hub.plan(n3=Fault(status=403, headers=headers, words="API rate limit exceeded"))

    with pytest.raises(Unavailable) as caught:
        github.publish(make_proposal(repo("rev-parse", "HEAD"), **FIRST))

    assert caught.value.code == "github-limit"
    assert "3600 s" in caught.value.message
    assert slept == []


def test_a_token_that_may_not_write(github, hub, repo, slept):
    hub.plan(n2=Fault(status=403, words="Resource not accessible by personal access token\x1b[31m"))

    with pytest.raises(Refused) as caught:
        github.publish(make_proposal(repo("rev-parse", "HEAD"), **FIRST))

    assert caught.value.code == "github-forbidden"
    assert "\x1b" not in caught.value.message
    assert slept == []


def test_a_page_of_a_proxy_is_no_answer(github, hub, repo):
    hub.answer = lambda *_: (200, "<html>please log in</html>")

    with pytest.raises(Unavailable) as caught:
        github.publish(make_proposal(repo("rev-parse", "HEAD")))

    assert caught.value.code == "github-answer"
    assert "please log in" in caught.value.message


def test_an_address_where_nothing_listens(repo, github, slept):
    dead = Api("http://127.0.0.1:9", "octo/policies", "x", pace=Pace(between_s=None, sleep=slept.append))
    github._api, kept = dead, github._api

    with pytest.raises(Unavailable) as caught:
        github.publish(make_proposal(repo("rev-parse", "HEAD")))

    github._api = kept
    dead.close()
    assert caught.value.code == "github-unreachable"
    assert slept == [1.0, 2.0, 4.0, 8.0]


def test_the_fake_refuses_what_the_description_does_not_know(github, hub, repo):
    api = github._api
    github.publish(make_proposal(repo("rev-parse", "HEAD")))
    for verb, path, body in (
        ("PATCH", "/pulls/1", {"drafft": True}),
        ("PATCH", "/pulls/1", {"title": 7}),
        ("POST", "/git/trees", {"tree": [{"path": "x", "mode": "100600", "content": ""}]}),
        ("POST", "/git/commits", {"message": "m", "tree": "t", "author": {"name": "n", "email": "e", "mail": "x"}}),
        ("POST", "/issues/1/comments", None),
        ("DELETE", "/pulls/1", None),
    ):
        before = len(hub.problems)
        with pytest.raises((InputError, Unavailable)):
            api.write(verb, path, body)
        assert len(hub.problems) > before
    hub.problems.clear()
