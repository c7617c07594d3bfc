"""A stored comparison judged again: the same samples give the same decision, anywhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from schedops.errors import InputError, Refused
from schedops.evidence.bundle import mismatches
from schedops.gate.decide import decide, measured
from schedops.model.decision import Decision
from schedops.model.environment import differences
from schedops.model.kept import StoredResult
from schedops.model.measurements import Measurements
from schedops.model.workload import Workload
from schedops.schema.canonical import canonical_bytes, digest_of
from schedops.schema.decode import encode
from schedops.schema.strict import parse

_MOST = 20  # lines about what differs


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """:param verified: a verification was among the documents, so the decision may be a proposal's.

    :param same: as the stored decision, byte for byte; None: none was stored.
    """

    workload: Workload
    measurements: Measurements
    decision: Decision
    verified: bool
    same: bool | None


def replay(stored: StoredResult, workload: Workload) -> Replayed:
    """Judge again.

    :param workload: what is wanted; the one that was measured.
    :raises InputError: ``other-workload``: it is not the one that was measured.
    :raises Refused: ``evidence-differs``: a document is not the one that the evidence names; ``decision-differs``: the
        stored decision is another one, with what differs.
    """
    measurements = stored.measurements
    _check(stored, workload)
    if stored.verification is None:
        decision = measured(workload, measurements.policy, measurements)
    else:
        decision = decide(workload, measurements.policy, measurements, stored.verification)
    same = None if stored.decision is None else stored.decision == canonical_bytes(decision)
    if same is False:
        raise Refused(
            "decision-differs",
            f"the stored decision is not what these samples say, which is {decision.verdict.value}",
            where=stored.where,
            hint="another version of schedops may have made it, or somebody changed it",
            detail="\n".join(_apart(stored.decision or b"", decision)),
        )
    return Replayed(
        workload=workload,
        measurements=measurements,
        decision=decision,
        verified=stored.verification is not None,
        same=same,
    )


def require_same_environment(first: Measurements, second: Measurements) -> None:
    """Figures of the two may be put side by side.

    :raises Refused: ``other-environment`` with every difference, or one of them is not known.
    """
    if first.environment is None or second.environment is None:
        lines: tuple[str, ...] = ("the environment of one of them was not recorded",)
    else:
        lines = differences(first.environment, second.environment)
    lines += tuple(
        f"{name}: {a} and {b}"
        for name, a, b in (
            ("workload", first.workload, second.workload),
            ("workload digest", first.workload_sha256, second.workload_sha256),
            ("rung", first.rung, second.rung),
            ("what ran", _what_ran(first), _what_ran(second)),
        )
        if a != b
    )
    if lines:
        text = f"{first.policy} and {second.policy} were not measured under the same conditions"
        raise Refused("other-environment", text, hint="measure both on one machine", detail="\n".join(lines))


def _what_ran(one: Measurements) -> str:
    return "jobs of the model" if one.programs is None else f"real programs: {', '.join(one.programs.versions)}"


def _check(stored: StoredResult, workload: Workload) -> None:
    wanted = stored.measurements.workload_sha256
    if wanted and wanted not in {digest_of(workload), stored.workload_sha256}:
        raise InputError(
            "other-workload",
            f"{workload.name} is not the workload that was measured: {digest_of(workload)}, not {wanted}",
            where=stored.where,
            hint="give the one that was measured with --workload FILE",
        )
    if stored.evidence is not None and (wrong := mismatches(stored.evidence, stored.files)):
        text = f"{len(wrong)} documents are not those that the evidence names"
        raise Refused("evidence-differs", text, where=stored.where, detail="\n".join(wrong[:_MOST]))


def _apart(stored: bytes, decision: Decision) -> list[str]:
    digest = f"sha256:{hashlib.sha256(stored).hexdigest()}"
    document, _ = parse(stored)
    lines = list(_differing("$", document, encode(decision))) or ["$: the same values in other bytes"]
    more = [f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return [f"stored {digest}, now {digest_of(decision)}", *(line[:400] for line in lines[:_MOST]), *more]


def _differing(path: str, stored: Any, now: Any) -> Iterator[str]:
    if isinstance(stored, dict) and isinstance(now, dict):
        for name in sorted({*stored, *now}):
            yield from _differing(f"{path}.{name}", stored.get(name, "(missing)"), now.get(name, "(missing)"))
    elif isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        for at, (one, other) in enumerate(zip(stored, now, strict=True)):
            yield from _differing(f"{path}[{at}]", one, other)
    elif stored != now:
        yield f"{path}: stored {_short(stored)}, now {_short(now)}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} entries"
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
