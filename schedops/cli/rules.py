"""``schedops verify --explain`` and ``--rules``: what the rules say of themselves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from schedops.errors import InputError
from schedops.report.envelope import Answer
from schedops.report.rulebook import index, listing, page, page_address
from schedops.verify.rules import all_rules, find_rule, nearest


def explained(wanted: str) -> Answer:
    """One rule's page. :raises InputError: ``unknown-rule`` with the nearest ids."""
    rule = find_rule(wanted)
    if rule is None:
        close = nearest(wanted)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        text = f"there is no rule {wanted[:100]!r}"
        raise InputError("unknown-rule", text, hint=f"{hint}`schedops verify --rules` names them all")
    return Answer({**asdict(rule), "address": page_address(rule.id)}, page(rule).rstrip("\n"))


def listed() -> Answer:
    """All rules."""
    rules = all_rules().values()
    return Answer([{**asdict(rule), "address": page_address(rule.id)} for rule in rules], listing(rules))


def written(folder: Path) -> Answer:
    """Every page into *folder*; pages of rules that are no more go."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {f"{rule.id}.md": page(rule) for rule in all_rules().values()}
    pages["README.md"] = index(all_rules().values())
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    stale = [path for path in folder.glob("*.md") if path.name not in pages]
    for path in stale:
        path.unlink()
    return Answer({"written": len(pages), "removed": len(stale)}, f"{folder}: {len(pages)} pages")
