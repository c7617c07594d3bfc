"""All rules on one object, for one kernel."""

from __future__ import annotations

from collections.abc import Iterator

from schedops.model.kernel import KernelApi
from schedops.model.policy import Policy
from schedops.model.verification import Finding
from schedops.verify.object import compat_rules, context_rules, cost_rules, drift_rules, security_rules, table_rules
from schedops.verify.object.contexts import contexts
from schedops.verify.object.facts import ObjectFacts
from schedops.verify.object.rulebook import RULES, SHARED

__all__ = ["RULES", "SHARED", "check_object"]

_MAX_OF_ONE_RULE = 20  # a hostile object breaks one rule ten thousand times
_LEVELS = ("error", "warning", "note")


def check_object(facts: ObjectFacts, policy: Policy, api: KernelApi | None) -> tuple[Finding, ...]:
    """What rules find in an object, errors first.

    :param policy: what it declares decides what is allowed.
    :param api: what the kernel it is for offers; without, nothing is said of kernels.
    """
    found: dict[str, list[Finding]] = {}
    for finding in _all(facts, policy, api):
        others = found.setdefault(finding.rule, [])
        if finding not in others and len(others) < _MAX_OF_ONE_RULE:
            others.append(finding)
    return tuple(sorted((one for many in found.values() for one in many), key=lambda one: _LEVELS.index(one.level)))


def _all(facts: ObjectFacts, policy: Policy, api: KernelApi | None) -> Iterator[Finding]:
    where = contexts(facts)
    live = compat_rules.live(facts, api) if api is not None else None
    yield from table_rules.of_object(facts)
    yield from security_rules.of_calls(facts, where)
    yield from security_rules.of_fields(facts)
    yield from context_rules.of_contexts(facts, where, live)
    yield from context_rules.of_loops(facts, where)
    yield from cost_rules.of_maps(facts)
    yield from drift_rules.of_variables(facts)
    if api is not None:
        yield from compat_rules.of_kfuncs(facts, api)
        yield from drift_rules.of_flags(facts, api, live)
        yield from drift_rules.of_header(facts, api)
    if (ops := facts.ops) is not None:
        yield from table_rules.of_table(facts, ops, policy, api)
        yield from cost_rules.of_batch(facts, ops)
        if api is not None:
            yield from compat_rules.of_members(ops, api)
