"""A session against guests that lie, played over a socket pair: whatever they say, the guest is lost, no more."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from schedops.adapters.vm.guest_port import Port
from schedops.adapters.vm.guest_session import GuestSession
from schedops.errors import GuestLost
from schedops.model.guest import LoadGroup, LoadPlan

PLAN = LoadPlan(groups=(LoadGroup(name="h", kind="hog", count=1),), duration_ms=5)
LOAD = (
    b"cpu_us 5000\ngroup 20 0 90 0 0\nduration_us %d\nstate_before enabled\nstate_after enabled\nlost_after_us 0\n"
    b"context_switches 5\njitter_us 10\nstolen_us 20\nhotplug_failed 0\n"
)
STATE = b"now.state enabled\nnow.ops x\nnow.enable_seq 3\nnow.switch_all 1\nnow.nr_rejected 0\nnow.task_on_ext 1\n"


class Played:
    """As much of a machine as a session touches."""

    emulator_fault = False
    advice = "run it again"

    def __init__(self, sock: socket.socket) -> None:
        self.port = Port(sock)
        self.killed = False

    def kill(self) -> None:
        self.killed = True

    def last_words(self) -> str:
        return ""

    def cpu_us(self) -> None:
        return None


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[GuestSession, Played, socket.socket]]:
    monkeypatch.setattr("schedops.adapters.vm.guest_session._GRACE_S", 0.2)
    monkeypatch.setattr("schedops.adapters.vm.guest_session._SHORT_S", 0.2)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        machine = Played(ours)
        yield GuestSession(machine, where="here"), machine, theirs  # type: ignore[arg-type]


def reply(body: bytes, sequence: int = 1) -> bytes:
    return b"%d ok %d\n" % (sequence, len(body)) + body


def answering(end: socket.socket, *answers: bytes) -> None:
    def guest() -> None:
        for answer in answers:
            end.recv(1 << 16)
            with contextlib.suppress(OSError):  # the host need not listen to the end
                end.sendall(answer)

    threading.Thread(target=guest, daemon=True).start()


ASK: dict[str, Callable[[GuestSession], object]] = {
    "load": lambda guest: guest.mixed_load(PLAN, deadline_s=0.5),
    "attach": lambda guest: guest.attach(b"", deadline_s=0.5),
    "detach": lambda guest: guest.detach(deadline_s=0.5),
    "state": lambda guest: guest.state(),
}


def test_an_honest_load(played) -> None:
    guest, machine, end = played
    answering(end, reply(LOAD % 5000))
    assert guest.mixed_load(PLAN, deadline_s=5).duration_ms == 5
    assert not machine.killed


def test_a_load_that_took_longer_than_it_was_waited_for(played) -> None:
    guest, machine, end = played
    answering(end, reply(LOAD % 5_000_000))
    with pytest.raises(GuestLost, match=r"5\.0 s of work in 0\.\d s"):
        guest.mixed_load(PLAN, deadline_s=5)
    assert machine.killed


def test_a_result_before_it_was_asked_for(played) -> None:
    guest, _, end = played
    answering(end, reply(STATE) + reply(LOAD % 5000, 2))
    assert guest.state().state == "enabled"
    with pytest.raises(GuestLost, match="answered before it was asked"):
        guest.mixed_load(PLAN, deadline_s=5)


@pytest.mark.parametrize("verb", ASK)
@pytest.mark.parametrize(
    "said",
    [
        b"1 ok 0\n",
        b"PASS\n",
        b"1 ok 4\nPASS",
        b"1 ok 7\n\nverdict",
        reply(b"\n" * 5000),
        reply(b"state_before PASS\n" * 4000),
        reply(b"group 1 0 1 0 0\n" * 5000),
        reply(b"duration_us nan\ntook_us inf\nerrno 1e9\n"),
        reply(LOAD % 5000)[:-3],
        reply(b"outcome attached\n" * 2),
        b"1 ok 1048577\n",
        b"1 ok 1048576\n" + b"cpu_us " + b"9" * (1 << 20),
        b"99999999999999999999 ok 0\n",
        b"x" * (1 << 20),
    ],
)
def test_a_lie_is_a_lost_guest(played, verb: str, said: bytes) -> None:
    guest, machine, end = played
    answering(end, said)
    with pytest.raises(GuestLost):
        ASK[verb](guest)
    assert machine.killed
    with pytest.raises(GuestLost):
        guest.kernel_log()


@pytest.mark.parametrize("ask", [GuestSession.kernel_log, GuestSession.dump])
def test_what_a_guest_logs_is_bounded_and_printable(played, ask: Callable[[GuestSession], str]) -> None:
    guest, _, end = played
    answering(end, reply(b"\n" + b"\x1b[2Jred\xff\x00\n" * 80_000))
    text = ask(guest)
    assert len(text) <= 1 << 20
    assert all(c.isprintable() or c in "\n\t" for c in text)
