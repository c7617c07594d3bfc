"""``schedops gate``: a stored comparison judged again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import answers, output_option
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.pipeline.replay import Replayed

_PATH = click.Path(path_type=Path)


@click.command()
@click.option(
    "--replay", "path", required=True, type=_PATH, metavar="FILE", help="measurements, or a directory of them"
)
@click.option(
    "-w", "--workload", metavar="NAME|FILE", help="what is wanted [default: beside FILE, else as FILE names it]"
)
@click.option("--against", type=_PATH, metavar="FILE", help="another result; refused if it is of another environment")
@output_option
@answers("gate")
def gate(*, path: Path, workload: str | None, against: Path | None) -> Answer:
    """Judge stored measurements again: the same samples give the same verdict, on every machine.

    FILE is measurements.json of a run (.schedops/runs/RUN) or of an evidence bundle, or the directory it is in. What
    lies beside it counts too: the workload, the verification, the evidence whose digests must be right, and the stored
    decision, which must be the same to the last byte; else it is refused, with what differs. Nothing is run.

    \b
    Example:
      schedops gate --replay .schedops/runs/20261121-190134-9dda
      schedops gate --replay evidence/measurements.json --output json
      schedops gate --replay measurements.json --workload ci-builds --against other/measurements.json

    Exit codes: as the verdict (0 PASS, 1 FAIL, 3 INCONCLUSIVE, 69 could not be measured); 1 also when the stored
    decision or evidence differs, 2 bad input.
    """
    from schedops.pipeline.replay import require_same_environment
    from schedops.report.gate_page import gate_page, side_by_side
    from schedops.schema.canonical import digest_of
    from schedops.schema.decode import encode

    found = _replayed(path, workload)
    decision = found.decision
    data = {
        "verdict": decision.verdict.value,
        "verified": found.verified,
        "decision_sha256": digest_of(decision),
        "stored": "none" if found.same is None else "the same",
        "decision": encode(decision),
    }
    text = gate_page(found.measurements, decision, same=found.same)
    if against is not None:
        other = _replayed(against, workload)
        require_same_environment(found.measurements, other.measurements)
        data["against"] = encode(other.decision)
        text += "\n\n" + side_by_side(decision, other.decision)
    return Answer(data, text, decision.verdict.exit_code)


def _replayed(path: Path, workload: str | None) -> Replayed:
    from schedops.adapters.disk.stored import read_stored
    from schedops.model.workload import Workload
    from schedops.pipeline.replay import replay
    from schedops.repository import load_workload, open_tree
    from schedops.schema.read import load

    stored = read_stored(path)
    if workload is not None and Path(workload).is_file():
        return replay(stored, load(Path(workload), Workload))
    if workload is None and stored.workload is not None:
        return replay(stored, stored.workload)
    return replay(stored, load_workload(open_tree(Path.cwd()).root, workload or stored.measurements.workload))
