"""Is a policy needed, and is the best one good enough? From what a search has confirmed on fresh seeds. Pure."""

from __future__ import annotations

from schedops.model.search import SETTINGS, Confirmation, Search
from schedops.model.workload import Objective, Workload


def settings_enough(workload: Workload, search: Search) -> str:
    """Why no policy is needed, in words; empty when one is, or when nobody knows.

    Settings are enough when they clearly improve an objective over the default scheduler, worsen none by more than its
    smallest effect, and the best policy improves none over them by that much.
    """
    settings = next((one for one in search.trials if one.candidate == SETTINGS), None)
    if settings is None or search.chosen < 0:
        return ""
    alone = {one.metric: one for one in search.confirmed if one.trial == settings.number and one.baseline == "eevdf"}
    beside = {one.metric: one for one in search.confirmed if one.trial == search.chosen and one.baseline == "informed"}
    gains = [(one, _gain(one, alone.get(one.metric))) for one in workload.objectives]
    more = [_gain(one, beside.get(one.metric)) for one in workload.objectives]
    if any(gain is None for _, gain in gains) or any(gain is None for gain in more):
        return ""
    helps = [
        one for one, gain in gains if gain is not None and gain >= one.min_effect and _sure(one, alone[one.metric])
    ]
    harms = [one for one, gain in gains if gain is not None and gain < -one.min_effect]
    adds = [
        one for one, gain in zip(workload.objectives, more, strict=True) if gain is not None and gain >= one.min_effect
    ]
    if not helps or harms or adds:
        return ""
    said = ", ".join(f"{_words(one)} {alone[one.metric].estimate:+.1%}" for one in helps)
    best = search.trials[search.chosen].candidate
    beyond = ", ".join(f"{_words(one)} {beside[one.metric].estimate:+.1%}" for one in workload.objectives)
    return (
        f"settings of the default scheduler alone (a cgroup for each group of jobs, nice values from hints) bring "
        f"{said} on fresh simulated seeds, and {best}, the best policy, adds too little to that: {beyond}"
    )


def falls_short(workload: Workload, search: Search) -> bool:
    """The chosen one improves no objective enough, against one of the defaults, or breaks something.

    False when nothing was chosen: then nobody knows.
    """
    chosen = search.trial(search.chosen)
    if chosen is None:
        return False
    if chosen.broken:
        return True
    found = {(one.baseline, one.metric): one for one in search.confirmed if one.trial == search.chosen}
    return any(
        not any((_gain(one, found.get((baseline, one.metric))) or 0.0) >= one.min_effect for one in workload.objectives)
        for baseline in ("eevdf", "informed")
    )


def _gain(objective: Objective, found: Confirmation | None) -> float | None:
    if found is None or found.estimate is None:
        return None
    return -found.estimate if objective.direction == "lower" else found.estimate


def _sure(objective: Objective, found: Confirmation) -> bool:
    if found.low is None or found.high is None:
        return False
    return found.high < 0 if objective.direction == "lower" else found.low > 0


def _words(objective: Objective) -> str:
    return objective.metric.replace("_", " ")
