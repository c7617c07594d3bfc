"""``schedops library record``: what a run came to, as a line of the policy's history; also one without a proposal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from schedops.cli.common import answers, output_option
from schedops.cli.library_history import added, own_tree
from schedops.cli.library_tree import place_data
from schedops.errors import InputError
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.evidence import Evidence
    from schedops.model.outcome import Outcome
    from schedops.model.workload import Workload
    from schedops.repository import Tree

T = TypeVar("T")


@click.command()
@click.argument("run", metavar="RUN|DIR")
@output_option
@answers("library record")
def record(*, run: str) -> Answer:
    """Add what a run of `schedops propose` came to to its policy's history: a line, in the work tree.

    A pull request brings its own line. This is for runs that ended without one: a policy that failed is worth knowing
    too. The documents have to be those that the run's evidence names. The same run twice adds nothing.

    \b
    Example:
      schedops library record 20261121-190000-ab12
    """
    from schedops.report.outcomes import effect_words
    from schedops.repository import find_policy
    from schedops.schema.decode import encode

    tree = own_tree()
    found = _outcome(tree, _place(tree, run))
    find_policy(tree.root, found.policy)
    path, text = added(tree, found.policy, [found])
    effects = "; ".join(effect_words(effect) for effect in found.effects)
    said = f"{found.policy}: {found.verdict.value} on {found.workload} ({effects or 'no effect known'})"
    data = {**place_data(tree), "outcome": encode(found), "path": path, "added": bool(text)}
    return Answer(data, f"{text}\n\n{said}\n  git add {path} && git commit" if text else f"{said}: known already")


def _place(tree: Tree, run: str) -> Path:
    """The directory of a run by its id, or a directory with the documents of an evidence bundle."""
    place = Path(run) if "/" in run or Path(run).is_dir() else tree.root / ".schedops" / "runs" / run
    if not place.is_dir():
        raise InputError("unknown-run", f"there is no run {run[:100]!r}", where=str(place), hint="ls .schedops/runs")
    return place


def _outcome(tree: Tree, place: Path) -> Outcome:
    from schedops.model.decision import Decision
    from schedops.model.evidence import Evidence
    from schedops.model.measurements import Measurements
    from schedops.model.plan import Plan
    from schedops.model.profile import Profile
    from schedops.pipeline.learning import outcome

    evidence = _loaded(place, "evidence", Evidence)
    workload = _workload(tree, place, evidence)
    profile, plan = _loaded(place, "profile", Profile), _loaded(place, "plan", Plan)
    decision, measurements = _loaded(place, "decision", Decision), _loaded(place, "measurements", Measurements)
    _held_to([workload, profile, plan, decision, measurements], evidence, place)
    found = outcome(workload, profile, plan, decision, measurements, evidence)
    if found is None:
        text = "nobody recorded on which machine this was measured"
        raise InputError("no-environment", text, where=str(place), hint="runs of this version record it")
    return found


def _workload(tree: Tree, place: Path, evidence: Evidence) -> Workload:
    from schedops.model.workload import Workload
    from schedops.repository import load_workload

    if (place / "workload.json").exists():
        return _loaded(place, "workload", Workload)
    return load_workload(tree.root, evidence.workload)


def _held_to(documents: list[object], evidence: Evidence, place: Path) -> None:
    """Each document is one that the evidence names. :raises InputError: ``not-the-evidence``."""
    from schedops.schema.canonical import digest_of

    named = {ref.kind: ref.sha256 for ref in evidence.documents}
    other = [kind for one in documents if named.get(kind := type(one).__name__) != digest_of(one)]
    if other:
        text = f"the evidence is over another {', '.join(sorted(other))}"
        raise InputError("not-the-evidence", text, where=str(place))


def _loaded(place: Path, name: str, type_: type[T]) -> T:
    from schedops.schema.read import load

    return load(place / f"{name}.json", type_, root=place)
