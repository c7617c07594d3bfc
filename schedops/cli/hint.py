"""``schedops hint``: what history knows about jobs, learnt from runs and handed over before they begin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import Group, answers, output_option
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.jobs import Hints
    from schedops.pipeline.hints import HistoryFile, Learnt

MAX_BYTES = 64 << 20
PROJECT = "this-project"  # the document of a project's own .schedops/ is of no workload of the library


@click.group(
    cls=Group,
    invoke_without_command=True,
    subcommand_metavar="[--key NAME] [--nice N] [--] COMMAND...  |  learn  |  compile",
)
@click.option("--print-launcher", is_flag=True, help="print the path of schedops-hint, for CMAKE_C_COMPILER_LAUNCHER")
@output_option
@click.pass_context
def hint(ctx: click.Context, *, print_launcher: bool, output: str) -> None:
    """Run a job with what history knows about it, and learn from it.

    COMMAND runs as if it had been started itself: same input and output, same exit code, same signals. Before it
    begins, the policy in charge is told how much CPU time history expects it to need; afterwards what it took is noted
    in .schedops/hints.log of the project. Without policy, hints or .schedops/ it just runs. The job is known by its
    arguments, or by --key NAME.

    \b
    Example:
      mkdir -p .schedops
      make -j8 CC="schedops hint gcc"
      cmake -G Ninja -DCMAKE_C_COMPILER_LAUNCHER=$(schedops hint --print-launcher) .
      schedops hint learn
    """
    if ctx.invoked_subcommand is not None:
        return
    if not print_launcher:
        raise click.UsageError("which command shall be run?", ctx)
    _print_launcher(output=output)


@answers("hint")
def _print_launcher() -> Answer:
    from schedops.adapters.host_programs import hint_launcher

    path = str(hint_launcher())
    return Answer({"launcher": path}, path)


@hint.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "-w", "--workload", metavar="NAME", help="keep them as policies/hints/NAME.yaml of the repository you are in"
)
@click.option("--graph", metavar="FILE", help="of the build whose .ninja_log is learnt: ninja -t graph > FILE")
@click.option("--commands", metavar="FILE", help="of the same build: ninja -t compdb > FILE")
@output_option
@answers("hint learn")
def learn(*, files: tuple[str, ...], workload: str | None, graph: str | None, commands: str | None) -> Answer:
    """Learn how long jobs take, from FILE and from what schedops-hint noted in this project.

    FILE is a .ninja_log (versions 5 to 7), a JUnit XML report, or a log of schedops-hint. The first two know elapsed
    time only, and the hints say so. With --graph the longest chain of jobs that wait for each one is learnt as well.
    Older runs count less: half after 30 days, nothing after 180. A file is learnt once.

    \b
    Example:
      schedops hint learn
      ninja -C out -t graph > graph.dot && schedops hint learn out/.ninja_log --graph graph.dot

    Exit codes: 0 learnt, 2 bad input.
    """
    from schedops.adapters.disk.hint_files import logs_to_learn, own_directory, project_root
    from schedops.adapters.disk.locks import held
    from schedops.pipeline.hints import BuildFacts
    from schedops.pipeline.hints import learn as learn_from

    root = project_root(Path.cwd())
    own = own_directory(root)
    build = BuildFacts(graph=_bytes(graph), commands=_bytes(commands), root=str(root))
    with held(own / "hints.lock", wait_s=30):
        target, old = _known(own, workload)
        logs = logs_to_learn(own)
        learnt = learn_from(old, _history([*map(Path, files), *logs]), build)
        _write(target, learnt.hints)
        for log in logs:
            log.unlink(missing_ok=True)
        if workload is None:
            _write_table(own, learnt.hints)
    return _learnt(target, old, learnt)


def _bytes(file: str | None) -> bytes:
    from schedops.schema.files import read_bounded

    return read_bounded(Path(file), limit=MAX_BYTES) if file else b""


def _history(paths: Sequence[Path]) -> list[HistoryFile]:
    from schedops.adapters.clock import SystemClock
    from schedops.adapters.disk.hint_files import changed_on
    from schedops.pipeline.hints import HistoryFile
    from schedops.schema.files import read_bounded

    today = SystemClock().now_utc()[:10]
    return [
        HistoryFile(name=str(path), data=read_bounded(path, limit=MAX_BYTES), date=changed_on(path, today=today))
        for path in paths
    ]


def _learnt(target: Path, old: Hints, learnt: Learnt) -> Answer:
    from schedops.report.progress import visible

    jobs = {one.key for one in learnt.hints.hints}
    new = len(jobs - {one.key for one in old.hints})
    text = [
        f"{learnt.measurements} measurements learnt; {len(jobs)} jobs known, {new} of them new",
        *(visible(note) for note in learnt.notes),
        f"in {visible(str(target))}",
    ]
    data = {
        "path": str(target),
        "measurements": learnt.measurements,
        "jobs": len(jobs),
        "new": new,
        "notes": list(learnt.notes),
    }
    return Answer(data, "\n".join(text))


@hint.command("compile")
@click.option("-w", "--workload", metavar="NAME", help="of policies/hints/NAME.yaml [default: .schedops/hints.yaml]")
@output_option
@answers("hint compile")
def compile_(*, workload: str | None) -> Answer:
    """Make the table that schedops-hint searches; `schedops hint learn` does it as well.

    \b
    Example:
      schedops hint compile --workload ci-builds
    """
    from schedops.adapters.disk.hint_files import own_directory, project_root

    own = own_directory(project_root(Path.cwd()))
    _, known = _known(own, workload)
    table = _write_table(own, known)
    return Answer({"path": str(table), "jobs": len(known.hints)}, f"{table}: {len(known.hints)} jobs")


def _known(own: Path, workload: str | None) -> tuple[Path, Hints]:
    """Where the document is, and what it says so far."""
    from schedops.adapters.disk.hint_files import DOCUMENT
    from schedops.errors import InputError
    from schedops.model.jobs import Hints
    from schedops.repository import load_hints, load_workload, open_tree
    from schedops.schema.read import load

    if workload is None:
        path = own / DOCUMENT
        return path, load(path, Hints, root=own) if path.exists() else Hints(workload=PROJECT, hints=())
    tree = open_tree(Path.cwd())
    if tree.starter:
        raise InputError("no-repository", "there is no policies/ here to keep hints in", hint="leave --workload out")
    load_workload(tree.root, workload)
    known = load_hints(tree.root, workload) or Hints(workload=workload, hints=())
    return tree.root / "policies" / "hints" / f"{workload}.yaml", known


def _write(path: Path, hints: Hints) -> None:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.schema.write import yaml_bytes

    write_whole(path, yaml_bytes(hints, comment="Made by `schedops hint learn` from measured runs."))


def _write_table(own: Path, hints: Hints) -> Path:
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.adapters.disk.hint_files import TABLE
    from schedops.workloads.learn.table import table_bytes

    write_whole(own / TABLE, table_bytes(hints))
    return own / TABLE
