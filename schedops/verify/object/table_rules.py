"""Rules on the ops table and on what else is in the object."""

from __future__ import annotations

import re
from collections.abc import Iterator

from schedops.model.kernel import KernelApi
from schedops.model.policy import Policy
from schedops.model.verification import Finding
from schedops.verify.object.facts import Function, ObjectFacts, OpsTable

MAY_SLEEP = frozenset(
    """
    init_task cgroup_init cgroup_exit cgroup_prep_move cgroup_set_bandwidth cpu_online cpu_offline init exit
    init_cids sub_attach sub_detach
    """.split()  # noqa: SIM905 - to be read
)
# sched-ext/scx's headers of 7.3 bring such a program: it is called once, when a scheduler registers, and asks there
# whether the trampoline disables migration. Our loader does not attach it.
_AT_REGISTRATION = "fentry/bpf_scx_reg"
_OF_CIDS = "sched_ext_ops_cid"
_OTHERS = "A policy has the programs of its ops table, functions they call, and timer callbacks; no others."
_REMOVE = f"{_OTHERS} Remove it, or have a person review what it sees and does: no stage judges it."
_LICENCES = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
_NAME = re.compile(r"[A-Za-z0-9_.]+")
_MAX_TIMEOUT_MS = 30_000
_MAX_BATCH = (1 << 31) - 1
_ENQ_LAST, _PARTIAL = 1 << 1, 1 << 3
# Without a kernel: every flag that one of Linux 6.12 to 7.3 knows.
_ANY_FLAGS = 0x101FF


def of_object(facts: ObjectFacts) -> Iterator[Finding]:
    """Licence, programs that are none of a scheduler, number of tables."""
    if facts.licence not in _LICENCES:
        said = "says no licence" if facts.licence is None else f"says its licence is {facts.licence!r}"
        text = f"the object {said}, and the kernel lets only GPL-compatible programs schedule tasks"
        yield _error("OBJ-LICENCE", text, advice='`char _license[] SEC("license") = "GPL";`')
    for function in facts.functions.values():
        yield from _extra(function)
    tables = [table for table in facts.struct_ops_maps if table.type_name.split("___")[0] == "sched_ext_ops"]
    others = [table for table in facts.struct_ops_maps if table not in tables]
    cids = [table for table in others if table.type_name.split("___")[0] == _OF_CIDS]
    if len(tables) != 1 and not cids:
        many = ", ".join(table.variable for table in tables) or "none"
        advice = 'one `SEC(".struct_ops.link") struct sched_ext_ops x = {...};`'
        yield _error(
            "OBJ-OPS", f"a policy has one table of sched_ext_ops, this object has {len(tables)} ({many})", advice
        )
    for table in cids:
        text = f"{table.variable} is a scheduler by CPU ids of its own (struct {_OF_CIDS}, Linux 7.3): it is not judged"
        yield _error(
            "OBJ-OPS", text, "A table of struct sched_ext_ops is judged and loaded; this one only its text was."
        )
    for table in others:
        if table in cids:
            continue
        yield _error("OBJ-OPS", f"{table.variable} is a table of {table.type_name}, which no scheduler needs")


def of_table(facts: ObjectFacts, ops: OpsTable, policy: Policy, api: KernelApi | None) -> Iterator[Finding]:
    """Name, flags, numbers and callbacks of the only table."""
    yield from _name(ops)
    yield from _flags(ops, policy, api)
    yield from _numbers(ops)
    for member, program in ops.callbacks:
        function = facts.functions.get(program)
        if function is None:
            yield _error("OBJ-OPS", f"ops.{member} is {program}, which is no program of this object")
        elif function.sleepable and member not in MAY_SLEEP:
            text = f"ops.{member}() runs with the run queue locked, but {program} is a program that may sleep"
            yield _error("SLEEPABLE-OP", text, f'`SEC("struct_ops/{program}")`, without `.s`', function)


def _extra(function: Function) -> Iterator[Finding]:
    section = function.section
    kind = section.lstrip("?").split("/")[0]
    if kind in ("struct_ops", "struct_ops.s", ".text"):
        return
    # A program of type syscall has no hook: it runs when its owner asks for it. `?`: the loader has to ask for it.
    level = "warning" if kind == "syscall" or section.startswith("?") else "error"
    if section == _AT_REGISTRATION:
        level = "note"
    text = f"{function.name} is a program of section {section!r}: it runs outside of scheduling, unjudged"
    yield Finding(
        rule="OBJ-EXTRA-PROG",
        level=level,
        text=text,
        place=function.place,
        advice=_REMOVE if level == "error" else _OTHERS,
    )


def _name(ops: OpsTable) -> Iterator[Finding]:
    advice = "1 to 127 of the characters A-Z a-z 0-9 _ and ."
    if ops.name is None:
        yield _error("NAME", "ops.name has no end: it is longer than 127 characters", advice)
    elif not ops.name:
        yield _error("NAME", "ops.name is empty: the kernel refuses the policy with -EINVAL and no message", advice)
    elif not _NAME.fullmatch(ops.name):
        text = f"ops.name {ops.name!a} has characters that the kernel refuses with -EINVAL and no message"
        yield _error("NAME", text, advice)


def _flags(ops: OpsTable, policy: Policy, api: KernelApi | None) -> Iterator[Finding]:
    flags = ops.numbers.get("flags", 0)
    known = known_flags(api)
    if unknown := flags & ~known:
        text = f"ops.flags has {unknown:#x}, and this kernel knows {known:#x} only: attaching ends in -EINVAL"
        yield _error("FLAGS", text, "Set only SCX_OPS_ flags that every target kernel has.")
    if flags & _ENQ_LAST and "enqueue" not in dict(ops.callbacks):
        text = "SCX_OPS_ENQ_LAST without ops.enqueue(): the kernel refuses it, and attaching reports success"
        yield _error("ENQ-LAST", text, "Implement enqueue, or leave the flag out.")
    if flags & _PARTIAL and not policy.capabilities.partial:
        text = "SCX_OPS_SWITCH_PARTIAL: tasks of the normal class are not scheduled by this policy"
        yield _error("PARTIAL", text, "Leave the flag out, or declare the capability `partial`.")


def known_flags(api: KernelApi | None) -> int:
    """All bits of ``ops.flags`` that the kernel accepts."""
    enums = dict(api.enums) if api is not None else {}
    if "SCX_OPS_ALL_FLAGS" in enums:
        return enums["SCX_OPS_ALL_FLAGS"]
    found = 0
    for name, value in enums.items():
        found |= value if name.startswith("SCX_OPS_") else 0
    return found or _ANY_FLAGS


def _numbers(ops: OpsTable) -> Iterator[Finding]:
    timeout_ms = ops.numbers.get("timeout_ms", 0)
    if timeout_ms > _MAX_TIMEOUT_MS:
        text = f"ops.timeout_ms is {timeout_ms}, more than {_MAX_TIMEOUT_MS}: the kernel refuses the policy with -E2BIG"
        yield _error("TIMEOUT-RANGE", text, "5000 is enough for a policy that loses no task.")
    batch = ops.numbers.get("dispatch_max_batch", 0)
    if batch > _MAX_BATCH:
        text = f"ops.dispatch_max_batch is {batch:#x}, more than INT_MAX: the kernel refuses the policy with -E2BIG"
        yield _error("OBJ-BATCH", text, "0 stands for 32.")
    elif batch > 1 << 12:
        text = f"ops.dispatch_max_batch is {batch}: the kernel allocates {batch * 24 >> 10} KiB for it on every CPU"
        yield Finding(rule="OBJ-BATCH", level="warning", text=text, advice="0 stands for 32.")


def _error(rule: str, text: str, advice: str = "", function: Function | None = None) -> Finding:
    place = function.place if function is not None else None
    return Finding(rule=rule, level="error", text=text, place=place, advice=advice)
