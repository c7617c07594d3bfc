"""Who runs the cells of a suite: this machine, or a Dask cluster whose workers import this module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from schedops.model.suite import SuiteCell
    from schedops.pipeline.suite import CellWork, Hands
    from schedops.ports import Simulator

_DASK = "dask:"


def hands_of(executor: str, *, tool_sha256: str) -> Hands:
    """Who runs the cells: ``local``, or ``dask:ADDRESS``.

    :param tool_sha256: of this schedops; a worker that has another one runs nothing.
    :raises Unavailable: ``no-dask``.
    """
    from schedops.pipeline.suite import LocalHands
    from schedops.wiring import crew, simulator

    if executor == "local":
        return LocalHands(simulator(), crew())
    if not executor.startswith(_DASK) or executor == _DASK:
        raise click.UsageError(f"--executor {executor}: local or dask:ADDRESS is needed")
    return _Cluster(executor.removeprefix(_DASK), tool_sha256)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a worker has no result: what it raised, in a form that any schedops can read."""

    code: str
    message: str
    hint: str = ""


def cell_here(tool_sha256: str, work: CellWork) -> SuiteCell | Trouble:
    """One cell on a worker, if that has the same schedops as whoever asks."""
    from schedops.adapters.package import package_digest
    from schedops.errors import SchedopsError
    from schedops.pipeline.suite import run_cell

    if package_digest() != tool_sha256:
        return Trouble("other-schedops", "a worker has another schedops", "install the same one on every worker")
    try:
        return run_cell(work, _simulator())
    except SchedopsError as error:
        return Trouble(error.code, f"on a worker: {error.message}", error.hint)


class _Cluster:
    def __init__(self, address: str, tool_sha256: str) -> None:
        from schedops.adapters.dask_hands import DaskHands

        function: Callable[[CellWork], SuiteCell | Trouble] = partial(cell_here, tool_sha256)
        self._hands = DaskHands(address, function, key=lambda one: one.key)

    def run(self, work: Sequence[CellWork], done: Callable[[SuiteCell], None]) -> None:
        from schedops.errors import Unavailable

        def sorted_out(found: SuiteCell | Trouble) -> None:
            if isinstance(found, Trouble):
                raise Unavailable(found.code, found.message, hint=found.hint)
            done(found)

        self._hands.run(work, sorted_out)


@cache
def _simulator() -> Simulator:
    # One for all cells of a worker: it builds each policy once.
    from schedops.wiring import simulator

    return simulator()
