"""A copy of an object for a test: with less patience of the kernel's watchdog. Never what is signed."""

from __future__ import annotations

import struct

from schedops.btf import BadBtf, Btf
from schedops.verify.object.elf import types_of
from schedops.verify.object.layout import BadObject, printable, read_layout
from schedops.verify.object.tables import ops_variables

_MEMBER, _SIZE = "timeout_ms", 4


def with_timeout(elf: bytes, timeout_ms: int) -> bytes:
    """A copy whose ops table has at most *timeout_ms*; 0, the kernel's 30 s, becomes it, and a shorter one stays.

    :param timeout_ms: from 1; what is no number of milliseconds for a watchdog is refused.
    :raises BadObject: there is no table of ``sched_ext_ops`` to be found in it.
    """
    if not 0 < timeout_ms <= 30_000:
        raise ValueError(f"{timeout_ms} ms is no timeout of a watchdog")
    layout = read_layout(elf)
    data = bytearray(elf)
    patched = 0
    try:
        types = types_of(layout)
        for _, variable, section in ops_variables(layout, types):
            inside = _offset(types, types.stripped(types.target(variable.type_id)))
            if inside is None or variable.offset + inside + _SIZE > len(section.data):
                continue
            at = section.offset + variable.offset + inside
            (now,) = struct.unpack_from("<I", data, at)
            struct.pack_into("<I", data, at, min(now or timeout_ms, timeout_ms))
            patched += 1
    except BadBtf as bad:
        raise BadObject(f"its type information is damaged: {printable(str(bad))}") from None
    if not patched:
        raise BadObject("it has no table of sched_ext_ops with a timeout")
    return bytes(data)


def _offset(types: Btf, struct_id: int) -> int | None:
    if types.name(struct_id).split("___")[0] != "sched_ext_ops":
        return None
    for member in types.members(struct_id):
        if member.name == _MEMBER and types.size(member.type_id) == _SIZE and not member.offset % 8:
            return member.offset // 8
    return None
