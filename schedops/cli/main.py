"""``schedops``: a group whose commands are imported when they are needed, so that ``--help`` is quick."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from itertools import pairwise
from typing import Any

import click

from schedops import __version__
from schedops.cli.common import finish
from schedops.cli.hint_exec import become_launcher, wants_launcher
from schedops.report.envelope import Answer

# command -> (module, attribute, one line for --help). The help line stands here so that --help imports nothing.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "setup": ("schedops.cli.setup", "setup", "install what is missing on this machine"),
    "doctor": ("schedops.cli.doctor", "doctor", "what works on this machine, what is missing, what mends it"),
    "kernel": ("schedops.cli.kernel", "kernel", "kernels for the micro-VM: list, fetch, add"),
    "library": ("schedops.cli.library", "library", "the policy library: list, show, search, import, history"),
    "workload": ("schedops.cli.workload", "workload", "the workloads: list, show, import, run"),
    "validate": ("schedops.cli.validate", "validate", "every problem of every file below policies/"),
    "profile": ("schedops.cli.profile", "profile", "what kind of workload it is, by a run, a recording or Prometheus"),
    "simulate": ("schedops.cli.simulate", "simulate", "run a policy on a simulated machine against a baseline"),
    "tune": ("schedops.cli.tune", "tune", "search a policy's parameters for a workload in the simulator"),
    "suite": ("schedops.cli.suite", "suite", "policies on all workloads, and their score: run, score, plan, merge"),
    "hint": ("schedops.cli.hint", "hint", "run a job with what history knows about it: learn, compile"),
    "verify": ("schedops.cli.verify", "verify", "compile, load and try a policy on real kernels"),
    "bench": ("schedops.cli.bench", "bench", "measure a policy against the default and the informed default"),
    "gate": ("schedops.cli.gate", "gate", "judge stored measurements again: same samples, same verdict"),
    "propose": ("schedops.cli.propose", "propose", "workload to pull request: analyze, plan, verify, bench, gate"),
    "evidence": ("schedops.cli.evidence", "evidence", "what a pull request rests on: show, sign, verify"),
    "pr": ("schedops.cli.pr", "pr", "pull requests: list, show, diff, checkout, merge"),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(importlib.import_module(entry[0]), entry[1])
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="schedops")
def schedops() -> None:
    """GitOps for Linux schedulers.

    sched_ext policies live as reviewed files in a git repository; an agent opens pull requests with evidence measured
    on real kernels.

    \b
    Example:
      schedops propose --workload ci-builds
      schedops pr show 1

    Exit codes: 0 done or PASS, 1 FAIL, 2 bad input, 3 INCONCLUSIVE, 69 could not measure, 70 bug, 130 interrupted.
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command line; usage errors come as the envelope too when JSON was asked for."""
    words = list(sys.argv[1:] if argv is None else argv)
    if wants_launcher(words):
        become_launcher(words)
    if argv is None:
        # Stopped by a supervisor is stopped by a person: clean up, say so, 130.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    output = "json" if _wants_json(words) else "text"

    try:
        _run(words, output)
    except BrokenPipeError:
        # The reader (head, less) has gone; python would complain once more while flushing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _run(words: list[str], output: str) -> None:
    try:
        schedops.main(args=words, prog_name="schedops", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        finish(_name(words), output, _interrupted)
    except click.ClickException as error:
        if output == "text":
            error.show()
            sys.exit(error.exit_code)
        finish(_name(words), output, _raiser(error))


def _interrupted() -> Answer:
    raise KeyboardInterrupt


def _raiser(error: Exception) -> Any:
    def action() -> Answer:
        raise error

    return action


def _wants_json(words: list[str]) -> bool:
    return "--output=json" in words or ("--output", "json") in pairwise(words)


def _name(words: list[str]) -> str:
    return " ".join(word for word in words[:2] if not word.startswith("-"))
