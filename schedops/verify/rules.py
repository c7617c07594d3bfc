"""Every rule by its id. Rules are declared beside the code that reports them; they are read when first asked for."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from types import MappingProxyType

from schedops.verify.rule import Rule
from schedops.verify.stages import FULL

DECLARED_IN = (
    "schedops.verify.source.rules",
    "schedops.verify.object.check",
    "schedops.verify.simulated.rules",
    "schedops.verify.dynamic.rules",
    "schedops.verify.growth",
)


@functools.cache
def all_rules() -> Mapping[str, Rule]:
    """By id, in the order of the stages and of their ids. :raises ValueError: two rules have one id."""
    found: dict[str, Rule] = {}
    for module in DECLARED_IN:
        for rule in _declared(module):
            if rule.id in found:
                raise ValueError(f"{rule.id} is declared twice, the second time in {module}")
            found[rule.id] = rule
    ordered = sorted(found.values(), key=lambda rule: (FULL.index(rule.stage), rule.id))
    return MappingProxyType({rule.id: rule for rule in ordered})


def find_rule(wanted: str) -> Rule | None:
    """The rule of that id, however it is written (``dsq-mixed``, ``DSQ_MIXED``)."""
    return all_rules().get(wanted.strip().upper().replace("_", "-"))


def nearest(wanted: str) -> tuple[str, ...]:
    """Ids that somebody who typed *wanted* may have meant, best first."""
    import difflib  # noqa: PLC0415 - only when somebody mistyped

    known = tuple(all_rules())
    word = wanted.strip().upper().replace("_", "-")
    holding = [rule_id for rule_id in known if word and word in rule_id]
    return tuple(dict.fromkeys((*difflib.get_close_matches(word, known, n=3), *holding)))[:5]


def _declared(module: str) -> tuple[Rule, ...]:
    try:
        rules: tuple[Rule, ...] = importlib.import_module(module).RULES
    except ModuleNotFoundError:
        return ()
    return rules
