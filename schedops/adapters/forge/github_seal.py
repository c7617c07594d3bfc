"""What the GitHub forge adds to a pull request's body: addresses that show, and a hidden line it knows its own by.

The line is written last. It names everything that was written before it, so a pull request without it, or with
another one, is one that is not finished.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass

from schedops.errors import InputError
from schedops.model.pull import FileChange, Proposal
from schedops.model.verdict import Verdict
from schedops.schema.decode import decode

MAX_CHARACTERS = 60_000
_SEAL = re.compile(r"<!-- schedops:github (\{[^\n]*\}) -->")
_HEX = re.compile(r"[0-9a-f]{40,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """:param content: digest of what the proposal asks for; empty while it is being written.
    :param files: commit that holds the attachments; *files_sha256* is what they say.
    :param labels: those we set, so that a later verdict takes away only ours.
    """

    content: str
    files: str
    files_sha256: str
    verdict: Verdict
    labels: tuple[str, ...]


def digest(proposal: Proposal, *, base: str) -> str:
    """Over everything a reviewer can see, but not over the date: a later date alone is no news."""
    commits = [{"message": one.message, "changes": _digests(one.changes)} for one in proposal.commits]
    said = {
        "base": base,
        "base_commit": proposal.base_commit,
        "title": proposal.title,
        "body": proposal.body,
        "draft": proposal.draft,
        "verdict": proposal.verdict.value,
        "labels": sorted(proposal.labels),
        "commits": commits,
        "attachments": _digests(proposal.attachments),
    }
    return _sha256(said)


def sealed(proposal: Proposal, seal: Seal, *, site: str, repository: str) -> str:
    """The body as GitHub gets it: pictures by address, where the files are, and the seal.

    :param site: ``https://github.com`` or that of the Enterprise Server.
    :raises InputError: longer than 60,000 characters.
    """
    text, where = proposal.body, f"{site}/{repository}"
    for file in proposal.attachments:
        # An address below /raw/ is served to whoever may read the repository, also where that is private.
        text = text.replace(f"](attachments/{file.path})", f"]({where}/raw/{seal.files}/{file.path})")
    values = {**asdict(seal), "verdict": seal.verdict.value}
    mark = f"<!-- schedops:github {json.dumps(values, sort_keys=True, separators=(',', ':'))} -->"
    link = f"[All files of the evidence]({where}/tree/{seal.files})\n" if seal.files else ""
    text = f"{text.rstrip()}\n\n{mark}\n{link}"
    if len(text) > MAX_CHARACTERS:
        raise InputError("body-too-long", f"the body has {len(text)} characters, {MAX_CHARACTERS} fit")
    return text


def read_seal(body: str | None) -> Seal | None:
    """None: there is none, or somebody changed it."""
    found = _last(body)
    if found is None:
        return None
    try:
        seal = decode(Seal, json.loads(found[1]))
    except (ValueError, RecursionError, InputError):
        return None
    return seal if not seal.files or _HEX.fullmatch(seal.files) else None


def unsealed(body: str | None) -> str:
    """What the proposal said: the body up to the seal."""
    found = _last(body)
    return (body or "") if found is None else f"{found.string[: found.start()].rstrip()}\n"


def files_digest(proposal: Proposal) -> str:
    """Over the attachments."""
    return _sha256(_digests(proposal.attachments))


def _last(body: str | None) -> re.Match[str] | None:
    # A browser's text field makes every end of a line CRLF.
    found = list(_SEAL.finditer((body or "").replace("\r\n", "\n")))
    return found[-1] if found else None


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8")).hexdigest()


def _digests(files: tuple[FileChange, ...]) -> dict[str, str]:
    return {file.path: hashlib.sha256(file.content).hexdigest() for file in files}
