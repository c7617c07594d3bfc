"""``schedops library``: what policies there are, what each is for, and what it loses on."""

from __future__ import annotations

from typing import Any

import click

from schedops.cli.common import Group, answers, output_option
from schedops.cli.library_history import history, promote, retire
from schedops.cli.library_import import import_
from schedops.cli.library_record import record
from schedops.cli.library_search import search
from schedops.cli.library_tree import place_data, tree_here, with_place
from schedops.model.policy import Capabilities, Policy, PolicySource
from schedops.proc import printable
from schedops.report.envelope import Answer
from schedops.report.table import paragraph, table
from schedops.schema.decode import encode, fields_of


@click.group(cls=Group)
def library() -> None:
    """The policy library: list, show, search; what came of its policies.

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
    from schedops.repository import load_policies

    tree = tree_here()
    sources = load_policies(tree.root)
    rows = [(p.name, ", ".join(p.classes), _capabilities(p), p.description) for p in (s.policy for s in sources)]
    text = table(("POLICY", "FOR", "HONOURS", "WHAT IT DOES"), rows) if rows else "the library is empty"
    return Answer({**place_data(tree), "policies": [_entry(source) for source in sources]}, with_place(tree, text))


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
    from schedops.repository import find_policy, load_history
    from schedops.repository.standing import judged
    from schedops.schema.canonical import digest_of

    tree = tree_here()
    source = find_policy(tree.root, name)
    state = judged(load_history(tree.root, name), digest_of(source)).state
    data = {**place_data(tree), "policy": _entry(source), "state": state}
    if with_source:
        return Answer({**data, "source": source.text}, printable(source.text.encode()).rstrip("\n"))
    return Answer(data, _page(source, state))


def _entry(source: PolicySource) -> dict[str, Any]:
    return {**encode(source.policy), "path": source.path}


def _capabilities(policy: Policy) -> str:
    held = policy.capabilities
    return ", ".join(name for name in fields_of(Capabilities) if getattr(held, name)) or "-"


def _page(source: PolicySource, state: str) -> str:
    policy, made = source.policy, source.policy.provenance
    base = f" from {made.base}" if made.base else ""
    facts = [
        ("for", ", ".join(policy.classes)),
        ("tags", ", ".join(policy.tags)),
        ("honours", _capabilities(policy)),
        ("needs", ", ".join(policy.requires) or "-"),
        ("made by", f"{made.author}, {made.pathway}{base}"),
        ("licence", policy.licence),
        ("state", f"{state}; `schedops library history {policy.name}`"),
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


for _command in (search, history, record, promote, retire, import_):
    library.add_command(_command)
