"""Every rule's own examples: the bad one breaks this rule and no other, the good one none."""

from __future__ import annotations

import pytest

from schedops.verify.source.check import check_source
from schedops.verify.source.rules import RULES
from tests.verify.source.sources import source

# What a policy must declare for a rule to ask, and who must have written it for it to be an error.
DECLARED = {"FAIR-NO-WEIGHT": ("weights",), "PREV-IGNORED": ("weights",), "HOTPLUG-EMPTY": ("hotplug",)}
AUTHOR = {"LABEL-LEAK": "agent"}


def _findings(rule, text):
    return check_source(source(text, *DECLARED.get(rule.id, ()), author=AUTHOR.get(rule.id, "human")))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bad_example_breaks_the_rule_and_no_other(rule):
    findings = _findings(rule, rule.bad)

    assert rule.level in {finding.level for finding in findings if finding.rule == rule.id}
    assert {finding.rule for finding in findings if finding.level == "error"} <= {rule.id}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_good_example_is_good(rule):
    findings = _findings(rule, rule.good)

    assert [finding for finding in findings if finding.level == "error" or finding.rule == rule.id] == []


def test_ids_are_unique():
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_page_says_everything(rule):
    assert all((rule.title, rule.why, rule.fix, rule.source))
    assert not rule.title.endswith(".")
