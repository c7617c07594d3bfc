"""Policies to check, as the rules get them."""

from __future__ import annotations

from pathlib import Path

from schedops.model.policy import Capabilities, Policy, PolicySource, Provenance

ROOT = Path(__file__).parents[3]
HEADERS = tuple(
    (path.name, path.read_text(encoding="utf-8")) for path in sorted((ROOT / "policies/include").glob("*.h"))
)


def policy(*declared: str, author: str = "human") -> Policy:
    return Policy(
        name="under-test",
        description="",
        tags=(),
        classes=(),
        source="under-test.bpf.c",
        ops_name="under_test",
        capabilities=Capabilities(**dict.fromkeys(declared, True)),
        loses_when="",
        provenance=Provenance(author=author, pathway="create"),
    )


def source(
    text: str, *declared: str, author: str = "human", headers=(), path: str = "under-test.bpf.c"
) -> PolicySource:
    return PolicySource(policy=policy(*declared, author=author), path=path, text=text, headers=tuple(headers))
