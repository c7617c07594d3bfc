"""Functions of an object: their instructions, what they call, and with which arguments as far as that is sure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from schedops.verify.object import layout as elf
from schedops.verify.object.extra import ENUM_EXISTS, FIELD_EXISTS, TYPE_EXISTS, Extra
from schedops.verify.object.facts import Call, Function, Instruction
from schedops.verify.object.flow import jump_targets
from schedops.verify.object.helpers import helper_name
from schedops.verify.object.layout import BadObject, Layout, Section, Symbol
from schedops.verify.object.values import CALL, HALF, LOAD64, Known, after_call, constant, nothing, step

_MAX_INSTRUCTIONS = 1 << 18
_MAX_FUNCTIONS = 4096
_EXISTS = {FIELD_EXISTS: "field", TYPE_EXISTS: "type", ENUM_EXISTS: "enum"}
_LATER = ("timer_set_callback", "bpf_wq_set_callback_impl", "bpf_wq_set_callback", "bpf_task_work_schedule")


def read_functions(layout: Layout, extra: Extra) -> dict[str, Function]:
    """By name, in the order of sections and offsets. :raises BadObject: code that is not whole."""
    begins = dict(_begins(layout))
    if len(begins) > _MAX_FUNCTIONS:
        raise BadObject(f"more than {_MAX_FUNCTIONS} functions")
    if sum(symbol.size for symbol in begins.values()) > 8 * _MAX_INSTRUCTIONS:
        raise BadObject(f"more than {_MAX_INSTRUCTIONS} instructions")
    names = {place: symbol.name for place, symbol in begins.items()}
    found: dict[str, Function] = {}
    for (at, begin), symbol in begins.items():
        if symbol.name in found:
            raise BadObject(f"it has two functions called {symbol.name}")
        found[symbol.name] = _Reader(layout, extra, names, at, begin, symbol).function()
    return found


def _begins(layout: Layout) -> Iterator[tuple[tuple[int, int], Symbol]]:
    """(section, offset) -> the symbol of the function that begins there."""
    known = [s for s in layout.symbols if s.kind == elf.FUNC and 0 < s.section < len(layout.sections)]
    for symbol in sorted(known, key=lambda s: (s.section, s.value)):
        section = layout.sections[symbol.section]
        if not section.is_code:
            continue
        if symbol.value % 8 or symbol.size % 8 or not symbol.size or symbol.value + symbol.size > len(section.data):
            raise BadObject(f"function {symbol.name!r} is not whole in section {section.name!r}")
        yield (symbol.section, symbol.value), symbol


@dataclass(slots=True)
class _Reader:
    layout: Layout
    extra: Extra
    names: dict[tuple[int, int], str]
    at: int  # index of the section
    begin: int
    symbol: Symbol
    calls: list[Call] = field(default_factory=list)
    callees: list[str] = field(default_factory=list)
    timers: list[str] = field(default_factory=list)
    externs: dict[int, str] = field(default_factory=dict)
    exists: dict[int, str] = field(default_factory=dict)

    @property
    def section(self) -> Section:
        return self.layout.sections[self.at]

    def function(self) -> Function:
        code = _instructions(self.section.data[self.begin : self.begin + self.symbol.size])
        relocated = self._relocated(len(code))
        self._walk(code, relocated)
        return Function(
            name=self.symbol.name,
            section=self.section.name,
            code=code,
            calls=tuple(self.calls),
            callees=tuple(dict.fromkeys(name for name in self.callees if name not in self.timers)),
            timers=tuple(dict.fromkeys(self.timers)),
            externs=self.externs,
            exists=self.exists,
            relocated=frozenset(relocated),
            place=self.extra.place(self.section.name, self.begin, self.begin),
        )

    def _relocated(self, count: int) -> set[int]:
        asked = self.extra.relocations.get(self.section.name, {})
        for at in range(count):
            kind, path = asked.get(self.begin + 8 * at, (-1, ""))
            if kind in _EXISTS:
                self.exists[at] = f"{_EXISTS[kind]} {path}"
        linked = self.layout.relocations.get(self.at, {})
        return {at for at in range(count) if self.begin + 8 * at in asked or self.begin + 8 * at in linked}

    def _walk(self, code: tuple[Instruction, ...], relocated: set[int]) -> None:
        registers = nothing()
        arrivals = jump_targets(code)
        second = False
        for at, one in enumerate(code):
            if second:
                second = False
                continue
            if at in arrivals:
                registers = nothing()
            if one.op == LOAD64:
                second = True
                high = code[at + 1].imm if at + 1 < len(code) else 0
                registers[one.dst] = self._loaded(at, one.imm & HALF | (high & HALF) << 32)
            elif one.op == CALL:
                self._call(at, one, registers[1:6])
                after_call(registers)
            else:
                step(registers, one)
                if at in relocated and one.op & 7 in (4, 7):
                    registers[one.dst] = Known()

    def _loaded(self, at: int, value: int) -> Known:
        symbol = self.layout.relocations.get(self.at, {}).get(self.begin + 8 * at)
        if symbol is None:
            asked = self.begin + 8 * at in self.extra.relocations.get(self.section.name, {})
            return Known() if asked else constant(value)
        if symbol.section == elf.UNDEFINED:
            self.externs[at] = symbol.name
        name = self.names.get((symbol.section, symbol.value + (value & HALF)), "")
        if name:
            self.callees.append(name)
        return Known(function=name)

    def _call(self, at: int, one: Instruction, arguments: list[Known]) -> None:
        kind, name = self._called(at, one)
        if kind == "function":
            self.callees.append(name)
        if name in _LATER:
            self.timers += [known.function for known in arguments if known.function]
        self.calls.append(
            Call(
                at=at,
                kind=kind,
                name=name,
                args=tuple(known.value for known in arguments),
                bits=tuple(known.bits for known in arguments),
                place=self.extra.place(self.section.name, self.begin + 8 * at, self.begin),
            )
        )

    def _called(self, at: int, one: Instruction) -> tuple[str, str]:
        symbol = self.layout.relocations.get(self.at, {}).get(self.begin + 8 * at)
        if symbol is not None and symbol.section == elf.UNDEFINED:
            return "kfunc", symbol.name
        if symbol is not None:
            inside = 0 if symbol.kind == elf.FUNC else (one.imm + 1) * 8
            return "function", self.names.get((symbol.section, symbol.value + inside), "?")
        if one.src == 1:
            return "function", self.names.get((self.at, self.begin + 8 * (at + 1 + one.imm)), "?")
        return ("helper", helper_name(one.imm)) if one.src == 0 else ("kfunc", "?")


def _instructions(data: bytes) -> tuple[Instruction, ...]:
    rows = struct.iter_unpack("<BBhi", data)
    return tuple(Instruction(op, registers & 15, registers >> 4, off, imm) for op, registers, off, imm in rows)
