"""A search as people read it: what was tried, best first, and how the winner did on fresh seeds."""

from __future__ import annotations

from schedops.model.rung import WORDS
from schedops.model.search import Search, SearchTrial
from schedops.report.progress import visible
from schedops.report.table import paragraph, table

_WIDTH = 160
_MAX_ROWS = 12
_BASELINES = {"eevdf": "the default scheduler", "informed": "the informed default", "planned": "what was planned"}


def search_page(found: Search) -> str:
    """The best trials, the confirmation, and what follows."""
    head = (
        f"{WORDS[found.rung]}; machine {visible(found.machine)}, {found.cpus} CPUs, {found.runs} runs; "
        f"{len(found.trials)} candidates on up to {len(found.training_seeds)} seeds, {_states(found)}"
    )
    parts = [paragraph(head), _trials(found)]
    if found.confirmed:
        parts.append(_confirmed(found))
    return "\n\n".join([*parts, paragraph(f"{chosen_words(found)}: {visible(found.because)}")])


def chosen_words(found: Search) -> str:
    """Name and values of what is proposed."""
    chosen = found.trial(found.chosen)
    return "nothing is chosen" if chosen is None else f"chosen: {_name(chosen)}"


def _states(found: Search) -> str:
    counts = {state: sum(one.state == state for one in found.trials) for state in ("pruned", "failed")}
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "none dropped"


def _trials(found: Search) -> str:
    order = sorted(
        found.trials, key=lambda one: (one.state != "complete", one.value is None, one.value or 0.0, one.number)
    )
    shown = order[:_MAX_ROWS]
    metrics = list(
        dict.fromkeys(figure.metric for one in found.trials for figure in one.figures if figure.role == "objective")
    )
    rows = [
        (
            str(one.number),
            one.origin,
            one.state,
            str(one.seeds),
            *(_change(one, metric) for metric in metrics),
            f"{one.broken:.3f}" if one.broken else "",
            _name(one),
        )
        for one in shown
    ]
    text = table(("#", "FROM", "STATE", "SEEDS", *metrics, "BROKEN", "CANDIDATE"), rows, width=_WIDTH)
    left = len(order) - len(shown)
    return f"{text}\n{left} more" if left else text


def _confirmed(found: Search) -> str:
    rows = [
        (
            str(one.trial),
            _BASELINES[one.baseline],
            one.metric or "all objectives",
            "-" if one.estimate is None else f"{one.estimate:+.1%}",
            "-" if one.low is None or one.high is None else f"{one.low:+.1%} .. {one.high:+.1%}",
        )
        for one in found.confirmed
    ]
    title = f"On {len(found.fresh_seeds)} fresh seeds:"
    return f"{title}\n{table(('#', 'AGAINST', 'METRIC', 'CHANGE', '95 % INTERVAL'), rows, indent=2, width=_WIDTH)}"


def _change(one: SearchTrial, metric: str) -> str:
    return next((f"{figure.change:+.1%}" for figure in one.figures if figure.metric == metric), "-")


def _name(one: SearchTrial) -> str:
    values = " ".join(f"{value.name}={value.value}" for value in one.params)
    note = f" ({visible(one.note)[:120]})" if one.note else ""
    return f"{visible(one.candidate)} {values}{note}".replace("  ", " ").strip()
