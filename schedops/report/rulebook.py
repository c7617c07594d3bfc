"""Rules as people read them: a page in Markdown, a table of all, and the few words that go beside a finding. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from schedops.report.table import WIDTH, table

PAGES = "https://github.com/schedops/schedops/blob/main/docs/rules/"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"(])")
_LEVELS = {
    "error": "error: the policy does not pass",
    "warning": "warning: a suspicion, the policy may still pass",
    "note": "note: for your information, the policy may still pass",
}


class RuleWords(Protocol):
    """What a rule says of itself; :class:`schedops.verify.rule.Rule` does."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102
    @property
    def fix(self) -> str: ...  # noqa: D102
    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def bad(self) -> str: ...  # noqa: D102
    @property
    def good(self) -> str: ...  # noqa: D102


_MOVED = "kernel/sched/ext.c"
_NOW = "In Linux 7.3 this file is `kernel/sched/ext/ext.c`, and a function written `[scx_]f()` has that prefix."


def page(rule: RuleWords) -> str:
    """The rule's page, ending in a newline; the one in ``docs/rules/`` and the one of ``--explain``."""
    parts = [
        f"# {rule.id}: {rule.title}",
        f"Level: {_LEVELS.get(rule.level, rule.level)}  \nStage: {rule.stage}",
        f"## What happens\n\n{rule.why.strip()}",
    ]
    if rule.bad:
        parts.append(f"## Bad\n\n```c\n{rule.bad.strip()}\n```")
    if rule.good:
        parts.append(f"## Good\n\n```c\n{rule.good.strip()}\n```")
    source = rule.source.strip()
    if _MOVED in source:
        source += "\n\n" + _NOW
    parts += [f"## What to do\n\n{rule.fix.strip()}", f"## Where this comes from\n\n{source}"]
    return "\n\n".join(parts) + "\n"


def index(rules: Iterable[RuleWords]) -> str:
    """``docs/rules/README.md``: every rule with a link to its page, by stage."""
    rows = [f"| [{rule.id}]({rule.id}.md) | {rule.level} | {rule.stage} | {_cell(rule.title)} |" for rule in rules]
    head = (
        "# The rules of `schedops verify`\n\n"
        "`schedops verify --explain RULE` prints a page, `schedops verify --rules` this table. The pages are made\n"
        "from the rules in the code by `schedops verify --rules --write-docs docs/rules`; a test holds them equal.\n\n"
        "An error keeps a policy from passing. A warning is a suspicion: what comes of it shows when it runs.\n\n"
        "| rule | level | stage | what it finds |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def listing(rules: Iterable[RuleWords]) -> str:
    """All rules as a table for a terminal; no final newline."""
    rows = [(rule.id, rule.level, rule.stage, f"{rule.title} ({_one_line(rule.source)})") for rule in rules]
    return table(("RULE", "LEVEL", "STAGE", "WHAT IT FINDS (SOURCE)"), rows, width=WIDTH + 20)


def in_short(markdown: str, *, sentences: int = 2) -> str:
    """The first sentences of the first paragraph, as one line."""
    first = " ".join(markdown.strip().split("\n\n")[0].split())
    return " ".join(_SENTENCE_END.split(first)[:sentences])


def page_address(rule_id: str) -> str:
    """Where the page can be read."""
    return f"{PAGES}{rule_id}.md"


def _one_line(markdown: str) -> str:
    return " ".join(markdown.split()).removesuffix(".")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
