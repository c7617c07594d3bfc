"""What the agent wants to try, and why."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.policy import ParamValue

PATHWAYS = ("configure", "modify", "create")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """A policy that was considered and not chosen."""

    policy: str
    score: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A policy that a language model wrote, as the files that it becomes: text of others.

    :param manifest: ``policy.yaml``. :param source: the file that it names.
    """

    manifest: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One hypothesis, falsifiable, with the effect it predicts.

    :param predicted_change: of *predicted_metric* against the default scheduler, as a fraction (-0.2 = 20 % less).
    :param pathway: configure (a policy of the library) | modify | create (source that did not exist before).
    :param settings_only: settings of the default scheduler are expected to be as good as any policy, so none is needed.
        *policy* is then the best of those that would have to beat them, and is measured beside them.
    :param recipe: what a created policy is composed of; its source follows from it.
    :param written: a created or changed policy that no recipe tells; None: there is none.
    :param observed: what the profile says, as a paragraph.
    :param targets: what has to come out, a line each.
    """

    workload: str
    planner: str  # offline | anthropic | tuner | random
    policy: str
    params: tuple[ParamValue, ...]
    uses_hints: bool
    hypothesis: str
    predicted_metric: str
    predicted_change: float
    reasons: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    cost_usd: float
    pathway: str = "configure"
    settings_only: bool = False
    recipe: str = ""
    written: Written | None = None
    observed: str = ""
    targets: tuple[str, ...] = ()
