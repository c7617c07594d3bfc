"""Sources and objects to be afraid of, from good ones and from nothing; the same for the same chance."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Sequence

_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
# What readers of C stumble over; each stands for a kind of trouble.
_NASTY = (
    "\0", "\x1b[2J", "\u202e", "\ufeff", "\r", "\\\n", "/*", "*/", "//", '"', "'", "#", "##", "#define", "#include",
    "#if 1\n", "#else\n", "#endif\n", "{", "}", "((((((((", "))))))))", "[", "]", ";", "\\", "??/", 'R"(', "0x",
    "1e9999",
    "99999999999999999999999999", "-1", "0ULL", "1ULL << 63", "1 << 70", "1 / 0", "1 % 0", "~0ULL", "sizeof", "?:",
    "#define A A\n", "#define A B\n#define B A\n", "#define F(x) F(F(x))\n", "#define X(a, ...) a##__VA_ARGS__\n",
    "SEC(", 'SEC(".struct_ops.link")', "OP(", "bpf_for(i, 0, ", "bpf_for_each(scx_dsq, p, ", "goto x; x:", "case 1:",
    "scx_bpf_dsq_insert(", "scx_bpf_dsq_insert()", "scx_bpf_dsq_move_to_local(", "SCX_DSQ_LOCAL_ON |", "SCX_SLICE_INF",
    ".name = ", ".flags = ", ".timeout_ms = ", '_Pragma("x")', "__attribute__((", 'asm("")', "typedef", "struct {",
)  # fmt: skip
_WORDS = (
    "static", "u64", "u32", "s32", "bool", "void", "if", "else", "for", "while", "return", "struct", "task_struct", "*",
    "p", "cpu", "prev", "enq_flags", "(", ")", "{", "}", ";", ",", "=", "->", ".", "&", "|", "<", ">", "0", "1", "0ULL",
    "SHARED_DSQ", "SCX_DSQ_LOCAL", "scx_bpf_dsq_insert", "scx_bpf_dsq_move_to_local", "scx_bpf_create_dsq", "SEC",
    '"struct_ops/x"', "BPF_PROG", "bpf_map_lookup_elem", "bpf_task_from_pid", "bpf_task_release", "#define", "\n",
    "\n\n", "sched_ext_ops", ".enqueue", ".dispatch", ".name", '"x"', "(void *)",
)  # fmt: skip
_SECTION_FIELDS = ((0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8))
_NUMBERS = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 62, (1 << 64) - 1)


def fuzzed_source(chance: random.Random, seeds: Sequence[str]) -> str:
    """A source with a few wounds, a few words that look like one, or one of the extremes."""
    kind = chance.random()
    if kind < 0.85:
        return _wounded(chance, seeds)
    if kind < 0.97:
        return " ".join(chance.choices(_WORDS, k=chance.randrange(1, 400)))
    return _extreme(chance, seeds)


def nudged_source(chance: random.Random, seeds: Sequence[str]) -> str:
    """A source with one small wound, which a compiler often lets pass."""
    tokens = _TOKEN.findall(chance.choice(seeds))
    at = chance.randrange(len(tokens))
    numbers = [place for place, token in enumerate(tokens) if token.isdigit()]
    way = chance.randrange(3)
    if way == 0 and numbers:
        tokens[chance.choice(numbers)] = str(chance.choice(_NUMBERS[:9]))
    elif way == 1:
        names = [place for place, token in enumerate(tokens) if token.isidentifier()]
        tokens[chance.choice(names)] = tokens[chance.choice(names)]
    else:
        tokens[at] = ""
    return "".join(tokens)


def fuzzed_object(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """An object with wrong bytes, wrong lengths, or parts of another."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
        _wound(chance, data, seeds)
    return bytes(data)


def _wounded(chance: random.Random, seeds: Sequence[str]) -> str:
    tokens = _TOKEN.findall(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8, 30))):
        at = chance.randrange(len(tokens)) if tokens else 0
        way = chance.randrange(6)
        if way == 0:
            del tokens[at : at + chance.choice((1, 2, 10, 100))]
        elif way == 1:
            tokens.insert(at, chance.choice(_NASTY))
        elif way == 2:
            tokens[at : at + 1] = tokens[at : at + 1] * chance.choice((2, 3, 50))
        elif way == 3 and tokens:
            other = chance.randrange(len(tokens))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif way == 4:
            other_text = _TOKEN.findall(chance.choice(seeds))
            start = chance.randrange(len(other_text))
            tokens[at:at] = other_text[start : start + chance.randrange(1, 120)]
        else:
            tokens[at : at + 1] = [chance.choice(_WORDS)]
    return "".join(tokens)


def _extreme(chance: random.Random, seeds: Sequence[str]) -> str:
    """Deep, long, or wide."""
    depth = chance.choice((200, 2000, 20000))
    name = "a" * depth
    macros = "".join(f"#define M{n} M{n + 1} M{n + 1}\n" for n in range(min(depth, 200))) + "u64 x = M0;\n"
    return chance.choice(
        (
            f"u64 x = {'(' * depth}1{')' * depth};\n",
            "void f(void) " + "{" * depth + "}" * depth,
            f"void f(void) {{ {'if (1) ' * depth}; }}",
            f"u64 x = {' + '.join(['1'] * depth)};\n",
            f"u64 {name} = 1;\n#define {name} {name}{name}\n",
            macros,
            "".join(f"static void f{n}(void) {{ f{n + 1}(); }}\n" for n in range(min(depth, 2000))),
            chance.choice(seeds) * chance.choice((5, 50)),
            "/*" * depth,
            '"' * depth,
            "\\\n" * depth,
            "",
        )
    )


def _wound(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    if not data:
        return
    at = chance.randrange(len(data))
    way = chance.randrange(8)
    if way == 0:
        del data[at:]
    elif way == 1:
        data[at] ^= 1 << chance.randrange(8)
    elif way == 2:
        at = chance.randrange(min(64, len(data)))  # the file header
        data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
    elif way in (3, 4):
        _section_field(chance, data)
    elif way == 5:
        number = struct.pack("<Q", chance.choice(_NUMBERS))[: chance.choice((1, 2, 4, 8))]
        data[at : at + len(number)] = number
    elif way == 6:
        other = chance.choice(seeds)
        start, size = chance.randrange(len(other)), chance.randrange(1, 256)
        data[at : at + size] = other[start : start + size]
    else:
        del data[at : at + chance.choice((1, 4, 8, 64))]


def _section_field(chance: random.Random, data: bytearray) -> None:
    """A field of a section's header becomes a number from the edges."""
    if len(data) < 64:
        return
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    offset, width = chance.choice(_SECTION_FIELDS)
    at = table + size * chance.randrange(count or 1) + offset
    if at + width <= len(data):
        data[at : at + width] = struct.pack("<Q", chance.choice((*_NUMBERS, len(data), len(data) - 1)))[:width]
