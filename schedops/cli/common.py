"""What every command shares: ``--output``, the envelope, errors to exit codes."""

from __future__ import annotations

import functools
import inspect
import math
import os
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from schedops.errors import EXIT_BUG, EXIT_INPUT, EXIT_INTERRUPTED, EXIT_UNAVAILABLE, SchedopsError
from schedops.report.envelope import Answer, Failure, failure_of, render_failure, render_json

F = TypeVar("F", bound=Callable[..., Any])


class Group(click.Group):
    """A group whose help has the first sentence of each command whole: click cuts them off at the line's end."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(limit=400)) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class FiniteRange(click.FloatRange):
    """As click's, but for ``nan``, which no comparison finds outside of a range, and ``inf``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """See click."""
        found = float(super().convert(value, param, ctx))
        return found if math.isfinite(found) else self.fail(f"{value} is no finite number.", param, ctx)


def output_option(function: F) -> F:
    """Add ``--output text|json``; the value goes to :func:`answers`, not to the command."""
    return click.option(
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="text for people, json for scripts (one envelope on stdout, nothing else)",
    )(function)


def answers(command: str) -> Callable[[Callable[..., Answer]], Callable[..., None]]:
    """Turn a function that returns an Answer into a command: prints it and exits with its code.

    The function may take ``output`` ("text" or "json") if it declares :func:`output_option` and wants to know.
    """

    def decorate(function: Callable[..., Answer]) -> Callable[..., None]:
        wants_output = "output" in inspect.signature(function).parameters

        @functools.wraps(function)
        def command_(*args: Any, **kwargs: Any) -> None:
            output = kwargs.get("output", "text")
            if not wants_output:
                kwargs.pop("output", None)
            finish(command, output, functools.partial(function, *args, **kwargs))

        return command_

    return decorate


def finish(command: str, output: str, action: Callable[[], Answer]) -> None:
    """Run *action*, print what it answers, exit."""
    failures: tuple[Failure, ...] = ()
    try:
        answer = action()
    except SchedopsError as error:
        answer, failures = Answer(None, "", error.exit_code), (failure_of(error),)
    except click.ClickException as error:
        answer, failures = Answer(None, "", EXIT_INPUT), (Failure("usage", error.format_message()),)
    except KeyboardInterrupt:
        answer, failures = Answer(None, "", EXIT_INTERRUPTED), (Failure("interrupted", "interrupted"),)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Disk full, read-only cache, no permission: the machine's state, not a bug and not a verdict.
        what = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        answer, failures = Answer(None, "", EXIT_UNAVAILABLE), (Failure("io-error", what),)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes an exit code
        answer, failures = Answer(None, "", EXIT_BUG), (_bug(error),)
    say(command, output, answer, failures)
    sys.exit(answer.exit_code)


def program_name() -> str:
    """What to type for this program: ``schedops`` when that is on the PATH, else the path it was started by."""
    started = Path(sys.argv[0])
    found = shutil.which("schedops")
    if started.name != "schedops" or (found is not None and Path(found).samefile(started)):
        return "schedops"
    return os.path.relpath(started) if started.is_absolute() else str(started)


def say(command: str, output: str, answer: Answer, failures: tuple[Failure, ...]) -> None:
    """Print the result on stdout; in text form errors go to stderr."""
    if output == "json":
        click.echo(render_json(command, answer, failures))
        return
    if answer.text:
        click.echo(answer.text)
    for failure in failures:
        click.echo(render_failure(failure), err=True)


def _bug(error: Exception) -> Failure:
    import tempfile

    with tempfile.NamedTemporaryFile("w", prefix="schedops-bug-", suffix=".log", delete=False, encoding="utf-8") as log:
        log.write("".join(traceback.format_exception(error)))
    return Failure("bug", f"{type(error).__name__}: {error}", where=log.name, hint="please report it with this log")
