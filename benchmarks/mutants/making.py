"""Good policies to mutants, in an order that only the seed decides and that mixes operators and policies."""

from __future__ import annotations

import difflib
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from labels import ROOT, read_labels

from mutants.operators import OPERATORS
from mutants.syntax import parse
from schedops.model.policy import PolicySource
from schedops.repository import load_policies


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of one good policy. *digest*: of everything that would be compiled."""

    policy: str
    operator: str
    file: str
    line: int
    what: str
    digest: str
    source: PolicySource
    diff: str


def originals() -> tuple[tuple[str, PolicySource], ...]:
    """The library and the good policies of both corpora."""
    library = [(f"library/{one.policy.name}", one) for one in load_policies(ROOT)]
    return (*library, *((one.name, one.source()) for one in read_labels() if one.good))


def mutants(seed: int, policies: Sequence[tuple[str, PolicySource]]) -> Iterator[Mutant]:
    """All of them: in turn one of each operator, policies in an order of chance."""
    chance = random.Random(seed)
    by_operator: dict[str, list[Mutant]] = {name: [] for name, _ in OPERATORS}
    seen: set[str] = set()
    for name, source in policies:
        for made in _all(name, source):
            if made.digest not in seen:
                seen.add(made.digest)
                by_operator[made.operator].append(made)
    for some in by_operator.values():
        chance.shuffle(some)
    while any(by_operator.values()):
        for some in by_operator.values():
            if some:
                yield some.pop()


def _all(name: str, source: PolicySource) -> Iterator[Mutant]:
    yield from _of_text(name, source, source.policy.source, source.text, None)
    for number, (header, text) in enumerate(source.headers):
        if name.startswith("library/") and header == "fair.h" and f'"{header}"' in source.text:
            yield from _of_text(name, source, header, text, number)


def _of_text(name: str, source: PolicySource, file: str, text: str, header: int | None) -> Iterator[Mutant]:
    parsed = parse(text)
    for operator, edits in OPERATORS:
        for edit in edits(parsed):
            new = parsed.edited(edit)
            changed = _with(source, header, new)
            yield Mutant(
                policy=name,
                operator=operator,
                file=file,
                line=parsed.line(edit.start),
                what=edit.what,
                digest=_digest(changed),
                source=changed,
                diff=_diff(file, text, new),
            )


def _with(source: PolicySource, header: int | None, new: str) -> PolicySource:
    if header is None:
        return replace(source, text=new)
    headers = list(source.headers)
    headers[header] = (headers[header][0], new)
    return replace(source, headers=tuple(headers))


def _digest(source: PolicySource) -> str:
    parts = (source.policy.name, source.text, *(f"{name}\0{text}" for name, text in source.headers))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _diff(file: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), file, file, lineterm="", n=1)
    return "\n".join(lines)
