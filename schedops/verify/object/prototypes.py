"""Whether libbpf takes a kfunc's declaration for the kernel's own: ``bpf_core_types_are_compat()`` of libbpf 1.3+.

It compares kinds, not names: the number of parameters, pointer or not, integer, struct, enum, void. Names of typedefs
are all that is known here, so a typedef that is not a well-known integer is taken to fit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_INTEGERS = frozenset(
    """
    u8 u16 u32 u64 s8 s16 s32 s64 __u8 __u16 __u32 __u64 __s8 __s16 __s32 __s64 int char bool _Bool short long
    size_t ssize_t gfp_t pid_t
    """.split()  # noqa: SIM905 - to be read
)
_WORDS = frozenset(["unsigned", "signed", "long", "short", "int", "char"])
_TYPE = re.compile(r"(?:const )?(?P<base>[^*\[]*?) ?(?P<stars>\**)(?P<rest>\[.*)?")
_TAGGED = ("struct ", "union ", "enum ")


def differs(mine: tuple[Sequence[str], str], theirs: tuple[Sequence[str], str]) -> str:
    """What is surely not the same in two (parameters, return type); empty when nothing is."""
    if len(mine[0]) != len(theirs[0]):
        return f"the number of its arguments is {len(theirs[0])} there, not {len(mine[0])}"
    for number, (one, other) in enumerate(zip(mine[0], theirs[0], strict=True), start=1):
        if _differ(one, other):
            return f"argument {number} is {other!r} there, not {one!r}"
    return f"it returns {theirs[1]!r} there, not {mine[1]!r}" if _differ(mine[1], theirs[1]) else ""


def _differ(one: str, other: str) -> bool:
    first, second = _shape(one), _shape(other)
    return first is not None and second is not None and first != second


def _shape(text: str) -> tuple[str, int] | None:
    """(kind, number of pointers); None when the text does not tell."""
    match = _TYPE.fullmatch(text)
    if match is None or match["rest"]:
        return None
    base, stars = match["base"], len(match["stars"])
    if base == "void":
        return "void", stars
    for word in _TAGGED:
        if base.startswith(word):
            return word, stars
    return ("integer", stars) if base in _INTEGERS or set(base.split()) <= _WORDS else None
