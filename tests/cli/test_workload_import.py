"""``schedops workload import``, and the commands that cannot run what only the simulator runs."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from schedops.cli.main import schedops
from schedops.schema.files import data_dir
from schedops.sim.programs.trace_text import recording
from tests.sim.perfetto.traces import trace_of

TRACE = """
 a-101     [000] d..2.    10.000000: sched_switch: swapper/0:0 [120] R ==> a:101 [120]
 a-101     [000] d..4.    10.001000: sched_wakeup: b:102 [125]<CPU:001>
 <idle>-0  [001] d..2.    10.001010: sched_switch: swapper/1:0 [120] R ==> b:102 [125]
 a-101     [000] d..2.    10.003000: sched_switch: a:101 [120] X ==> swapper/0:0 [120]
 b-102     [001] d..2.    10.004010: sched_switch: b:102 [125] X ==> swapper/1:0 [120]
"""
RT_APP = '{\n\t"tasks": {"a": {"run": 1000, /* us */ "sleep": 500,}},\n\t"global": {"duration": 1}\n}\n'


@pytest.fixture
def say(monkeypatch, tmp_path):
    (tmp_path / "policies" / "workloads").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(schedops, words)
        assert done.exit_code == code, done.output + done.stderr
        return done.stdout if code == 0 else done.stderr

    return run


def test_a_recording_becomes_a_workload_that_everybody_reads(say, tmp_path):
    (tmp_path / "My Build.txt").write_text(TRACE)
    text = say("workload", "import", "My Build.txt")
    assert text.startswith("policies/workloads/my-build.yaml: Recorded: 2 tasks in 0.004 s.\n")
    assert "MODEL: tasks" in say("workload", "show", "my-build")
    assert "my-build" in say("workload", "list")
    assert say("validate")


def test_a_use_case_of_rt_app_is_kept_as_it_is_written(say, tmp_path):
    (tmp_path / "video.json").write_text(RT_APP)
    data = json.loads(say("workload", "import", "video.json", "--output", "json"))["data"]
    assert (data["name"], data["kind"]) == ("video", "rt_app")
    written = (tmp_path / "policies/workloads/video.yaml").read_text()
    assert '    "tasks": {"a": {"run": 1000, /* us */ "sleep": 500,}},' in written
    assert "MODEL: rt_app" in say("workload", "show", "video")


def test_nothing_is_written_over_unless_it_is_asked_for(say, tmp_path):
    (tmp_path / "a.json").write_text(RT_APP)
    say("workload", "import", "a.json", "--name", "mine")
    assert "error[workload-exists]" in say("workload", "import", "a.json", "--name", "mine", code=2)
    say("workload", "import", "a.json", "--name", "mine", "--force")


@pytest.mark.parametrize(
    ("text", "code"),
    [("nothing", "no-trace"), ("{", "bad-json"), ('{"tasks": {"a": {"mem": 5}}}', "not-simulated"),
     ("a-1 [000] 1.000000: sched_switch: x", "bad-trace")],
)  # fmt: skip
def test_what_cannot_be_imported_says_why_and_leaves_nothing(say, tmp_path, text, code):
    (tmp_path / "a").write_text(text)
    assert f"error[{code}]" in say("workload", "import", "a", code=2)
    assert not list((tmp_path / "policies/workloads").iterdir())


@pytest.mark.parametrize("name", ["../a", "A", "a/b", "-a", "a" * 80])
def test_a_name_is_no_path(say, tmp_path, name):
    (tmp_path / "a").write_text(TRACE)
    assert "error[bad-name]" in say("workload", "import", "a", f"--name={name}", code=2)


def test_a_file_that_is_not_there_or_no_text(say, tmp_path):
    assert "error[file-missing]" in say("workload", "import", "b", code=2)
    (tmp_path / "a").write_bytes(bytes(range(256)) * 100)
    assert "error[no-trace]" in say("workload", "import", "a", code=2)


def test_without_a_repository_there_is_no_place_to_write(say, monkeypatch, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".git").mkdir()
    monkeypatch.chdir(elsewhere)
    (elsewhere / "a").write_text(TRACE)
    assert "error[no-repository]" in say("workload", "import", "a", code=2)


def test_validate_says_what_cannot_be_planned(say, tmp_path):
    (tmp_path / "a.json").write_text(RT_APP)
    say("workload", "import", "a.json")
    file = tmp_path / "policies/workloads/a.yaml"
    file.write_text(file.read_text().replace('"sleep": 500', '"iorun": 500'))
    message = say("validate", code=2)
    assert (
        "policies/workloads/a.yaml::$.rt_app: the simulator does not have 'iorun' (a, line 2 of the rt-app" in message
    )


def test_profile_takes_a_recording_as_it_is(say, tmp_path):
    (tmp_path / "a").write_text(TRACE)
    said = say("profile", "--from", "a", "--plot", "a.svg")
    assert said.startswith("a, 2 CPUs, as it was recorded")
    assert "TASKS BY CLASS" in said
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<svg")
    assert "exactly one of --workload and --from" in say("profile", "--from", "a", "--workload", "a", code=2)
    assert "exactly one of --workload and --from" in say("profile", code=2)


def test_a_perfetto_trace_is_a_recording_like_any_other(say, tmp_path):
    (tmp_path / "a").write_text(TRACE)
    (tmp_path / "b").write_bytes(trace_of(recording(TRACE, where="a"), compact=True))
    one, other = (json.loads(say("profile", "--from", name, "--output", "json"))["data"] for name in "ab")
    assert other["profile"]["figures"] == one["profile"]["figures"]
    assert say("workload", "import", "b").startswith("policies/workloads/b.yaml: Recorded: 2 tasks in 0.004 s.\n")


def test_what_runs_in_the_micro_vm_says_that_it_cannot_run_it(say, tmp_path):
    (tmp_path / "a").write_text(TRACE)
    say("workload", "import", "a")
    library = tmp_path / "policies" / "library" / "fifo"
    library.parent.mkdir()
    library.symlink_to(data_dir("policies") / "library" / "fifo")
    message = say("bench", "fifo", "--workload", "a", code=2)
    assert "error[simulator-only]: a is a workload of the kind tasks, which only the simulator runs" in message
    assert "schedops simulate" in message
