from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.model.program_policy import ProgramOption
from schedops.repository.help_text import MAX_OPTIONS, about, options_of

# As clap 4 writes --help (long form), with what Rust schedulers use of it.
CLAP = """\
scx_sample: a scheduler that exists for this test.

It has two paragraphs about itself.

Usage: scx_sample [OPTIONS] [SPECS]...

Arguments:
  [SPECS]...
          Layer specification

Options:
  -s, --slice-us <SLICE_US>
          Scheduling slice duration in microseconds.

          -1 means for as long as it wants.

          [default: 20000]

  -m, --mode <MODE>
          How tasks are placed

          Possible values:
          - local: near where they ran
          - spread: wherever nobody is

          [default: local]

      --stats <STATS>
          Enable stats monitoring with the specified interval

      --balance <BALANCE>  When to balance [default: idle] [possible values: idle, always]

  -l, --layer <NAME=SPEC>...
          One layer

  -v, --verbose...
          Enable verbose output, including libbpf details. Specify multiple times to increase verbosity

      --no-wake-sync
          Do not look at synchronous wake-ups

  -h, --help
          Print help (see a summary with '-h')

  -V, --version
          Print version
"""
# As schedulers in C write it, with getopt and a text of their own.
GETOPT = """\
A sample sched_ext scheduler.

See the top-level comment in .bpf.c for more details.

Usage: sample [-f] [-s SLICE_US] [-e COUNT] [-v]

  -f            Use FIFO scheduling instead of weighted vtime scheduling
  -s SLICE_US   Override slice duration (default: 20000)
  -e COUNT      Trigger an error after COUNT enqueues
  -p            Switch only tasks on SCHED_EXT policy instead of all
  -v            Print libbpf debug messages
  -h            Display this help and exit
"""
ARGPARSE = """\
usage: sample.py [-h] [--version] [--slice-us US] [--mode {fifo,vtime}] [-q]

A scheduler with a loader in Python.

options:
  -h, --help            show this help message and exit
  --version             show program's version number and exit
  --slice-us US, -s US  length of a slice (default: 5000)
  --mode {fifo,vtime}   order of tasks; defaults to vtime
  --a-very-long-option-name FILE
                        read layers from FILE
  -q, --quiet           say less
"""


def by_name(text: str) -> dict[str, ProgramOption]:
    return {option.names[-1]: option for option in options_of(text)}


def test_clap():
    found = by_name(CLAP)
    assert list(found) == [
        "--slice-us", "--mode", "--stats", "--balance", "--layer", "--verbose", "--no-wake-sync",
    ]  # fmt: skip
    slice_us = found["--slice-us"]
    assert (slice_us.names, slice_us.value, slice_us.default) == (("-s", "--slice-us"), "SLICE_US", "20000")
    assert slice_us.help.startswith("Scheduling slice duration in microseconds. -1 means")
    assert (found["--mode"].choices, found["--mode"].default) == (("local", "spread"), "local")
    assert (found["--balance"].choices, found["--balance"].default) == (("idle", "always"), "idle")
    assert (found["--layer"].value, found["--layer"].repeated) == ("NAME=SPEC", True)
    assert (found["--verbose"].value, found["--verbose"].repeated) == ("", True)
    assert (found["--no-wake-sync"].value, found["--no-wake-sync"].default) == ("", None)
    assert about(CLAP) == "scx_sample: a scheduler that exists for this test."


def test_getopt():
    found = by_name(GETOPT)
    assert list(found) == ["-f", "-s", "-e", "-p", "-v"]
    assert (found["-s"].value, found["-s"].default) == ("SLICE_US", "20000")
    assert (found["-f"].value, found["-f"].help) == ("", "Use FIFO scheduling instead of weighted vtime scheduling")
    assert about(GETOPT) == "A sample sched_ext scheduler."


def test_argparse():
    found = by_name(ARGPARSE)
    assert list(found) == ["-s", "--mode", "--a-very-long-option-name", "--quiet"]
    assert (found["-s"].names, found["-s"].value, found["-s"].default) == (("--slice-us", "-s"), "US", "5000")
    assert (found["--mode"].choices, found["--mode"].default) == (("fifo", "vtime"), "vtime")
    assert (found["--a-very-long-option-name"].value, found["--a-very-long-option-name"].help) == (
        "FILE", "read layers from FILE",
    )  # fmt: skip
    assert about(ARGPARSE) == "A scheduler with a loader in Python."


@pytest.mark.parametrize(
    "text", ["", "no options here", "Usage: x [-a]\n", "- a list\n- of things\n", "--\n", "  --\n"]
)
def test_texts_without_options(text):
    assert options_of(text) == ()


def test_a_flood_is_bounded():
    many = "".join(f"  --option-{number} <X>  help\n" for number in range(5000))
    assert len(options_of(many)) == MAX_OPTIONS
    (option,) = options_of("  --a <X>  " + "x" * 100_000)
    assert len(option.help) <= 2000


@given(st.text(alphabet=" -\n\t[]{}<>=,.aA0:()", max_size=400))
def test_nothing_is_too_strange(text):
    for option in options_of(text):
        assert option.names
        assert len(option.value) <= 100
