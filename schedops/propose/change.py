"""Which files a proposal writes, and the commit that writes them."""

from __future__ import annotations

from dataclasses import replace

from schedops.model.fleet import Assignment
from schedops.model.pull import Commit, FileChange
from schedops.propose.dossier import Dossier
from schedops.propose.identity import INFORMED_DEFAULT, subject
from schedops.propose.text import plain
from schedops.schema.canonical import digest_of
from schedops.schema.write import yaml_bytes


def assignment(dossier: Dossier) -> Assignment:
    """The desired state that is proposed.

    When the base already says the same but for the evidence, the base's own words are kept: newer evidence for what is
    so already is no change.
    """
    wanted = Assignment(
        group=dossier.group,
        workload=dossier.workload.name,
        policy=None if dossier.settings_only else dossier.policy.name,
        params=() if dossier.settings_only else tuple(sorted(dossier.plan.params, key=lambda param: param.name)),
        settings=INFORMED_DEFAULT if dossier.settings_only else None,
        evidence_sha256=digest_of(dossier.evidence),
    )
    known = dossier.desired
    if known is not None and replace(known, evidence_sha256=wanted.evidence_sha256) == wanted:
        return known
    return wanted


def files(dossier: Dossier) -> tuple[FileChange, ...]:
    """Desired state, hints when what is proposed reads them, and the policy when it is a new one."""
    wanted = assignment(dossier)
    desired = f"policies/desired/{wanted.group}.{wanted.workload}.yaml"
    what = f"What hosts of group {wanted.group} run for workload {wanted.workload}; written by schedops."
    changes = [FileChange(path=desired, content=yaml_bytes(wanted, comment=plain(what)))]
    if dossier.hints is not None and uses_hints(dossier):
        hints = replace(dossier.hints, hints=tuple(sorted(dossier.hints.hints, key=lambda hint: hint.key)))
        words = "Expected CPU time per job, from measured runs only; keys carry no meaning. Written by schedops."
        path = f"policies/hints/{dossier.workload.name}.yaml"
        changes.append(FileChange(path=path, content=yaml_bytes(hints, comment=words)))
    changes += _created(dossier)
    # Newer evidence alone is no change, so it is not remembered either: the same proposal twice changes nothing.
    changes += dossier.learnt if wanted != dossier.desired else ()
    return tuple(sorted(changes, key=lambda change: change.path))


def _created(dossier: Dossier) -> list[FileChange]:
    source = dossier.created
    if source is None or dossier.settings_only:
        return []
    directory = f"policies/library/{source.policy.name}"
    return [
        FileChange(path=f"{directory}/policy.yaml", content=yaml_bytes(source.policy)),
        FileChange(path=f"{directory}/{source.policy.source}", content=source.text.encode("utf-8")),
    ]


def uses_hints(dossier: Dossier) -> bool:
    """Whether what is proposed reads the hints: the informed default always does."""
    return dossier.settings_only or dossier.plan.uses_hints


def commit(dossier: Dossier) -> Commit:
    """The one commit of the proposal."""
    lines = [
        title(dossier),
        "",
        plain(dossier.decision.summary, limit=600),
        "",
        f"Schedops-Verdict: {dossier.verdict.value}",
        f"Schedops-Evidence: {digest_of(dossier.evidence)}",
    ]
    return Commit(message="\n".join(lines) + "\n", changes=files(dossier))


def title(dossier: Dossier) -> str:
    """One line: who runs what how."""
    where = f"{plain(dossier.group)}: {plain(dossier.workload.name)}"
    if dossier.settings_only:
        return f"{where} with nice values from hints, no policy"
    return f"{where} under {plain(subject(dossier))}"
