"""The local forge with several writers, and with writers that are killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from dataclasses import replace

import pytest

from schedops.adapters.forge.forge_local import LocalForge


def _publish(root, clock, wanted, started=None):
    if started is not None:
        started.set()
    LocalForge(root, clock=clock).publish(wanted)


def test_concurrent_publishes_of_one_key_make_one_pull_request(repo, forge, clock, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_publish, args=(repo.root, clock, wanted)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)

    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert [pull.number for pull in forge.pulls()] == [1]
    assert forge.publish(wanted).action == "unchanged"


@pytest.mark.parametrize("delay_ms", [0, 5, 10, 20, 30, 40, 60, 80, 100, 140])
def test_killed_at_any_moment_leaves_a_forge_that_works(repo, forge, clock, proposal, delay_ms):
    head = repo("rev-parse", "HEAD")
    context = multiprocessing.get_context("fork")
    started = context.Event()
    process = context.Process(target=_publish, args=(repo.root, clock, proposal(head), started))
    process.start()
    started.wait(timeout=30)
    time.sleep(delay_ms / 1000)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(timeout=30)

    published = forge.publish(proposal(head))

    assert published.pull.number == 1
    assert [pull.number for pull in forge.pulls()] == [1]
    repo("--git-dir=.schedops/forge.git", "fsck", "--no-dangling")
    assert sorted(path.name for path in (repo.root / ".schedops").iterdir()) == [
        ".gitignore",
        "forge.git",
        "forge.lock",
    ]


def test_leftovers_of_a_killed_writer_are_cleared(repo, forge, proposal):
    wanted = proposal(repo("rev-parse", "HEAD"))
    forge.publish(wanted)
    own = repo.root / ".schedops"
    (own / "forge.git/refs/schedops/pulls/1.lock").write_text("")
    (own / "forge.git/packed-refs.lock").write_text("")
    (own / "forge-tmp-abc").mkdir()
    (own / "forge-tmp-abc/index").write_text("half")

    assert forge.publish(replace(wanted, body="# new\n")).action == "updated"
    assert not (own / "forge-tmp-abc").exists()
