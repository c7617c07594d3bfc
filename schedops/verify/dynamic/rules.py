"""All rules that are reported from a kernel: compiling, loading, being in charge, load, leaving."""

from __future__ import annotations

from schedops.verify.dynamic import rules_charge, rules_load
from schedops.verify.rule import Rule

RULES: tuple[Rule, ...] = (*rules_charge.RULES, *rules_load.RULES)
