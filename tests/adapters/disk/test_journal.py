"""Lines that are there whole come back; a torn one does not, and nobody writes beside another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from schedops.adapters.disk.journal import open_journal
from schedops.errors import InputError

WRITER = """
import sys, time
from pathlib import Path
from schedops.adapters.disk.journal import open_journal
with open_journal(Path(sys.argv[1]), resume=False) as journal:
    journal.append(b"one\\n")
    journal.append(b"two\\n")
    print("there", flush=True)
    time.sleep(60)
"""


def test_what_was_written_comes_back_after_a_kill(tmp_path):
    path = tmp_path / "cells.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"there\n"
    with pytest.raises(InputError) as caught, open_journal(path, resume=True):
        pass
    assert caught.value.code == "busy"
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    with path.open("ab") as torn:
        torn.write(b"thr")
    with open_journal(path, resume=True) as journal:
        assert journal.lines == (b"one", b"two")
        journal.append(b"three\n")
    assert path.read_bytes() == b"one\ntwo\nthree\n"


def test_without_resume_nothing_is_written_over(tmp_path):
    path = tmp_path / "new" / "cells.jsonl"
    with open_journal(path, resume=False) as journal:
        assert journal.lines == ()
        journal.append(b"one\n")
    with pytest.raises(InputError) as caught, open_journal(path, resume=False):
        pass
    assert (caught.value.code, path.read_bytes()) == ("journal-there", b"one\n")
