"""Conversations with a model on loopback about a laboratory whose runs are a formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from schedops.adapters.llm.anthropic_model import AnthropicModel
from schedops.agent.claude.asking import Asked, ask
from schedops.agent.claude.budget import Account, Budget
from schedops.agent.claude.dialogue import Conversation
from schedops.agent.claude.prices import known_prices
from schedops.agent.claude.toolbox import Checked, PolicyTools
from schedops.errors import SchedopsError
from schedops.model.policy import PolicySource
from schedops.model.workload import Guard, Objective
from tests.fakes.conversation import Clock, Purse, Transcript
from tests.fakes.dossier import PROFILE
from tests.fakes.lab import Lab, is_default
from tests.fakes.messages_api import KEY, MessagesApi, Said, call, messages_api
from tests.fakes.workloads import builds, param, policy

MODEL = "claude-sonnet-5-5"
TIME = Objective(metric="time", unit="ms", direction="lower", min_effect=0.05)
WORK = Guard(metric="work", unit="ms", direction="lower", max_harm=0.1, hard=True)
WORKLOAD = builds(objectives=(TIME,), guards=(WORK,))
OURS = PolicySource(
    policy=policy("ours", params=(param("slice_us", 5000, 500, 20_000),)), path="ours", text="/* ours */"
)
PROPOSAL = {
    "policy": "ours",
    "params": [{"name": "slice_us", "value": 1000}],
    "hypothesis": "Short slices help.",
    "metric": "time",
    "expected_change": -0.2,
    "reasons": ["the profile says so"],
}
SOURCE = {
    "name": "brand-new",
    "description": "Something new.",
    "loses_when": "Always.",
    "source": "int x;\n",
    "params": [],
    "base": "",
}


def formula(name: str, values: Any, seed: int) -> dict[str, float] | str:
    if name == "broken":
        return "it stalled"
    if is_default(name):
        return {"time": 100.0 + seed, "work": 10.0}
    return {"time": (100.0 + seed) * (0.7 if values.get("slice_us", 1000) == 1000 else 0.9), "work": 10.0}


class Shelf:
    def search(self, words: str, limit: int) -> Sequence[tuple[str, str]]:
        return [("ours", f"words {words}")][:limit]

    def find(self, name: str) -> PolicySource | None:
        return OURS if name == "ours" else None


@dataclass
class Talk:
    """What a conversation came to, and who was asked what."""

    api: MessagesApi
    toolbox: PolicyTools
    account: Account
    transcript: Transcript
    waits: list[float] = field(default_factory=list)
    asked: Asked | None = None
    failed: SchedopsError | None = None

    def result(self, number: int) -> dict[str, Any]:
        """The first tool result of a request."""
        content = self.api.requests[number]["messages"][-1]["content"]
        found: dict[str, Any] = next(one for one in content if one["type"] == "tool_result")
        return found


Check = Callable[[PolicySource], Checked]


def talk(
    script: Any,
    *,
    budget: Budget | None = None,
    check: Check = lambda _: Checked(passed=True, words="fine"),
    transcript: Transcript | None = None,
    memory: str = "",
    max_turns: int = 8,
) -> Talk:
    account = Account(budget or Budget(usd=5.0), known_prices().of(MODEL), Purse())
    tools = PolicyTools(
        workload=WORKLOAD,
        classes=("saturating-groups",),
        headers=(),
        shelf=Shelf(),
        lab=Lab(formula),
        check=check,
        seeds=(1, 2),
    )
    with messages_api(script) as api:
        done = Talk(api, tools, account, transcript or Transcript())
        model = AnthropicModel(KEY, base_url=api.url, retries=0)
        conversation = Conversation(model, account, done.transcript, Clock(), lambda _: None, done.waits.append)
        try:
            done.asked = ask(
                conversation,
                tools,
                model=MODEL,
                profile=PROFILE,
                workload=WORKLOAD,
                memory=memory,
                max_turns=max_turns,
            )
        except SchedopsError as error:
            done.failed = error
    assert api.problems == []
    return done


def propose(**changes: Any) -> Said:
    return Said([call("propose", {**PROPOSAL, **changes}, id_="toolu_9")])


def simulate(name: str = "ours", value: int = 1000) -> Said:
    return Said([call("simulate", {"policy": name, "params": [{"name": "slice_us", "value": value}]})])
