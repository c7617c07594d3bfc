"""Bytes or a file to a value: strictly parsed, held to its schema, decoded; every problem in one error."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from schedops.errors import InputError
from schedops.schema.decode import decode_all
from schedops.schema.files import MAX_BYTES, read_bounded
from schedops.schema.problem import Problem, invalid, line_of
from schedops.schema.registry import kind_of
from schedops.schema.strict import parse
from schedops.schema.validate import schema_problems

T = TypeVar("T")

# Raw samples of many rounds of many jobs, and up to 10,000 hints; everything else is written or read by people.
_LARGER = {"Measurements": 64 << 20, "SuiteResults": 64 << 20, "Search": 16 << 20, "Hints": 4 << 20}


def load(source: bytes | Path, type_: type[T], *, where: str = "", root: Path | None = None) -> T:
    """The document in *source*, YAML or JSON, as a value.

    :param type_: a document type (``Policy``, ``Workload`` ...); the document must say the kind of that name.
    :param where: name of the source in messages; by default the path.
    :param root: directory that symlinks may not leave.
    :raises InputError: ``invalid-document`` with every problem in *detail*, one a line as
        ``file::$.path: message``; or what :func:`schedops.schema.files.read_bounded` raises.
    """
    name = where or (str(source) if isinstance(source, Path) else type_.__name__)
    value, problems = load_all(source, type_, root=root)
    if value is None or problems:
        raise invalid((line_of(name, problem) for problem in problems), where=name)
    return value


def load_all(source: bytes | Path, type_: type[T], *, root: Path | None = None) -> tuple[T | None, tuple[Problem, ...]]:
    """As :func:`load`, with the problems as values; the value is None when there are any.

    :raises InputError: the file cannot be read at all.
    """
    kind = kind_of(type_)
    if kind is None:
        raise TypeError(f"{type_.__name__} is not a document")
    limit = _LARGER.get(kind, MAX_BYTES)
    data = read_bounded(source, root=root, limit=limit) if isinstance(source, Path) else source
    if len(data) > limit:
        raise InputError("file-too-large", f"{kind} is larger than {limit} bytes", where=kind)
    return _checked(data, kind, type_)


def _checked(data: bytes, kind: str, type_: type[T]) -> tuple[T | None, tuple[Problem, ...]]:
    document: Any
    document, problems = parse(data)
    if document is None and problems:
        return None, problems
    # What was said about a place is not said again in other words.
    said = {problem.path for problem in problems} - {"$"}
    found = (*problems, *(problem for problem in schema_problems(document, kind) if problem.path not in said))
    value, shape, invariants = decode_all(type_, document)
    said = {problem.path for problem in found}
    found = (*found, *(problem for problem in invariants if problem.path not in said)) or shape
    return (None if found else value), found
