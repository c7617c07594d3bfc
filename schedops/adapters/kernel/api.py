"""What a kernel offers to policies, read from its BTF once and kept beside the kernel."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from schedops import btf
from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.kernel.btf import marked_kfuncs, reading, struct_called
from schedops.errors import InputError
from schedops.model.kernel import KernelApi, Kfunc
from schedops.ports import KernelImage

FILE = "api.json"
_FORMAT = 1  # of that file: another number is read anew
# Without marks (a kernel built with pahole before 1.26) everything called like this stands for the kfuncs.
_UNMARKED = (b"scx_bpf_", b"bpf_")


def api_of(image: KernelImage) -> KernelApi:
    """What *image* offers.

    :raises InputError: ``bad-btf``: its BTF cannot be read; ``kernel-damaged``: it is not the BTF that was stored.
    """
    path = image.directory / FILE
    if (kept := _kept(path, image.kernel.btf_sha256)) is not None:
        return kept
    api = read_api(_stored_btf(image), where=str(image.directory / "btf"))
    _keep(path, api)
    return api


def read_api(data: bytes, *, where: str) -> KernelApi:
    """:raises InputError: ``bad-btf`` with the offset where it stopped making sense."""
    with reading(where):
        types = btf.Btf(data)
        ops = types.members(struct_called(types, "sched_ext_ops"))
        return KernelApi(
            btf_sha256=hashlib.sha256(data).hexdigest(),
            kfuncs=_kfuncs(types),
            ops_members=tuple(member.name for member in ops),
            enums=_enums(types),
        )


def _kfuncs(types: btf.Btf) -> tuple[Kfunc, ...]:
    marked = marked_kfuncs(types)
    ids = sorted(marked) or [at for at in types.ids(btf.FUNC) if any(types.named(at, word) for word in _UNMARKED)]
    found = {types.name(at): at for at in reversed(ids) if types.kind(at) == btf.FUNC}
    return tuple(_kfunc(types, name, types.target(at)) for name, at in sorted(found.items()))


def _kfunc(types: btf.Btf, name: str, proto: int) -> Kfunc:
    params = tuple(types.spelled(type_id) for _, type_id in types.params(proto))
    return Kfunc(name=name, params=params, returns=types.spelled(types.target(proto)))


def _enums(types: btf.Btf) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for type_id in types.ids(btf.ENUM, btf.ENUM64):
        for name, value in types.enumerators(type_id):
            if name.startswith("SCX_"):
                found.setdefault(name, value)
    return tuple(sorted(found.items()))


def _stored_btf(image: KernelImage) -> bytes:
    where = str(image.directory / "btf")
    try:
        data = Path(where).read_bytes()
    except OSError as error:
        raise InputError("kernel-damaged", f"its BTF cannot be read: {error.strerror}", where=where) from None
    if hashlib.sha256(data).hexdigest() != image.kernel.btf_sha256:
        hint = f"rm -r '{image.directory}', then `schedops kernel fetch`"
        raise InputError("kernel-damaged", "the BTF is not the one that was stored", where=where, hint=hint)
    return data


def _kept(path: Path, btf_sha256: str) -> KernelApi | None:
    try:
        document = json.loads(path.read_bytes())
        if document["format"] != _FORMAT or document["btf_sha256"] != btf_sha256:
            return None
        return _decoded(document)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _decoded(document: dict[str, Any]) -> KernelApi:
    # By hand, not by schema.decode: it is ours, it is large, and every `verify` reads it.
    return KernelApi(
        btf_sha256=str(document["btf_sha256"]),
        kfuncs=tuple(
            Kfunc(name=str(name), params=tuple(map(str, params)), returns=str(returns))
            for name, returns, params in document["kfuncs"]
        ),
        ops_members=tuple(map(str, document["ops_members"])),
        enums=tuple((str(name), int(value)) for name, value in document["enums"]),
    )


def _keep(path: Path, api: KernelApi) -> None:
    document = {
        "format": _FORMAT,
        "btf_sha256": api.btf_sha256,
        "kfuncs": [(kfunc.name, kfunc.returns, kfunc.params) for kfunc in api.kfuncs],
        "ops_members": api.ops_members,
        "enums": api.enums,
    }
    try:
        write_whole(path, json.dumps(document, separators=(",", ":")).encode())
    except OSError:
        return  # a store that cannot be written to is read each time
