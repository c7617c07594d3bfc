"""Names, types and sizes of DWARF entries."""

from __future__ import annotations

from elftools.dwarf.die import DIE


def name_of(die: DIE | None) -> str:
    """Empty when it has none."""
    value = die.attributes.get("DW_AT_name") if die is not None else None
    return value.value.decode("utf-8", "replace") if value else ""


def type_of(die: DIE) -> DIE | None:
    """Of a variable, a member, a pointer, an array or a name of a type."""
    return die.get_DIE_from_attribute("DW_AT_type") if "DW_AT_type" in die.attributes else None


def bare_type(die: DIE | None) -> DIE | None:
    """Without names and qualifiers."""
    while die is not None and die.tag in ("DW_TAG_typedef", "DW_TAG_const_type", "DW_TAG_volatile_type"):
        die = type_of(die)
    return die


def size_of(die: DIE | None) -> int:
    """Of a type, in bytes; 0 when it is not known."""
    bare = bare_type(die)
    if bare is None:
        return 0
    if bare.tag == "DW_TAG_pointer_type":
        return 8
    if bare.tag == "DW_TAG_array_type":
        return count_of(bare) * size_of(type_of(bare))
    size = bare.attributes.get("DW_AT_byte_size")
    return int(size.value) if size else 0


def count_of(array: DIE) -> int:
    """Elements, of all dimensions."""
    total = 1
    for child in array.iter_children():
        if child.tag == "DW_TAG_subrange_type":
            count = child.attributes.get("DW_AT_count")
            upper = child.attributes.get("DW_AT_upper_bound")
            total *= int(count.value) if count else int(upper.value) + 1 if upper else 0
    return total


def offset_of(member: DIE | None) -> int:
    """Of a member, in bytes."""
    place = member.attributes.get("DW_AT_data_member_location") if member is not None else None
    return int(place.value) if place else 0


def pointed(member: DIE) -> DIE | None:
    """What a member that is a pointer points to."""
    pointer = bare_type(type_of(member))
    return type_of(pointer) if pointer is not None and pointer.tag == "DW_TAG_pointer_type" else None
