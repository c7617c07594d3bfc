"""``policies/library/<name>/history.jsonl``: what came of a policy, one document a line, in any order.

Two branches that add lines merge by taking the lines of both (``merge=union`` in ``.gitattributes``), so a line may
occur twice and the order means nothing; what a line says of time is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from schedops.errors import InputError
from schedops.model.outcome import RETIRED, History, Outcome, Standing
from schedops.model.policy import PolicySource
from schedops.repository.library import load_policies
from schedops.repository.tree import POLICIES, Found, names_in, settled
from schedops.schema.canonical import canonical_bytes
from schedops.schema.files import read_bounded
from schedops.schema.problem import line_of
from schedops.schema.read import load_all

FILE = "history.jsonl"
MAX_BYTES = 8 << 20
_LIBRARY = f"{POLICIES}/library"
_MAX_LINE_BYTES = 64 << 10
_MARKERS = (b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")


def history_path(policy: str) -> str:
    """Relative to the repository."""
    return f"{_LIBRARY}/{policy}/{FILE}"


def load_history(root: Path, policy: str) -> History:
    """What came of a policy; empty when nobody has said. :raises InputError: ``invalid-document``."""
    return settled([read_history(root, policy)], where=history_path(policy))[0]


def load_active(root: Path) -> tuple[PolicySource, ...]:
    """Every policy that may be proposed: all but the retired. :raises InputError: ``invalid-document``."""
    return tuple(one for one in load_policies(root) if not is_retired(load_history(root, one.policy.name)))


def is_retired(history: History) -> bool:
    """Whoever spoke last said so; a retired policy stays retired whatever its source becomes."""
    return bool(history.standings) and history.standings[-1].state == RETIRED


def load_outcomes(root: Path) -> tuple[Outcome, ...]:
    """Every outcome of every policy of the library, oldest first. :raises InputError: ``invalid-document``."""
    found = settled((read_history(root, name) for name in _having(root)), where=_LIBRARY)
    return tuple(sorted((one for history in found for one in history.outcomes), key=lambda one: one.created))


def history_files(root: Path) -> dict[str, bytes]:
    """Policy -> the bytes of its history, for whoever adds a line. :raises InputError: a file cannot be read."""
    return {
        name: read_bounded(root / history_path(name), root=root / POLICIES, limit=MAX_BYTES) for name in _having(root)
    }


def read_histories(root: Path) -> tuple[Found[History], ...]:
    """Every history of the library with its problems as values."""
    return tuple(read_history(root, name) for name in _having(root))


def read_history(root: Path, policy: str) -> Found[History]:
    """One history with its problems as values; a file that is not there is an empty one."""
    path = history_path(policy)
    if not (root / path).exists():
        return Found(History())
    try:
        data = read_bounded(root / path, root=root / POLICIES, limit=MAX_BYTES)
    except InputError as error:
        return Found(None, (f"{path}::$: {error.message}",))
    return parse_history(data, policy)


def parse_history(data: bytes, policy: str) -> Found[History]:
    """The lines of a history as values, each once, oldest first.

    :param policy: whose it has to be.
    """
    records: dict[Outcome | Standing, None] = {}
    problems: list[str] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            record, wrong = _record(line.strip(), policy)
            problems += [f"{history_path(policy)}::line {number}{problem.removeprefix('::')}" for problem in wrong]
            if record is not None:
                records[record] = None
    if problems:
        return Found(None, tuple(problems))
    ordered = sorted(records, key=lambda record: (record.created, canonical_bytes(record)))
    outcomes = tuple(one for one in ordered if isinstance(one, Outcome))
    return Found(History(outcomes, tuple(one for one in ordered if isinstance(one, Standing))))


def appended(data: bytes, records: Iterable[Outcome | Standing]) -> bytes:
    """The file with *records* at its end; those that it has already are not added again."""
    known = {line.strip() for line in data.split(b"\n")}
    lines = dict.fromkeys(canonical_bytes(record) for record in records)
    new = b"".join(line for line in lines if line.strip() not in known)
    if new and data and not data.endswith(b"\n"):
        data += b"\n"
    return data + new


def _having(root: Path) -> tuple[str, ...]:
    return tuple(name for name in names_in(root, "library") if (root / history_path(name)).exists())


def _record(line: bytes, policy: str) -> tuple[Outcome | Standing | None, tuple[str, ...]]:
    """The document on a line, or what is wrong with it, each as ``::$.path: message``."""
    if len(line) > _MAX_LINE_BYTES:
        return None, (f"::$: longer than {_MAX_LINE_BYTES} bytes",)
    if line.startswith(_MARKERS):
        return None, ("::$: a conflict that nobody resolved; keep the lines of both sides",)
    if not line.startswith(b"{"):
        return None, ("::$: no JSON object",)
    type_: type[Outcome | Standing] = Standing if _kind(line) == "Standing" else Outcome
    record, problems = load_all(line, type_)
    if record is not None and record.policy != policy:
        return None, (f"::$.policy: {record.policy} in the history of {policy}",)
    return record, tuple(line_of("", problem) for problem in problems)


def _kind(line: bytes) -> object:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None  # the strict reader says what is wrong with it
    return document.get("kind") if isinstance(document, dict) else None
