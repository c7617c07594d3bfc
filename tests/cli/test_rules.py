"""``--explain`` and ``--rules``; the pages are what the code says; every id that is reported is a rule."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import schedops.verify
from schedops.cli.main import main
from schedops.report.rulebook import index, page
from schedops.verify.rule import Rule
from schedops.verify.rules import DECLARED_IN, all_rules
from schedops.verify.stages import FULL

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/rules"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(["verify", *words])
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, said.err


@pytest.mark.parametrize("wanted", ["VERIFIER-REFUSED", "verifier-refused", "verifier_refused"])
def test_a_rule_is_explained(wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--explain", wanted)
    assert code == 0
    assert out == (PAGES / "VERIFIER-REFUSED.md").read_text()


def test_a_rule_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "--explain", "STALL", "--output", "json")
    data = json.loads(out)["data"]
    assert (data["id"], data["level"], data["address"].rsplit("/", 1)[1]) == ("STALL", "error", "STALL.md")


def test_an_unknown_rule_has_neighbours(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "--explain", "VERIFIER-REFUSE")
    assert code == 2
    assert "did you mean VERIFIER-REFUSED" in err


def test_all_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--rules")
    assert code == 0
    assert out.splitlines()[0].split() == ["RULE", "LEVEL", "STAGE", "WHAT", "IT", "FINDS", "(SOURCE)"]
    assert set(all_rules()) <= {line.split()[0] for line in out.splitlines()}
    _, out, _ = run(capsys, "--rules", "--output", "json")
    assert [rule["id"] for rule in json.loads(out)["data"]] == list(all_rules())


def test_the_pages_are_what_the_code_says() -> None:
    """To mend it: `make pages`."""
    wanted = {f"{rule.id}.md": page(rule) for rule in all_rules().values()}
    wanted["README.md"] = index(all_rules().values())
    assert {path.name: path.read_text() for path in PAGES.glob("*")} == wanted


def test_the_pages_are_written_and_those_of_no_rule_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/GONE.md").write_text("old")
    assert run(capsys, "--rules", "--write-docs", str(tmp_path / "docs"))[0] == 0
    assert {path.name for path in (tmp_path / "docs").iterdir()} == {path.name for path in PAGES.iterdir()}


@pytest.mark.parametrize("rule", all_rules().values(), ids=lambda rule: rule.id)
def test_a_rule_says_what_a_reader_needs(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9-]{1,63}", rule.id)
    assert rule.level in ("error", "warning", "note")
    assert rule.stage in FULL
    assert rule.title
    assert not rule.title.endswith(".")
    assert len(rule.title) <= 100
    for text in (rule.why, rule.fix, rule.source):
        assert len(text.split()) >= 2
    assert bool(rule.bad) == bool(rule.good)
    if rule.stage == "source":
        assert rule.bad


def _declared_anywhere() -> dict[str, str]:
    """id -> module of every Rule that a module of the room holds, also in a tuple or a mapping."""
    found: dict[str, str] = {}
    for one in pkgutil.walk_packages(schedops.verify.__path__, "schedops.verify."):
        for value in vars(importlib.import_module(one.name)).values():
            held = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple) else (value,)
            found |= {rule.id: one.name for rule in held if isinstance(rule, Rule)}
    return found


def test_every_rule_that_is_declared_is_known() -> None:
    declared = _declared_anywhere()
    assert {rule_id: module for rule_id, module in declared.items() if rule_id not in all_rules()} == {}
    assert set(declared) == set(all_rules())
    for module in DECLARED_IN:
        assert importlib.import_module(module).RULES, module


def test_every_id_that_the_code_names_is_a_rule() -> None:
    """Whatever looks like an id in the room that reports them, and whatever stands where an id is wanted elsewhere."""
    named: dict[str, str] = {}
    for path in (ROOT / "schedops").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        where = f"{path.relative_to(ROOT)}"
        if path.is_relative_to(ROOT / "schedops/verify"):
            named |= dict.fromkeys(_constants(tree, r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+"), where)
        words = [word.value for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords
                 if word.arg in ("rule", "rule_id")]  # fmt: skip
        named |= dict.fromkeys((found for word in words for found in _constants(word, r"[A-Z][A-Z0-9-]+")), where)
    assert len(named) > 40
    assert {rule_id: where for rule_id, where in named.items() if rule_id not in all_rules()} == {}


def _constants(tree: ast.AST, pattern: str) -> list[str]:
    values = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [value for value in values if isinstance(value, str) and re.fullmatch(pattern, value)]
