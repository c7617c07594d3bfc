"""The habits that import-linter cannot see: rooms have no side effects of their own, modules stay short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "schedops"
ROOMS = (
    "analyze",
    "agent",
    "verify",
    "bench",
    "gate",
    "evidence",
    "propose",
    "sim",
    "suite",
    "workloads",
    "stats",
    "model",
    "report",
)
# repository is the room that reads files; it is the door to the tree of policies.
FORBIDDEN_MODULES = {"subprocess", "socket", "http", "urllib", "time", "random", "tempfile", "shutil", "click"}
FORBIDDEN_CALLS = {"open", "input", "print", "exec", "eval"}
MAX_MODULE_LINES = 300


def modules(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py"))


@pytest.mark.parametrize("path", modules(*ROOMS), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_has_no_side_effects_of_its_own(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in FORBIDDEN_MODULES:
            found.append(str(node.module))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            found.append(f"{node.func.id}() in line {node.lineno}")
    allowed = {"random"} if path.parent.name == "workloads" else set()  # seeded draws only
    assert set(found) - allowed == set()


@pytest.mark.parametrize("path", modules("."), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_MODULE_LINES
