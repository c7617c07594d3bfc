"""The body of a pull request as a reviewer wants it: verdict first, then figures, then everything to check them."""

from __future__ import annotations

import json
from collections.abc import Callable

from schedops.model.verdict import Verdict
from schedops.propose import details, tried
from schedops.propose.change import uses_hints
from schedops.propose.dossier import Dossier
from schedops.propose.figures import amount, change, headline, metric_name, percent, rows
from schedops.propose.identity import key_of, subject
from schedops.propose.text import code, inline
from schedops.schema.canonical import digest_of

MAX_CHARACTERS = 58_000  # a forge adds addresses and a line of its own; with those it stays below 60 000
PICTURE = "comparison.svg"
_LEFT_OUT = "\n_Left out here for length, see the attachments: {names}._\n"


def body(dossier: Dossier) -> str:
    """Markdown, at most :data:`MAX_CHARACTERS`. Equal dossiers give equal text."""
    optional = [(name, make(dossier)) for name, make in _SECTIONS]
    head = f"{_marker(dossier)}\n{_top(dossier)}"
    left_out: list[str] = []
    while True:
        text = head + "".join(section for _, section in optional)
        text += _LEFT_OUT.format(names=", ".join(reversed(left_out))) if left_out else ""
        if len(text) <= MAX_CHARACTERS:
            return text
        longest = max(optional, key=lambda entry: len(entry[1]))
        optional.remove(longest)
        left_out.append(longest[0])


def _marker(dossier: Dossier) -> str:
    # What a forge adapter finds its own pull requests by. Only digests and enumerated words go in.
    marks = {"evidence": digest_of(dossier.evidence), "key": key_of(dossier), "verdict": dossier.verdict.value}
    return f"<!-- schedops:v1 {json.dumps(marks, sort_keys=True, separators=(',', ':'))} -->"


def _top(dossier: Dossier) -> str:
    return f"# {_verdict_line(dossier)}\n\n{_what(dossier)} {_why(dossier)}\n"


def _verdict_line(dossier: Dossier) -> str:
    verdict = dossier.decision.verdict
    if dossier.settings_only:
        return f"PASS for settings, {verdict.value} for the policy: no policy is needed"
    row = headline(dossier)
    if verdict is Verdict.INCONCLUSIVE:
        return "INCONCLUSIVE: measured, no answer yet (draft)"
    if row is None or row.first is None or row.first.estimate is None:
        return str(verdict.value)
    gain = percent(row.first.estimate)
    return f"{verdict.value}: {inline(metric_name(row.metric))} {gain} against EEVDF"


def _what(dossier: Dossier) -> str:
    group, workload = inline(dossier.group), code(dossier.workload.name)
    if dossier.settings_only:
        return (
            f"Hosts of group **{group}** stay on the kernel's own scheduler for {workload}, with one cgroup per group "
            "of jobs and nice values from what history knows about each job."
        )
    params = ", ".join(f"{param.name}={param.value}" for param in dossier.plan.params)
    how = f" ({inline(params)})" if params else ""
    hints = " and the hints it reads" if uses_hints(dossier) and dossier.hints is not None else ""
    return f"Hosts of group **{group}** run {workload} under the policy {code(subject(dossier))}{how}{hints}."


def _why(dossier: Dossier) -> str:
    return inline(dossier.decision.summary, limit=800)


def _table(dossier: Dossier) -> str:
    heads = ("against EEVDF", "against informed")
    if dossier.settings_only:
        heads = ("informed against EEVDF", "candidate against informed")
    level = f"{100 * dossier.decision.confidence:.3g} %"
    lines = [
        f"| metric | EEVDF | informed | candidate | {heads[0]} [{level}] | {heads[1]} [{level}] | verdict | n |",
        "|---|--:|--:|--:|---|---|---|--:|",
    ]
    for row in rows(dossier):
        role = "" if row.role == "objective" else " (guard)" if row.hard else " (guard, reported only)"
        cells = [
            f"{inline(metric_name(row.metric))}, {inline(row.unit)}{role}",
            *(amount(value) for value in row.medians),
            change(row.first),
            change(row.second),
            row.verdict.value if row.verdict else "not judged",
            str(row.first.pairs if row.first else 0),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    note = (
        "Medians per arm: EEVDF (the kernel's own scheduler), the informed default (the same with one cgroup per group "
        "of jobs and nice values from hints), the candidate. Change and exact signed-rank interval are over pairs of "
        "runs with the same jobs."
    )
    return "\n## Figures\n\n" + "\n".join(lines) + f"\n\n{note}\n"


def _guards(dossier: Dossier) -> str:
    found = [row for row in rows(dossier) if row.role == "guard"]
    if not found:
        return "\nThe workload has no guards.\n"
    held = [f"{inline(metric_name(row.metric))} {row.verdict.value if row.verdict else 'not judged'}" for row in found]
    conditions = [reason for reason in dossier.decision.reasons if reason.role == "condition"]
    kept = [f"{inline(reason.metric)} {reason.verdict.value}" for reason in conditions]
    return f"\n**Guards:** {'; '.join(held)}. **Conditions:** {'; '.join(kept) or 'none recorded'}.\n"


def _picture(dossier: Dossier) -> str:
    row = headline(dossier)
    what = metric_name(row.metric) if row else "figures"
    return f"\n![{inline(what)} per round and arm](attachments/{PICTURE})\n"


_SECTIONS: tuple[tuple[str, Callable[[Dossier], str]], ...] = (
    ("figures", _table),
    ("guards", _guards),
    ("picture", _picture),
    ("verification", details.verification),
    ("hypothesis", details.hypothesis),
    ("how to reproduce", details.reproduce),
    ("cost", details.cost),
    ("what is not known", details.unknown),
    ("what was tried", tried.tried),
    ("considered and not chosen", details.alternatives),
    ("evidence", details.evidence),
)
