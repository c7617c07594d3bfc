"""``profile`` and ``bench`` from the command line to the envelope, the guest played by a model."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from schedops.agent.quantum import Discipline
from schedops.cli.main import main
from schedops.model.verification import BuildFailure, SourceProblem
from schedops.ports import KernelImage, World
from tests.fakes.guest import HOST_FACTS, IMAGE, Clock, Host, Machines, Script
from tests.fakes.workloads import BUILT

ROOT = Path(__file__).parent.parent.parent


class Toolchain:
    def __init__(self, answer=BUILT):
        self.answer = answer
        self.asked = []

    def build(self, source, params, image):
        self.asked.append((source.policy.name, {value.name: value.value for value in params}))
        return self.answer

    def versions(self):
        return {"clang": "19", "bpftool": "7.5"}


class Kernels:
    def __init__(self, *images: KernelImage) -> None:
        self.images = images

    def list(self):
        return self.images

    def find(self, wanted):
        return next((image for image in self.images if image.kernel.release.startswith(wanted)), None)


@pytest.fixture
def checkout(tmp_path):
    """The repository's own policies, where runs may be kept."""
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys, checkout):
    def run(words, *, script=None, toolchain=None, kernels=None):
        script = script or Script(ops="build_order", us_per_work=0.004)

        def world(progress):
            return World(
                clock=Clock(),
                progress=progress,
                toolchain=toolchain or Toolchain(),
                machines=Machines(script),
                kernels=kernels or Kernels(IMAGE),
                host=Host(),
            )

        # Wiring is where real adapters come in; no guest is booted here.
        monkeypatch.setattr("schedops.wiring.world", world)
        monkeypatch.chdir(checkout)
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        return done.value.code, captured.out, captured.err

    return run


def test_profile_prints_classes_and_figures_and_is_remembered(run, checkout):
    code, out, _ = run("profile --workload ci-builds")
    assert code == 0
    assert out.startswith("ci-builds on 6.18.15, 2 CPUs, seed 1, scale 0.5, tcg-multi, under the default scheduler\n")
    assert "saturating-groups" in out
    assert "hints: expected CPU time of 34 jobs, measured" in out
    assert "`--tier probe` would take about" in out
    assert len(list((checkout / ".schedops" / "profiles").glob("ci-builds-2-*.json"))) == 1
    code, again, _ = run("profile --workload ci-builds")
    assert code == 0
    assert "an earlier run, tier profile on 6.18.15" in " ".join(again.split())


def test_profile_as_json_holds_both_documents(run):
    code, out, _ = run("profile --workload uneven-batch --explain --output json")
    data = json.loads(out)["data"]
    assert code == 0
    assert data["profile"]["classes"][0]["name"] == "uneven-batch"
    assert len(data["hints"]["hints"]) == 11
    assert data["rules"][0]["name"] == "uneven-batch"


def test_profile_draws_what_the_probes_counted(run, checkout, monkeypatch):
    monkeypatch.setattr("schedops.wiring.probes", lambda joined: lambda image: b"probes")
    code, out, _ = run("profile --workload uneven-batch --plot out.svg --explain")
    assert code == 0
    assert out.endswith("written: out.svg\n")
    assert "longest_to_median > 2" in out
    assert (checkout / "out.svg").read_bytes().startswith(b"<svg")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--plot out.png", "a name that ends in .svg is needed"),
        ("--plot out.svg --tier profile", "--plot needs what tier probe counts"),
        ("--tier probe --budget-s 0.1", "is expected to take"),
    ],
)
def test_profile_refuses_what_it_cannot_do(run, words, said):
    code, _, err = run(f"profile --workload uneven-batch {words}")
    assert code == 2
    assert said in err


def test_bench_prints_a_row_per_metric_and_exits_with_the_verdict(run):
    code, out, err = run("bench build-order --workload ci-builds --rounds 8")
    assert code == 0
    rows = {line.split()[0]: line for line in out.splitlines() if line[:1].isalpha()}
    assert rows["mean_build_time_per_floor"].count("PASS") == 2
    assert "PASS: build-order on ci-builds: mean build time per floor -" in out
    assert "24 runs in 8 rounds of three arms on 6.18.15" in err


def test_bench_as_json_keeps_raw_samples_and_says_it_did_not_verify(run):
    code, out, _ = run("bench build-order --workload ci-builds --rounds 6 --output json")
    answer = json.loads(out)
    assert (code, answer["status"], answer["data"]["verdict"]) == (0, "ok", "PASS")
    assert answer["data"]["verified"] is False
    assert len(answer["data"]["measurements"]["samples"]) == 18


def test_bench_with_too_few_rounds_is_inconclusive(run):
    code, out, _ = run("bench build-order --workload ci-builds --rounds 2")
    assert code == 3
    assert "INCONCLUSIVE: build-order on ci-builds" in out


def test_bench_that_was_not_better_fails(run):
    script = Script(ops="build_order", us_per_work=0.004, discipline=Discipline.FAIR)
    code, out, _ = run("bench build-order --workload ci-builds --rounds 6 --cold", script=script)
    assert code == 1
    assert "FAIL: build-order on ci-builds" in out


def test_bench_lists_runs_that_were_not_counted(run):
    script = Script(ops="build_order", us_per_work=0.004, failing_in=frozenset({7}))
    code, out, _ = run("bench build-order --workload ci-builds --rounds 6", script=script)
    assert code == 3
    assert "1 of 19 runs were not counted:" in out
    assert ": 1 of 92 jobs failed, the first with exit code 3" in out


def test_bench_hands_parameters_to_the_build(run):
    toolchain = Toolchain()
    run("bench build-order --workload ci-builds --rounds 1 --param slice_us=3000 --param max_wait_ms=90",
        toolchain=toolchain)  # fmt: skip
    assert toolchain.asked == [("build-order", {"max_wait_ms": 90, "slice_us": 3000})]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("speed=1", "build-order has no parameter 'speed'"),
        ("slice_us=fast", "slice_us is 'fast', not a whole number in 500..20000 (us)"),
        ("slice_us=1", "slice_us is 1, not a whole number in 500..20000 (us)"),
        ("slice_us", "slice_us is '', not a whole number in 500..20000 (us)"),
    ],
)
def test_bad_parameter_is_bad_input(run, word, message):
    code, _, err = run(f"bench build-order --workload ci-builds --param {word}")
    assert code == 2
    assert f"error[bad-parameter]: {message}" in err


def test_cold_bench_profiles_nothing_and_hands_over_no_hints(run):
    script = Script(ops="build_order", us_per_work=0.004)
    run("bench build-order --workload ci-builds --rounds 1 --cold", script=script)
    assert script.runs == 6  # a warm-up round and one that counts
    assert not any(any(setup.hint_ns) for setup in script.setups)


def test_policy_that_does_not_compile_is_refused_with_the_place(run):
    problem = SourceProblem(file="build-order.bpf.c", line=7, column=3, severity="error", text="expected ';'")
    toolchain = Toolchain(BuildFailure(kernel="6.18.15", problems=(problem,)))
    code, _, err = run("bench build-order --workload ci-builds", toolchain=toolchain)
    assert code == 1
    assert "error[not-built]: build-order does not compile for 6.18.15" in err
    assert "build-order.bpf.c:7:3: error: expected ';'" in err


@pytest.mark.parametrize("command", ["profile --workload nope", "bench build-order --workload nope"])
def test_unknown_workload_is_bad_input(run, command):
    assert run(command)[0] == 2


def test_unknown_kernel_is_bad_input_and_no_kernel_is_unavailable(run):
    assert run("profile --workload ci-builds --kernel 9.9")[0] == 2
    assert run("profile --workload ci-builds", kernels=Kernels())[0] == 69


# Kept, foretold, judged again


def kept(checkout):
    return max((checkout / ".schedops/runs").iterdir())


def test_bench_is_kept_and_judged_again_to_the_last_byte(run, checkout):
    code, out, _ = run("bench build-order --workload ci-builds --output json")
    data = json.loads(out)["data"]
    directory = kept(checkout)
    assert directory.name == data["run"]
    again, out, _ = run(f"gate --replay {directory} --output json")
    replayed = json.loads(out)["data"]
    assert (again, replayed["stored"], replayed["decision"]) == (code, "the same", data["decision"])
    assert (
        replayed["decision_sha256"]
        == f"sha256:{hashlib.sha256((directory / 'decision.json').read_bytes()).hexdigest()}"
    )


def test_bench_ends_at_the_first_clear_look(run):
    _, out, err = run("bench build-order --workload ci-builds --output json")
    data = json.loads(out)["data"]
    assert data["decision"]["looks"] == data["measurements"]["looks"] == [10, 20, 30]
    assert data["decision"]["rounds"] == len(data["measurements"]["rounds"]) == 10
    assert "the answer is clear after 10 of at most 30 rounds" in err


def test_bench_says_how_many_pairs_it_may_take(run):
    _, _, err = run("bench build-order --workload ci-builds --rounds 6")
    assert "on mean build time per floor is told from none after 6 rounds" in err
    assert "(noise 9.0 % a pair, assumed)" in err
    _, out, err = run("bench build-order --workload ci-builds --rounds 6 --output json")
    assert "a pair, 1 earlier runs)" in err
    assert [one["runs"] for one in json.loads(out)["data"]["power"]] == [1]


def test_earlier_runs_of_another_size_or_workload_do_not_count(run):
    run("bench build-order --workload ci-builds --rounds 6")
    for words in ("--scale 2", "--cpus 3"):
        _, _, err = run(f"bench build-order --workload ci-builds --rounds 1 {words}")
        assert "assumed)" in err


def test_earlier_runs_of_another_machine_do_not_count_and_it_is_said(run, monkeypatch):
    run("bench build-order --workload ci-builds --rounds 6")
    monkeypatch.setattr("tests.fakes.guest.HOST_FACTS", replace(HOST_FACTS, microcode="0x2"))
    _, _, err = run("bench build-order --workload ci-builds --rounds 1")
    assert "not comparable: host microcode: 0x1 and 0x2" in err
    assert "assumed)" in err


def test_samples_of_a_search_never_pass(run):
    code, out, _ = run("bench build-order --workload ci-builds --rounds 8 --search")
    assert code == 3
    assert "24 of 24 samples helped to find the candidate" in " ".join(out.split())
