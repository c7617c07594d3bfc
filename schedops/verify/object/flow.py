"""Ways through the instructions of a function."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.verify.object.facts import Instruction
from schedops.verify.object.values import CALL, EXIT, JUMP, JUMP32, LOAD64

_JUMPS = (5, 6)
_MAY_GOTO = 0xE5


def successors(code: Sequence[Instruction], at: int) -> tuple[int, ...]:
    """Where it may go on after instruction *at*; nowhere after the last."""
    one = code[at]
    after = at + (2 if one.op == LOAD64 else 1)
    if one.op & 7 not in _JUMPS or one.op == CALL:
        found: tuple[int, ...] = (after,)
    elif one.op == EXIT:
        found = ()
    elif one.op == JUMP:
        found = (at + 1 + one.off,)
    elif one.op == JUMP32:
        found = (at + 1 + one.imm,)
    else:
        found = (after, at + 1 + one.off)
    return tuple(where for where in found if 0 <= where < len(code))


def jump_targets(code: Sequence[Instruction]) -> frozenset[int]:
    """Instructions that a jump may arrive at."""
    found = set()
    for at, one in enumerate(code):
        if one.op & 7 in _JUMPS and one.op not in (CALL, EXIT):
            found.add(at + 1 + (one.imm if one.op == JUMP32 else one.off))
    return frozenset(found)


def is_conditional(one: Instruction) -> bool:
    """A jump that may be taken or not, by what a register holds."""
    return one.op & 7 in _JUMPS and one.op not in (CALL, EXIT, JUMP, JUMP32, _MAY_GOTO)
