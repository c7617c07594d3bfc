"""Which forge a command speaks to: the one beside the checkout, or GitHub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from schedops.forge_ports import Forge

_FORGE, _REPOSITORY = "schedops.forge", "schedops.repository"
LOCAL, GITHUB = "local", "github"


def forge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--forge`` and ``--repository``; :func:`chosen_forge` reads them."""
    forge = click.option(
        "--forge",
        type=click.Choice([LOCAL, GITHUB]),
        default=LOCAL,
        show_default=True,
        envvar="SCHEDOPS_FORGE",
        show_envvar=True,
        expose_value=False,
        callback=_kept(_FORGE),
        help="where pull requests live: .schedops/ of the checkout, or GitHub with $GITHUB_TOKEN",
    )
    repository = click.option(
        "--repository",
        metavar="OWNER/NAME",
        expose_value=False,
        callback=_kept(_REPOSITORY),
        help="on GitHub [default: that of the git remote origin]",
    )
    return forge(repository(command))


def chosen_forge(root: Path | None = None) -> Forge:
    """The one that the command's options name; of the checkout around the working directory without *root*."""
    from schedops.adapters.forge.git import GitCheckout
    from schedops.wiring import forge

    meta = click.get_current_context().meta
    where = root if root is not None else GitCheckout(Path.cwd()).root
    return forge(where, github=meta.get(_FORGE) == GITHUB, repository=meta.get(_REPOSITORY))


def forge_words() -> str:
    """What a shown command needs to speak to the same forge."""
    meta = click.get_current_context().meta
    if meta.get(_FORGE) != GITHUB:
        return ""
    repository = meta.get(_REPOSITORY)
    return f" --forge {GITHUB}" + (f" --repository {repository}" if repository else "")


def _kept(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def keep(context: click.Context, _: click.Parameter, value: Any) -> Any:
        context.meta[key] = value
        return value

    return keep
