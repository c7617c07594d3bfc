"""``schedops workload import``: what was recorded or written for another tool as a workload."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import answers, output_option
from schedops.errors import InputError
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.model.workload import Workload

MAX_BYTES = 64 << 20
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@click.command("import")
@click.argument("file")
@click.option("--name", help="name of the workload [default: from the file's name]")
@click.option("--force", is_flag=True, help="write over a workload of that name")
@output_option
@answers("workload import")
def import_(file: str, *, name: str | None, force: bool) -> Answer:
    """Make a workload for the simulator of FILE: a recording of the scheduler, or a use case of rt-app.

    A recording is text with sched_switch and sched_wakeup events, as perf, trace-cmd and ftrace print them, or a trace
    of Perfetto's with those events. Each task becomes a program: what it ran, how long it slept, whom it woke. A file
    that begins with { is taken for rt-app's.
    The workload is written to policies/workloads/ of the repository you are in.

    \b
    Example:
      perf sched record -- make -j8 && perf sched script > build.txt
      schedops workload import build.txt --name my-build
      schedops simulate fifo --workload my-build

    Exit codes: 0 written, 2 bad input.
    """
    from schedops.adapters.disk.cachedir import write_whole
    from schedops.repository import open_tree
    from schedops.schema.files import read_bounded
    from schedops.schema.write import yaml_bytes

    tree = open_tree(Path.cwd())
    if tree.starter:
        raise InputError(
            "no-repository", "there is no policies/ here to write a workload to", hint="mkdir -p policies/workloads"
        )
    called = name_after(name, file)
    path = tree.root / "policies" / "workloads" / f"{called}.yaml"
    if path.exists() and not force:
        raise InputError(
            "workload-exists", f"there is a workload {called} already", where=str(path), hint="--name, or --force"
        )
    held = read_bounded(Path(file), limit=MAX_BYTES)
    is_json = held.lstrip()[:1] == b"{"
    made, notes = _rt_app(held.decode("utf-8", "replace"), called) if is_json else _recording(held, file, called)
    data = yaml_bytes(made)
    _check(data, path)
    write_whole(path, data)
    shown = f"policies/workloads/{called}.yaml"
    lines = [f"{shown}: {made.description}", *notes, f"next: schedops simulate POLICY --workload {called}"]
    return Answer({"name": called, "path": shown, "kind": made.model_kind, "notes": notes}, "\n".join(lines))


def name_after(name: str | None, file: str) -> str:
    """*name*, or one made of the file's. :raises InputError: ``bad-name``."""
    called = name or re.sub(r"[^a-z0-9]+", "-", Path(file).stem.lower()).strip("-")[:63].strip("-")
    if not _NAME.fullmatch(called):
        raise InputError("bad-name", f"{called[:80]!r} is no name for a workload", hint="--name with a-z, 0-9 and -")
    return called


def _recording(held: bytes, file: str, name: str) -> tuple[Workload, list[str]]:
    from schedops.sim.programs.trace_file import recording_in
    from schedops.sim.programs.trace_model import imported

    found = imported(recording_in(held, where=file), where=file)
    tasks = len(found.model.classes)
    notes = []
    if found.seconds < found.of_seconds:
        notes.append(f"cut: the first {found.seconds:.3f} s of {found.of_seconds:.3f} s; the rest would be too much")
    if found.left_out:
        notes.append(f"left out: {found.left_out} real-time tasks, which neither fair scheduler nor policy sees")
    what = f"Recorded: {tasks} tasks in {found.seconds:.3f} s."
    return _workload(name, what, ("makespan_ms", "ms"), tasks=found.model), notes


def _rt_app(text: str, name: str) -> tuple[Workload, list[str]]:
    from schedops.model.machine import MAX_CPUS, flat_machine
    from schedops.model.workload_kinds import RtAppModel
    from schedops.sim.programs.rt_app import use_case

    plain = text.replace("\r\n", "\n").replace("\t", "    ")
    threads = use_case(plain, flat_machine(MAX_CPUS), name=name).classes
    what = f"A use case of rt-app with {len(threads)} threads."
    return _workload(name, what, ("wakeup_p99_us", "us"), rt_app=RtAppModel(json=plain)), []


def _workload(name: str, description: str, objective: tuple[str, str], **model: object) -> Workload:
    from schedops.model.workload import Objective, Workload

    wanted = Objective(metric=objective[0], unit=objective[1], direction="lower", min_effect=0.05)
    return Workload(
        name=name,
        description=description,
        objectives=(wanted,),
        guards=(),
        rounds=10,
        warmup_rounds=0,
        **model,  # type: ignore[arg-type]
    )


def _check(data: bytes, path: Path) -> None:
    # Read back as everybody will: what was made must not be a file that is refused afterwards.
    from schedops.model.workload import Workload
    from schedops.schema.read import load

    load(data, Workload, where=str(path))
