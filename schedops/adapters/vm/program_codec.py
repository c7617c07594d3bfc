"""Requests for real programs, and readings out of the guest's replies. Pure; everything read here is untrusted.

The formats are written down in ``schedops/guest/programs_plan.c`` and ``programs.c``.
"""

from __future__ import annotations

from collections.abc import Sequence

from schedops import proc
from schedops.adapters.vm import wire
from schedops.errors import InputError, Unavailable
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading

MAX_JOBS = 256
MAX_SERVERS = 8
MAX_LINES = 64
MAX_GROUPS = 32
MAX_WORDS = 64
_MAX_BYTES = 64 << 10  # of one command
_KEPT_BYTES = 2048
_RUNNING = 256
_MAX_PATH = 200
_MAX_US = 3600 * 1_000_000
_SEED = (1 << 63) - 1


def program_request(plan: ProgramPlan) -> bytes:
    """:raises InputError: more than the guest can hold, or words that no command can have."""
    _check(plan)
    lines = [f"head {int(plan.cgroup_per_group)} {int(plan.random_names)} {plan.name_seed & _SEED}"]
    lines += [f"shell {line.encode().hex()}" for line in plan.shell]
    lines += [f"serve {server.tcp_port} {server.group} {server.nice} {_words(server.argv)}" for server in plan.servers]
    lines += [_job(job) for job in plan.jobs]
    return "\n".join(lines).encode()


def program_reading(body: wire.Body, plan: ProgramPlan) -> ProgramReading | None:
    """None for a plan without jobs, which only prepares.

    :raises Unavailable: ``program-failed``: a line of shell failed, or a server did not come up.
    :raises Garbled: a field is missing, of another type, or not one entry per job.
    """
    if body.all("failed"):
        raise _failed(body, plan)
    if not plan.jobs:
        return None
    jobs = len(plan.jobs)
    wall_us = body.bounded("wall_us", _MAX_US)
    start, end = body.column("start_us", jobs), body.column("end_us", jobs)
    if any(not begun <= ended <= wall_us + _MAX_US for begun, ended in zip(start, end, strict=True)):
        raise wire.Garbled("a job that ends before it begins")
    codes = body.column("server_codes", len(plan.servers))
    return ProgramReading(
        start_us=start,
        end_us=end,
        cpu_us=body.column("cpu_us", jobs),
        voluntary_switches=body.column("voluntary", jobs),
        involuntary_switches=body.column("involuntary", jobs),
        exit_codes=body.column("exit_codes", jobs),
        outputs=_outputs(body.all("out"), jobs),
        wall_us=wall_us,
        context_switches=body.number("context_switches"),
        cgroup_us=body.number("cgroup_us"),
        clean=body.choice("clean", ("0", "1")) == "1",
        server_codes=tuple(None if code == _RUNNING else code for code in codes),
        server_outputs=_outputs(body.all("server_out"), len(plan.servers)),
    )


def _failed(body: wire.Body, plan: ProgramPlan) -> Unavailable:
    what, _, figures = body.one("failed").partition(" ")
    index, code = wire.numbers(figures, 2)
    said = _output(body.one("said"), index)
    if what == "shell" and index < len(plan.shell):
        message = f"preparing the workload failed with {code}: {plan.shell[index][:200]}"
    elif what == "server" and index < len(plan.servers):
        message = f"the server did not come up: {' '.join(plan.servers[index].argv)[:200]}"
    else:
        raise wire.Garbled(f"a failure of what was not asked for: {what[:40]!r}")
    return Unavailable("program-failed", message, detail=said, hint="see the workload's programs")


def _outputs(rows: Sequence[str], wanted: int) -> tuple[str, ...]:
    if len(rows) != wanted:
        raise wire.Garbled(f"{len(rows)} outputs where {wanted} are expected")
    return tuple(_output(row, index) for index, row in enumerate(rows))


def _output(row: str, index: int) -> str:
    number, _, words = row.partition(" ")
    try:
        data = bytes.fromhex(words)
    except ValueError:
        raise wire.Garbled(f"no output: {row[:40]!r}") from None
    if number != str(index) or len(data) > _KEPT_BYTES:
        raise wire.Garbled(f"no output of {index}: {row[:40]!r}")
    return proc.printable(data)


def _job(job: ProgramJob) -> str:
    output = job.output.encode().hex() or "-"
    return f"job {job.arrival_us} {job.group} {job.nice} {job.hint_ns} {output} {_words(job.argv)}"


def _words(argv: Sequence[str]) -> str:
    return b"".join(word.encode() + b"\0" for word in argv).hex()


def _check(plan: ProgramPlan) -> None:
    if len(plan.jobs) > MAX_JOBS or len(plan.servers) > MAX_SERVERS or len(plan.shell) > MAX_LINES:
        raise _wrong(f"at most {MAX_JOBS} jobs, {MAX_SERVERS} servers and {MAX_LINES} lines of shell")
    commands = (
        *(job.argv for job in plan.jobs),
        *(one.argv for one in plan.servers),
        *((line,) for line in plan.shell),
    )
    for argv in commands:
        if not 1 <= len(argv) <= MAX_WORDS or not argv[0] or any("\0" in word for word in argv):
            raise _wrong(f"a command has 1 to {MAX_WORDS} words without NUL, the first is not empty")
        if sum(len(word.encode()) + 1 for word in argv) > _MAX_BYTES:
            raise _wrong(f"a command of more than {_MAX_BYTES} bytes")
    for job in plan.jobs:
        _check_job(job)
    for server in plan.servers:
        if not (0 <= server.tcp_port < 65536 and 0 <= server.group < MAX_GROUPS and -20 <= server.nice < 20):
            raise _wrong(f"a server has a port 0 .. 65535, group 0 .. {MAX_GROUPS - 1} and nice -20 .. 19")


def _check_job(job: ProgramJob) -> None:
    placed = 0 <= job.group < MAX_GROUPS and -20 <= job.nice < 20
    if not (placed and 0 <= job.arrival_us <= _MAX_US and job.hint_ns >= 0):
        raise _wrong(f"a job has group 0 .. {MAX_GROUPS - 1}, nice -20 .. 19, and arrives within an hour")
    if "\0" in job.output or len(job.output) > _MAX_PATH:
        raise _wrong(f"an output is a path of at most {_MAX_PATH} letters")


def _wrong(message: str) -> InputError:
    return InputError("program-plan", message)
