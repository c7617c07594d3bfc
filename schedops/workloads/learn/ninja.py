"""``.ninja_log``: elapsed time of every job of a build; with ninja's own words about graph and commands, more.

Format of the log: src/build_log.cc of ninja 1.5 to 1.12, versions 5 to 7: a header, then
``start<TAB>end<TAB>mtime<TAB>output<TAB>hash of the command``, times in milliseconds since the build began.
"""

from __future__ import annotations

import re

from schedops.errors import InputError
from schedops.workloads.hints import WALL, Measured
from schedops.workloads.learn.chains import chains
from schedops.workloads.learn.commands import command_keys
from schedops.workloads.learn.job_key import key_of_output

HEADER = b"# ninja log v"
_VERSIONS = (b"5", b"6", b"7")
_ENTRY = re.compile(r"([0-9]{1,10})\t([0-9]{1,10})\t-?[0-9]{1,20}\t([^\t]{1,4096})\t[0-9a-f]{1,16}")
# As graphviz.cc of ninja writes them: files and, of jobs with more than one input or output, the jobs.
_NODE = re.compile(r'^"(0x[0-9a-fA-F]{1,16})" \[label="(.*)"\]$', re.MULTILINE)
_ARROW = re.compile(r'^"(0x[0-9a-fA-F]{1,16})" -> "(0x[0-9a-fA-F]{1,16})"', re.MULTILINE)


def ninja_times(
    data: bytes, *, date: str, where: str, graph: bytes = b"", commands: bytes = b"", root: str | None = None
) -> tuple[Measured, ...]:
    """Of every output its latest entry, but for jobs of less than a millisecond.

    :param date: of the log, ISO 8601.
    :param graph: what ``ninja -t graph`` prints; without it no longest chains are known.
    :param commands: what ``ninja -t compdb`` prints; without it a job is known by its output, which ``schedops-hint``
        looks for when it does not know the arguments.
    :param root: top of the project, see :func:`key_of_command`.
    :raises InputError: ``bad-log``: no log of these versions; ``bad-graph``, ``bad-commands``.
    """
    times_ms = _entries(data, where)
    keys = command_keys(commands, root=root) if commands else {}
    chains_ms = _chains(times_ms, graph) if graph else {}
    return tuple(
        Measured(
            key=keys.get(output) or key_of_output(output),
            us=ms * 1000,
            date=date,
            clock=WALL,
            chain_us=chains_ms[output] * 1000 if output in chains_ms else None,
        )
        for output, ms in sorted(times_ms.items())
        if ms > 0
    )


def _entries(data: bytes, where: str) -> dict[str, int]:
    head, _, body = data.partition(b"\n")
    version = head.removeprefix(HEADER).strip()
    if not head.startswith(HEADER) or version not in _VERSIONS:
        raise InputError(
            "bad-log",
            f"this is no log of ninja in version {', '.join(v.decode() for v in _VERSIONS)}",
            where=where,
            hint="`ninja -t recompact` rewrites a log that an older ninja began",
        )
    found: dict[str, int] = {}
    for line in body.decode("utf-8", "surrogateescape").split("\n"):
        # A line cut short is what a killed ninja leaves behind; ninja itself reads over it.
        if match := _ENTRY.fullmatch(line):
            found[match[3]] = max(0, int(match[2]) - int(match[1]))
    return found


def _chains(times_ms: dict[str, int], graph: bytes) -> dict[str, int]:
    text = graph.decode("utf-8", "surrogateescape")
    if not text.startswith("digraph"):
        raise InputError("bad-graph", "this is no build graph", hint="ninja -t graph > graph.dot")
    files = {match[1]: match[2] for match in _NODE.finditer(text)}
    weights = {node: times_ms.get(path, 0) for node, path in files.items()}
    found = chains(weights, ((match[1], match[2]) for match in _ARROW.finditer(text)))
    return {files[node]: ms for node, ms in found.items() if node in files}
