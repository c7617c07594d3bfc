"""What is not the same in the objects that one source gives for several kernels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from schedops.model.verification import Finding, Place
from schedops.verify.object.facts import Function, Instruction, ObjectFacts
from schedops.verify.object.values import LOAD64

_MOST = 8
_ADVICE = (
    "Nothing to do while every kernel gets its own object. One object for all of them has to ask the kernel: "
    "`bpf_core_enum_value(enum scx_enq_flags, SCX_ENQ_HEAD)`."
)


def differences(objects: Mapping[str, ObjectFacts]) -> tuple[Finding, ...]:
    """Notes on constants, callbacks and kfuncs that differ between the first kernel's object and each other one.

    :param objects: name of a kernel -> the object that was compiled for it. The same object everywhere gives none.
    """
    names = list(objects)
    found: dict[tuple[str, str], Finding] = {}
    for name in names[1:]:
        for finding in _between((names[0], objects[names[0]]), (name, objects[name])):
            found.setdefault((finding.text, str(finding.place)), finding)
    return tuple(found.values())


def _between(one: tuple[str, ObjectFacts], other: tuple[str, ObjectFacts]) -> Iterator[Finding]:
    (first, mine), (second, theirs) = one, other
    if mine == theirs:
        return
    yield from _code(one, other)
    if mine.ops_flags != theirs.ops_flags:
        yield _note(f"ops.flags is {mine.ops_flags:#x} for {first} and {theirs.ops_flags:#x} for {second}", None)
    for what, left, right in _sets(mine, theirs):
        only = [f"{', '.join(sorted(names)[:_MOST])} only for {kernel}" for kernel, names in
                ((first, left - right), (second, right - left)) if names]  # fmt: skip
        if only:
            yield _note(f"{what}: {'; '.join(only)}", None)


def _sets(mine: ObjectFacts, theirs: ObjectFacts) -> Iterator[tuple[str, set[str], set[str]]]:
    yield "callbacks", {member for member, _ in mine.callbacks}, {member for member, _ in theirs.callbacks}
    yield "kfuncs", {one.name for one in mine.kernel_functions}, {one.name for one in theirs.kernel_functions}
    yield "functions", set(mine.functions), set(theirs.functions)


def _code(one: tuple[str, ObjectFacts], other: tuple[str, ObjectFacts]) -> Iterator[Finding]:
    (first, mine), (second, theirs) = one, other
    names = {value: name for name, value in mine.enums.items() if theirs.enums.get(name, value) != value}
    for function in mine.functions.values():
        twin = theirs.functions.get(function.name)
        if twin is None or function.code == twin.code:
            continue
        if not _alike(function, twin):
            yield _note(f"{function.name}() is compiled to other instructions for {first} and {second}", function.place)
            continue
        for at, left, right in list(_constants(function, twin))[:_MOST]:
            name = f" ({names[left]})" if left in names else ""
            text = f"{function.name}() uses the constant {left:#x} for {first} and {right:#x} for {second}{name}"
            yield _note(text, _place(function, at))


def _alike(one: Function, other: Function) -> bool:
    def shape(code: tuple[Instruction, ...]) -> list[tuple[int, int, int]]:
        return [(each.op, each.dst, each.src) for each in code]

    return shape(one.code) == shape(other.code)


def _constants(one: Function, other: Function) -> Iterator[tuple[int, int, int]]:
    """(instruction, value, other value) of constants that no loader writes; jumps are told by where they go."""
    for at, (left, right) in enumerate(zip(one.code, other.code, strict=True)):
        if at in one.relocated or left.imm == right.imm or left.op & 7 not in (0, 2, 4, 5, 6, 7):
            continue
        if at and one.code[at - 1].op == LOAD64:
            if at - 1 not in one.relocated and one.code[at - 1].imm == other.code[at - 1].imm:
                yield at, (left.imm & 0xFFFFFFFF) << 32, (right.imm & 0xFFFFFFFF) << 32
        else:
            yield at, left.imm & 0xFFFFFFFF, right.imm & 0xFFFFFFFF


def _place(function: Function, at: int) -> Place | None:
    """Of the first call after the constant, which it most likely is for; else the function's."""
    return next((call.place for call in function.calls if call.at >= at), function.place)


def _note(text: str, place: Place | None) -> Finding:
    return Finding(rule="ENUM-DRIFT", level="note", text=text, place=place, advice=_ADVICE)
