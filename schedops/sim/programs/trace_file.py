"""A recording in whatever form it comes: text of perf, trace-cmd and ftrace, or a Perfetto trace."""

from __future__ import annotations

import re

from schedops.sim.perfetto.ftrace import ftrace_recording
from schedops.sim.programs.trace_text import Recording, recording

# Trace.packet, of which a trace consists, begins with a line feed; what text does not have are the bytes below the tab,
# as which the fields inside begin.
_BINARY = re.compile(rb"\n[^\0-\x08]{0,4096}[\0-\x08]")


def recording_in(data: bytes, *, where: str) -> Recording:
    """:raises InputError: as :func:`recording` and :func:`ftrace_recording` say."""
    if _BINARY.match(data):
        return ftrace_recording(data, where=where)
    return recording(data.decode("utf-8", "replace"), where=where)
