"""``schedops library search``: which policies answer a few words, a sentence, a workload or a profile, and why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from schedops.cli.common import answers, output_option
from schedops.cli.library_tree import place_data, tree_here, with_place
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.profile import Profile
    from schedops.ports import Progress
    from schedops.repository import Hit, Query, Tree

_SLOW = 500  # policies from which on building an index is worth a line
_NAMED = 10  # of those that cannot be read


@click.command()
@click.argument("words", nargs=-1)
@click.option("--like", metavar="WORKLOAD|PROFILE.json", help="what suits this workload, also by what came of others")
@click.option("--class", "class_", metavar="CLASS", help="only policies for this class of workloads")
@click.option("--tag", metavar="TAG", help="only policies with this tag")
@click.option("--limit", type=click.IntRange(1, 100), default=5, show_default=True, metavar="N", help="hits at most")
@output_option
@answers("library search")
def search(*, words: tuple[str, ...], like: str | None, class_: str | None, tag: str | None, limit: int) -> Answer:
    """Policies for a few words or a whole sentence, best first, each with the reasons.

    Looks at names, tags, classes and descriptions (words, words that mean the same, likeness of the text), and at what
    came of policies on this workload, on workloads of its class and on machines like this one. The index is kept in the
    cache and made anew when files change.

    \b
    Example:
      schedops library search my desktop stutters while something compiles
      schedops library search --like ci-builds
      schedops library search --class uneven-batch --tag hints
    """
    from dataclasses import replace

    from schedops.adapters.console import console_progress
    from schedops.adapters.disk.library_index import LibraryIndex
    from schedops.repository import Query
    from schedops.wiring import embedder

    if not (words or like or class_ or tag):
        raise click.UsageError("words, --like, --class or --tag is needed")
    tree = tree_here()
    query = _like(tree, like) if like else Query()
    text = " ".join((*words, query.text))
    query = replace(query, text=text, only_class=class_ or "", only_tag=tag or "", limit=limit)
    with console_progress() as progress:
        index = LibraryIndex(tree.root, embedder=embedder(), told=_told(progress))
        hits = index.search(query)
        unreadable = index.unreadable()
        index.close()
    return _answer(tree, hits, unreadable)


def _answer(tree: Tree, hits: tuple[Hit, ...], unreadable: tuple[str, ...]) -> Answer:
    from schedops.proc import printable
    from schedops.schema.decode import encode

    text = "\n\n".join(_block(hit) for hit in hits) or "no policy answers that"
    if unreadable:
        names = [" ".join(printable(name.encode("utf-8", "replace")).split())[:60] for name in unreadable[:_NAMED]]
        more = f" and {len(unreadable) - _NAMED} more" if len(unreadable) > _NAMED else ""
        text += f"\n\nleft out, since they cannot be read: {', '.join(names)}{more}; `schedops validate` says why"
    found = [
        {"policy": {**encode(hit.policy), "path": _path(hit)}, "score": hit.score, "why": list(hit.why)} for hit in hits
    ]
    data: dict[str, Any] = {**place_data(tree), "hits": found, "unreadable": list(unreadable)}
    return Answer(data, with_place(tree, text))


def _block(hit: Hit) -> str:
    from schedops.report.table import paragraph

    why = [paragraph(f"why: {'; '.join(hit.why)}", indent=2)] if hit.why else []
    return "\n".join([f"{hit.policy.name}  {hit.score:.2f}", paragraph(hit.policy.description, indent=2), *why])


def _path(hit: Hit) -> str:
    return f"policies/library/{hit.policy.name}/{hit.policy.source}"


def _told(progress: Progress) -> Callable[[int, int], None]:
    from schedops.model.event import Event

    begun: list[bool] = []

    def told(done: int, of: int) -> None:
        if of >= _SLOW:
            if not begun:
                begun.append(True)
                progress.emit(Event(kind="started", stage="index"))
            text = f"{done} of {of} policies read"
            progress.emit(Event(kind="progress", stage="index", text=text, fraction=done / of))

    return told


def _like(tree: Tree, like: str) -> Query:
    from schedops.adapters.host_facts import Host
    from schedops.pipeline.outcomes import machine_of
    from schedops.pipeline.suiting import query_of
    from schedops.repository import load_workload, load_workloads

    facts = Host().facts()
    machine = machine_of(facts, cpus=facts.cpus, accelerator="")
    if like.endswith(".json"):
        profile = _profile(Path(like))
        known = {workload.name: workload for workload in load_workloads(tree.root)}
        return query_of(profile, known.get(profile.workload), machine)
    workload = load_workload(tree.root, like)
    return query_of(_summary(tree, like), workload, machine)


def _profile(path: Path) -> Profile:
    from schedops.model.profile import Profile
    from schedops.schema.read import load

    return load(path, Profile)


def _summary(tree: Tree, name: str) -> Profile:
    """The last profile of the workload, or what is known of it without a run."""
    from schedops.adapters.console import console_progress
    from schedops.adapters.disk.profiles import KeptProfiles
    from schedops.pipeline.suiting import PROFILED_CPUS, summary_of
    from schedops.repository import load_hints, load_workload
    from schedops.wiring import world

    workload = load_workload(tree.root, name)
    kept = KeptProfiles(tree.root).find(workload, PROFILED_CPUS)
    if kept is not None:
        return kept
    with console_progress() as progress:
        return summary_of(workload, load_hints(tree.root, name), world=world(progress))
