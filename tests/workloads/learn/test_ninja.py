from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.workloads.learn.commands import command_keys
from schedops.workloads.learn.job_key import key_of_command, key_of_output
from schedops.workloads.learn.ninja import ninja_times

LOG = (
    b"# ninja log v%s\n"
    b"0\t12\t1763000000000000000\tgen.h\t65f1b4b13c66b1ed\n"
    b"12\t912\t1763000000000000000\tsub/a.o\t1f\n"
    b"12\t112\t1763000000000000000\tb.o\t2f\n"
    b"912\t1312\t1763000000000000000\tapp x\t3f\n"
    b"1312\t1312\t0\tall\t4f\n"
)
# ninja 1.11.1 -t graph, shortened addresses.
GRAPH = b"""digraph ninja {
rankdir="LR"
node [fontsize=10, shape=box, height=0.25]
edge [fontsize=10]
"0x10" [label="all"]
"0x11" -> "0x10" [label=" phony"]
"0x11" [label="app x"]
"0x12" [label="link", shape=ellipse]
"0x12" -> "0x11"
"0x13" -> "0x12" [arrowhead=none]
"0x14" -> "0x12" [arrowhead=none]
"0x13" [label="sub/a.o"]
"0x15" [label="cc", shape=ellipse]
"0x15" -> "0x13"
"0x16" -> "0x15" [arrowhead=none]
"0x17" -> "0x15" [arrowhead=none]
"0x16" [label="a.c"]
"0x17" [label="gen.h"]
"0x14" [label="b.o"]
"0x18" [label="cc", shape=ellipse]
"0x18" -> "0x14"
"0x19" -> "0x18" [arrowhead=none]
"0x17" -> "0x18" [arrowhead=none style=dotted]
"0x19" [label="b.c"]
}
"""
COMMANDS = [
    {"directory": "/p/build", "command": "/opt/schedops-hint /usr/bin/gcc -c ../a.c -o sub/a.o", "output": "sub/a.o"},
    {"directory": "/p/build", "command": ": && gcc sub/a.o b.o -o 'app x' && :", "output": "app x"},
    {"directory": "/p/build", "command": "cd x && gen > gen.h", "output": "gen.h"},
]


def times(data: bytes = LOG % b"5", **more):
    return {one.key: one for one in ninja_times(data, date="2026-11-21", where="l", **more)}


@pytest.mark.parametrize("version", [b"5", b"6", b"7"])
def test_elapsed_times_by_output(version):
    found = times(LOG % version)
    assert {key: one.us for key, one in found.items()} == {
        key_of_output(path): ms * 1000 for path, ms in (("gen.h", 12), ("sub/a.o", 900), ("b.o", 100), ("app x", 400))
    }
    assert {(one.clock, one.date, one.chain_us) for one in found.values()} == {("wall", "2026-11-21", None)}


def test_the_latest_entry_of_an_output_counts_and_lines_cut_short_do_not():
    log = LOG % b"6" + b"0\t77\t1\tb.o\t5f\n\n12\t13\nnonsense\n5\t9999\t1\tb.o"
    assert times(log)[key_of_output("b.o")].us == 77_000


def test_longest_chains_of_the_graph():
    found = times(graph=GRAPH)
    chains = {path: found[key_of_output(path)].chain_us for path in ("gen.h", "sub/a.o", "b.o", "app x")}
    assert chains == {"gen.h": 1_312_000, "sub/a.o": 1_300_000, "b.o": 500_000, "app x": 400_000}


def test_jobs_are_known_by_their_commands_where_these_are_given_and_one_program():
    found = times(commands=json.dumps(COMMANDS).encode(), root="/p")
    wanted = key_of_command(["gcc", "-c", "../a.c", "-o", "sub/a.o"], cwd="/p/build", root="/p")
    assert found[wanted].us == 900_000
    assert found[key_of_command(["gcc", "sub/a.o", "b.o", "-o", "app x"], cwd="/p/build", root="/p")].us == 400_000
    assert found[key_of_output("gen.h")].us == 12_000


@pytest.mark.parametrize("command", ["a | b", "a & b", "a; b", "a $(b)", "a 'b", "schedops-hint --key k cc", ":", ""])
def test_what_is_not_one_program_has_no_key_of_its_own(command):
    entry = {"directory": "/p", "command": command, "output": "o"}
    assert command_keys(json.dumps([entry]).encode(), root=None) == {}


@pytest.mark.parametrize("bad", [b"", b"# ninja log v4\n", b"# ninja log v77\n", b"# ninja log\n1\t2\n", b"\xff\xfe"])
def test_other_files_are_refused(bad):
    with pytest.raises(InputError) as caught:
        times(bad)
    assert caught.value.code == "bad-log"


def test_other_graphs_and_commands_are_refused():
    for more, code in (({"graph": b"graph"}, "bad-graph"), ({"commands": b'{"a": 1}'}, "bad-commands")):
        with pytest.raises(InputError) as caught:
            times(**more)
        assert caught.value.code == code


@given(st.binary(max_size=300), st.binary(max_size=300), st.recursive(st.none() | st.text(), st.lists, max_leaves=9))
def test_hostile_files_end_in_measurements_or_a_refusal(log, graph, commands):
    given_commands = json.dumps([{"output": "o", "directory": "/", "command": commands}, commands]).encode()
    try:
        found = ninja_times(
            b"# ninja log v5\n" + log, date="2026-11-21", where="l", graph=b"digraph" + graph, commands=given_commands
        )
    except InputError:
        return
    assert all(one.us > 0 for one in found)
