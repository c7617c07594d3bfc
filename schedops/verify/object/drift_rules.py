"""Rules on enumerators: their values are baked into the object when it is compiled, and kernels renumber them.

What can be seen: flags that are handed to kfuncs as constants, and enumerators in the object's own type information.
What cannot: a constant that is compared with a field, or that comes out of a variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schedops.model.kernel import KernelApi
from schedops.model.verification import Finding
from schedops.verify.object.facts import Call, ObjectFacts
from schedops.verify.object.names import current

_ENQUEUE, _KICK, _PICK, _ITERATE = "SCX_ENQ_", "SCX_KICK_", "SCX_PICK_IDLE_", "SCX_DSQ_ITER_"
# kfunc -> which argument holds flags, and how their enumerators begin
FLAGS: Mapping[str, tuple[int, str]] = {
    "scx_bpf_dsq_insert": (3, _ENQUEUE),
    "scx_bpf_dsq_insert_vtime": (4, _ENQUEUE),
    "scx_bpf_dsq_move": (3, _ENQUEUE),
    "scx_bpf_dsq_move_vtime": (3, _ENQUEUE),
    "scx_bpf_kick_cpu": (1, _KICK),
    "scx_bpf_pick_idle_cpu": (1, _PICK),
    "scx_bpf_pick_any_cpu": (1, _PICK),
    "bpf_iter_scx_dsq_new": (2, _ITERATE),
}
_SHOWN = 4


def of_flags(facts: ObjectFacts, api: KernelApi, live: frozenset[Call] | None) -> Iterator[Finding]:
    """Flags of a call that this kernel does not know.

    :param live: calls that may run on it; None: any may.
    """
    known = {prefix: _mask(api, prefix) for prefix in (_ENQUEUE, _KICK, _PICK, _ITERATE)}
    for function in facts.functions.values():
        for call in function.calls:
            prefix, bits = flag_bits(call) if live is None or call in live else ("", 0)
            if bits and known.get(prefix, 0) and (unknown := bits & ~known[prefix]):
                text = (
                    f"{call.name}() is called with flag {unknown:#x}, which is no {prefix} of this kernel: "
                    "the object was compiled with the constants of another one"
                )
                advice = "Compile it for this kernel's own header, or let the loader ask: `bpf_core_enum_value()`."
                yield Finding(rule="ENUM-DRIFT", level="error", text=text, place=call.place, advice=advice)


def of_header(facts: ObjectFacts, api: KernelApi) -> Iterator[Finding]:
    """Enumerators whose value in the object's type information is not this kernel's."""
    here = dict(api.enums)
    other = sorted(name for name, value in facts.enums.items() if here.get(name, value) != value)
    if other:
        named = ", ".join(f"{name} ({facts.enums[name]:#x}, here {here[name]:#x})" for name in other[:_SHOWN])
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        text = f"compiled with another kernel's constants: {named}{more}; whether they are used cannot be seen"
        yield Finding(rule="ENUM-DRIFT", level="note", text=text, advice="Compile it for this kernel's own header.")


def of_variables(facts: ObjectFacts) -> Iterator[Finding]:
    """Variables that stand for enumerators, and are 0 until a loader sets them."""
    if facts.loader_sets:
        names = ", ".join(facts.loader_sets[:_SHOWN])
        more = f" and {len(facts.loader_sets) - _SHOWN} more" if len(facts.loader_sets) > _SHOWN else ""
        text = f"{names}{more}: 0 until the loader writes what the kernel's BTF says (ours does)"
        advice = "A loader that does not (`bpftool struct_ops register`) leaves every such flag and queue 0."
        yield Finding(rule="ENUM-UNINIT", level="note", text=text, advice=advice)


def flag_bits(call: Call) -> tuple[str, int]:
    """(how the enumerators begin, bits that are surely set) of a call that takes flags."""
    name = current(call.name.split("___")[0]) if call.kind == "kfunc" else ""
    at, prefix = FLAGS.get(name, (0, ""))
    return prefix, call.bits[at] if prefix else 0


def _mask(api: KernelApi, prefix: str) -> int:
    found = 0
    for name, value in api.enums:
        found |= value if name.startswith(prefix) else 0
    return found
