"""The host's end of the port against guests that misbehave, played over a socket pair."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from schedops.adapters.vm.guest_port import Port, PortLost, RequestRefused


@pytest.fixture
def pair() -> Iterator[tuple[Port, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Port(ours), theirs


def playing(end: socket.socket, guest: Callable[[socket.socket], None]) -> threading.Thread:
    thread = threading.Thread(target=guest, args=(end,), daemon=True)
    thread.start()
    return thread


def answer(end: socket.socket, data: bytes) -> None:
    end.recv(100)
    end.sendall(data)


def test_a_reply_in_pieces(pair: tuple[Port, socket.socket]) -> None:
    port, end = pair

    def guest(end: socket.socket) -> None:
        assert end.recv(100) == b"1 state 2000 0\n"
        for piece in (b"1 o", b"k 8\nnow.", b"n 7\n"):
            end.sendall(piece)

    thread = playing(end, guest)
    assert port.request("state", guest_s=2, wait_s=5).number("now.n") == 7
    thread.join()


def test_an_error_is_not_a_loss(pair: tuple[Port, socket.socket]) -> None:
    port, end = pair
    playing(end, lambda end: answer(end, b"1 err 0\n"))
    with pytest.raises(RequestRefused):
        port.request("jobs", guest_s=1, wait_s=5)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"2 ok 0\n", "answer 2 to request 1"),
        (b"1 ok 0", "no answer"),
        (b"x" * 100, "a header without an end"),
        (b"1 ok 5000000\n", "a reply of 5000000 bytes"),
        (b"1 ok 3\nA \n", "no field"),
        (b"1 ok 10\nn 1\n", "no answer"),
    ],
)
def test_nonsense_is_a_loss(pair: tuple[Port, socket.socket], said: bytes, why: str) -> None:
    port, end = pair
    playing(end, lambda end: answer(end, said))
    with pytest.raises(PortLost, match=why):
        port.request("state", guest_s=1, wait_s=0.3)


def test_an_answer_that_comes_before_the_question_is_a_loss(pair: tuple[Port, socket.socket]) -> None:
    port, end = pair
    end.sendall(b"1 ok 0\n")
    with pytest.raises(PortLost, match="before it was asked"):
        port.request("state", guest_s=1, wait_s=5)


def test_silence_ends_at_the_deadline(pair: tuple[Port, socket.socket]) -> None:
    port, _ = pair
    with pytest.raises(PortLost, match=r"no answer to 'state' within 0.1 s"):
        port.request("state", guest_s=1, wait_s=0.1)


def test_a_guest_that_trickles_does_not_stretch_the_deadline(pair: tuple[Port, socket.socket]) -> None:
    port, end = pair
    stop = threading.Event()

    def guest(end: socket.socket) -> None:
        end.recv(100)
        end.sendall(b"1 ok 100000\n")
        while not stop.wait(0.01):
            end.sendall(b"\n")

    thread = playing(end, guest)
    with pytest.raises(PortLost, match="no answer"):
        port.request("kmsg", guest_s=1, wait_s=0.3)
    stop.set()
    thread.join()


def test_a_guest_that_does_not_read_is_a_loss(pair: tuple[Port, socket.socket]) -> None:
    port, _ = pair
    with pytest.raises(PortLost, match="no answer"):
        port.request("attach", b"x" * (8 << 20), guest_s=1, wait_s=0.3)


def test_a_closed_port_is_a_loss(pair: tuple[Port, socket.socket]) -> None:
    port, end = pair
    end.close()
    with pytest.raises(PortLost):
        port.request("state", guest_s=1, wait_s=5)


def test_it_begins_with_the_agreed_word(pair: tuple[Port, socket.socket]) -> None:
    port, end = pair
    assert port.poll_ready(0.05) is False
    end.sendall(b"0 ready 0\n")
    assert port.poll_ready(5) is True
    end.sendall(b"0 ok 0\n")
    with pytest.raises(PortLost, match="agreed word"):
        port.poll_ready(5)
