"""``schedops-hint`` runs a command as if it had been started itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedops.model.jobs import Hint, Hints
from schedops.workloads.learn.job_key import key_of_command, key_of_name
from schedops.workloads.learn.launches import HEADER, launches
from schedops.workloads.learn.table import table_bytes

pytestmark = pytest.mark.usefixtures("project")
TIMES = (("short", 400), ("half", 500), ("long", 1000))  # microseconds


def run(launcher: Path, *words: str, **more) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([launcher, *words], capture_output=True, check=False, timeout=60, **more)


def start(launcher: Path, *words: str, **more) -> subprocess.Popen[bytes]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([launcher, *words], **pipes, **more)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("true",), 0),
        (("sh", "-c", "exit 7"), 7),
        (("sh", "-c", "kill -TERM $$"), -signal.SIGTERM),
        (("sh", "-c", "kill -KILL $$"), -signal.SIGKILL),
        (("--", "sh", "-c", "exit 255"), 255),
        (("--key", "k", "--", "sh", "-c", "exit 3"), 3),
        (("--key=k", "true"), 0),
        (("/",), 126),
        (("no-such-program",), 127),
        (("--unknown", "true"), 2),
        ((), 2),
        (("--key", "k"), 2),
        (("--help",), 0),
    ],
)
def test_it_ends_as_the_command_ends(launcher, words, code):
    assert run(launcher, *words).returncode == code


def test_input_output_arguments_and_environment_are_the_commands_own(launcher):
    assert run(launcher, "cat", input=b"a\0b").stdout == b"a\0b"
    shown = run(launcher, "sh", "-c", 'printf "%s|" "$0" "$@"; echo err >&2', "zero", "a b", "", "-x")
    assert (shown.stdout, shown.stderr) == (b"zero|a b||-x|", b"err\n")
    script = "import os, sys; sys.stdout.buffer.write(repr(sorted(os.environb.items())).encode())"
    plain = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert run(launcher, sys.executable, "-c", script).stdout == plain.stdout


def test_signals_sent_to_it_reach_the_command(launcher):
    wait = """
import os, signal, sys
signal.signal(int(sys.argv[1]), lambda number, _: os._exit(number))
print("ready", flush=True)
signal.pause()
"""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        # Whoever started the tests may ignore SIGINT, as a shell does for what it runs in the background.
        process = start("env", "--default-signal", launcher, sys.executable, "-c", wait, str(int(number)))
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(timeout=60) == number
        process.communicate()


def test_ignored_signals_stay_ignored(launcher):
    show = "import signal; print([signal.getsignal(n) is signal.SIG_IGN for n in (signal.SIGHUP, signal.SIGCHLD)])"
    ignoring = """
import os, signal, sys
for number in (signal.SIGHUP, signal.SIGCHLD):
    signal.signal(number, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])
"""
    done = subprocess.run(
        [sys.executable, "-c", ignoring, launcher, sys.executable, "-c", show], capture_output=True, check=True
    )
    assert done.stdout == b"[True, True]\n"


def test_a_command_dies_with_a_launcher_that_is_killed(launcher):
    process = start(launcher, "sh", "-c", "echo $$; read x; echo outlived")
    pid = int(process.stdout.readline())
    process.kill()
    process.wait(timeout=60)
    assert process.stdout.read() == b""  # the pipe ends when the command has gone
    process.stdin.close()
    process.stdout.close()
    assert not Path(f"/proc/{pid}/exe").exists()


def test_a_pipe_ends_when_the_command_lets_go_of_it(launcher):
    process = start(launcher, "sh", "-c", "exec >&-; read x; exit 5")
    assert process.stdout.read() == b""
    process.stdin.write(b"go\n")
    process.stdin.close()
    assert process.wait(timeout=60) == 5
    process.stdout.close()


# ---- keys ----


@pytest.mark.parametrize(
    "words",
    [
        ("gcc", "-c", "a.c"),
        ("/usr/bin/gcc", "-I{top}/include", "-c", "{top}/sub/a.c", "-o", "a.o"),
        ("cc", "-Wl,-rpath,{top}/sub/lib,{top}/subx", "@/tmp/x.rsp", "-o/tmp/cc1.o", "{top}"),
    ],
)
@pytest.mark.parametrize("place", [".", "sub", "sub/deep"])
def test_a_command_has_the_key_that_python_computes(launcher, project, words, place):
    given_words = [word.format(top=project) for word in words]
    cwd = project / place
    cwd.mkdir(parents=True, exist_ok=True)
    printed = run(launcher, "--print-key", "--", *given_words, cwd=cwd).stdout.decode()
    assert printed == key_of_command(given_words, cwd=str(cwd.resolve()), root=str(project)) + "\n"


WORD = st.lists(
    st.sampled_from(
        [
            "/",
            "/tmp",
            "/var/tmp",
            "/tmp/",
            "-I",
            "-",
            "I",
            "@",
            "=",
            ",",
            ":",
            "a",
            "b.c",
            " ",
            "é",
            "\udcff",
            "{top}",
            "{up}",
        ]
    )
).map("".join)


@settings(max_examples=150)
@given(st.lists(WORD, min_size=1, max_size=4).filter(lambda words: words[0]))
def test_any_command_has_the_key_that_python_computes(launcher, words):
    top = Path.cwd()
    given_words = [word.replace("{top}", str(top)).replace("{up}", str(top.parent)) for word in words]
    raw = [os.fsencode(word) for word in given_words]
    printed = subprocess.run([launcher, "--print-key", "--", *raw], capture_output=True, check=True).stdout.decode()
    assert printed == key_of_command(given_words, cwd=str(top), root=str(top)) + "\n"


def test_a_name_is_a_key_and_the_root_can_be_said(launcher, project):
    assert run(launcher, "--print-key", "--key", "é 1", "true").stdout.decode() == key_of_name("é 1") + "\n"
    (project / "sub").mkdir()
    for root, place in ((str(project), "sub"), (str(project / "sub") + "//", ""), ("/elsewhere", ""), ("/", "")):
        printed = run(
            launcher, "--print-key", "true", cwd=project / "sub", env={**os.environ, "SCHEDOPS_HINT_ROOT": root}
        )
        assert printed.stdout.decode() == key_of_command(["true"], cwd=f"/r/{place}".rstrip("/"), root="/r") + "\n"


# ---- records ----


def records(project: Path) -> bytes:
    return (project / ".schedops/hints.log").read_bytes()


def test_what_a_command_took_is_noted(launcher, project):
    burn = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
    (project / "deep/er").mkdir(parents=True)
    run(launcher, "sh", "-c", burn, cwd=project / "deep/er")
    run(launcher, "--key", "mine", "sh", "-c", "exit 3")
    head, first, second, end = records(project).split(b"\n")
    assert (head, end) == (HEADER, b"")
    key, cpu_us, wall_us, code, _ = first.split()
    assert key.decode() == key_of_command(["sh", "-c", burn], cwd=str(project / "deep/er"), root=str(project))
    assert int(cpu_us) > 1000
    assert int(wall_us) > 1000
    assert (code, second.split()[0].decode(), second.split()[3]) == (b"0", key_of_name("mine"), b"3")
    found, broken = launches(records(project), today="9999-12-31")
    assert (len(found), broken) == (1, 0)


def test_children_that_the_command_waited_for_count(launcher, project):
    burn = "i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done"
    run(launcher, "--key", "all", "sh", "-c", f"({burn}) & ({burn}) & wait")
    run(launcher, "--key", "one", "sh", "-c", burn)
    both, one = (int(line.split()[1]) for line in records(project).split(b"\n")[1:3])
    assert both > 1.2 * one


def test_records_of_many_processes_do_not_mix(launcher, project):
    processes = [start(launcher, "--key", "k", "sleep", "0.01") for _ in range(30)]
    for process in processes:
        process.communicate(timeout=60)
    lines = [line for line in records(project).split(b"\n") if line != HEADER]
    assert len(lines) == 31
    assert all(line.split()[0].decode() == key_of_name("k") for line in lines[:-1])


def test_without_a_schedops_directory_nothing_is_written(launcher, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    assert run(launcher, "true", cwd=bare, env={**os.environ, "SCHEDOPS_HINT_ROOT": str(bare)}).returncode == 0
    assert list(bare.iterdir()) == []


def test_what_is_short_by_the_table_is_nicer_without_a_policy(launcher, project):
    hints = tuple(Hint(key=key_of_name(name), cpu_us=us, n=1, spread=0, measured="2026-11-21") for name, us in TIMES)
    (project / ".schedops/hints.table").write_bytes(table_bytes(Hints(workload="w", hints=hints)))
    own = os.getpriority(os.PRIO_PROCESS, 0)
    nicer = {
        name: int(run(launcher, "--nice", "3", "--key", name, "nice").stdout) - own
        for name in ("short", "half", "long", "unknown")
    }
    assert nicer == {"short": 3, "half": 0, "long": 0, "unknown": 0}
    assert int(run(launcher, "--key", "short", "nice").stdout) == own
    assert [run(launcher, "--nice", word, "true").returncode for word in ("0", "20", "x", "")] == [2] * 4
