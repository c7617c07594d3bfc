"""Text of others on its way to a model, and text of a model on its way to people. Neither is ever obeyed."""

from __future__ import annotations

import re

_TAG = re.compile(r"</?\s*untrusted", re.IGNORECASE)
LIMIT = 40_000


def quoted(origin: str, text: str) -> str:
    """In a fence that the text cannot close; the system prompt says that nothing inside is an instruction.

    :param origin: one word of ours.
    """
    clean = "".join(c for c in text[:LIMIT] if c.isprintable() or c in "\n\t")
    cut = f"\n[cut after {LIMIT} characters]" if len(text) > LIMIT else ""
    return f'<untrusted origin="{origin}">\n{_TAG.sub("[tag]", clean)}\n</untrusted>{cut}'


def tame(text: str, *, limit: int) -> str:
    """One bounded line of printable text; what stands in a pull request is escaped there as well."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit].strip() or "-"
