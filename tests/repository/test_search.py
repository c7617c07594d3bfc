from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.outcome import Effect, History, Outcome, OutcomeMachine
from schedops.model.policy import Capabilities, Policy, Provenance
from schedops.model.verdict import Verdict
from schedops.repository.past import past_of
from schedops.repository.search import Candidate, Corpus, Query, features_of, length_of, rank, rarity_of
from schedops.repository.words import words_of

HERE = OutcomeMachine(fingerprint="a" * 64, cpus=8, accelerator="kvm", cpu_model="X")
THERE = OutcomeMachine(fingerprint="b" * 64, cpus=2, accelerator="tcg-multi", cpu_model="Y")


def policy(name: str, description: str = "", tags: str = "", classes: str = "", loses_when: str = "never") -> Policy:
    return Policy(
        name=name, description=description, tags=tuple(tags.split()), classes=tuple(classes.split()),
        source="x.bpf.c", ops_name="x", loses_when=loses_when, provenance=Provenance(author="human", pathway="create"),
    )  # fmt: skip


BUILDS = policy("build-order", "Builds in order of arrival.", "builds ci", "saturating-groups")
FIFO = policy("fifo", "One queue for all tasks of all builds.", "batch", "cpu-bound", loses_when="latency matters")
DESK = policy("interactive", "Head start for tasks that wake up often.", "desktop latency", "wakeup-heavy mixed")
ALL = (BUILDS, FIFO, DESK)


def outcome(verdict: Verdict, *, workload: str = "w", machine: OutcomeMachine = HERE, **fields: object) -> Outcome:
    effect = Effect(metric="makespan_ms", direction="lower", baseline="eevdf", estimate=-0.12, low=-0.15, high=-0.09)
    made = Outcome(
        policy="fifo", policy_sha256="c" * 64, workload=workload, classes=("uneven-batch",), machine=machine,
        kernel="7.3", rung="micro-vm", verdict=verdict, effects=(effect,), evidence_sha256="d" * 64,
        created="2026-11-21T00:00:00Z",
    )  # fmt: skip
    return replace(made, **fields)


def hits(query: Query, policies: tuple[Policy, ...] = ALL, histories: dict[str, History] | None = None):
    fields = [features_of(one) for one in policies]
    asked = {feature for word in words_of(query.text) for feature in word.features}
    having = {f: sum(any(f in words for words in one.values()) for one in fields) for f in asked}
    rarity = {feature: rarity_of(len(policies), times) for feature, times in having.items() if times}
    mean = sum(map(length_of, fields)) / len(fields) if fields else 1.0
    found = [
        Candidate(one.name, one.classes, lambda one=one: one, (histories or {}).get(one.name, History()), field, 0.0)
        for one, field in zip(policies, fields, strict=True)
    ]
    return rank(query, found, Corpus(rarity, mean))


def names(text: str, **options: object) -> list[str]:
    return [hit.policy.name for hit in hits(Query(text=text, **options))]


def test_a_tag_beats_a_description():
    assert names("builds") == ["build-order", "fifo"]


@pytest.mark.parametrize("word", ["build", "Builds", "BUILDING", "build-", "compiling", "a ninja run"])
def test_forms_and_words_of_the_same_meaning_meet(word):
    assert names(word)[0] == "build-order"


def test_the_reasons_are_said():
    (hit,) = hits(Query(text="stutters at each wakeup"))
    assert hit.policy is DESK
    assert "tag latency (stutters)" in hit.why
    assert "class wakeup-heavy" in hit.why


def test_what_a_policy_loses_on_speaks_against_it():
    other = replace(FIFO, name="other", loses_when="never")
    better, worse, _ = hits(Query(text="throughput batch with latency"), (FIFO, other, DESK, BUILDS))
    assert (better.policy, worse.policy) == (other, FIFO)
    assert worse.score < better.score - 0.02
    assert "but may lose there: latency" in worse.why


@pytest.mark.parametrize("text", ["zzz", "the of", "!?", "no builds"])
def test_nothing_found(text):
    assert names(text) == []


def test_who_asks_for_nothing_is_shown_what_there_is():
    assert names("") == ["build-order", "fifo", "interactive"]


def test_no_policies():
    assert hits(Query(text="builds"), ()) == ()


def test_equal_scores_go_by_name_and_the_limit_holds():
    many = tuple(policy(f"p{number}", tags="cache") for number in (3, 1, 2))
    assert [hit.policy.name for hit in hits(Query(text="cache", limit=2), many)] == ["p1", "p2"]


def test_a_class_of_the_workload_counts():
    (hit,) = hits(Query(classes=("cpu-bound", "mixed"), text=""))[:1]
    assert hit.policy is FIFO
    assert "meant for cpu-bound, as the workload is" in hit.why


def test_what_passed_on_the_workload_goes_first_and_what_failed_goes_last():
    failed = {"build-order": History((outcome(Verdict.FAIL),)), "fifo": History((outcome(Verdict.PASS),))}
    found = hits(Query(text="builds", workload="w", machine=HERE), histories=failed)
    assert found[0].policy is FIFO
    assert "PASS on w on this machine, micro-vm: makespan ms -12 % (-15 .. -9) against eevdf" in found[0].why


def test_outcomes_count_by_how_alike_workload_and_machine_are():
    def points(one: Outcome) -> float:
        return past_of([one], workload="w", classes=("uneven-batch",), machine=HERE).points

    same = points(outcome(Verdict.PASS))
    order = [
        same,
        points(outcome(Verdict.PASS, machine=THERE)),
        points(outcome(Verdict.PASS, workload="other")),
        points(outcome(Verdict.PASS, workload="other", classes=("idle",))),
        points(outcome(Verdict.ERROR)),
        points(outcome(Verdict.INCONCLUSIVE)),
        points(outcome(Verdict.FAIL)),
    ]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)
    assert points(outcome(Verdict.PASS, rung="simulated")) < same / 2
    many = past_of([outcome(Verdict.PASS)] * 50, workload="w", classes=(), machine=HERE)
    assert same < many.points <= 1.0


def test_capabilities_are_words_too():
    nice = replace(policy("p"), capabilities=Capabilities(weights=True))
    assert [hit.policy.name for hit in hits(Query(text="renice"), (nice, FIFO))] == ["p"]
