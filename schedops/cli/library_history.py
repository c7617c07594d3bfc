"""``schedops library history|promote|retire``: what came of a policy, and the state it is given, as lines of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from schedops.cli.common import answers, output_option
from schedops.cli.library_tree import place_data, tree_here, with_place
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.outcome import History, Outcome, Standing
    from schedops.repository import Tree
    from schedops.repository.standing import Judged


@click.command()
@click.argument("name")
@output_option
@answers("library history")
def history(*, name: str) -> Answer:
    """What came of a policy on which workloads and machines, and how far it may be trusted.

    Reads policies/library/NAME/history.jsonl. The state (experimental, verified, proven, retired) is given by a line of
    that file and holds as long as the outcomes support it: docs/library-history.md has the rules.

    \b
    Example:
      schedops library history build-order
    """
    from schedops.report.table import paragraph, table
    from schedops.repository.standing import next_state
    from schedops.schema.decode import encode

    tree = tree_here()
    found, judged, _ = _looked(tree, name)
    above = next_state(judged)
    said = [f"{name}: {judged.state}", paragraph(judged.because, indent=2)]
    if above is not None:
        said.append(paragraph(f"may become {above}: schedops library promote {name}", indent=2))
    rows = [_row(one) for one in found.outcomes]
    if rows:
        said += ["", table(("DAY", "VERDICT", "WORKLOAD", "WHERE", "KERNEL", "EFFECT"), rows)]
    given = [(one.created[:10], one.state, one.because) for one in found.standings]
    if given:
        said += ["", table(("DAY", "GIVEN", "BECAUSE"), given)]
    data = {
        **place_data(tree),
        "policy": name,
        "state": judged.state,
        "given": judged.given,
        "supported": judged.supported,
        "next": above,
        "because": judged.because,
        "outcomes": [encode(one) for one in found.outcomes],
        "standings": [encode(one) for one in found.standings],
    }
    return Answer(data, with_place(tree, "\n".join(said)))


@click.command()
@click.argument("name")
@click.option("--because", metavar="TEXT", help="why, for reviewers  [default: what its outcomes say]")
@output_option
@answers("library promote")
def promote(*, name: str, because: str | None) -> Answer:
    """Give a policy the next state that its outcomes have earned: a line more in its history.

    Nothing is committed: look at the difference, commit it, have it reviewed. A retired policy begins again as
    experimental.

    \b
    Example:
      schedops library promote build-order
    """
    from schedops.errors import Refused
    from schedops.repository.standing import asked_for, next_state

    tree = own_tree()
    _, judged, digest = _looked(tree, name)
    state = next_state(judged)
    if state is None:
        text = f"{name} stays {judged.state}: {judged.because}"
        raise Refused("not-earned", text, hint=asked_for(judged))
    return _given(tree, name, digest, state, because or judged.because)


@click.command()
@click.argument("name")
@click.option("--because", metavar="TEXT", required=True, help="why, for reviewers and for whoever wants it back")
@output_option
@answers("library retire")
def retire(*, name: str, because: str) -> Answer:
    """Take a policy out of search and proposals: a line more in its history; its files stay.

    \b
    Example:
      schedops library retire fifo --because "weighted-vtime does all of it, and honours nice"
    """
    from schedops.errors import Refused
    from schedops.model.outcome import RETIRED

    tree = own_tree()
    _, judged, digest = _looked(tree, name)
    if judged.state == RETIRED:
        raise Refused("retired-already", f"{name}: {judged.because}")
    return _given(tree, name, digest, RETIRED, because)


def _looked(tree: Tree, name: str) -> tuple[History, Judged, str]:
    from schedops.repository import find_policy, load_history
    from schedops.repository.standing import judged
    from schedops.schema.canonical import digest_of

    digest = digest_of(find_policy(tree.root, name))
    found = load_history(tree.root, name)
    return found, judged(found, digest), digest


def _row(one: Outcome) -> tuple[str, ...]:
    from schedops.report.outcomes import effect_words

    where = f"{one.machine.cpus} CPUs, {one.rung} ({one.machine.fingerprint.removeprefix('sha256:')[:8]})"
    effects = "; ".join(effect_words(effect) for effect in one.effects) or "-"
    return (one.created[:10], one.verdict.value, one.workload, where, one.kernel, effects)


def own_tree() -> Tree:
    """The user's own repository. :raises InputError: ``no-repository``: there is only the starter library."""
    from schedops.errors import InputError

    tree = tree_here()
    if tree.starter:
        raise InputError("no-repository", "there is no policies/ here to change", hint="run it in your repository")
    return tree


def _given(tree: Tree, name: str, digest: str, state: str, because: str) -> Answer:
    from schedops.adapters.clock import SystemClock
    from schedops.model.outcome import Standing

    created = _later(SystemClock().now_utc(), tree, name)
    line = Standing(policy=name, policy_sha256=digest, state=state, because=_plain(because), created=created)
    path, text = added(tree, name, [line])
    said = f"{text}\n\n{name} is {state} when this is merged:\n  git add {path} && git commit"
    return Answer({**place_data(tree), "policy": name, "state": state, "path": path, "diff": text}, said)


def _later(now: str, tree: Tree, name: str) -> str:
    """*now*, or a second after the last line, by whose clock that is yet to come: who speaks last is believed."""
    from datetime import UTC, datetime, timedelta

    from schedops.repository import load_history

    found = load_history(tree.root, name)
    newest = max([*(one.created for one in found.outcomes), *(one.created for one in found.standings)], default="")
    if now > newest:
        return now
    after = datetime.fromisoformat(newest).astimezone(UTC) + timedelta(seconds=1)
    return after.strftime("%Y-%m-%dT%H:%M:%SZ")


def added(tree: Tree, name: str, lines: list[Outcome | Standing]) -> tuple[str, str]:
    """Write lines to the end of a policy's history; its path, and what changed as a unified difference."""
    import difflib

    from schedops.adapters.disk.cachedir import write_whole
    from schedops.repository.history import MAX_BYTES, appended, history_path
    from schedops.schema.files import read_bounded

    path = history_path(name)
    file = tree.root / path
    before = read_bounded(file, root=tree.root / "policies", limit=MAX_BYTES) if file.exists() else b""
    after = appended(before, lines)
    write_whole(file, after)
    old, new = (data.decode("utf-8").splitlines() for data in (before, after))
    diff = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=0, lineterm="")
    return path, "\n".join(diff)


def _plain(text: str) -> str:
    """One line without control characters, as long as the schema allows."""
    from schedops.errors import InputError
    from schedops.proc import printable

    said: Any = " ".join(printable(text.encode("utf-8", "replace")).split())[:1000]
    if not said:
        raise InputError("no-reason", "--because says nothing")
    return str(said)
