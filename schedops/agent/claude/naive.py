"""Claude with nothing but a prompt, to compare with: no library, no simulator, no second try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from schedops.agent.claude.asking import Asked, ask, prompts_digest
from schedops.agent.claude.dialogue import Conversation
from schedops.agent.claude.planner import written_by
from schedops.agent.claude.toolbox import Checked, PolicyTools
from schedops.agent.claude.tools import WRITE
from schedops.agent.created import headers_of
from schedops.agent.lab import Candidate
from schedops.agent.planner import Brief, Proposed, Workbench
from schedops.agent.search import search
from schedops.errors import InputError, Refused, Undecided
from schedops.model.plan import Plan
from schedops.model.policy import PolicySource
from schedops.model.search import Search

NAME = "naive"


class _NothingOnIt:
    """A shelf without policies."""

    def search(self, words: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Nothing."""
        return ()

    def find(self, name: str) -> PolicySource | None:
        """Nothing."""
        return None


@dataclass(slots=True)
class NaivePlanner:
    """Implements ``Planner``: one call, one source; what does not pass is the end.

    :param check: rules, compiler and kernel.
    """

    conversation: Conversation
    model: str
    check: Callable[[PolicySource], Checked]

    @property
    def identity(self) -> Mapping[str, str]:
        """See the port."""
        budget = self.conversation.account.budget
        return {"planner": NAME, "model": self.model, "prompts": prompts_digest(), "budget": f"{budget.usd}"}

    def propose(self, brief: Brief, bench: Workbench | None) -> Proposed:
        """See the port. :raises Refused: ``nothing-created``: nothing that passes was handed in."""
        if brief.pathway not in {None, "create"}:
            raise InputError("no-pathway", f"--agent {NAME} creates; it cannot {brief.pathway}")
        if bench is None:
            raise Undecided("nothing-tried", "what it wrote is simulated once, by the harness", hint="--trials 1")
        tools = PolicyTools(
            workload=brief.workload,
            classes=tuple(found.name for found in brief.profile.classes),
            headers=tuple(sorted(headers_of(brief.library).items())),
            shelf=_NothingOnIt(),
            lab=bench.lab,
            check=self.check,
            seeds=(),
            tools=(WRITE,),
        )
        asked = ask(
            self.conversation,
            tools,
            model=self.model,
            profile=brief.profile,
            workload=brief.workload,
            memory="",
            max_turns=1,
            role="naive",
        )
        source = next(iter(tools.written.values()), None)
        if source is None:
            raise Refused("nothing-created", f"{self.model} wrote nothing that passes, for ${asked.usd:.4f}")
        candidate = Candidate(source.policy.name, source)
        once = replace(bench.terms, trials=2)  # it, and the settings that are always tried
        tried = search(once, [(candidate, "model")], lab=bench.lab, told=bench.told)
        return Proposed(plan=_plan(brief, asked, source, tried), candidate=candidate, search=tried)


def _plan(brief: Brief, asked: Asked, source: PolicySource, tried: Search) -> Plan:
    over = next((one for one in tried.confirmed if one.baseline == "eevdf" and one.metric), None)
    metric = over.metric if over else brief.workload.objectives[0].metric
    return Plan(
        workload=brief.workload.name,
        planner=NAME,
        policy=source.policy.name,
        params=(),
        uses_hints=False,
        hypothesis=source.policy.description,
        predicted_metric=metric,
        predicted_change=round(over.estimate, 4) if over and over.estimate is not None else 0.0,
        reasons=(f"{asked.model} wrote it from a prompt, {asked.tokens} tokens, ${asked.usd:.4f}",),
        alternatives=(),
        cost_usd=asked.usd,
        pathway="create",
        written=written_by(source),
    )
