"""Whatever a policy's author or a model writes, in a pull request it is only text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.propose.text import code, fenced, inline, plain

NASTY = st.text(alphabet=st.sampled_from(list("ab1 @#/:.<>!-[](){}*_`~|\\&$+=\n\r\t\x00\x1b\u202e\u200b")), max_size=80)
ANY = st.one_of(st.text(max_size=200), NASTY)
MENTION = re.compile(r"@[A-Za-z0-9]")
REFERENCE = re.compile(r"#\d|\bgh-\d", re.IGNORECASE)
LINK = re.compile(r"://|\bwww\.", re.IGNORECASE)


@settings(deadline=None)
@given(ANY)
def test_plain_mentions_nobody_refers_to_nothing_links_nowhere(text):
    safe = plain(text)

    assert not MENTION.search(safe)
    assert not REFERENCE.search(safe)
    assert not LINK.search(safe)
    assert "\n" not in safe
    assert len(plain(text, limit=50).replace("\u200b", "")) <= 50
    assert all(c.isprintable() or c == "\u200b" for c in safe)


@settings(deadline=None)
@given(ANY)
def test_inline_has_no_markup(text):
    safe = inline(text)

    assert not MENTION.search(safe)
    assert not REFERENCE.search(safe)
    assert not LINK.search(safe)
    assert "<" not in safe
    assert ">" not in safe
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*|~$#]", safe)
    assert not re.search(r"(?<!\\)(?:\\\\)*\][(\[:]", safe)


@settings(deadline=None)
@given(ANY)
def test_code_cannot_be_left(text):
    safe = code(text)

    assert safe == "-" or (safe[0] == safe[-1] == "`" and "`" not in safe[1:-1])
    assert "|" not in safe
    assert "\n" not in safe


@settings(deadline=None)
@given(st.lists(ANY, max_size=5))
def test_fence_cannot_be_left(lines):
    block = fenced(tuple(lines)).split("\n")

    assert block[0] == block[-1]
    assert len(block) == len(lines) + 2
    assert not any(line.strip().startswith(block[0]) for line in block[1:-1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean build time -20.0 % [-20.8 %, -19.2 %]", "mean build time -20.0 % [-20.8 %, -19.2 %]"),
        ("all_done_per_floor", "all_done_per_floor"),
        ("fixes #12", "fixes \\#\u200b12"),
        ("Closes https://example.org/o/r/issues/1", "Closes https:\u200b//example.org/o/r/issues/1"),
        ("@team/all look", "@\u200bteam/all look"),
        ("<img src=x onerror=y>", "&lt;img src=x onerror=y&gt;"),
        ("<!-- schedops:v1 {} -->", "&lt;!-- schedops:v1 {} --&gt;"),
        ("![x](http://t/p.png)", "![x\\](http:\u200b//t/p.png)"),
        ("\x1b[31mred\x1b[0m", "\\[31mred [0m"),
        ("- list", "\\- list"),
        ("1. list", "1\\. list"),
        ("0.1.0", "0.1.0"),
        ("_x_ **y** `z` a|b", "\\_x\\_ \\*\\*y\\*\\* \\`z\\` a\\|b"),
    ],
)
def test_inline_examples(text, expected):
    assert inline(text) == expected
