"""Documents in, a pull request out, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable

from schedops.errors import InputError, Refused, Unavailable
from schedops.forge_ports import Checkout, Forge
from schedops.model.pull import FileChange, Proposal, Published
from schedops.model.rung import MEASURED
from schedops.model.verdict import Verdict
from schedops.propose.body import PICTURE, body
from schedops.propose.change import commit, title
from schedops.propose.dossier import Dossier
from schedops.propose.identity import branch_of, key_of
from schedops.propose.picture import picture

POLICIES = "policies"


def run(
    dossier: Dossier,
    documents: tuple[FileChange, ...],
    *,
    reads: Iterable[str],
    forge: Forge,
    checkout: Checkout,
) -> Published:
    """Open, update or leave alone the pull request of this intent. Safe to repeat.

    :param documents: the evidence, as attachments.
    :param reads: files and directories below ``policies/`` that went into the documents.
    :raises Refused: measured, and not good enough to propose.
    :raises Unavailable: it could not be measured.
    :raises InputError: what was read is not what the base commit says.
    """
    refuse_what_failed(dossier, forge=forge)
    refuse_uncommitted(reads, checkout=checkout)
    return forge.publish(proposal(dossier, documents))


def proposal(dossier: Dossier, documents: tuple[FileChange, ...]) -> Proposal:
    """What the forge is asked for; equal dossiers give equal proposals."""
    verdict = dossier.verdict
    return Proposal(
        key=key_of(dossier),
        branch=branch_of(dossier),
        base_commit=dossier.evidence.base_commit,
        title=title(dossier),
        body=body(dossier),
        draft=verdict is not Verdict.PASS,
        verdict=verdict,
        labels=_labels(dossier, verdict),
        commits=(commit(dossier),),
        attachments=(*documents, FileChange(path=PICTURE, content=picture(dossier))),
        created=dossier.evidence.created,
    )


def refuse_what_failed(dossier: Dossier, *, forge: Forge) -> None:
    """PASS goes on, INCONCLUSIVE goes on as a draft, FAIL goes on when settings are enough; nothing else does.

    :raises Refused: FAIL, or figures that were not measured. :raises Unavailable: ERROR.
    """
    decision = dossier.decision
    if {decision.rung, dossier.measurements.rung} - set(MEASURED) or decision.rung != dossier.measurements.rung:
        text = f"no pull request: the figures are {dossier.measurements.rung}, the decision is on {decision.rung} ones"
        raise Refused("not-measured", text, hint="`schedops bench` measures")
    if dossier.settings_only:
        return
    if decision.verdict is Verdict.ERROR or dossier.verification.verdict is Verdict.ERROR:
        raise Unavailable("not-measured", decision.summary, hint="run it again with --resume")
    if decision.verdict is Verdict.FAIL or dossier.verification.verdict is Verdict.FAIL:
        raise Refused("not-proposed", f"no pull request: {decision.summary}", hint=_still_open(dossier, forge))
    if decision.verdict is Verdict.PASS and decision.recommendation != "policy":
        raise Refused("not-proposed", f"no pull request: the gate recommends {decision.recommendation}")


def refuse_uncommitted(reads: Iterable[str], *, checkout: Checkout) -> None:
    """A proposal is a change to a commit, so what it was made from must be in that commit.

    :raises InputError: ``uncommitted``, naming the files. Changes elsewhere in the work tree do not matter.
    """
    wanted = sorted(reads)
    changed = [
        path
        for path in checkout.changed_paths(POLICIES)
        if any(path == read or path.startswith(f"{read.rstrip('/')}/") for read in wanted)
    ]
    if changed:
        names = ", ".join(changed[:5]) + (f" and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise InputError(
            "uncommitted",
            f"the proposal would be made from files that are not committed: {names}",
            where=str(checkout.root),
            hint=f"git add {' '.join(changed[:5])} && git commit, or git stash",
        )


def _still_open(dossier: Dossier, forge: Forge) -> str:
    key = key_of(dossier)
    known = [pull.number for pull in forge.pulls() if pull.key == key and pull.state == "open"]
    if known:
        return f"pull request {known[-1]} says otherwise from an earlier run: look again before you merge it"
    return "schedops library list shows what else could be tried"


def _labels(dossier: Dossier, verdict: Verdict) -> tuple[str, ...]:
    kind = "settings" if dossier.settings_only else "policy"
    return tuple(sorted({"schedops", "schedops/agent", f"schedops/{kind}", f"schedops/{verdict.value.lower()}"}))
