"""Claude as a planner: what it proposes is raced against what the rules would; either may win."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from schedops.agent.claude.asking import Asked, ask, prompts_digest
from schedops.agent.claude.dialogue import Conversation
from schedops.agent.claude.toolbox import Checked, PolicyTools, Shelf
from schedops.agent.claude.tools import ALL, READ_ONLY
from schedops.agent.created import headers_of
from schedops.agent.lab import Candidate
from schedops.agent.offline import OfflinePlanner
from schedops.agent.planner import Brief, Proposed, Workbench
from schedops.agent.search import search
from schedops.errors import Refused, Unavailable
from schedops.model.plan import Plan, Written
from schedops.model.policy import PolicySource
from schedops.model.search import Search
from schedops.schema.write import yaml_bytes

NAME = "anthropic"
SEEDS = 2  # of the training seeds, for each of the model's own tries
ORIGIN = "model"


@dataclass(slots=True)
class ClaudePlanner:
    """Implements ``Planner``.

    :param check: rules, compiler and kernel, for sources that the model hands in.
    """

    conversation: Conversation
    model: str
    shelf: Shelf
    check: Callable[[PolicySource], Checked]

    @property
    def identity(self) -> Mapping[str, str]:
        """Another model, another word of the prompts, another budget: another proposal."""
        budget = self.conversation.account.budget
        return {
            "planner": NAME,
            "model": self.model,
            "prompts": prompts_digest(),
            "budget": f"{budget.usd} {budget.tokens} {budget.seconds}",
        }

    def propose(self, brief: Brief, bench: Workbench | None) -> Proposed:
        """See the port. Where the model comes to nothing the rules' own plan stands, and says so.

        :raises Unavailable: ``nothing-to-simulate``; the model cannot be reached.
        """
        if bench is None:
            raise Unavailable(
                "nothing-to-simulate",
                "Claude tries its ideas in the simulator, and nothing can be simulated here",
                hint="schedops doctor; or --trials above 0, or --agent offline",
            )
        rules = OfflinePlanner().propose(replace(brief, pathway="configure"), None)
        asked = self._asked(brief, bench)
        wanted = asked.wish.candidate if asked.wish else asked.fallback
        if wanted is None or brief.pathway not in {None, pathway_of(wanted, brief)}:
            if brief.pathway not in {None, "configure"}:
                raise Refused("nothing-to-try", f"Claude has no candidate to {brief.pathway}: {asked.ended}")
            wanted = rules.candidate
        race = brief.pathway in {None, "configure"} and wanted.label != rules.candidate.label
        others = [(rules.candidate, "planner")] if race else []
        tried = search(bench.terms, [(wanted, ORIGIN), *others], lab=bench.lab, told=bench.told)
        return _proposed(brief, rules, asked, wanted, tried)

    def _asked(self, brief: Brief, bench: Workbench) -> Asked:
        tools = PolicyTools(
            workload=brief.workload,
            classes=tuple(found.name for found in brief.profile.classes),
            headers=tuple(sorted(headers_of(brief.library).items())),
            shelf=self.shelf,
            lab=bench.lab,
            check=self.check,
            seeds=bench.terms.training_seeds[:SEEDS],
            tools=READ_ONLY if brief.pathway == "configure" else ALL,
        )
        return ask(
            self.conversation,
            tools,
            model=self.model,
            profile=brief.profile,
            workload=brief.workload,
            memory=brief.lessons,
        )


def pathway_of(candidate: Candidate, brief: Brief) -> str:
    """How a candidate came to be: what is in the library, whoever wrote it once, is only configured."""
    if candidate.source is None or candidate.source in brief.library:
        return "configure"
    return candidate.source.policy.provenance.pathway


def _proposed(brief: Brief, rules: Proposed, asked: Asked, wanted: Candidate, tried: Search) -> Proposed:
    chosen = tried.trials[tried.chosen] if tried.chosen >= 0 else None
    candidate = wanted
    if chosen is not None:
        from_rules = chosen.candidate != wanted.name
        candidate = replace(rules.candidate if from_rules else wanted, params=chosen.params)
    plan = _plan(brief, rules.plan, asked, candidate, tried)
    return Proposed(plan=plan, candidate=candidate, search=tried)


def _plan(brief: Brief, rules: Plan, asked: Asked, candidate: Candidate, tried: Search) -> Plan:
    wish = asked.wish
    own = wish is not None and wish.candidate.name == candidate.name
    assert candidate.source is not None
    pathway = pathway_of(candidate, brief)
    confirmed = [
        one
        for one in tried.confirmed
        if one.trial == tried.chosen and one.baseline == "eevdf" and one.metric and one.estimate is not None
    ]
    metric = wish.metric if wish and own else rules.predicted_metric
    expected = next((one.estimate for one in confirmed if one.metric == metric), None)
    said = wish.expected_change if wish and own else rules.predicted_change
    reasons = (
        *(wish.reasons if wish and own else rules.reasons),
        _said_by_the_model(asked, candidate),
        f"searched in the simulator, {len(tried.trials)} candidates: {tried.because}",
    )
    capable = candidate.source.policy.capabilities.hints
    return replace(
        rules,
        planner=NAME,
        policy=candidate.name,
        params=candidate.params,
        uses_hints=capable and bool(brief.hints and brief.hints.hints),
        hypothesis=wish.hypothesis if wish and own else rules.hypothesis,
        predicted_metric=metric,
        predicted_change=round(expected if expected is not None else said, 4),
        reasons=reasons,
        alternatives=tuple(one for one in rules.alternatives if one.policy != candidate.name),
        cost_usd=asked.usd,
        pathway=pathway,
        written=written_by(candidate.source) if pathway != "configure" else None,
    )


def written_by(source: PolicySource) -> Written:
    """The files that a source becomes."""
    return Written(manifest=yaml_bytes(source.policy).decode(), source=source.text)


def _said_by_the_model(asked: Asked, candidate: Candidate) -> str:
    spent = f"{asked.calls + asked.recalled} calls, {asked.tokens} tokens, ${asked.usd:.4f}"
    tried = f"{asked.tried} candidates simulated, {asked.written} sources handed in"
    if asked.wish is None:
        return f"{asked.model} proposed nothing ({asked.ended}); {tried}; {spent}"
    wish = asked.wish
    if wish.candidate.name != candidate.name:
        return f"{asked.model} proposed {wish.candidate.name}, and {candidate.name} was better; {tried}; {spent}"
    return f"{asked.model} proposed it and expected {wish.expected_change:+.0%} {wish.metric}; {tried}; {spent}"
