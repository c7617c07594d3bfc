"""What a rule is: its id, how sure it is, and everything that its page says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. The page in ``docs/rules/`` is made from this and from nothing else.

    :param id: upper case with dashes, such as ``DSQ-NOT-CONSUMED``.
    :param level: the highest it reports: error (right on every good policy we know) | warning (a suspicion) | note.
    :param stage: where it shows, one of :mod:`schedops.verify.stages`.
    :param title: one line, no full stop.
    :param why: what happens to tasks or to the kernel, with the fact behind it; Markdown, paragraphs.
    :param fix: what to do; Markdown.
    :param source: where the fact comes from: a kernel file with version or commit, or what was measured where.
    :param bad: C that breaks the rule, complete enough to be checked by it; empty for rules about behaviour.
    :param good: the same, mended.
    """

    id: str
    level: str
    stage: str
    title: str
    why: str
    fix: str
    source: str
    bad: str = ""
    good: str = ""
