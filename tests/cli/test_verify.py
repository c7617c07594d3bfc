"""``schedops verify``: what POLICY may be, parameters, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schedops.cli.main import main
from schedops.ports import KernelImage

ROOT = Path(__file__).parents[2]
BAD = ROOT / "tests/data/policies"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as done:
        main(["verify", *words])
    return int(done.value.code or 0), capsys.readouterr().out


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("pair", ["slice_us=7", "slice_us=1.5", "slice_us", "nonesuch=1"])
def test_a_parameter_that_does_not_fit_is_bad_input(pair: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "fifo", "--param", pair, "--output", "json")
    assert (code, json.loads(out)["errors"][0]["code"]) == (2, "bad-parameter")


def test_an_unknown_kernel_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "fifo", "--kernel", "2.6.32", "--output", "json")
    assert (code, json.loads(out)["errors"][0]["code"]) == (2, "no-such-kernel")


def test_without_any_kernel_nothing_is_verified(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run(capsys, "fifo", "--output", "json")
    assert (code, json.loads(out)["data"]["verdict"], json.loads(out)["data"]["checks"]) == (69, "ERROR", [])


@pytest.mark.vm
def test_a_flaw_is_shown_with_its_line_and_a_caret(
    capsys: pytest.CaptureFixture[str], newest_kernel: KernelImage
) -> None:
    code, out = run(capsys, str(BAD / "refused.bpf.c"), "--kernel", newest_kernel.kernel.name)
    assert code == 1
    assert ":19:2: error: R0 invalid mem access 'map_value_or_null'\n   19 |         *count += 1;\n" in out
    assert "  try: check the pointer for NULL before it is used" in out
