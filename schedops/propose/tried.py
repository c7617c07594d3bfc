"""The section of a body that lists what was tried in the simulator, losers too."""

from __future__ import annotations

from schedops.model.search import Search, SearchTrial
from schedops.propose.dossier import Dossier
from schedops.propose.figures import metric_name, percent
from schedops.propose.text import code, inline

_MAX_ROWS = 100
_BASELINES = {"eevdf": "EEVDF", "informed": "the informed default", "planned": "what the rules chose"}


def tried(dossier: Dossier) -> str:
    """Every candidate with its figures, folded; what was confirmed on fresh seeds above it."""
    search = dossier.search
    if search is None:
        return ""
    head = (
        f"{len(search.trials)} candidates, {search.runs} runs on {code(search.machine)}, seed {search.seed}: "
        "simulated, not measured. They were chosen on training seeds; the confirmation is on seeds that chose nobody, "
        "and the figures above are of the guest."
    )
    lines = [
        head,
        "",
        f"- {inline(search.because, limit=800)}",
        *_confirmed(search),
        "",
        *_table(search),
    ]
    summary = f"What was tried: {len(search.trials)} candidates in the simulator, losers too"
    return f"\n<details>\n<summary>{summary}</summary>\n\n" + "\n".join(lines) + "\n\n</details>\n"


def _confirmed(search: Search) -> list[str]:
    found = [one for one in search.confirmed if one.trial == search.chosen]
    return [
        f"- {one.pairs} fresh seeds: {inline(metric_name(one.metric) if one.metric else 'all objectives')} "
        f"{'unknown' if one.estimate is None else percent(one.estimate)} against {_BASELINES[one.baseline]}"
        for one in found
    ]


def _table(search: Search) -> list[str]:
    metrics = list(
        dict.fromkeys(figure.metric for one in search.trials for figure in one.figures if figure.role == "objective")
    )
    lines = [
        f"| # | candidate | from | state | seeds | {' | '.join(inline(metric_name(one)) for one in metrics)} |",
        f"|--:|---|---|---|--:|{'--:|' * len(metrics)}",
    ]
    lines += [_row(one, metrics) for one in search.trials[:_MAX_ROWS]]
    left = len(search.trials) - _MAX_ROWS
    return [*lines, *([f"\n{left} more are in the attached document."] if left > 0 else [])]


def _row(one: SearchTrial, metrics: list[str]) -> str:
    changes = {figure.metric: percent(figure.change) for figure in one.figures}
    values = ", ".join(f"{value.name}={value.value}" for value in one.params)
    name = f"{code(one.candidate)}{f' {inline(values, limit=300)}' if values else ''}"
    state = one.state if not one.broken else f"{one.state}, breaks what must hold"
    cells = [
        str(one.number),
        name,
        one.origin,
        state,
        str(one.seeds),
        *(changes.get(metric, "-") for metric in metrics),
    ]
    return f"| {' | '.join(cells)} |"
