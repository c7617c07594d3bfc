from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.adapters.vm import program_codec as codec
from schedops.adapters.vm import wire
from schedops.errors import InputError, Unavailable
from schedops.model.programs import ProgramJob, ProgramPlan, ProgramReading, ProgramServer

PLAN = ProgramPlan(
    shell=("echo a",),
    servers=(ProgramServer(argv=("nginx",), tcp_port=80, group=2, nice=4), ProgramServer(argv=("cat",))),
    jobs=(
        ProgramJob(argv=("xz", ""), arrival_us=5, group=1, nice=-3, hint_ns=9),
        ProgramJob(argv=("ls",), output="a/b"),
    ),
    cgroup_per_group=True,
    name_seed=7,
)
REPLY = f"""wall_us 1000
context_switches 5
cgroup_us 700
server_codes 256 1
server_out 0 {b"hi".hex()}
server_out 1 {b"bye".hex()}
clean 1
start_us 5 6
end_us 900 1000
cpu_us 300 400
voluntary 1 2
involuntary 3 4
exit_codes 0 137
out 0 {b"done".hex()}
out 1 {(bytes([27]) + b"[2J").hex()}
"""


def reading(text: str = REPLY, plan: ProgramPlan = PLAN) -> ProgramReading | None:
    return codec.program_reading(wire.parse_body(text.encode()), plan)


def test_a_request_says_everything() -> None:
    assert codec.program_request(PLAN).decode().splitlines() == [
        "head 1 1 7",
        f"shell {b'echo a'.hex()}",
        f"serve 80 2 4 {(b'nginx' + bytes(1)).hex()}",
        f"serve 0 0 0 {(b'cat' + bytes(1)).hex()}",
        f"job 5 1 -3 9 - {(b'xz' + bytes(2)).hex()}",
        f"job 0 0 0 0 {b'a/b'.hex()} {(b'ls' + bytes(1)).hex()}",
    ]


def test_a_reading_says_everything() -> None:
    found = reading()
    assert found is not None
    assert (found.start_us, found.end_us, found.cpu_us) == ((5, 6), (900, 1000), (300, 400))
    assert (found.voluntary_switches, found.involuntary_switches) == ((1, 2), (3, 4))
    assert (found.exit_codes, found.wall_us, found.context_switches) == ((0, 137), 1000, 5)
    assert (found.cgroup_us, found.clean, found.machine_cpu_us) == (700, True, None)
    assert (found.server_codes, found.server_outputs) == ((None, 1), ("hi", "bye"))
    assert found.outputs[0] == "done"
    assert "\x1b" not in found.outputs[1]
    assert reading(plan=replace(PLAN, jobs=())) is None


def test_what_failed_is_named() -> None:
    with pytest.raises(Unavailable, match=r"failed with 4: echo a") as error:
        reading(f"failed shell 0 4\nsaid 0 {b'no disk'.hex()}\n")
    assert error.value.detail == "no disk"
    with pytest.raises(Unavailable, match="nginx"):
        reading("failed server 0 0\nsaid 0 \n")


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("wall_us 1000", "wall_us 3600000001"),
        ("wall_us 1000\n", ""),
        ("start_us 5 6", "start_us 5"),
        ("end_us 900 1000", "end_us 4 1000"),
        ("clean 1", "clean 2"),
        ("server_codes 256 1", "server_codes 256"),
        ("server_out 0", "server_out 1"),
        ("out 0 ", "out 1 "),
        ("out 0 ", "out 0 xy"),
        (f"out 0 {b'done'.hex()}", "out 0 " + "00" * 2049),
        (f"out 0 {b'done'.hex()}\n", ""),
        ("clean 1", "clean 1\nfailed shell 1 4\nsaid 1 "),
        ("clean 1", "clean 1\nfailed shell 0 4"),
    ],
)
def test_what_cannot_be_is_garbled(said: str, instead: str) -> None:
    assert said in REPLY
    with pytest.raises(wire.Garbled):
        reading(REPLY.replace(said, instead, 1))


@given(st.text(alphabet="failedshrvout_sckp 0123456789abcdef\n-", max_size=200))
def test_nothing_else_than_garbled_comes_of_nonsense(text: str) -> None:
    with pytest.raises((wire.Garbled, Unavailable)):
        reading(text)


@pytest.mark.parametrize(
    "plan",
    [
        ProgramPlan(jobs=(ProgramJob(argv=()),)),
        ProgramPlan(jobs=(ProgramJob(argv=("",)),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a\0b",)),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",) * 65),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a" * 70_000,)),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",), group=32),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",), nice=20),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",), arrival_us=-1),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",), hint_ns=-1),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",), output="a\0b"),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",), output="a" * 201),)),
        ProgramPlan(servers=(ProgramServer(argv=("a",), group=32),)),
        ProgramPlan(servers=(ProgramServer(argv=("a",), nice=20),)),
        ProgramPlan(jobs=(ProgramJob(argv=("a",)),) * 257),
        ProgramPlan(servers=(ProgramServer(argv=("a",), tcp_port=65536),)),
        ProgramPlan(shell=("",)),
        ProgramPlan(shell=("x",) * 65),
    ],
)
def test_what_no_guest_can_run_is_refused(plan: ProgramPlan) -> None:
    with pytest.raises(InputError):
        codec.program_request(plan)
