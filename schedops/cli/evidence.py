"""``schedops evidence``: what a pull request rests on, who signed it, and whether that holds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import Group, answers, output_option
from schedops.cli.forges import chosen_forge, forge_options
from schedops.errors import InputError, Refused
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.evidence.statement import Proved
    from schedops.model.trust import Trust

_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_ROLES = click.Choice(["build", "verify", "bench", "gate"])
_DAYS = 14


@click.group(cls=Group)
def evidence() -> None:
    """Show, sign and verify evidence: the documents behind a pull request.

    \b
    Example:
      schedops evidence show --pr 1 --save bundle
      schedops evidence sign bundle --key ci-key
      schedops evidence verify bundle
    """


@evidence.command()
@click.argument("directory", type=_DIRECTORY, required=False)
@click.option("--pr", "number", type=click.IntRange(1), help="of a pull request instead of a directory")
@click.option("--save", type=_DIRECTORY, help="write its documents to a new directory")
@forge_options
@output_option
@answers("evidence show")
def show(*, directory: Path | None, number: int | None, save: Path | None) -> Answer:
    """The documents, their digests, and who signed statements about them. Checks that documents and samples agree.

    \b
    Example:
      schedops evidence show --pr 1 --save bundle
      schedops evidence show bundle
    """
    from schedops.adapters.disk.attested import read_bundles
    from schedops.evidence.dsse import line_of
    from schedops.report.table import table
    from schedops.schema.decode import encode

    if number is not None and save is not None and directory is None:
        directory = _saved(number, save)
    elif directory is None or number is not None or save is not None:
        raise click.UsageError("give a directory, or --pr NUMBER with --save DIR")
    found = _proved(directory)
    bundles = read_bundles(directory)
    rows = [(ref.kind, Path(ref.file).name, ref.sha256) for ref in found.evidence.documents]
    signed = [
        (
            name[:12],
            str(len(envelopes)),
            ", ".join(sorted({sig.keyid[:12] for one in envelopes for sig in one.signatures})),
        )
        for name, envelopes in bundles.items()
    ]
    text = table(("KIND", "FILE", "DIGEST"), rows)
    text += "\n\n" + (table(("OBJECT", "STATEMENTS", "KEYS (NOT CHECKED)"), signed) if signed else "nobody signed it")
    data = {
        "directory": str(directory),
        "evidence": encode(found.evidence),
        "bundles": {name: [line_of(one) for one in envelopes] for name, envelopes in bundles.items()},
    }
    return Answer(data, _printable(text))


@evidence.command()
@click.argument("directory", type=_DIRECTORY)
@click.option(
    "--key", type=_FILE, required=True, help="private Ed25519 key (OpenSSH or PEM), readable by its owner only"
)
@click.option("--role", "roles", type=_ROLES, multiple=True, help="what the key signs [default: all of them]")
@click.option("--days", type=click.IntRange(1, 90), default=_DAYS, show_default=True, help="until it is too old")
@output_option
@answers("evidence sign")
def sign(*, directory: Path, key: Path, roles: tuple[str, ...], days: int) -> Answer:
    """Sign what the documents say: a bundle of in-toto statements (DSSE, Ed25519) for each object.

    Judges the samples again first; the role gate signs only what passed. Run it where no agent runs: it refuses while
    a key of a language model is in the environment.

    \b
    Example:
      ssh-keygen -q -t ed25519 -N '' -f ci-key
      schedops evidence sign bundle --key ci-key
      schedops evidence sign bundle --key gate-key --role gate

    Exit codes: 0 signed, 1 refused, 2 bad input.
    """
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.disk.attested import read_bundles, read_key, write_bundles
    from schedops.evidence.dsse import keyid_of
    from schedops.evidence.signing import sign as signed
    from schedops.evidence.statement import expiry

    _refuse_agents()
    found = _proved(directory)
    if found.evidence.created > SystemClock().now_utc():
        raise Refused(
            "from-the-future", f"the evidence says it was made {found.evidence.created}", where=str(directory)
        )
    private = read_key(key)
    try:
        ends = expiry(found.evidence, days)
    except ValueError:
        raise InputError("bad-time", "the evidence says no time at which it was made", where=str(directory)) from None
    wanted = roles or ("build", "verify", "bench", "gate")
    bundles = signed(found, read_bundles(directory), private, roles=wanted, expires=ends)
    write_bundles(directory, bundles)
    keyid = keyid_of(private.public_key())
    files = sorted(bundles)
    text = "\n".join(
        [f"signed as {', '.join(wanted)} with key {keyid[:12]}", *(f"  {directory / one}" for one in files)]
    )
    return Answer({"keyid": keyid, "roles": list(wanted), "files": files}, text)


@evidence.command()
@click.argument("directory", type=_DIRECTORY)
@click.option("--trust", type=_FILE, help="whose signatures count [default: policies/trust.yaml of this checkout]")
@output_option
@answers("evidence verify")
def verify(*, directory: Path, trust: Path | None) -> Answer:
    """Check that enough trusted keys signed what these very documents say, and that it has not ended.

    Every statement is made again from the documents and compared with the signed bytes; nothing of an envelope is
    believed before its signature is.

    \b
    Example:
      schedops evidence verify bundle --trust policies/trust.yaml

    Exit codes: 0 it holds, 1 it does not, 2 bad input.
    """
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.disk.attested import read_bundles
    from schedops.evidence.signing import verify as verified
    from schedops.report.table import table
    from schedops.schema.decode import encode

    rules = _trust(trust)
    now = SystemClock().now_utc()
    found = verified(_proved(directory), read_bundles(directory), rules, now=now, where=str(directory))
    rows = [(one.object_sha256.removeprefix("sha256:")[:12], one.role, one.what, ", ".join(one.by)) for one in found]
    text = table(("OBJECT", "ROLE", "WHAT", "SIGNED BY"), rows)
    return Answer({"signed": [encode(one) for one in found]}, f"{_printable(text)}\n\nall of it holds")


def _printable(text: str) -> str:
    # Names of files and of kernels are the bundle's, and this goes to a terminal.
    from schedops.proc import printable

    return printable(text.encode("utf-8", "replace"))


def _refuse_agents() -> None:
    from schedops.adapters.llm import KEY_VARIABLE

    if os.environ.get(KEY_VARIABLE):
        raise Refused(
            "two-secrets",
            f"{KEY_VARIABLE} is set here: who signs must not be where an agent runs",
            hint="sign in a job of its own",
        )


def _proved(directory: Path) -> Proved:
    from schedops.adapters.disk.stored import read_stored
    from schedops.pipeline.attest import proved

    return proved(read_stored(directory))


def _trust(path: Path | None) -> Trust:
    from schedops.model.trust import Trust
    from schedops.schema.read import load

    return load(path or Path("policies/trust.yaml"), Trust)


def _saved(number: int, directory: Path) -> Path:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.evidence.bundle import DIRECTORY

    if directory.exists():
        raise InputError("file-exists", f"{directory} is there already", hint="give a new directory")
    forge = chosen_forge()
    for path in forge.attachments(number):
        if path.startswith(f"{DIRECTORY}/"):
            write_whole(directory.absolute() / Path(path).name, forge.attachment(number, path))
    return directory
