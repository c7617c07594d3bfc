"""Layouts of policies, kept by the digest of their modules: reading DWARF takes longer than a short run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.sim.module_layout import Fields, Layout, MapPlace, ObjectPlace, Variable


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
    from schedops.adapters.sim.debug_info import layout_of  # noqa: PLC0415 - 0.03 s, and only for a new module

    layout = layout_of(wasm)
    data = json.dumps(asdict(layout)).encode()
    write_whole(path, hashlib.sha256(data).hexdigest().encode() + b"\n" + data, sync=False)
    return layout


def _decoded(data: bytes) -> Layout:
    kept = json.loads(data)
    return Layout(
        ops=tuple(Variable(**one) for one in kept["ops"]),
        maps=tuple(MapPlace(**one | {"fields": _fields(one["fields"])}) for one in kept["maps"]),
        constants={name: Variable(**one) for name, one in kept["constants"].items()},
        lines=tuple((offset, file, line) for offset, file, line in kept["lines"]),
        code=kept["code"],
        objects=tuple(ObjectPlace(**one | {"fields": _fields(one["fields"])}) for one in kept["objects"]),
    )


def _fields(kept: list[list[int]]) -> Fields:
    return tuple((offset, kind) for offset, kind in kept)
