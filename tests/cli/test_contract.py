"""What scripts rely on: one envelope on stdout with fixed keys, exit codes, errors included."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import NoReturn

import click
import pytest

from schedops.cli import common, main
from schedops.errors import InputError, Refused, Unavailable
from schedops.report.envelope import Answer

KEYS = ["version", "command", "status", "exit_code", "data", "errors"]


def finished(capsys: pytest.CaptureFixture[str], output: str, action: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        common.finish("thing do", output, action)
    captured = capsys.readouterr()
    return done.value.code, captured.out, captured.err


def raiser(error: BaseException) -> object:
    def action() -> NoReturn:
        raise error

    return action


def test_envelope_of_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = finished(capsys, "json", lambda: Answer({"n": 1}, "one"))
    envelope = json.loads(out)
    assert list(envelope) == KEYS
    assert envelope == {
        "version": 1, "command": "thing do", "status": "ok", "exit_code": 0, "data": {"n": 1}, "errors": [],
    }  # fmt: skip
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("error", "code", "name"),
    [
        (InputError("bad", "no"), 2, "bad"),
        (Refused("worse", "no"), 1, "worse"),
        (Unavailable("gone", "no"), 69, "gone"),
        (click.UsageError("no"), 2, "usage"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "/cache/x"), 69, "io-error"),
        (ValueError("oops"), 70, "bug"),
    ],
)
def test_envelope_of_an_error(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    name: str,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where the log of a bug goes
    exit_code, out, _ = finished(capsys, "json", raiser(error))
    envelope = json.loads(out)
    assert list(envelope) == KEYS
    assert (exit_code, envelope["exit_code"], envelope["status"]) == (code, code, "error")
    assert [failure["code"] for failure in envelope["errors"]] == [name]
    assert list(envelope["errors"][0]) == ["code", "message", "where", "hint", "detail"]


def test_text_error_says_what_where_and_what_next(capsys: pytest.CaptureFixture[str]) -> None:
    error = InputError("bad", "it is bad", where="f.yaml::$.x", hint="mend it", detail="a\nb")
    code, out, err = finished(capsys, "text", raiser(error))
    assert (code, out) == (2, "")
    assert err == "error[bad]: it is bad\n  where: f.yaml::$.x\n    a\n    b\n  try:   mend it\n"


def test_text_errors_hold_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    error = InputError("bad", "a\x1b[2Jb", where="f\x07\n::error::x", hint="h\x9b", detail="d\x1b]0;\x07\nmore")
    _, _, err = finished(capsys, "text", raiser(error))
    assert err == "error[bad]: a [2Jb\n  where: f  ::error::x\n    d ]0; \n    more\n  try:   h \n"


def test_verdicts_have_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    said = [json.loads(finished(capsys, "json", lambda: Answer(None, "", code))[1])["status"] for code in (0, 1, 3, 69)]  # noqa: B023
    assert said == ["ok", "fail", "inconclusive", "error"]


def test_usage_errors_come_as_the_envelope_when_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main.main(["library", "list", "--output", "json", "--no-such-option"])
    envelope = json.loads(capsys.readouterr().out)
    assert (done.value.code, envelope["exit_code"], envelope["errors"][0]["code"]) == (2, 2, "usage")


def test_unknown_command_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main.main(["no-such-command"])
    assert done.value.code == 2
    assert "no-such-command" in capsys.readouterr().err


def test_every_command_in_the_table_loads_and_has_an_example() -> None:
    context = click.Context(main.schedops)
    for name in main.COMMANDS:
        command = main.schedops.get_command(context, name)
        assert command is not None
        parts = command.commands.values() if isinstance(command, click.Group) else [command]
        for part in parts:
            assert "Example" in (part.help or command.help or ""), f"{name} {part.name} has no example"
            # In a raw string click's mark for "keep these lines" is two letters, and the example one paragraph.
            assert "\\b" not in (part.help or ""), f"{name} {part.name} shows its mark-up"


def test_help_of_a_group_cuts_no_command_s_line_off() -> None:
    found = []
    for name in main.COMMANDS:
        command = main.schedops.get_command(click.Context(main.schedops), name)
        if isinstance(command, click.Group):
            found.append(name)
            text = command.get_help(click.Context(command, info_name=name))
            assert "..." not in text.partition("\nCommands:\n")[2], name
    assert {"library", "evidence", "pr"} <= set(found)


@pytest.mark.parametrize("words", [("bench", "--scale"), ("propose", "--budget-usd"), ("tune", "--budget-s")])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_numbers_are_numbers(capsys: pytest.CaptureFixture[str], words: tuple[str, str], value: str) -> None:
    # "nan" is not below any least value and not above any most: a budget of so many dollars would have no end.
    with pytest.raises(SystemExit) as done:
        main.main([words[0], "fifo", words[1], value])
    assert done.value.code == 2
    assert words[1] in capsys.readouterr().err
