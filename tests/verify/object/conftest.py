"""Small policies, compiled once in a session for each kernel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schedops.adapters.compiler.clang import Clang
from schedops.model.policy import Capabilities, Policy, PolicySource, Provenance
from schedops.model.verification import BuiltObject
from schedops.ports import KernelImage

DATA = Path(__file__).parent / "data"
POLICY = Policy(
    name="of-a-test",
    description="for tests",
    tags=(),
    classes=(),
    source="x.bpf.c",
    ops_name="x",
    capabilities=Capabilities(),
    loses_when="never, it is for tests",
    provenance=Provenance(author="human", pathway="create"),
)
Build = Callable[..., bytes]
_built: dict[tuple[str, str, str], bytes] = {}


@pytest.fixture
def policy() -> Policy:
    return POLICY


@pytest.fixture
def build() -> Build:
    """``build(name, image, (old, new)...)``: ``data/<name>.bpf.c`` with some of its text replaced."""

    def compiled(name: str, image: KernelImage, *changes: tuple[str, str]) -> bytes:
        text = source_of(name)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        key = (name, image.kernel.btf_sha256, text)
        if key not in _built:
            outcome = Clang().build(PolicySource(policy=POLICY, path=f"{name}.bpf.c", text=text), (), image)
            assert isinstance(outcome, BuiltObject), outcome
            _built[key] = outcome.elf
        return _built[key]

    return compiled


def source_of(name: str) -> str:
    """The text of ``data/<name>.bpf.c``."""
    return (DATA / f"{name}.bpf.c").read_text(encoding="utf-8")
