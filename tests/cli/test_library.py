from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from schedops.cli.main import schedops
from schedops.schema.files import data_dir

ROOT = data_dir("policies").parent


@pytest.fixture
def say(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SCHEDOPS_CACHE", str(tmp_path / "cache"))

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(schedops, words)
        assert done.exit_code == code, done.output + done.stderr
        return done.stdout if code == 0 or "json" in words else done.stderr

    return run


def test_list_has_every_policy(say):
    text = say("library", "list")
    firsts = [line.split()[0] for line in text.splitlines() if not line.startswith(" ")]
    assert firsts == ["POLICY", *sorted(path.name for path in (ROOT / "policies/library").iterdir())]
    assert len(firsts) > 15
    assert max(map(len, text.splitlines())) <= 110


def test_list_as_data(say):
    envelope = json.loads(say("library", "list", "--output", "json"))
    assert (envelope["command"], envelope["status"], envelope["exit_code"]) == ("library list", "ok", 0)
    assert envelope["data"]["starter"] is False
    first = envelope["data"]["policies"][0]
    assert (first["kind"], first["name"]) == ("Policy", "build-order")
    assert first["path"] == "policies/library/build-order/build-order.bpf.c"


def test_show_tells_parameters_and_when_it_loses(say):
    text = say("library", "show", "fifo")
    assert text.startswith("fifo\n")
    (line,) = (line for line in text.splitlines() if line.startswith("  slice_us"))
    assert line.split()[:5] == ["slice_us", "u64", "5000", "500..20000", "us"]
    assert "LOSES WHEN" in text
    assert "policies/library/fifo/fifo.bpf.c" in text


def test_show_source_is_the_source(say):
    source = (ROOT / "policies/library/fifo/fifo.bpf.c").read_text()
    assert say("library", "show", "fifo", "--source") == source
    assert json.loads(say("library", "show", "fifo", "--source", "--output", "json"))["data"]["source"] == source


def test_show_of_a_name_that_is_none(say):
    assert say("library", "show", "fifoo", code=2).splitlines() == [
        "error[unknown-policy]: there is no policy 'fifoo'",
        "  try:   did you mean fifo? `schedops library list` names them all",
    ]


def test_search_says_why(say):
    hits = json.loads(say("library", "search", "several", "builds", "--output", "json"))["data"]["hits"]
    assert hits[0]["policy"]["name"] == "build-order"
    assert "tag builds" in hits[0]["why"]
    assert say("library", "search", "zzz") == "no policy answers that\n"


def test_search_for_what_suits_a_workload(say):
    hits = json.loads(say("library", "search", "--like", "uneven-batch", "--limit", "2", "--output", "json"))["data"][
        "hits"
    ]
    assert hits[0]["policy"]["name"] == "long-first"
    assert "meant for uneven-batch, as the workload is" in hits[0]["why"]
    assert len(hits) == 2
    assert "error[unknown-workload]" in say("library", "search", "--like", "uneven-batsch", code=2)
    assert "is needed" in say("library", "search", code=2)


def test_search_by_class_and_tag(say):
    hits = json.loads(say("library", "search", "--class", "uneven-batch", "--tag", "hints", "--output", "json"))
    assert [hit["policy"]["name"] for hit in hits["data"]["hits"]] == ["long-first"]
    assert say("library", "search", "compile", "--class", "no-such-class") == "no policy answers that\n"


def test_search_names_what_cannot_be_read_without_its_escapes(say, monkeypatch, tmp_path):
    for name in ("a\x1b[2Jb", *(f"n{number}" for number in range(12))):
        (tmp_path / "policies/library" / name).mkdir(parents=True)
        (tmp_path / "policies/library" / name / "policy.yaml").write_text("x: 1\n")
    monkeypatch.chdir(tmp_path)
    text = say("library", "search", "cache")
    assert "\x1b" not in text
    assert "a[2Jb, n0, n1" in text
    assert "and 3 more; `schedops validate` says why" in text


def test_outside_of_a_repository_it_is_the_starter_library(say, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert say("library", "list").endswith("\nstarter library of schedops; there is no policies/ here\n")
    assert say("workload", "list").endswith("\nstarter workloads of schedops; there is no policies/ here\n")
    assert "no-policies" in say("validate", code=2)


def test_workload_list_and_show(say):
    assert "mean_build_time_per_floor" in say("workload", "list")
    text = say("workload", "show", "ci-builds")
    assert "vetoes when higher by over 10%" in text
    assert "is reported when higher by over 25%" in text
    assert "none yet; the first run is cold" in text
    assert "hard SLO: 2.5 at most" in text
    assert "not measured yet" in text
    data = json.loads(say("workload", "show", "uneven-batch", "--output", "json"))["data"]
    assert data["workload"]["batch"]["long_factor"] == 7.4
    assert data["path"] == "policies/workloads/uneven-batch.yaml"


def test_workload_show_says_how_long_a_run_took(say, monkeypatch, tmp_path):
    text = (ROOT / "policies/workloads/pipe-groups.yaml").read_text()
    (tmp_path / "policies/workloads").mkdir(parents=True)
    measured = "expected_seconds: {emulated_2: 2.5, real_8: 0.4}"
    text = re.sub(r"^expected_seconds:.*\n(?:[ ]+.*\n)*", "", text, flags=re.MULTILINE)
    (tmp_path / "policies/workloads/pipe-groups.yaml").write_text(text.replace("rounds:", f"{measured}\nrounds:", 1))
    monkeypatch.chdir(tmp_path)
    assert "2.5 s on two emulated CPUs, 0.4 s on eight real ones" in say("workload", "show", "pipe-groups")


def test_validate_says_all_or_nothing(say, monkeypatch, tmp_path):
    assert say("validate").endswith("policies: no problems\n")
    (tmp_path / "policies" / "workloads").mkdir(parents=True)
    (tmp_path / "policies" / "workloads" / "a.yaml").write_text("a: 1\na: 2\n")
    (tmp_path / "policies" / "fleet.yaml").write_text("on: .inf\n")
    monkeypatch.chdir(tmp_path)
    envelope = json.loads(say("validate", "--output", "json", code=2))
    (error,) = envelope["errors"]
    assert error["code"] == "invalid-document"
    assert {line.split("::")[0] for line in error["detail"].splitlines()} == {
        "policies/workloads/a.yaml", "policies/fleet.yaml"
    }  # fmt: skip
    assert "error[invalid-document]" in say("validate", code=2)


@pytest.mark.parametrize("words", [["library"], ["library", "list"], ["workload", "show"], ["validate"]])
def test_help_has_an_example(say, words):
    assert "Example:\n    schedops " in say(*words, "--help")
