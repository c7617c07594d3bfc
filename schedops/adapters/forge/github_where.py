"""Which repository of which GitHub, and the token: from the git remote and the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from schedops.adapters.forge.git import Git
from schedops.adapters.forge.github_api import Api
from schedops.adapters.forge.github_forge import GitHubForge
from schedops.errors import InputError

REMOTE = "origin"
_PUBLIC_API, _PUBLIC_SITE = "https://api.github.com", "https://github.com"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")
_REMOTE = re.compile(
    r"(?:(?:https|ssh)://(?:[^@/]+@)?|[^@/:]+@)([A-Za-z0-9.-]+)(?::\d+)?[:/]([^/:]+/[^/]+?)(?:\.git)?/?"
)
_ENTERPRISE = "/api/v3"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Where:
    """:param api: base address of the REST API. :param site: where a browser goes. :param repository: owner/name."""

    api: str
    site: str
    repository: str


def github_forge(root: Path, *, repository: str | None, environ: Mapping[str, str]) -> GitHubForge:
    """The forge of the checkout at *root*; nothing is asked of GitHub yet.

    :param repository: owner/name; None: what the remote ``origin`` names.
    :raises InputError: no token, no such remote, or it is on another host than the API.
    """
    token = environ.get("GITHUB_TOKEN", "").strip()
    if not token:
        raise InputError(
            "no-token",
            "GITHUB_TOKEN is not set",
            hint="export GITHUB_TOKEN=...: a token with write access to contents and pull requests of the repository",
        )
    where = find(root, repository=repository, environ=environ)
    return GitHubForge(root, Api(where.api, where.repository, token), site=where.site, remote=REMOTE)


def find(root: Path, *, repository: str | None, environ: Mapping[str, str]) -> Where:
    """Where the pull requests are. The token goes to no host but the one that ``GITHUB_API_URL`` names.

    :raises InputError: as :func:`github_forge`.
    """
    api, site = _addresses(environ.get("GITHUB_API_URL", _PUBLIC_API).rstrip("/"))
    named = repository or _of_remote(root, urlsplit(site).hostname or "")
    if not _NAME.fullmatch(named) or named.endswith(("/.", "/..")):
        raise InputError("bad-repository", f"{named[:100]!r} is no OWNER/NAME", hint="--repository OWNER/NAME")
    return Where(api=api, site=site, repository=named)


def _addresses(api: str) -> tuple[str, str]:
    split = urlsplit(api)
    safe = split.scheme == "https" or (split.scheme == "http" and split.hostname in _LOOPBACK)
    if not safe or not split.hostname or split.username or split.query or split.fragment:
        text = "GITHUB_API_URL is no https address of an API"
        raise InputError("bad-api-url", text, hint="https://api.github.com or https://HOST/api/v3")
    if api == _PUBLIC_API:
        return api, _PUBLIC_SITE
    return api, f"{split.scheme}://{split.netloc}{split.path.removesuffix(_ENTERPRISE)}"


def _of_remote(root: Path, host: str) -> str:
    done = Git(root).run("config", "--get", f"remote.{REMOTE}.url")
    url = done.stdout.decode("utf-8", "replace").strip()
    found = _REMOTE.fullmatch(url)
    if found is None:
        raise InputError(
            "no-remote",
            f"the remote {REMOTE} names no repository on a host" if url else f"this checkout has no remote {REMOTE}",
            where=str(root),
            hint="--repository OWNER/NAME, or git remote add origin https://github.com/OWNER/NAME",
        )
    if found[1].lower() != host.lower():
        raise InputError(
            "other-host",
            f"the remote {REMOTE} is on {found[1]}, and the token would go to {host}",
            where=str(root),
            hint=f"export GITHUB_API_URL=https://{found[1]}/api/v3, if that is your GitHub Enterprise Server",
        )
    return found[2]
