"""Rules on struct sched_ext_ops."""

from __future__ import annotations

import re

from schedops.verify.source.builtins import KNOWN_FLAGS, SLEEPABLE
from schedops.verify.source.model import Model, Table
from schedops.verify.source.pages_table import (
    ENQ_LAST,
    EXIT_INFO,
    FLAGS,
    NAME,
    NO_TIMEOUT,
    PARTIAL,
    SLEEPABLE_OP,
    TIMEOUT,
)
from schedops.verify.source.report import Check, Findings, found
from schedops.verify.source.values import constant

_VALID_NAME = re.compile(r"[A-Za-z0-9_.]{1,127}")
_MAX_TIMEOUT_MS = 30_000


def _find(model: Model) -> Findings:
    for table in model.tables:
        yield from _timeout(model, table)
        yield from _name(table)
        yield from _flags(model, table)
        if "exit" not in table.members:
            yield found(
                EXIT_INFO, table.node, "there is no ops.exit(), so the reason of an ejection is only in the kernel log"
            )
    for member, functions in model.callbacks.items():
        for function in functions:
            if member not in SLEEPABLE and function.section.lstrip("?").startswith("struct_ops.s"):
                text = (
                    f"{function.name}() is in {function.section.split('/')[0]}, but ops.{member}() must not sleep: "
                    "the kernel refuses to load it"
                )
                yield found(SLEEPABLE_OP, function.named, text, f'SEC("struct_ops/{function.name}")')


def _timeout(model: Model, table: Table) -> Findings:
    value = constant(model, table.members.get("timeout_ms"))
    if "timeout_ms" not in table.members or value == 0:
        text = "no timeout_ms: a task that never runs is noticed after 30 s only"
        yield found(NO_TIMEOUT, table.at("timeout_ms"), text, "set .timeout_ms = 5000")
    elif value is not None and not 0 < value <= _MAX_TIMEOUT_MS:
        text = f"timeout_ms is {value}, the kernel takes {_MAX_TIMEOUT_MS} at most: registration fails"
        yield found(TIMEOUT, table.at("timeout_ms"), text, f".timeout_ms = {_MAX_TIMEOUT_MS} or less")


def _name(table: Table) -> Findings:
    value = table.members.get("name")
    if value is None:
        yield found(
            NAME, table.node, "ops.name is missing: the kernel refuses a scheduler without a name", 'set .name = "…"'
        )
    elif value.kind == "string_literal" and not _VALID_NAME.fullmatch(value.text[1:-1]):
        text = (
            f"ops.name is {value.shown}: the kernel takes only letters, digits, _ and . and refuses this without a "
            "message"
        )
        yield found(NAME, table.at("name"), text, "use an identifier")


def _flags(model: Model, table: Table) -> Findings:
    flags = constant(model, table.members.get("flags"))
    if flags is None:
        return
    at = table.at("flags")
    unknown = flags & ~KNOWN_FLAGS & ((1 << 64) - 1)
    if unknown:
        bits = ", ".join(str(bit) for bit in range(64) if unknown >> bit & 1)
        text = f"ops.flags has bit {bits} set, which no kernel knows: registration fails without a message"
        yield found(FLAGS, at, text, "use SCX_OPS_* enumerators")
    if flags & 2 and "enqueue" not in table.members:
        text = (
            "SCX_OPS_ENQ_LAST is set and there is no ops.enqueue(): the kernel refuses the scheduler, though "
            "attaching reports success"
        )
        yield found(ENQ_LAST, at, text, "drop the flag or implement ops.enqueue()")
    if flags & 8 and not model.source.policy.capabilities.partial:
        text = (
            "SCX_OPS_SWITCH_PARTIAL: the policy schedules only tasks that ask for SCHED_EXT, all others never reach it"
        )
        yield found(PARTIAL, at, text, "drop the flag, or declare the capability `partial`")


CHECKS = (Check((TIMEOUT, NO_TIMEOUT, NAME, FLAGS, ENQ_LAST, PARTIAL, EXIT_INFO, SLEEPABLE_OP), _find),)
