"""Claude as a planner: its candidate is raced against the rules' one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from schedops.adapters.llm.anthropic_model import AnthropicModel
from schedops.agent.claude.budget import Account, Budget
from schedops.agent.claude.dialogue import Conversation
from schedops.agent.claude.naive import NaivePlanner
from schedops.agent.claude.planner import ClaudePlanner
from schedops.agent.claude.prices import known_prices
from schedops.agent.claude.toolbox import Checked
from schedops.agent.planner import Brief, Proposed, Workbench
from schedops.errors import Refused, Unavailable
from schedops.model.policy import PolicySource, Provenance
from schedops.model.profile import ClassFinding, Figure
from tests.fakes.conversation import Clock, Purse, Transcript
from tests.fakes.dossier import PROFILE
from tests.fakes.lab import Lab, is_default, terms
from tests.fakes.messages_api import KEY, Said, call, messages_api, text
from tests.fakes.talks import MODEL, OURS, PROPOSAL, SOURCE, WORKLOAD, Shelf
from tests.fakes.workloads import param, policy

KIND = ClassFinding(name="saturating-groups", because="x", confidence=0.9)
GROUPS = Figure(name="groups", value=float(WORKLOAD.builds.builds), unit="builds", how="cgroups")
PER_WORK = Figure(name="us_per_work", value=1.0, unit="us", how="jobs")
RULES = PolicySource(
    policy=policy("rules", classes=("saturating-groups",), params=(param("slice_us", 4000, 500, 20_000),)),
    path="rules",
    text="",
)


def formula(name: str, values: Any, seed: int) -> dict[str, float]:
    share = {"ours": 0.7, "rules": 0.8, "brand-new": 0.6}.get(name, 1.0)
    work = 10.0 if name != "hungry" else 20.0
    return {"time": (100.0 + seed) * (1.0 if is_default(name) else share), "work": work}


def propose(
    script: Sequence[Any], *, pathway: str | None = None, usd: float = 5.0, bench: bool = True, shares: Any = formula
) -> Proposed:
    lab = Lab(shares)
    workbench = Workbench(lab=lab, terms=terms(WORKLOAD, trials=12), told=lambda *_: None)
    brief = Brief(
        workload=WORKLOAD,
        profile=replace(PROFILE, classes=(KIND,), figures=(GROUPS, PER_WORK)),
        hints=None,
        library=(RULES, OURS),
        pathway=pathway,
    )
    with messages_api(script) as api:
        account = Account(Budget(usd=usd), known_prices().of(MODEL), Purse())
        model = AnthropicModel(KEY, base_url=api.url, retries=0)
        conversation = Conversation(model, account, Transcript(), Clock(), lambda _: None, lambda _: None)
        planner = ClaudePlanner(conversation, MODEL, Shelf(), lambda _: Checked(passed=True, words="fine"))
        found = planner.propose(brief, workbench if bench else None)
    assert api.problems == []
    return found


PROPOSED = Said([call("propose", {**PROPOSAL, "params": []})])
WROTE = Said([call("write_policy", SOURCE)])
NEW = Said([call("propose", {**PROPOSAL, "policy": "brand-new", "params": []})])
NOTHING = Said([text("no idea")], stop="end_turn")


def test_what_the_model_proposes_is_planned_in_its_words_with_figures_of_the_simulator():
    found = propose([PROPOSED])
    assert (found.plan.planner, found.plan.policy, found.plan.pathway) == ("anthropic", "ours", "configure")
    assert found.plan.hypothesis == PROPOSAL["hypothesis"]
    assert found.plan.predicted_change == pytest.approx(-0.3, abs=0.001), "measured in the simulator, not as it said"
    assert any("expected -20% time" in why for why in found.plan.reasons)
    assert found.plan.cost_usd > 0
    assert found.search.trials[1].origin == "model"


def test_the_rules_win_when_they_are_better():
    def worse(name: str, values: Any, seed: int) -> dict[str, float]:
        return {**formula(name, values, seed), **({"time": 99.0 + seed} if name == "ours" else {})}

    found = propose([PROPOSED], shares=worse)
    assert found.plan.policy == "rules"
    assert any("proposed ours, and rules was better" in why for why in found.plan.reasons)


@pytest.mark.parametrize(("script", "usd"), [([NOTHING], 5.0), ([PROPOSED], 0.001)], ids=["lazy", "out of budget"])
def test_a_model_without_a_proposal_leaves_the_plan_of_the_rules(script: Sequence[Said], usd: float):
    found = propose(script, usd=usd)
    assert found.plan.policy == "rules"
    assert any("proposed nothing" in why for why in found.plan.reasons)


def test_a_created_policy_comes_with_its_source():
    found = propose([WROTE, NEW])
    assert (found.plan.policy, found.plan.pathway) == ("brand-new", "create")
    assert found.candidate.source.text == SOURCE["source"]


def test_what_an_agent_once_wrote_is_only_configured_when_the_library_has_it(monkeypatch: pytest.MonkeyPatch):
    provenance = Provenance(author="agent", pathway="create")
    merged = replace(OURS, policy=replace(OURS.policy, provenance=provenance))
    monkeypatch.setattr("tests.agent.claude.test_planner.OURS", merged)
    monkeypatch.setattr(Shelf, "find", lambda _, name: merged if name == "ours" else None)
    found = propose([PROPOSED])
    assert (found.plan.policy, found.plan.pathway, found.plan.written) == ("ours", "configure", None)


def test_the_pathway_is_kept():
    assert propose([WROTE, NEW], pathway="create").plan.pathway == "create"
    with pytest.raises(Refused):
        propose([PROPOSED], pathway="create")


def test_configure_has_no_tool_for_sources():
    found = propose([WROTE, PROPOSED], pathway="configure")
    assert (found.plan.policy, found.plan.pathway) == ("ours", "configure")
    assert any("0 sources" in why for why in found.plan.reasons)


def test_without_a_simulator_it_is_not_tried():
    with pytest.raises(Unavailable) as failed:
        propose([PROPOSED], bench=False)
    assert failed.value.code == "nothing-to-simulate"


def naive(script: Sequence[Any], *, passed: bool = True, pathway: str | None = None) -> Proposed:
    brief = Brief(
        workload=WORKLOAD,
        profile=replace(PROFILE, classes=(KIND,), figures=(GROUPS, PER_WORK)),
        hints=None,
        library=(RULES, OURS),
        pathway=pathway,
    )
    bench = Workbench(lab=Lab(formula), terms=terms(WORKLOAD, trials=12), told=lambda *_: None)
    with messages_api(script) as api:
        account = Account(Budget(usd=5.0), known_prices().of(MODEL), Purse())
        model = AnthropicModel(KEY, base_url=api.url, retries=0)
        conversation = Conversation(model, account, Transcript(), Clock(), lambda _: None, lambda _: None)
        found = NaivePlanner(conversation, MODEL, lambda _: Checked(passed=passed, words="no")).propose(brief, bench)
    assert len(api.requests) == 1
    assert [one["name"] for one in api.requests[0]["tools"]] == ["write_policy"]
    return found


def test_the_naive_one_has_one_call_and_what_it_writes_is_taken():
    found = naive([WROTE])
    assert (found.plan.planner, found.plan.policy, found.plan.pathway) == ("naive", "brand-new", "create")
    assert found.plan.predicted_change == pytest.approx(-0.4, abs=0.001)
    assert len([one for one in found.search.trials if one.candidate == "brand-new"]) == 1


@pytest.mark.parametrize("script", [[WROTE], [NOTHING], [PROPOSED]], ids=["refused", "lazy", "other tool"])
def test_the_naive_one_has_no_second_try(script: Sequence[Said]):
    with pytest.raises(Refused):
        naive(script, passed=False)
