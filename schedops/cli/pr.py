"""``schedops pr``: the pull requests of the local forge, or of GitHub."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import Group, answers, output_option
from schedops.cli.forges import chosen_forge, forge_options
from schedops.errors import EXIT_FAIL, InputError
from schedops.proc import printable
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.forge_ports import Forge
    from schedops.model.pull import PullRequest


@click.group(cls=Group)
def pr() -> None:
    """Pull requests: list, show, diff, checkout, merge.

    They live in .schedops/forge.git of your checkout, or on GitHub with --forge github. Only `checkout` touches your
    work tree.

    \b
    Example:
      schedops pr list
      schedops pr show 1
      schedops pr merge 1
    """


@pr.command("list")
@forge_options
@output_option
@answers("pr list")
def list_() -> Answer:
    """Every pull request with its verdict.

    \b
    Example:
      schedops pr list
      schedops pr list --forge github
    """
    from schedops.report.table import table
    from schedops.schema.decode import encode

    pulls = chosen_forge().pulls()
    rows = [(str(pull.number), _state(pull), pull.verdict.value, pull.updated, pull.title) for pull in pulls]
    text = table(("NO", "STATE", "VERDICT", "UPDATED", "TITLE"), [tuple(map(_clean, row)) for row in rows])
    none = "no pull requests yet; `schedops propose` opens them"
    return Answer({"pulls": [encode(pull) for pull in pulls]}, text if pulls else none)


@pr.command()
@click.argument("number", type=click.IntRange(1))
@forge_options
@output_option
@answers("pr show")
def show(*, number: int) -> Answer:
    """The body as a reviewer reads it; raw Markdown when the output is no terminal.

    \b
    Example:
      schedops pr show 1
      schedops pr show 1 > body.md
    """
    from schedops.schema.decode import encode

    forge = chosen_forge()
    pull, body = _pull(forge, number), forge.body(number)
    attached = forge.attachments(number)
    data = {"pull": encode(pull), "body": body, "attachments": list(attached)}
    return Answer(data, _rendered(pull, body, attached) if sys.stdout.isatty() else body.rstrip("\n"))


@pr.command()
@click.argument("number", type=click.IntRange(1))
@forge_options
@output_option
@answers("pr diff")
def diff(*, number: int) -> Answer:
    """What the pull request changes, as a unified diff.

    \b
    Example:
      schedops pr diff 1
    """
    text = chosen_forge().diff(number)
    return Answer({"number": number, "diff": text}, _safe(text))


@pr.command()
@click.argument("number", type=click.IntRange(1))
@forge_options
@output_option
@answers("pr checkout")
def checkout(*, number: int) -> Answer:
    """Switch your work tree to the pull request, as local branch schedops/pr-NUMBER. For GitHub it says how.

    \b
    Example:
      schedops pr checkout 1
      git switch -        back to where you were
    """
    branch = chosen_forge().checkout(number)
    return Answer({"number": number, "branch": branch}, f"On branch {branch} now; `git switch -` brings you back.")


@pr.command()
@click.argument("number", type=click.IntRange(1))
@forge_options
@output_option
@answers("pr merge")
def merge(*, number: int) -> Answer:
    """Merge in the forge; `git pull` then brings it into your branch. On GitHub the repository's rules decide.

    \b
    Example:
      schedops pr merge 1
    """
    from schedops.schema.decode import encode

    forge = chosen_forge()
    pull = forge.merge(number)
    command = f"git pull {forge.remote} {pull.base}"
    text = f"Merged pull request {number} into {pull.base} of {forge.remote}. To get it:\n  {command}"
    return Answer({"pull": encode(pull), "next": command}, text)


@pr.command()
@click.argument("number", type=click.IntRange(1))
@click.argument("path")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="write it to a file")
@forge_options
@output_option
@answers("pr attachment")
def attachment(*, number: int, path: str, out: Path | None) -> Answer:
    """One of the files that came with the pull request: the picture, the evidence documents.

    \b
    Example:
      schedops pr attachment 1 comparison.svg --out comparison.svg
      schedops pr attachment 1 evidence/decision.json
    """
    import hashlib

    from schedops.adapters.disk.cachedir import write_whole

    content = chosen_forge().attachment(number, path)
    data = {"path": path, "bytes": len(content), "sha256": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    if out is not None:
        write_whole(out.absolute(), content)
        return Answer({**data, "out": str(out)}, f"wrote {len(content)} bytes to {out}")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("not-text", f"{path} is no text", hint=f"add --out {Path(path).name}") from None
    return Answer({**data, "text": text}, _safe(text.removesuffix("\n")))


@pr.command()
@click.argument("number", type=click.IntRange(1))
@forge_options
@output_option
@answers("pr evidence")
def evidence(*, number: int) -> Answer:
    """The evidence documents, and whether the attached bytes are those that were digested. Exit 1 when not.

    \b
    Example:
      schedops pr evidence 1
    """
    from schedops.evidence.bundle import DIRECTORY, mismatches
    from schedops.model.evidence import Evidence
    from schedops.model.pull import FileChange
    from schedops.report.table import table
    from schedops.schema.decode import encode
    from schedops.schema.read import load

    forge = chosen_forge()
    found = load(forge.attachment(number, f"{DIRECTORY}/evidence.json"), Evidence, where=f"pull request {number}")
    files = [FileChange(path=path, content=forge.attachment(number, path)) for path in forge.attachments(number)]
    wrong = mismatches(found, files)
    rows = [(ref.kind, ref.file, ref.sha256) for ref in found.documents]
    said = "\n".join(wrong) or f"all {len(rows)} documents are what the evidence says"
    text = f"{table(('KIND', 'FILE', 'DIGEST'), rows)}\n\n{said}"
    return Answer({"evidence": encode(found), "mismatches": list(wrong)}, text, EXIT_FAIL if wrong else 0)


def _pull(forge: Forge, number: int) -> PullRequest:
    forge.body(number)  # raises when there is none
    return next(pull for pull in forge.pulls() if pull.number == number)


def _state(pull: PullRequest) -> str:
    return "draft" if pull.draft and pull.state == "open" else pull.state


def _rendered(pull: PullRequest, body: str, attached: tuple[str, ...]) -> str:
    import io
    import re

    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=io.StringIO(), force_terminal=True, width=Console().width)
    head = f"#{pull.number} {pull.title}  ({_state(pull)}, {pull.branch} into {pull.base})"
    console.print(_clean(head), style="bold", markup=False, highlight=False)
    # A terminal cannot fold: what a browser shows as the title of a fold becomes a line of its own.
    unfolded = re.sub(r"<details>\n<summary>(.*)</summary>", r"**\1**", printable(body.encode("utf-8")))
    console.print(Markdown(unfolded, hyperlinks=False))
    files = ", ".join(map(_clean, attached))
    console.print(f"\nAttached: {files}\n", markup=False, highlight=False)
    console.print("To look at one: schedops pr attachment NUMBER PATH --out FILE", markup=False, highlight=False)
    drawn = console.file
    assert isinstance(drawn, io.StringIO)
    return drawn.getvalue().rstrip("\n")


def _safe(text: str) -> str:
    # A file or a pipe gets the exact text; a terminal never gets escape codes out of a document.
    return printable(text.encode("utf-8", errors="surrogateescape")) if sys.stdout.isatty() else text


def _clean(text: str) -> str:
    return printable(text.encode("utf-8")).replace("\n", " ").replace("\t", " ")
