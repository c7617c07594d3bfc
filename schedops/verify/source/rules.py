"""The rules of the source stage, collected."""

from __future__ import annotations

from schedops.verify.rule import Rule
from schedops.verify.source import (
    rules_calls,
    rules_conduct,
    rules_cpus,
    rules_custody,
    rules_idle,
    rules_kicks,
    rules_loops,
    rules_pointers,
    rules_queues,
    rules_security,
    rules_table,
    rules_vtime,
)
from schedops.verify.source.pages_limits import LIMIT
from schedops.verify.source.report import Check

CHECKS: tuple[Check, ...] = (
    *rules_calls.CHECKS,
    *rules_conduct.CHECKS,
    *rules_cpus.CHECKS,
    *rules_custody.CHECKS,
    *rules_idle.CHECKS,
    *rules_kicks.CHECKS,
    *rules_loops.CHECKS,
    *rules_pointers.CHECKS,
    *rules_queues.CHECKS,
    *rules_security.CHECKS,
    *rules_table.CHECKS,
    *rules_vtime.CHECKS,
)

_ALL = (LIMIT, *(rule for check in CHECKS for rule in check.rules))
RULES: tuple[Rule, ...] = tuple(sorted(_ALL, key=lambda rule: rule.id))
