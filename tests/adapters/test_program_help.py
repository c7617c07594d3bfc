"""Small programs of ours, in C and as scripts; each run is confined."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from schedops import proc
from schedops.adapters import program_help
from schedops.adapters.program_help import ask_program
from schedops.errors import InputError, Unavailable
from schedops.repository.help_text import options_of

pytestmark = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed; it confines programs"
)
GETOPT = r"""
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	static const struct option longs[] = {{"help", 0, 0, 'h'}, {"version", 0, 0, 'V'}, {0}};
	int c;
	while ((c = getopt_long(argc, argv, "hVs:", longs, NULL)) != -1) {
		if (c == 'V') {
			puts("sample 1.2.3\nand more");
			return 0;
		}
		fprintf(stderr, "A sample.\n\nUsage: sample [-s US]\n\n  -s US   Slice (default: 20000)\n  -h      Help\n");
		return c != 'h';
	}
	return 0;
}
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))


def script(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "sample"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_program_with_getopt_that_writes_to_stderr(tmp_path):
    (tmp_path / "sample.c").write_text(GETOPT)
    proc.checked(("cc", "-o", str(tmp_path / "sample"), str(tmp_path / "sample.c")), deadline_s=60)
    says = ask_program(tmp_path / "sample")
    (option,) = options_of(says.help)
    assert (option.names, option.value, option.default) == (("-s",), "US", "20000")
    assert says.version == "sample 1.2.3"
    assert says.sha256 == f"sha256:{hashlib.sha256((tmp_path / 'sample').read_bytes()).hexdigest()}"


def test_what_it_can_reach(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x")
    path = script(
        tmp_path,
        f"""[ -e {secret} ] && found="$found secret"
[ -e {Path.home()} ] && found="$found home"
[ -e /proc/1 ] && found="$found proc"
[ -e /sys/kernel ] && found="$found sys"
(echo x > /program/x) 2>/dev/null && found="$found write"
(echo x > /x) 2>/dev/null && found="$found root"
[ -n "$SCHEDOPS_CACHE" ] && found="$found environment"
grep -q : /proc/net/dev 2>/dev/null && found="$found network"
echo "  --found X  reached:$found."
""",
    )
    (option,) = options_of(ask_program(path).help)
    assert option.help == "reached:."
    assert not (tmp_path / "x").exists()


def test_a_version_that_it_does_not_have_is_empty(tmp_path):
    path = script(tmp_path, '[ "$1" = --help ] && echo "  -a  one" && exit 0\nexit 3')
    assert ask_program(path).version == ""


def test_escapes_never_reach_a_terminal(tmp_path):
    path = script(tmp_path, "printf '  -a  \\033[31mred\\033]0;x\\007\\n'")
    assert "\x1b" not in ask_program(path).help


def test_a_program_that_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(program_help, "_DEADLINE_S", 1.0)
    with pytest.raises(Unavailable) as error:
        ask_program(script(tmp_path, "sleep 1000"))
    assert error.value.code == "command-timeout"


def test_a_program_that_writes_without_end(tmp_path):
    with pytest.raises(Unavailable) as error:
        ask_program(script(tmp_path, "while :; do echo '  -a  one two three four five six seven'; done"))
    assert error.value.code in {"command-flood", "command-timeout"}


def test_a_program_without_options(tmp_path):
    with pytest.raises(InputError) as error:
        ask_program(script(tmp_path, "echo hello"))
    assert error.value.code == "no-options"
    assert "hello" in error.value.detail


def test_without_bubblewrap_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(proc, "run", lambda *_, **__: pytest.fail("it was run"))
    with pytest.raises(Unavailable) as error:
        ask_program(script(tmp_path, "echo x"))
    assert error.value.code == "no-jail"
