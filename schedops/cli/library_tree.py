"""What the commands of ``schedops library`` share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schedops.repository import Tree


def tree_here() -> Tree:
    """The repository that the user is in, or the starter library."""
    from schedops.repository import open_tree

    return open_tree(Path.cwd())


def place_data(tree: Tree) -> dict[str, Any]:
    """Where it is, for scripts."""
    return {"root": str(tree.root), "starter": tree.starter}


def with_place(tree: Tree, text: str) -> str:
    """A page that says when it is of the starter library."""
    return f"{text}\n\nstarter library of schedops; there is no policies/ here" if tree.starter else text
