"""Members of a type that the kernel keeps itself: locks, timers, pointers that own, lists, trees."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from itertools import islice

from elftools.dwarf.die import DIE

from schedops.adapters.sim.dwarf_types import bare_type, count_of, name_of, offset_of, size_of, type_of
from schedops.adapters.sim.module_layout import MAX_FIELDS, Fields


class _Kind(IntEnum):
    """shim/rt_fields.c: enum field_kind."""

    LOCK = 0
    TIMER = 1
    UNTRUSTED = 2
    OBJECT = 3
    MASK = 4
    KERNEL = 5
    LIST_HEAD = 6
    LIST_NODE = 7
    RB_ROOT = 8
    RB_NODE = 9
    REFCOUNT = 10


_STRUCTS = {
    "bpf_spin_lock": _Kind.LOCK,
    "bpf_res_spin_lock": _Kind.LOCK,
    "bpf_timer": _Kind.TIMER,
    "bpf_list_head": _Kind.LIST_HEAD,
    "bpf_list_node": _Kind.LIST_NODE,
    "bpf_rb_root": _Kind.RB_ROOT,
    "bpf_rb_node": _Kind.RB_NODE,
    "bpf_refcount": _Kind.REFCOUNT,
}
_POINTERS = {"bpf_cpumask": _Kind.MASK, "task_struct": _Kind.KERNEL, "cgroup": _Kind.KERNEL}
_ANNOTATIONS = (0x6000, "DW_TAG_LLVM_annotation")


def fields_of(kind: DIE | None) -> Fields:
    """Of a type, by offset; what is more than MAX_FIELDS by one."""
    return tuple(sorted(islice(_fields(kind, 0), MAX_FIELDS + 1)))


def _fields(kind: DIE | None, at: int) -> Iterator[tuple[int, int]]:
    bare = bare_type(kind)
    if bare is None:
        return
    if bare.tag == "DW_TAG_pointer_type":
        if (pointer := _pointer(bare)) is not None:
            yield at, pointer
    elif bare.tag == "DW_TAG_array_type":
        yield from _elements(bare, at)
    elif name_of(bare) in _STRUCTS:
        yield at, _STRUCTS[name_of(bare)]
    elif bare.tag == "DW_TAG_structure_type":
        for member in bare.iter_children():
            if member.tag == "DW_TAG_member":
                yield from _fields(type_of(member), at + offset_of(member))


def _elements(array: DIE, at: int) -> Iterator[tuple[int, int]]:
    element, size = type_of(array), size_of(type_of(array))
    if next(_fields(element, 0), None) is not None:
        for index in range(count_of(array)):
            yield from _fields(element, at + index * size)


def _pointer(bare: DIE) -> int | None:
    tags = {
        child.attributes["DW_AT_const_value"].value
        for child in bare.iter_children()
        if child.tag in _ANNOTATIONS and name_of(child) == "btf_type_tag"
    }
    if b"kptr" in tags:
        return _POINTERS.get(name_of(bare_type(type_of(bare))), _Kind.OBJECT)
    return _Kind.UNTRUSTED if tags & {b"kptr_untrusted", b"percpu_kptr"} else None
