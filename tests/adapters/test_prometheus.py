"""The HTTP API held to its documented format: answers, errors, and servers that are none."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from schedops.adapters import prometheus as module
from schedops.adapters.prometheus import Prometheus
from schedops.errors import InputError, Unavailable
from tests.fakes.prometheus import NOW_S, prometheus


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with prometheus() as (url, said):
        yield url, said


def answer(kind, result):
    return 200, f'{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}'.encode()


def test_an_instant_vector(server):
    url, said = server
    said.instances = ("b:9100", "a\x1b:9100")
    found = Prometheus(url + "/").instant("count by (instance) (x)")
    assert [(dict(one.labels), one.points) for one in found] == [
        ({"instance": "b:9100"}, ((NOW_S, 16.0),)),
        ({"instance": "a:9100"}, ((NOW_S, 16.0),)),
    ]


def test_a_range_leaves_out_what_is_no_number_or_not_there(server):
    url, said = server
    said.busy = [0.5, "NaN", None, "+Inf", 0.25]
    (found,) = Prometheus(url).over("busy", start_s=100.0, end_s=104.0, step_s=1.0)
    assert found.points == ((100.0, 0.5), (104.0, 0.25))


def test_nothing_that_matches_is_no_series_and_a_scalar_is_one(server):
    url, said = server
    assert Prometheus(url).instant("unheard_of") == ()
    said.raw = answer("scalar", '[1.5,"7"]')
    assert [one.points for one in Prometheus(url).instant("7")] == [((1.5, 7.0),)]


def test_a_token_is_sent_to_this_machine_and_elsewhere_only_over_tls(server):
    url, said = server
    Prometheus(url).instant("up")
    Prometheus(url, "abc").instant("up")
    assert said.tokens == {"", "Bearer abc"}
    Prometheus("https://monitor", "abc")
    for address in ("http://monitor:9090", "http://10.0.0.1"):
        with pytest.raises(InputError, match="in the clear"):
            Prometheus(address, "abc")
    with pytest.raises(InputError, match="no token"):
        Prometheus(url, "a\r\nb")


def test_a_redirect_takes_nobody_s_token_along(server):
    url, said = server
    said.raw, said.headers = (302, b""), {"Location": url + "/elsewhere"}
    with pytest.raises(Unavailable, match="302"):
        Prometheus(url, "abc").instant("up")
    assert len(said.heard) == 1


@pytest.mark.parametrize(
    "url", ["ftp://a", "http://", "http://a:b", "http://a b", "http://a/\n", "http://u:p@a", "http://a?b"]
)
def test_what_is_no_address(url):
    with pytest.raises(InputError) as refused:
        Prometheus(url)
    assert refused.value.code == "bad-url"


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (
            (400, b'{"status":"error","errorType":"bad_data","error":"parse \\u001b[31m error"}'),
            "refused",
            "parse [31m error",
        ),
        ((401, b"go away"), "refused", "401"),
        ((503, b'{"status":"error","errorType":"timeout","error":"query timed out"}'), "refused", "timed out"),
        ((200, b"<html>"), "garbled", "not Prometheus"),
        ((200, b"[" * 100_000), "garbled", "not Prometheus"),
        ((200, b'{"status":"error"}'), "garbled", "error"),
        (answer("matrix", "[]"), "garbled", "matrix"),
        (answer("vector", '[{"metric":{},"value":[1,"x"]}]'), "garbled", "not Prometheus"),
        (answer("vector", '[{"metric":{"a":1},"value":[1,"1"]}]'), "garbled", "label"),
        (answer("vector", '[{"metric":{},"value":[1e300,"1"]}]'), "garbled", "no time"),
        (answer("vector", '[{"metric":{},"value":[NaN,"1"]}]'), "garbled", "no time"),
        (answer("vector", '[{"metric":{},"value":[1,%s]}]' % ("9" * 400)), "garbled", "not Prometheus"),
        (answer("vector", '[{"metric":[],"value":[1,"1"]}]'), "garbled", "not Prometheus"),
        (answer("vector", "7"), "garbled", "not Prometheus"),
        (answer("vector", "[" + ",".join(['{"metric":{},"value":[1,"1"]}'] * 1001) + "]"), "garbled", "1001 series"),
    ],
)
def test_what_is_not_an_answer(server, raw, code, words):
    url, said = server
    said.raw = raw
    with pytest.raises(Unavailable) as refused:
        Prometheus(url).instant("up")
    assert refused.value.code == f"prometheus-{code}"
    assert words in refused.value.message
    assert "\x1b" not in refused.value.message


def test_an_answer_that_is_too_long_is_not_read(server, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    url, said = server
    said.raw = (200, b"x" * 101)
    with pytest.raises(Unavailable, match="over 100 bytes"):
        Prometheus(url).instant("up")


def test_a_server_that_says_nothing_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Unavailable) as refused:
            Prometheus(url, timeout_s=0.2).instant("up")
        assert refused.value.code == "prometheus-silent"
    with pytest.raises(Unavailable, match="does not answer"):
        Prometheus(url).instant("up")


@pytest.mark.parametrize("status", ["200 OK", "500 No"])
def test_a_server_that_drips_is_not_waited_for(status: str):
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as slow:

        def drip() -> None:
            connection, _ = slow.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(4096)
                connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 1000000\r\n\r\n".encode())
                while not over.wait(0.02):
                    connection.sendall(b"[")

        worker = threading.Thread(target=drip)
        worker.start()
        with pytest.raises(Unavailable):
            Prometheus(f"http://127.0.0.1:{slow.getsockname()[1]}", timeout_s=0.3).instant("up")
        over.set()
        worker.join()


def test_a_server_that_breaks_off_is_not_believed():
    with socket.create_server(("127.0.0.1", 0)) as broken:

        def speak() -> None:
            connection, _ = broken.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        worker = threading.Thread(target=speak)
        worker.start()
        with pytest.raises(Unavailable):
            Prometheus(f"http://127.0.0.1:{broken.getsockname()[1]}", timeout_s=5).instant("up")
        worker.join()
