"""``schedops gate --replay`` on stored documents: bundles, runs, measurements alone, and what is wrong with them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.cli.main import main
from schedops.model.verdict import Verdict
from schedops.schema.canonical import canonical_bytes, digest_of
from tests.fakes.dossier import documents_of, dossier
from tests.fakes.measurements import ENVIRONMENT, measurements, report, three_arms, workload

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def gate(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words: object):
        with pytest.raises(SystemExit) as done:
            main(["gate", "--output", "json", *map(str, words)])
        return done.value.code, json.loads(capsys.readouterr().out)

    return run


def bundle(directory: Path, made=None) -> Path:
    """The files of a pull request's evidence."""
    for file in documents_of(made or dossier()):
        path = directory / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return directory / "evidence"


def stored(directory: Path, given, wanted=None, name="measurements.json") -> Path:
    """Measurements with their workload."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "workload.json").write_bytes(canonical_bytes(wanted or workload()))
    (directory / name).write_bytes(canonical_bytes(given))
    return directory / name


@pytest.mark.parametrize(
    ("changes", "code", "verdict"),
    [({}, 0, "PASS"), ({"candidate": 1.1}, 1, "FAIL"), ({"rounds": 4}, 3, "INCONCLUSIVE")],
)
def test_a_bundle_gives_its_stored_verdict(gate, tmp_path, changes, code, verdict) -> None:
    made = dossier(**changes)
    assert made.decision.verdict is Verdict(verdict)
    evidence = bundle(tmp_path, made)
    for path in (evidence, evidence / "measurements.json"):
        found, answer = gate("--replay", path)
        assert (found, answer["data"]["verdict"], answer["data"]["stored"]) == (code, verdict, "the same")
        assert answer["data"]["verified"] is True
        assert answer["data"]["decision_sha256"] == digest_of(made.decision)


def test_a_changed_decision_is_refused_with_what_differs(gate, tmp_path) -> None:
    path = stored(tmp_path / "run", measurements(three_arms(candidate=1.1)))
    _, answer = gate("--replay", path)
    decision = answer["data"]["decision"]
    (path.parent / "decision.json").write_text(json.dumps({**decision, "verdict": "PASS", "rounds": 9}))
    code, answer = gate("--replay", path)
    (error,) = answer["errors"]
    assert (code, error["code"]) == (1, "decision-differs")
    assert error["message"] == "the stored decision is not what these samples say, which is FAIL"
    assert error["detail"].splitlines()[1:] == [
        "$.rounds: stored 9, now 10",
        '$.verdict: stored "PASS", now "FAIL"',
    ]


def test_the_same_values_in_other_bytes_are_not_the_same(gate, tmp_path) -> None:
    path = stored(tmp_path / "run", measurements(three_arms()))
    _, answer = gate("--replay", path)
    (path.parent / "decision.json").write_text(json.dumps(answer["data"]["decision"], indent=1))
    code, answer = gate("--replay", path)
    assert (code, answer["errors"][0]["detail"].splitlines()[1:]) == (1, ["$: the same values in other bytes"])


def test_a_changed_sample_is_refused_by_the_evidence(gate, tmp_path) -> None:
    evidence = bundle(tmp_path)
    file = evidence / "measurements.json"
    file.write_bytes(file.read_bytes().replace(b'"value":80.0', b'"value":79.0', 1))
    code, answer = gate("--replay", file)
    assert (code, answer["errors"][0]["code"]) == (1, "evidence-differs")
    assert "evidence/measurements.json is sha256:" in answer["errors"][0]["detail"]


def test_measurements_alone_take_the_workload_that_they_name_or_that_is_given(gate, tmp_path, monkeypatch) -> None:
    file = tmp_path / "figures.json"
    file.write_bytes(canonical_bytes(replace(measurements(three_arms()), workload="uneven-batch")))
    monkeypatch.chdir(ROOT)
    for words in ((), ("--workload", "uneven-batch"), ("--workload", "policies/workloads/uneven-batch.yaml")):
        code, answer = gate("--replay", file, *words)
        assert (code, answer["data"]["stored"], answer["data"]["verified"]) == (69, "none", False)
        assert "metric makespan_per_floor was read 0 times" in answer["data"]["decision"]["summary"]
    code, answer = gate("--replay", file, "--workload", "ci-builds")
    assert "the workload measured is 'uneven-batch', not 'ci-builds'" in answer["data"]["decision"]["summary"]


def test_another_workload_than_was_measured_is_bad_input(gate, tmp_path) -> None:
    given = replace(measurements(three_arms()), workload_sha256=digest_of(workload()))
    assert gate("--replay", stored(tmp_path / "a", given))[0] == 0
    code, answer = gate("--replay", stored(tmp_path / "b", given, workload(guards=())))
    assert (code, answer["errors"][0]["code"]) == (2, "other-workload")


def test_results_of_one_environment_are_put_side_by_side(gate, tmp_path) -> None:
    first = stored(tmp_path / "a", measurements(three_arms()))
    second = stored(tmp_path / "b", measurements(three_arms(candidate=1.1)))
    code, answer = gate("--replay", first, "--against", second)
    assert (code, answer["data"]["verdict"], answer["data"]["against"]["verdict"]) == (0, "PASS", "FAIL")


def test_results_of_different_environments_are_refused_with_what_differs(gate, tmp_path) -> None:
    other = replace(ENVIRONMENT, qemu="9.2", host=replace(ENVIRONMENT.host, governor="powersave"))
    first = stored(tmp_path / "a", measurements(three_arms()))
    given = replace(measurements(three_arms()), environment=other, environment_after=other)
    code, answer = gate("--replay", first, "--against", stored(tmp_path / "b", given))
    (error,) = answer["errors"]
    assert (code, error["code"]) == (1, "other-environment")
    assert error["detail"].splitlines() == ["qemu: 10.0.2 and 9.2", "host governor: performance and powersave"]
    unknown = stored(tmp_path / "c", replace(measurements(three_arms()), environment=None))
    assert gate("--replay", first, "--against", unknown)[1]["errors"][0]["code"] == "other-environment"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"kind": "Measurements"}', b"\xff\xfe", b'{"a": NaN}'])
def test_what_is_no_measurement_is_bad_input(gate, tmp_path, content) -> None:
    (tmp_path / "m.json").write_bytes(content)
    code, answer = gate("--replay", tmp_path / "m.json")
    assert (code, answer["errors"][0]["code"]) == (2, "invalid-document")


def test_more_rounds_than_can_be_judged_in_seconds_are_bad_input(gate, tmp_path) -> None:
    arms = ("eevdf", "informed", "candidate")
    path = stored(tmp_path, measurements({arm: {"makespan": [100.0] * 201} for arm in arms}))
    code, answer = gate("--replay", path)
    assert code == 2
    assert "$.rounds" in answer["errors"][0]["detail"]


def test_a_file_that_is_not_there_is_bad_input(gate, tmp_path) -> None:
    assert gate("--replay", tmp_path / "none.json")[0] == 2
    assert gate("--replay", tmp_path)[0] == 2


def test_a_decision_that_is_no_document_is_said_to_differ(gate, tmp_path) -> None:
    path = stored(tmp_path / "run", measurements(three_arms()))
    for content in (b"", b"\x1b[2J", b"[" * 2000, b'{"verdict": "\\u001b[2J"}'):
        (path.parent / "decision.json").write_bytes(content)
        code, answer = gate("--replay", path)
        assert (code, answer["errors"][0]["code"]) == (1, "decision-differs"), content


def test_the_page_says_it_in_words(capsys, tmp_path) -> None:
    path = stored(tmp_path / "run", measurements(three_arms()))
    (path.parent / "verification-report.json").write_bytes(canonical_bytes(report()))
    with pytest.raises(SystemExit):
        main(["gate", "--replay", str(path)])
    said = " ".join(capsys.readouterr().out.split())
    assert "PASS: p on w: makespan -20.0 %" in said
    assert "verification PASS verification of p: PASS" in said
    assert "with exact signed-rank intervals at 95 %" in said
