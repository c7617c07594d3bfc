"""Layouts of policies, kept by the digest of their modules: reading DWARF takes longer than a short run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError

from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.sim.debug_info import Layout, MapPlace, Variable, layout_of
from schedops.adapters.sim.wasm_file import parse_wasm

# What a reader of DWARF meets in what a hostile source made of it.
_BROKEN = (ELFError, DWARFError, ConstructError, ValueError, LookupError, AttributeError, TypeError, RecursionError)


def kept_layout(wasm: bytes, cache: Path) -> Layout:
    """The layout of a policy's module. A damaged file in the cache is made again.

    :raises ValueError: it has no debug information that can be read.
    """
    path = cache / "layouts" / hashlib.sha256(wasm).hexdigest()
    try:
        seal, _, data = path.read_bytes().partition(b"\n")
        if seal == hashlib.sha256(data).hexdigest().encode():
            return _decoded(data)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    layout = _made(wasm)
    data = json.dumps(asdict(layout)).encode()
    write_whole(path, hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    return layout


def _made(wasm: bytes) -> Layout:
    try:
        return layout_of(parse_wasm(wasm))
    except _BROKEN as error:
        raise ValueError(f"its debug information cannot be read: {type(error).__name__}") from None


def _decoded(data: bytes) -> Layout:
    kept = json.loads(data)
    return Layout(
        ops=tuple(Variable(**one) for one in kept["ops"]),
        maps=tuple(MapPlace(**one) for one in kept["maps"]),
        constants={name: Variable(**one) for name, one in kept["constants"].items()},
        lines=tuple((offset, file, line) for offset, file, line in kept["lines"]),
        code=kept["code"],
    )
