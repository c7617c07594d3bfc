"""Run directories: the documents of every run, so that a killed one goes on and an unchanged stage is not repeated."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from schedops.adapters.disk.cachedir import write_whole
from schedops.adapters.disk.locks import held
from schedops.adapters.disk.stagefiles import is_leftover, read_document, read_stage, write_stage
from schedops.adapters.disk.workdir import prepare
from schedops.errors import InputError, Unavailable
from schedops.model.kept import Kept
from schedops.ports import Clock

_ID = re.compile(r"^\d{8}-\d{6}-[0-9a-f]{4}$")
T = TypeVar("T")
_RECORD, _LOCK = "run.json", "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """:param state: running | finished | failed | interrupted; a killed run stays ``running`` with nobody's lock."""

    run: str
    command: str
    parameters: Mapping[str, Any]
    state: str
    created: str


class OpenRun:
    """A run that this process holds the lock of.

    :param fresh: answer from this run's own documents only.
    """

    def __init__(self, directory: Path, record: RunRecord, *, fresh: bool) -> None:
        self.directory = directory
        self.record = record
        self._fresh = fresh

    @property
    def id(self) -> str:
        """What ``--resume`` takes."""
        return self.record.run

    def recall(self, stage: str, input_digest: str, type_: type[Any]) -> Kept | None:
        """A whole document made from the same inputs, of this run or else the newest; None when it has to be made.

        A damaged or half-written one is as good as none.
        """
        earlier = () if self._fresh else _directories(self.directory.parent)
        others = [directory for directory in reversed(earlier) if directory != self.directory]
        for directory in (self.directory, *others):
            if (kept := read_stage(directory, stage, input_digest, type_)) is not None:
                if directory != self.directory:
                    self.keep(stage, input_digest, kept)
                return kept
        return None

    def keep(self, stage: str, input_digest: str, kept: Kept) -> None:
        """Store it whole or not at all."""
        write_stage(self.directory, stage, input_digest, kept)

    def finish(self, state: str) -> None:
        """Say how it ended."""
        self.record = replace(self.record, state=state)
        _write_record(self.directory, self.record)


class Runs:
    """:param root: top of the user's work tree; runs are kept in ``.schedops/runs/`` below it."""

    def __init__(self, root: Path, *, clock: Clock) -> None:
        self._root = root
        self._directory = root / ".schedops" / "runs"
        self._clock = clock

    @contextmanager
    def new_run(self, *, command: str, parameters: Mapping[str, Any], fresh: bool = False) -> Iterator[OpenRun]:
        """A run of its own directory.

        :param parameters: JSON-able; all that ``--resume`` needs to ask for the same again.
        """
        prepare(self._root)
        self._sweep()
        created = self._clock.now_utc()
        stamp = created.translate({ord(c): None for c in "-:Z"}).replace("T", "-")
        run = f"{stamp}-{secrets.token_hex(2)}"
        with _locked(self._directory / run):
            record = RunRecord(run=run, command=command, parameters=parameters, state="running", created=created)
            _write_record(self._directory / run, record)
            with _told(OpenRun(self._directory / run, record, fresh=fresh)) as opened:
                yield opened

    @contextmanager
    def open_run(self, run: str, *, fresh: bool = False) -> Iterator[OpenRun]:
        """Go on with an earlier run.

        :raises InputError: no such run, or it is running now.
        """
        record = self.record(run)
        with _locked(self._directory / run):
            for path in filter(is_leftover, (self._directory / run).iterdir()):
                path.unlink(missing_ok=True)
            with _told(OpenRun(self._directory / run, record, fresh=fresh)) as opened:
                opened.finish("running")
                yield opened

    def record(self, run: str) -> RunRecord:
        """:raises InputError: no such run, or its record cannot be read."""
        found = _read_record(self._directory / run) if _ID.match(run) else None
        if found is None:
            last = self.latest()
            raise InputError(
                "no-run",
                f"there is no run {run!r}",
                where=str(self._directory),
                hint=f"the latest is {last}" if last else "start one with `schedops propose`",
            )
        return found

    def latest(self) -> str | None:
        """The run that was started last."""
        return next((directory.name for directory in reversed(_directories(self._directory))), None)

    def documents(self, name: str, type_: type[T], parameters: Mapping[str, Any], *, at_most: int) -> tuple[T, ...]:
        """Documents of finished runs whose parameters include these, the newest first; damaged ones are left out."""
        found: list[T] = []
        for directory in reversed(_directories(self._directory)):
            record = _read_record(directory)
            if record is None or record.state != "finished" or not parameters.items() <= record.parameters.items():
                continue
            if (document := read_document(directory, name, type_)) is not None:
                found.append(document)
            if len(found) == at_most:
                break
        return tuple(found)

    def _sweep(self) -> None:
        for directory in _directories(self._directory):
            left = [path for path in directory.iterdir() if is_leftover(path)]
            if left:
                with ExitStack() as stack:
                    try:
                        stack.enter_context(_locked(directory))
                    except InputError:
                        continue  # it is running, so these are no leftovers
                    for path in left:
                        path.unlink(missing_ok=True)


@contextmanager
def _told(run: OpenRun) -> Iterator[OpenRun]:
    """How the context ended is how the run ended."""
    try:
        yield run
    except KeyboardInterrupt:
        run.finish("interrupted")
        raise
    except BaseException:
        run.finish("failed")
        raise
    run.finish("finished")


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            stack.enter_context(held(directory / _LOCK, wait_s=0))
        except Unavailable:
            raise InputError(
                "run-busy",
                f"run {directory.name} is running now",
                where=str(directory),
                hint="wait for it, or stop that process; then again",
            ) from None
        yield


def _directories(runs: Path) -> tuple[Path, ...]:
    if not runs.is_dir():
        return ()
    return tuple(sorted(path for path in runs.iterdir() if _ID.match(path.name)))


def _write_record(directory: Path, record: RunRecord) -> None:
    body = {name: getattr(record, name) for name in ("run", "command", "parameters", "state", "created")}
    text = json.dumps(body, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(directory / _RECORD, f"{text}\n".encode())


def _read_record(directory: Path) -> RunRecord | None:
    try:
        body = json.loads((directory / _RECORD).read_bytes())
        return RunRecord(**body)
    except (OSError, ValueError, TypeError):
        return None
