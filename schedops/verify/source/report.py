"""How rules are declared and findings are made."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from schedops.model.verification import Finding, Place
from schedops.verify.rule import Rule
from schedops.verify.source.model import Function, Model
from schedops.verify.source.tree import Node
from schedops.verify.stages import SOURCE

ERROR, WARNING, NOTE = "error", "warning", "note"

Findings = Iterator[Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """Rules that are looked for together, and how."""

    rules: tuple[Rule, ...]
    find: Callable[[Model], Findings]


def rule(
    id: str,  # noqa: A002 - it is the rule's id
    level: str,
    title: str,
    *,
    why: str,
    fix: str,
    source: str,
    bad: str,
    good: str,
) -> Rule:
    """A rule of the source stage; texts may be indented as the code around them is."""
    return Rule(
        id=id,
        level=level,
        stage=SOURCE,
        title=title,
        why=_plain(why),
        fix=_plain(fix),
        source=_plain(source),
        bad=_code(bad),
        good=_code(good),
    )


def _code(text: str) -> str:
    """With tabs, as the kernel's style wants it; in Python's source they are four blanks."""
    return re.sub(r"^(?: {4})+", lambda blanks: "\t" * (len(blanks[0]) // 4), _plain(text), flags=re.MULTILINE) + "\n"


def _plain(text: str) -> str:
    return textwrap.dedent(text).strip()


def found(rule: Rule, at: Node | Place, text: str, advice: str = "", *, level: str = "") -> Finding:
    """A finding. In code that is compiled only sometimes nothing is sure, so there it is a warning."""
    level = level or rule.level
    if isinstance(at, Node):
        if level == ERROR and at.conditional:
            level = WARNING
        at = at.place
    return Finding(rule=rule.id, level=level, text=_printable(text), place=at, advice=_printable(advice))


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def softened(finding: Finding, level: str) -> Finding:
    """The same at another level."""
    return replace(finding, level=level)


def via(model: Model, function: Function, members: tuple[str, ...] = ()) -> str:
    """`ops.enqueue()`, or `ops.enqueue() through put()` for a helper."""
    reaching = [one for one in model.members_reaching(function) if not members or one in members]
    if not reaching:
        return f"{function.name}()"
    direct = function in model.callbacks.get(reaching[0], [])
    return f"ops.{reaching[0]}()" if direct else f"ops.{reaching[0]}() through {function.name}()"


def listed(names: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
