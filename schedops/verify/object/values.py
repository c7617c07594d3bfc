"""What is sure about registers while a function is read from its beginning to its end.

Simple on purpose: where a jump may arrive everything is forgotten, and nothing is known of memory. So "known" is
right, and "unknown" says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from schedops.verify.object.facts import Instruction

WHOLE = (1 << 64) - 1
HALF = (1 << 32) - 1
CALL, EXIT, JUMP, JUMP32, LOAD64 = 0x85, 0x95, 0x05, 0x06, 0x18
_ADD, _SUB, _MUL, _OR, _AND, _LSH, _RSH, _XOR, _MOV = 0x00, 0x10, 0x20, 0x40, 0x50, 0x60, 0x70, 0xA0, 0xB0


@dataclass(frozen=True, slots=True)
class Known:
    """*value*: the constant; else *bits* that are surely set, or the *function* that it is the address of."""

    value: int | None = None
    bits: int = 0
    function: str = ""


UNKNOWN = Known()
Registers = list[Known]


def nothing() -> Registers:
    """All registers (the unused numbers too: the bytes may hold any)."""
    return [UNKNOWN] * 16


def constant(value: int) -> Known:
    """A known number."""
    return Known(value, value)


def step(registers: Registers, one: Instruction) -> None:
    """What an instruction other than a call or a 64-bit load does to *registers*."""
    kind = one.op & 7
    if kind in (4, 7):
        registers[one.dst] = _computed(registers, one, wide=kind == 7)
    elif kind == 1 or one.op in (0xDB, 0xC3):  # a load, or an atomic that may give back what was there
        registers[one.dst] = UNKNOWN
        if kind == 3:
            registers[one.src] = registers[0] = UNKNOWN
    elif kind == 0:
        registers[0] = UNKNOWN


def after_call(registers: Registers) -> None:
    """A call keeps registers 6 and up."""
    registers[:6] = [UNKNOWN] * 6


def _computed(registers: Registers, one: Instruction, *, wide: bool) -> Known:
    mask = WHOLE if wide else HALF
    other = registers[one.src] if one.op & 8 else constant(one.imm & mask)
    code = one.op & 0xF0
    if code == _MOV:
        if one.off:  # a move that extends the sign
            return UNKNOWN
        return other if wide or other.function else _cut(other, mask)
    mine = registers[one.dst]
    if mine.value is not None and other.value is not None:
        return _number(code, mine.value, other.value, mask)
    if code == _OR:
        return Known(None, (mine.bits | other.bits) & mask)
    return UNKNOWN


def _cut(known: Known, mask: int) -> Known:
    return Known(None if known.value is None else known.value & mask, known.bits & mask)


def _number(code: int, mine: int, other: int, mask: int) -> Known:
    width = 63 if mask == WHOLE else 31
    if code == _ADD:
        value = mine + other
    elif code == _SUB:
        value = mine - other
    elif code == _MUL:
        value = mine * other
    elif code == _OR:
        value = mine | other
    elif code == _AND:
        value = mine & other
    elif code == _LSH:
        value = mine << (other & width)
    elif code == _RSH:
        value = (mine & mask) >> (other & width)
    elif code == _XOR:
        value = mine ^ other
    else:
        return UNKNOWN
    return constant(value & mask)
