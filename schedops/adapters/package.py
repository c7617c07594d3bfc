"""Which schedops made a document: its version and a digest of its own files."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_SUFFIXES = (".py", ".c", ".h", ".json", ".md", ".yaml")
_SKIPPED = ("_data", "__pycache__")  # a wheel carries schemas and starter policies, a checkout does not


@cache
def package_digest() -> str:
    """sha256 over names and contents of the package's files, in order of name; 64 hex digits.

    Part of every stage's input digest: a changed tool never reuses an older tool's answers.
    """
    digest = hashlib.sha256()
    for name, node in sorted(_walk(files("schedops"), "")):
        data = node.read_bytes()
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()


def _walk(node: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for child in node.iterdir():
        if child.name in _SKIPPED:
            continue
        if child.is_dir():
            found += _walk(child, f"{prefix}{child.name}/")
        elif child.name.endswith(_SUFFIXES):
            found.append((prefix + child.name, child))
    return found
