"""The stage on a real repository and the real local forge: what becomes a pull request and what does not."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from schedops.adapters.forge.forge_local import LocalForge
from schedops.adapters.forge.git import GitCheckout
from schedops.errors import InputError, Refused, Unavailable
from schedops.model.verdict import Verdict
from schedops.propose.change import assignment
from schedops.propose.stage import proposal, run
from tests.fakes.dossier import documents_of, dossier, verification

READS = ("policies/library/p", "policies/workloads/w.yaml")


class Clock:
    def now_utc(self):
        return "2026-02-01T00:00:00Z"


@pytest.fixture
def root(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    top = tmp_path / "policies of ours"
    (top / "policies/workloads").mkdir(parents=True)
    (top / "policies/workloads/w.yaml").write_text("name: w\n")
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "start"]):
        identity = ["-c", "user.name=U", "-c", "user.email=u@example.org"]
        subprocess.run(["git", *identity, *words], cwd=top, check=True)
    return top


@pytest.fixture
def forge(root):
    return LocalForge(root, clock=Clock())


@pytest.fixture
def publish(root, forge):
    checkout = GitCheckout(root)

    def with_figures(**figures):
        made = dossier(base_commit=checkout.head(), **figures)
        return run(made, documents_of(made), reads=READS, forge=forge, checkout=checkout)

    return with_figures


def test_pass_is_ready_with_everything_attached(publish, forge):
    published = publish()

    assert (published.action, published.pull.draft, published.pull.verdict) == ("created", False, Verdict.PASS)
    assert published.pull.labels == ("schedops", "schedops/agent", "schedops/pass", "schedops/policy")
    assert len(forge.attachments(1)) == 10
    assert forge.attachment(1, "comparison.svg").startswith(b"<svg ")
    assert "+policy: p" in forge.diff(1)


def test_inconclusive_is_a_draft(publish):
    published = publish(rounds=4)

    assert (published.pull.draft, published.pull.verdict) == (True, Verdict.INCONCLUSIVE)


def test_settings_are_ready(publish, forge):
    published = publish(informed=0.8, candidate=1.2)

    assert (published.pull.draft, published.pull.verdict) == (False, Verdict.PASS)
    assert "schedops/settings" in published.pull.labels
    assert "+settings: informed-default" in forge.diff(1)


def test_fail_opens_nothing_and_says_why(publish, forge, root):
    with pytest.raises(Refused) as caught:
        publish(candidate=1.1)

    assert caught.value.exit_code == 1
    assert "makespan +10.0 %" in caught.value.message
    assert forge.pulls() == ()
    assert not (root / ".schedops").exists()


def test_fail_names_the_pull_request_that_said_otherwise(publish):
    publish()

    with pytest.raises(Refused) as caught:
        publish(candidate=1.1)

    assert "pull request 1 says otherwise" in caught.value.hint


@pytest.mark.parametrize("candidate", [0.8, 1.2])
def test_simulated_figures_open_nothing_whatever_the_decision_says(root, forge, candidate):
    checkout = GitCheckout(root)
    made = dossier(base_commit=checkout.head(), informed=0.8 if candidate > 1 else 0.97, candidate=candidate)
    simulated = replace(made.measurements, rung="simulated")
    for forged in (
        replace(made, measurements=simulated),
        replace(made, measurements=simulated, decision=replace(made.decision, rung="simulated")),
        replace(made, decision=replace(made.decision, rung="bare-metal")),
    ):
        with pytest.raises(Refused) as caught:
            run(forged, documents_of(made), reads=READS, forge=forge, checkout=checkout)
        assert caught.value.code == "not-measured"
    assert forge.pulls() == ()


def test_failed_verification_is_never_proposed(publish, forge):
    with pytest.raises(Refused):
        publish(verification=verification(Verdict.FAIL))
    with pytest.raises(Unavailable) as caught:
        publish(verification=verification(Verdict.ERROR))

    assert caught.value.exit_code == 69
    assert forge.pulls() == ()


def test_pass_with_a_failed_verification_is_refused_whatever_the_decision_says(publish):
    sound = dossier().decision

    with pytest.raises(Refused):
        publish(decision=sound, verification=verification(Verdict.FAIL))


@pytest.mark.parametrize("recommendation", ["nothing", "unheard-of"])
def test_pass_without_a_recommended_policy_is_refused(publish, recommendation):
    with pytest.raises(Refused):
        publish(decision=replace(dossier().decision, recommendation=recommendation))


def test_no_samples_is_no_pull_request(publish, forge):
    with pytest.raises(Unavailable):
        publish(rounds=0)

    assert forge.pulls() == ()


def test_again_is_unchanged_and_other_figures_update(publish):
    first = publish()

    assert publish() == replace(first, action="unchanged")
    updated = publish(candidate=0.7)
    assert (updated.action, updated.pull.number) == ("updated", 1)


def test_merged_and_pulled_again_is_unchanged(publish, forge, root):
    publish()
    merged = forge.merge(1)
    subprocess.run(["git", "pull", "-q", ".schedops/forge.git", "main"], cwd=root, check=True)

    again = publish(desired=assignment(dossier(base_commit=merged_base(root))))

    assert (again.action, again.pull) == ("unchanged", merged)


def merged_base(root):
    words = ["git", "rev-parse", "HEAD^1"]
    return subprocess.run(words, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def test_uncommitted_input_is_refused_by_name(publish, root):
    (root / "policies/workloads/w.yaml").write_text("name: changed\n")
    (root / "policies/library/p").mkdir(parents=True)
    (root / "policies/library/p/p.bpf.c").write_text("int x;\n")

    with pytest.raises(InputError) as caught:
        publish()

    assert caught.value.exit_code == 2
    assert "policies/library/p/p.bpf.c, policies/workloads/w.yaml" in caught.value.message
    assert caught.value.hint.startswith("git add ")


def test_uncommitted_files_elsewhere_do_not_matter(publish, root):
    (root / "README").write_text("mine\n")
    (root / "policies/library/other").mkdir(parents=True)
    (root / "policies/library/other/policy.yaml").write_text("mine\n")

    assert publish().action == "created"


def test_equal_dossiers_give_equal_proposals():
    assert proposal(dossier(), ()) == proposal(dossier(), ())
