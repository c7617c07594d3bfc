"""Sources that were written to break the reader: an answer, never a traceback, and nothing that grows without bound."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.verify.source.check import check_source
from tests.verify.source.sources import ROOT, source

SIZE = 256 * 1024
_MANY = 1500
FIFO = (ROOT / "policies/library/fifo/fifo.bpf.c").read_text(encoding="utf-8")


def _enqueue(body: str) -> str:
    return "void BPF_STRUCT_OPS(x_enqueue, struct task_struct *p, u64 enq_flags)\n{\n" + body + "\n}\n"


HOSTILE = {
    "parentheses": "(" * SIZE,
    "braces": "{" * SIZE,
    "comments": "/* " * (SIZE // 3),
    "sections": "SEC( " * (SIZE // 5),
    "macro calls": "#define OP(a) a\n" + "OP( " * (SIZE // 5),
    "bomb": "#define A0 x x\n" + "".join(f"#define A{i} A{i - 1} A{i - 1}\n" for i in range(1, 60)) + "A59\n",
    "nested bomb": "#define F(a) a a a a\n" + "F(" * 30 + "x" + ")" * 30,
    "paste": "#define P(a) a##a\n" + "P(" * 38 + "x" + ")" * 38,
    "itself": "#define A B\n#define B A\n#define F(x) F(x) F(x)\nA F(F(F(1)))\n",
    "nested ifs": _enqueue("if (a) {" * 20_000),
    "else ifs": _enqueue("if (a) b(); " + "else if (c) d(); " * 5_000),
    "one expression": _enqueue("x = " + "a + " * 20_000 + "b;"),
    "chain of helpers": "".join(
        f"static int f{i}(int a) {{ return f{i + 1}(a) + f{i + 2}(a); }}\n" for i in range(_MANY)
    ),
    "chain of task helpers": "".join(
        f"static void f{i}(struct task_struct *p) {{ if (p->a) f{i + 1}(p); else f{i + 2}(p); }}\n"
        for i in range(_MANY)
    )
    + _enqueue("f0(p);"),
    "chain of variables": _enqueue(
        "".join(f"u64 v{i} = v{max(i - 1, 0)} + v{max(i - 2, 0)};\n" for i in range(3000))
        + "scx_bpf_dsq_insert(p, v2999, 0, 0);"
    ),
    "chain of pointers": "".join(f"static struct t *g{i}(void) {{ return g{i + 1}(); }}\n" for i in range(3000))
    + _enqueue("g0()->a = 1;"),
    "helper of itself": "static struct t *g(int a) { struct t *x = g(a); if (!x) return g(a + 1); return x; }\n"
    + _enqueue("struct t *x = g(1); x->a = g(2)->b; scx_bpf_dsq_insert(p, g(3), 1, 1);"),
    "backward goto": _enqueue("again: if (a) goto again; if (b) goto nowhere; goto again;"),
    "NUL": "\0" * SIZE,
    "not ASCII": "é" * SIZE,
    "endless string": '"' * SIZE,
    "unclosed conditionals": "#if 1\n" * 20_000 + "#elif\n#else\n#else\n#endif\n#endif x\n",
    "odd directives": "#\n#define\n#define 1\n#define F(\n#define G(a, ...\n#include\n#if (\n#undef\n#elif",
    "cut off": FIFO[: len(FIFO) // 2],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_source_gets_an_answer(name):
    findings = check_source(source(HOSTILE[name][:SIZE]))

    assert all(finding.place is not None and finding.place.line >= 0 for finding in findings)
    assert len(findings) < 2000


@pytest.mark.parametrize("name", ["bomb", "nested bomb", "parentheses", "nested ifs", "NUL"])
def test_what_is_too_much_does_not_pass(name):
    assert [finding.rule for finding in check_source(source(HOSTILE[name]))] == ["SOURCE-LIMIT"]


PIECES = (
    *FIFO.split(),
    *"if ( ) { } else while for switch case : default break continue return goto do".split(),  # noqa: SIM905
    *"? : , ; * & -> . [ ] # ## define".split(),  # noqa: SIM905
    "\n",
    "\n#define X(a, b...) a##b #a\n",
    "\n#if X\n",
    "\n#else\n",
    "\n#endif\n",
    "({",
    "})",
    "SEC(",
    "bpf_for(",
    "scx_bpf_dsq_insert(p,",
    '"',
    "/*",
    "\\\n",
)


@given(st.lists(st.sampled_from(PIECES), max_size=120))
@settings(max_examples=150, deadline=None)
def test_any_mixture_of_pieces_gets_an_answer(pieces):
    text = " ".join(pieces)

    assert all(finding.text for finding in check_source(source(text)))
    assert all(finding.text for finding in check_source(source(_enqueue(text))))


@given(st.integers(0, len(FIFO)), st.integers(0, 40), st.text(max_size=8))
@settings(max_examples=80, deadline=None)
def test_a_policy_with_a_hole_gets_an_answer(at, length, instead):
    text = FIFO[:at] + instead + FIFO[at + length :]

    assert all(finding.text for finding in check_source(source(text)))


def test_control_characters_never_reach_a_finding():
    text = 'SEC("tp/\x1b[31m")\nint evil(void *ctx) { return 0; }\nSEC("kprobe/x")\nint bad(void *c) { return 0; }\n'
    findings = check_source(source(text))

    assert findings
    assert all((finding.text + finding.advice).isprintable() for finding in findings)
