"""``schedops verify``: what POLICY may be, how far it goes, what it prints where, exit codes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from schedops.cli.main import main
from schedops.cli.verify import _DECLARABLE
from schedops.errors import Unavailable
from schedops.model.kernel import Kernel
from schedops.model.policy import PolicySource, PrebuiltPolicy
from schedops.model.verification import VerificationReport
from schedops.ports import KernelImage
from schedops.repository import DECLARABLE
from schedops.verify.kept import marked
from schedops.verify.stages import FULL, QUICK, STATIC, up_to
from tests.report.reports import BAD, BROKEN, GOOD, UNSURE

ROOT = Path(__file__).parents[2]
BAD_POLICIES = ROOT / "tests/data/policies"
SOURCE = b'struct sched_ext_ops ops = { .name = "x" };\n'


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _without_an_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nowhere:
        def fetch(self, wanted: str) -> KernelImage:
            raise Unavailable("no-such-kernel", f"there is no kernel {wanted}")

    monkeypatch.setattr("schedops.wiring.archive", lambda joined: Nowhere())


class Asked:
    """Stands for the verification: keeps what it was asked, answers one report."""

    def __init__(self, report: VerificationReport) -> None:
        self.report = report
        self.subjects: list[PolicySource | PrebuiltPolicy] = []
        self.options: dict[str, Any] = {}

    def __call__(self, joined: object, subject: PolicySource | PrebuiltPolicy, **options: Any) -> VerificationReport:
        self.subjects.append(subject)
        self.options = options
        return self.report


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[VerificationReport], Asked]:
    kernel = Kernel(name="6.16.12", release="6.16.12", btf_sha256="", vmlinux_sha256="", source="added")
    images = (KernelImage(kernel, tmp_path),)

    def fake(report: VerificationReport) -> Asked:
        stand_in = Asked(report)
        monkeypatch.setattr("schedops.pipeline.verification.verify_policy", stand_in)
        monkeypatch.setattr("schedops.pipeline.kernels.default_images", lambda *_, **__: (images, ("7.3",)))
        return stand_in

    return fake


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as done:
        main(["verify", *words])
    said = capsys.readouterr()
    return int(done.value.code or 0), said.out, said.err


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code, out, _ = run(capsys, *words, "--output", "json")
    return code, json.loads(out)["errors"][0]["code"]


@pytest.mark.parametrize("pair", ["slice_us=7", "slice_us=1.5", "slice_us", "nonesuch=1"])
def test_a_parameter_that_does_not_fit_is_bad_input(pair: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(capsys, "fifo", "--param", pair) == (2, "bad-parameter")


def test_input_that_cannot_be_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert error_of(capsys, "fifo", "--kernel", "2.6.32") == (2, "no-such-kernel")
    assert error_of(capsys, "nonesuch") == (2, "unknown-policy")
    assert error_of(capsys, "fifo", "--declare", "weights") == (2, "declared-twice")
    assert error_of(capsys) == (2, "usage")
    assert error_of(capsys, "fifo", "--base", "fifo") == (2, "not-an-object")
    (tmp_path / "x.bpf.o").write_bytes(b"\x7fELF")
    assert error_of(capsys, "fifo", "--base", str(tmp_path / "x.bpf.o"), "--static") == (2, "usage")
    assert error_of(capsys, "fifo", "--quick", "--stage", "load") == (2, "usage")
    assert error_of(capsys, "fifo", "--junit", str(tmp_path / "no/x.xml")) == (2, "no-such-directory")


def test_without_any_kernel_the_rest_is_said_and_it_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "fifo", "--output", "json")
    data = json.loads(out)["data"]
    assert (code, data["verdict"]) == (69, "ERROR")
    assert {check["stage"] for check in data["checks"]} <= {"source", "simulate"}
    assert data["kernels_missing"] == ["6.16", "7.3"]


@pytest.mark.parametrize(
    ("words", "stages"),
    [
        ((), FULL),
        (("--full",), FULL),
        (("--quick",), QUICK),
        (("--stage", "load"), up_to("load")),
        (("--stage", "source"), ("source",)),
    ],
)
def test_how_far_it_goes(
    words: tuple[str, ...], stages: tuple[str, ...], asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in = asked(GOOD)
    assert run(capsys, "fifo", *words)[0] == 0
    assert stand_in.options["stages"] == stages
    assert bool(stand_in.options["images"]) is (stages != ("source",))


def test_options_reach_the_verification(asked: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stand_in = asked(GOOD)
    (tmp_path / "x.bpf.c").write_bytes(SOURCE)
    words = ("--declare", "weights", "--declare", "partial", "--cpus", "4", "--keep-going", "--no-cache")
    assert run(capsys, str(tmp_path / "x.bpf.c"), *words)[0] == 0
    promised = stand_in.subjects[0].policy.capabilities
    assert (promised.weights, promised.partial, promised.hotplug) == (True, True, False)
    assert {name: stand_in.options[name] for name in ("cpus", "keep_going", "cached", "missing")} == {
        "cpus": 4, "keep_going": True, "cached": False, "missing": ("7.3",),
    }  # fmt: skip
    assert _DECLARABLE == DECLARABLE


def test_headers_of_other_directories_go_with_the_source(
    asked: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stand_in = asked(GOOD)
    (tmp_path / "x.bpf.c").write_bytes(b'#include "theirs/a.h"\n' + SOURCE)
    (tmp_path / "inc/theirs").mkdir(parents=True)
    (tmp_path / "inc/theirs/a.h").write_text("int a;\n")
    (tmp_path / "inc/vmlinux.h").write_text("int b;\n")
    _, _, err = run(capsys, str(tmp_path / "x.bpf.c"), "--include", str(tmp_path / "inc"))
    assert dict(stand_in.subjects[0].headers)["theirs/a.h"] == "int a;\n"
    assert "not used, each kernel's own types" in err
    assert error_of(capsys, "fifo", "--include", str(tmp_path / "none")) == (2, "usage")


def test_static_does_what_the_machine_can(
    asked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = asked(GOOD)
    monkeypatch.setattr("schedops.adapters.compiler.clang.Clang.versions", lambda _: {})
    run(capsys, "fifo", "--static")
    assert stand_in.options["stages"] == STATIC

    def missing(_: object) -> dict[str, str]:
        raise Unavailable("tool-missing", "clang-19 was not found")

    monkeypatch.setattr("schedops.adapters.compiler.clang.Clang.versions", missing)
    _, _, err = run(capsys, "fifo", "--static")
    assert stand_in.options["stages"] == ("source",)
    assert "clang-19 was not found: only the rules on the source are checked" in err


def test_standard_input_gets_the_static_stages(
    asked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = asked(BAD)
    for words, stages in (((), STATIC), (("--stage", "source"), ("source",)), (("--quick",), QUICK)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SOURCE)))
        code, out, _ = run(capsys, "-", "--output", "sarif", *words)
        assert (code, json.loads(out)["version"]) == (1, "2.1.0")
        assert stand_in.options["stages"] == stages
    assert (stand_in.subjects[0].path, stand_in.subjects[0].text) == ("<stdin>", SOURCE.decode())


@pytest.mark.parametrize(("report", "code"), [(GOOD, 0), (BAD, 1), (UNSURE, 3), (BROKEN, 69)])
def test_the_exit_code_is_the_verdicts(
    report: VerificationReport, code: int, asked: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(report)
    for output in ("text", "json", "sarif"):
        assert run(capsys, "fifo", "--output", output)[0] == code


def test_several_policies_are_one_answer(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked(BAD)
    code, out, _ = run(capsys, "fifo", "build-order")
    assert (code, out.count("FAIL: ours on 2 kernels")) == (1, 2)
    _, out, _ = run(capsys, "fifo", "build-order", "--output", "json")
    assert [report["verdict"] for report in json.loads(out)["data"]["reports"]] == ["FAIL", "FAIL"]
    _, out, _ = run(capsys, "fifo", "build-order", "--output", "sarif")
    assert len(json.loads(out)["runs"]) == 2


def test_sarif_is_a_document_even_when_there_is_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "nonesuch", "--output", "sarif")
    assert (code, json.loads(out)["runs"][0]["invocations"][0]["executionSuccessful"]) == (2, False)
    assert "error[unknown-policy]" in err


def test_files_are_written_beside(asked: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    asked(BAD)
    files = ("--junit", str(tmp_path / "x.xml"), "--sarif", str(tmp_path / "x.sarif"))
    _, out, _ = run(capsys, "fifo", *files, "--output", "json")
    assert len(json.loads((tmp_path / "x.sarif").read_text())["runs"][0]["results"]) == 3
    assert json.loads(out)["data"]["verdict"] == "FAIL"
    assert ET.parse(tmp_path / "x.xml").getroot().get("failures") == "3"


@pytest.mark.parametrize("output", ["text", "json", "sarif"])
def test_annotations_under_github_leave_stdout_alone(
    output: str, asked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(BAD)
    quiet = run(capsys, "fifo", "--output", output)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _, out, err = run(capsys, "fifo", "--output", output)
    assert (out, "::error" in quiet[2]) == (quiet[1], False)
    assert [line.split(" ")[0] for line in err.splitlines() if line.startswith("::")] == [
        "::error", "::error", "::warning",
    ]  # fmt: skip


def test_what_was_kept_is_said_to_be(asked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    asked(replace(GOOD, checks=marked(GOOD.checks)))
    assert "--no-cache asks again\n\nPASS: ours" in run(capsys, "fifo")[1]


@pytest.mark.vm
def test_a_flaw_is_shown_with_its_line_and_a_caret(
    capsys: pytest.CaptureFixture[str], newest_kernel: KernelImage
) -> None:
    words = ("--kernel", newest_kernel.kernel.name, "--quick", "--keep-going")
    code, out, _ = run(capsys, str(BAD_POLICIES / "refused.bpf.c"), *words)
    assert code == 1
    assert ":19:2: error: R0 invalid mem access 'map_value_or_null' [VERIFIER-REFUSED]\n" in out
    assert "   19 |         *count += 1;\n      |         ^\n      = why: " in out
    assert "= help: check the pointer for NULL before it is used" in out
