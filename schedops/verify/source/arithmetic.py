"""C's operators on integers of 64 bits, and numbers as C writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MASK = (1 << 64) - 1
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)([uUlL]*)")
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "\\": 92, "'": 39, '"': 34, "a": 7, "b": 8, "f": 12, "v": 11}


class Unknown(Exception):
    """The value is not known before the policy runs."""


def number(text: str) -> int:
    """A literal. :raises Unknown: it is none, or a floating one."""
    if text.startswith("'"):
        inside = text[1:-1]
        if inside.startswith("\\") and inside[1:] in _ESCAPES:
            return _ESCAPES[inside[1:]]
        if len(inside) == 1:
            return ord(inside)
        raise Unknown
    match = _NUMBER.fullmatch(text) if len(text) < 80 else None
    if match is None:
        raise Unknown
    digits = match.group(1)
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    if digits[:2] in ("0b", "0B"):
        return int(digits, 2)
    return int(digits, 8) if digits.startswith("0") else int(digits)


def unsigned(value: int) -> int:
    """As a u64 holds it."""
    return value & _MASK


def binary(sign: str, left: int, right: int) -> int:
    """One operator on two values. :raises Unknown: it has no value, or is none of C's."""
    simple = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "&": lambda: left & right,
        "|": lambda: left | right,
        "^": lambda: left ^ right,
        "==": lambda: int(left == right),
        "!=": lambda: int(left != right),
        "<": lambda: int(left < right),
        ">": lambda: int(left > right),
        "<=": lambda: int(left <= right),
        ">=": lambda: int(left >= right),
        "&&": lambda: int(bool(left) and bool(right)),
        "||": lambda: int(bool(left) or bool(right)),
    }
    if sign in simple:
        return _held(simple[sign]())
    if sign in ("/", "%") and right:
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if sign == "/" else left - quotient * right
    if sign in ("<<", ">>") and 0 <= right < 64:
        return _held(left << right if sign == "<<" else left >> right)
    raise Unknown


def unary(sign: str, value: int) -> int:
    """One operator on one value. :raises Unknown: not an operator on values."""
    if sign == "-":
        return -value
    if sign == "+":
        return value
    if sign == "~":
        return ~value
    if sign == "!":
        return int(not value)
    raise Unknown


def _held(value: int) -> int:
    return value if -(1 << 63) <= value <= _MASK else value & _MASK


_LEVELS = (("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<", ">", "<=", ">="), ("<<", ">>"), ("+", "-"),
           ("*", "/", "%"))  # fmt: skip
_BINDS = {sign: level for level, signs in enumerate(_LEVELS) for sign in signs}
_MAX_PARTS = 200


def of_tokens(texts: Sequence[str]) -> int:
    """The value of a preprocessor's condition. :raises Unknown: it has none that we know."""
    if len(texts) > _MAX_PARTS:
        raise Unknown
    value, at = _climb(texts, 0, 0)
    if at != len(texts):
        raise Unknown
    return value


def _climb(texts: Sequence[str], at: int, level: int) -> tuple[int, int]:
    left, at = _operand(texts, at)
    while at < len(texts) and _BINDS.get(texts[at], -1) >= level:
        sign = texts[at]
        right, at = _climb(texts, at + 1, _BINDS[sign] + 1)
        left = binary(sign, left, right)
    return left, at


def _operand(texts: Sequence[str], at: int) -> tuple[int, int]:
    if at >= len(texts):
        raise Unknown
    text = texts[at]
    if text == "(":
        value, at = _climb(texts, at + 1, 0)
        if at >= len(texts) or texts[at] != ")":
            raise Unknown
        return value, at + 1
    if text in ("!", "-", "+", "~"):
        value, at = _operand(texts, at + 1)
        return unary(text, value), at
    return number(text), at + 1
