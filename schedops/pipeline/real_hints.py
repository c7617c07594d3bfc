"""Hints inside of a build in a guest: what its compilers' launcher noted comes out, the table made of it goes in."""

from __future__ import annotations

from schedops.model.jobs import Hints
from schedops.model.programs import ProgramJob, ProgramPlan
from schedops.pipeline.hints import BuildFacts, HistoryFile, learn
from schedops.ports import Guest
from schedops.workloads.learn.table import table_bytes

_KEPT = ".schedops"  # in /job: the top of all projects there, as the launcher finds it
_LOG = f"{_KEPT}/hints.log"
_PIECE_BYTES = 1500  # of what a job may say at most 2048 bytes are kept, fewer where there are very many jobs
_MOST_PIECES = 250
_WORD_BYTES = 12_000  # of the table: five letters a byte have to fit into a line of shell
_READ_S = 60.0


def table_lines(hints: Hints | None) -> tuple[str, ...]:
    """Lines of shell that begin a build's history anew: with a table of *hints*, or without one."""
    begin = f"rm -rf {_KEPT}; mkdir {_KEPT}"
    if hints is None:
        return (begin,)
    data = table_bytes(hints)
    pieces = (data[at : at + _WORD_BYTES] for at in range(0, len(data), _WORD_BYTES))
    said = ("".join(f"\\0{byte:03o}" for byte in piece) for piece in pieces)
    return (begin, *(f"printf %b '{piece}' >> {_KEPT}/hints.table" for piece in said))


def noted(guest: Guest, workload: str, *, today: str) -> Hints:
    """What the launcher noted in *guest* since :func:`table_lines`, as `schedops hint learn` learns it.

    :param today: ISO 8601. :raises GuestLost: the guest is gone.
    """
    pieces: list[str] = []
    while len(pieces) < _MOST_PIECES and (not pieces or pieces[-1]):
        pieces += _pieces(guest, first=len(pieces))
    data = "".join(pieces).encode()
    log = HistoryFile(name="the launcher's log", data=data, date=today)
    return learn(Hints(workload=workload, hints=()), (log,), BuildFacts()).hints


def _pieces(guest: Guest, *, first: int, count: int = 10) -> tuple[str, ...]:
    # A reply holds the end of what each job said, so a longer file is said by several jobs.
    jobs = (
        ProgramJob(argv=("sh", "-c", f"tail -c +{number * _PIECE_BYTES + 1} {_LOG} | head -c {_PIECE_BYTES}"))
        for number in range(first, first + count)
    )
    reading = guest.run_programs(ProgramPlan(jobs=tuple(jobs)), deadline_s=_READ_S)
    return () if reading is None else reading.outputs
