"""A stage's document in a run directory, with the receipt that says what it was made from."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, TypeVar

from schedops.adapters.disk.cachedir import write_whole
from schedops.errors import InputError
from schedops.model.kept import Kept
from schedops.schema.canonical import canonical_bytes
from schedops.schema.decode import decode

T = TypeVar("T")
_LEFTOVER = re.compile(r"^\..+\.(json|receipt)\..+$")  # how write_whole names what it has not finished


def write_stage(directory: Path, stage: str, input_digest: str, kept: Kept) -> None:
    """The document first, the receipt last: without its receipt a document does not count."""
    data = canonical_bytes(kept.value)
    receipt = {
        "stage": stage,
        "input": input_digest,
        "output": hashlib.sha256(data).hexdigest(),
        "seconds": kept.seconds,
        "usd": kept.usd,
    }
    write_whole(directory / f"{stage}.json", data)
    write_whole(directory / f"{stage}.receipt", json.dumps(receipt, sort_keys=True, allow_nan=False).encode() + b"\n")


def read_stage(directory: Path, stage: str, input_digest: str, type_: type[Any]) -> Kept | None:
    """None when there is none, when it was made from something else, and when it is damaged."""
    return _read(directory, stage, type_, input_digest)


def read_document(directory: Path, stage: str, type_: type[T]) -> T | None:
    """Whatever it was made from; None when there is none, and when it is damaged."""
    kept = _read(directory, stage, type_, None)
    return None if kept is None else kept.value


def _read(directory: Path, stage: str, type_: type[Any], input_digest: str | None) -> Kept | None:
    try:
        receipt = json.loads((directory / f"{stage}.receipt").read_bytes())
        if receipt["stage"] != stage or input_digest not in {None, receipt["input"]}:
            return None
        data = (directory / f"{stage}.json").read_bytes()
        if hashlib.sha256(data).hexdigest() != receipt["output"]:
            return None
        value = decode(type_, json.loads(data))
        return Kept(value=value, seconds=float(receipt["seconds"]), usd=float(receipt["usd"]))
    except (OSError, ValueError, TypeError, KeyError, InputError):
        return None


def is_leftover(path: Path) -> bool:
    """A file that a killed process had not finished."""
    return _LEFTOVER.match(path.name) is not None
