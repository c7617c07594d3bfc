"""``schedops hint``: learning, the table, and the launcher behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from schedops.adapters import host_programs
from schedops.cli.hint_exec import wants_launcher
from schedops.cli.main import schedops
from schedops.model.jobs import Hints
from schedops.schema.read import load
from schedops.workloads.learn.job_key import key_of_name, key_of_output
from schedops.workloads.learn.table import table_bytes

NINJA_LOG = "# ninja log v5\n0\t20\t1\ta.o\t1f\n20\t50\t1\tapp\t2f\n"
GRAPH = 'digraph ninja {\n"0x1" [label="a.o"]\n"0x2" [label="app"]\n"0x1" -> "0x2" [label=" link"]\n}\n'
RECORDS = f"schedops-hint-log 1\n{key_of_name('k')} 1500 2000 0 1763683200\nbroken\n"
WORKLOAD = Path(__file__).parents[2] / "policies/workloads/ci-builds.yaml"


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    return tmp_path


def say(*words: str, code: int = 0) -> str:
    done = CliRunner().invoke(schedops, ["hint", *words])
    assert done.exit_code == code, done.output + done.stderr
    return done.stdout if code == 0 else done.stderr


def known(project: Path) -> Hints:
    return load(project / ".schedops/hints.yaml", Hints)


def test_a_log_of_ninja_is_learnt_once_and_the_launchers_table_made(project):
    Path("log").write_text(NINJA_LOG)
    Path("graph.dot").write_text(GRAPH)
    assert say("learn", "log", "--graph", "graph.dot").startswith(
        "2 measurements learnt; 2 jobs known, 2 of them new\n"
    )
    hints = {hint.key: hint for hint in known(project).hints}
    assert (hints[key_of_output("a.o")].cpu_us, hints[key_of_output("a.o")].chain_us) == (20_000, 50_000)
    assert {hint.clock for hint in hints.values()} == {"wall"}
    assert (project / ".schedops/hints.table").read_bytes() == table_bytes(known(project))
    before = known(project)
    assert "log was learnt before\n" in say("learn", "log", "--graph", "graph.dot")
    assert known(project) == before


def test_records_of_the_launcher_are_learnt_and_begin_anew(project):
    log = project / ".schedops/hints.log"
    log.parent.mkdir()
    log.write_text(RECORDS)
    told = say("learn")
    assert told.startswith("1 measurements learnt; 1 jobs known, 1 of them new\n")
    assert "1 lines are no records" in told
    assert [path.name for path in sorted(log.parent.iterdir())] == [
        ".gitignore",
        "hints.lock",
        "hints.table",
        "hints.yaml",
    ]
    log.write_text(RECORDS.replace("1500", "2500"))
    assert json.loads(say("learn", "--output", "json"))["data"]["measurements"] == 1
    (hint,) = known(project).hints
    assert (hint.cpu_us, hint.n, hint.clock) == (2000, 2, "cpu")


def test_records_survive_a_learning_that_failed(project):
    log = project / ".schedops/hints.log"
    log.parent.mkdir()
    log.write_text(RECORDS)
    Path("makefile.trace").write_text("Makefile:3: target 'a.o' does not exist\ncc -c a.c\n")
    assert "make writes no times down" in say("learn", "makefile.trace", code=2)
    assert say("learn").startswith("1 measurements learnt")


def test_hints_of_a_workload_go_to_the_repository(project):
    (project / "policies/workloads").mkdir(parents=True)
    (project / "policies/workloads/ci-builds.yaml").write_bytes(WORKLOAD.read_bytes())
    Path("report.xml").write_text('<testsuite><testcase name="t" time="2"/></testsuite>')
    say("learn", "report.xml", "--workload", "ci-builds")
    hints = load(project / "policies/hints/ci-builds.yaml", Hints)
    assert [(hint.key, hint.cpu_us) for hint in hints.hints] == [(key_of_name("t"), 2_000_000)]
    assert not (project / ".schedops/hints.table").exists()
    assert "1 jobs" in say("compile", "--workload", "ci-builds")
    assert (project / ".schedops/hints.table").read_bytes() == table_bytes(hints)
    assert "error[unknown-workload]" in say("learn", "report.xml", "--workload", "other", code=2)


def test_no_workload_without_a_repository(project):
    assert "error[no-repository]" in say("learn", "--workload", "ci-builds", code=2)


@pytest.mark.parametrize(
    ("content", "code"), [("<!DOCTYPE a><a/>", "bad-report"), ("# ninja log v9\n", "bad-log"), ("x", "unknown-history")]
)
def test_what_cannot_be_learnt_is_bad_input(project, content, code):
    Path("file").write_text(content)
    assert f"error[{code}]" in say("learn", "file", code=2)
    assert "error[file-missing]" in say("learn", "absent", code=2)


def test_a_directory_that_is_a_link_is_refused(project, tmp_path_factory):
    (project / ".schedops").symlink_to(tmp_path_factory.mktemp("theirs"))
    assert "error[foreign-directory]" in say("learn", code=2)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["hint", "gcc", "-c", "a.c"], True),
        (["hint", "--key", "k", "gcc"], True),
        (["hint", "--", "learn"], True),
        (["hint", "learn", "file"], False),
        (["hint", "compile"], False),
        (["hint", "--help"], False),
        (["hint", "--print-launcher"], False),
        (["hint", "--output=json", "--print-launcher"], False),
        (["hint"], False),
        (["verify", "hint"], False),
        ([], False),
    ],
)
def test_what_is_a_job_and_what_a_command_of_ours(words, wanted):
    assert wants_launcher(words) is wanted


def started(*words: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-m", "schedops", "hint", *words]
    return subprocess.run(argv, capture_output=True, check=False, env={**os.environ, **env}, input=b"in")


def test_a_job_runs_as_if_it_had_been_started_itself(project):
    (project / ".schedops").mkdir()
    done = started("--key", "k", "--", "sh", "-c", "cat; exit 5")
    assert (done.returncode, done.stdout, done.stderr) == (5, b"in", b"")
    assert key_of_name("k") in (project / ".schedops/hints.log").read_text()
    assert started("no-such-program").returncode == 127


def test_without_a_compiler_a_job_runs_all_the_same(tmp_path):
    for words in (("--key", "k", "--", "/bin/cat"), ("/bin/cat",)):
        done = started(*words, PATH=str(tmp_path), SCHEDOPS_CACHE=str(tmp_path / "empty"))
        assert (done.returncode, done.stdout) == (0, b"in")
    done = started("/no/such", PATH=str(tmp_path), SCHEDOPS_CACHE=str(tmp_path / "empty"))
    assert done.returncode == 127


def test_the_launcher_is_linked_beside_schedops_and_nothing_foreign_replaced(tmp_path):
    place = tmp_path / "bin"
    place.mkdir()
    assert host_programs.link_beside(place) == place / "schedops-hint"
    assert host_programs.link_beside(place) is None
    link = place / "schedops-hint"
    assert subprocess.run([link, "--print-key", "true"], capture_output=True, check=True).stdout
    link.unlink()
    link.symlink_to(tmp_path / "older" / "schedops-hint")
    assert host_programs.link_beside(place) == link
    assert link.resolve() == host_programs.hint_launcher()
    link.unlink()
    link.write_text("theirs")
    assert host_programs.link_beside(place) is None
    assert link.read_text() == "theirs"
    assert host_programs.link_beside(tmp_path / "absent") is None
