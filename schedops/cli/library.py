"""``schedops library``: what policies there are, what each is for, and what it loses on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from schedops.cli.common import answers, output_option
from schedops.model.policy import Capabilities, Policy, PolicySource
from schedops.proc import printable
from schedops.report.envelope import Answer
from schedops.report.table import paragraph, table
from schedops.repository import Tree, find_policy, load_policies, open_tree
from schedops.repository import search as find
from schedops.schema.decode import encode, fields_of


@click.group()
def library() -> None:
    """The policy library: list, show, search.

    Reads policies/ of the repository you are in; outside of one, the starter library that came with schedops.

    \b
    Example:
      schedops library search several builds
      schedops library show build-order
    """


@library.command("list")
@output_option
@answers("library list")
def list_() -> Answer:
    """Every policy with the workload classes it is meant for.

    \b
    Example:
      schedops library list
    """
    tree = _tree()
    sources = load_policies(tree.root)
    rows = [(p.name, ", ".join(p.classes), _capabilities(p), p.description) for p in (s.policy for s in sources)]
    text = table(("POLICY", "FOR", "HONOURS", "WHAT IT DOES"), rows) if rows else "the library is empty"
    return Answer({**_place(tree), "policies": [_entry(source) for source in sources]}, _with_place(tree, text))


@library.command()
@click.argument("name")
@click.option("--source", "with_source", is_flag=True, help="print the policy's code instead of its description")
@output_option
@answers("library show")
def show(*, name: str, with_source: bool) -> Answer:
    """One policy: what it does, its parameters, what it loses on.

    \b
    Example:
      schedops library show build-order
      schedops library show build-order --source
    """
    tree = _tree()
    source = find_policy(tree.root, name)
    data = {**_place(tree), "policy": _entry(source)}
    if with_source:
        return Answer({**data, "source": source.text}, printable(source.text.encode()).rstrip("\n"))
    return Answer(data, _page(source))


@library.command()
@click.argument("words", nargs=-1, required=True)
@output_option
@answers("library search")
def search(words: tuple[str, ...]) -> Answer:
    """Policies whose name, tags, classes or description have the words, best first.

    \b
    Example:
      schedops library search latency desktop
    """
    tree = _tree()
    sources = {source.policy.name: source for source in load_policies(tree.root)}
    hits = find([source.policy for source in sources.values()], words)
    rows = [(hit.policy.name, f"{hit.score:.2f}", ", ".join(hit.why), hit.policy.description) for hit in hits]
    text = table(("POLICY", "SCORE", "FOUND IN", "WHAT IT DOES"), rows) if rows else "no policy has these words"
    found = [{"policy": _entry(sources[hit.policy.name]), "score": hit.score, "why": list(hit.why)} for hit in hits]
    return Answer({**_place(tree), "hits": found}, _with_place(tree, text))


def _tree() -> Tree:
    return open_tree(Path.cwd())


def _place(tree: Tree) -> dict[str, Any]:
    return {"root": str(tree.root), "starter": tree.starter}


def _with_place(tree: Tree, text: str) -> str:
    return f"{text}\n\nstarter library of schedops; there is no policies/ here" if tree.starter else text


def _entry(source: PolicySource) -> dict[str, Any]:
    return {**encode(source.policy), "path": source.path}


def _capabilities(policy: Policy) -> str:
    held = policy.capabilities
    return ", ".join(name for name in fields_of(Capabilities) if getattr(held, name)) or "-"


def _page(source: PolicySource) -> str:
    policy, made = source.policy, source.policy.provenance
    base = f" from {made.base}" if made.base else ""
    facts = [
        ("for", ", ".join(policy.classes)),
        ("tags", ", ".join(policy.tags)),
        ("honours", _capabilities(policy)),
        ("needs", ", ".join(policy.requires) or "-"),
        ("made by", f"{made.author}, {made.pathway}{base}"),
        ("licence", policy.licence),
        ("source", source.path),
    ]
    parts = [
        policy.name,
        paragraph(policy.description, indent=2),
        table(facts[0], facts[1:], indent=2),
        _params(policy),
    ]
    loses = paragraph(policy.loses_when, indent=2)
    return "\n\n".join([*parts, f"LOSES WHEN\n{loses}"])


def _params(policy: Policy) -> str:
    if not policy.params:
        return "PARAMETERS\n  none"
    rows = [(p.name, p.type, str(p.default), f"{p.min}..{p.max}", p.unit, p.meaning) for p in policy.params]
    return "PARAMETERS\n" + table(("NAME", "TYPE", "DEFAULT", "RANGE", "UNIT", "MEANING"), rows, indent=2)
