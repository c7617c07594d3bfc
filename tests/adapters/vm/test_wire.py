from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.vm import wire


def test_header_of_a_reply() -> None:
    assert wire.parse_header(b"7 ok 12\n") == wire.Header(7, "ok", 12)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"7 ok 12",
        b"7 fine 12\n",
        b"-1 ok 12\n",
        b"7 ok 1048577\n",
        b"7 ok 99999999\n",
        b" 7 ok 12\n",
        b"7 ok 12\n\n",
        b"7 ok \xd9\xa1\n",
    ],
)
def test_no_header(line: bytes) -> None:
    with pytest.raises(wire.Garbled):
        wire.parse_header(line)


def test_fields_then_text() -> None:
    body = wire.parse_body(b"outcome attached\nops \nn 1 2 3\n\nfree\n\ntext\n")
    assert body.one("outcome") == "attached"
    assert body.one("ops") == ""
    assert body.column("n", 3) == (1, 2, 3)
    assert body.text == "free\n\ntext\n"


def test_text_without_fields() -> None:
    assert wire.parse_body(b"\n[1.0] hello\n") == wire.Body((), "[1.0] hello\n")


def test_escape_codes_do_not_pass() -> None:
    body = wire.parse_body(b"state \x1b[2Jenabled\n\n\x1b]0;owned\x07\x00text")
    assert body.one("state") == "[2Jenabled"
    assert body.text == "]0;ownedtext"


@pytest.mark.parametrize("data", [b"Big 1\n", b"a\x00b 1\n", b"x" * 41 + b" 1\n", b"a 1\n" * 5000])
def test_fields_that_no_guest_of_ours_writes(data: bytes) -> None:
    with pytest.raises(wire.Garbled):
        wire.parse_body(data)


@pytest.mark.parametrize("text", ["", "-1", "1.0", "0x10", "9223372036854775808", "1e3", "\u0661"])
def test_not_a_number(text: str) -> None:
    with pytest.raises(wire.Garbled):
        wire.number(text)


def test_a_field_that_comes_twice_is_nobodys_answer() -> None:
    body = wire.parse_body(b"state enabled\nstate disabled\n")
    with pytest.raises(wire.Garbled, match="2 values of 'state'"):
        body.one("state")


def test_a_column_of_another_length() -> None:
    with pytest.raises(wire.Garbled, match="2 numbers where 3 are expected"):
        wire.parse_body(b"n 1 2\n").column("n", 3)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_header_or_garbled(data: bytes) -> None:
    try:
        header = wire.parse_header(data)
    except wire.Garbled:
        return
    assert header.length <= wire.MAX_REPLY_BYTES


@given(st.binary(max_size=2000))
def test_any_bytes_are_printable_fields_or_garbled(data: bytes) -> None:
    try:
        body = wire.parse_body(data)
    except wire.Garbled:
        return
    for text in (body.text, *(value for _, value in body.fields)):
        assert all(c.isprintable() or c in "\n\t" for c in text)
