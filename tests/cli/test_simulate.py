"""``schedops simulate`` from the command line to table, envelope, picture and trace; the real simulator runs."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

from schedops.adapters.sim.simulator import WasmSimulator
from schedops.cli.main import main
from schedops.model.machine import Machine
from schedops.model.simulation import SimEnd
from schedops.schema.read import load

ROOT = Path(__file__).parents[2]
SMALL = "--workload ci-builds --scale 0.5"
UNSUPPORTED = """\
#include "schedops.h"
char _license[] SEC("license") = "GPL";
void bpf_no_such_helper(int argument);
s32 OP_SLEEPABLE(none_init) { bpf_no_such_helper(1); return 0; }
SEC(".struct_ops.link")
struct sched_ext_ops none_ops = { .init = (void *)none_init, .name = "none" };
"""


class Ending:
    """The real simulator, but some runs end otherwise.

    :param ends: (scheduler, seed) -> how; seed 0 stands for all.
    """

    def __init__(self, simulator, ends):
        self.simulator, self.ends, self.runs = simulator, ends, []

    def run(self, plan, machine, scheduler, *, trace):
        self.runs.append((scheduler.name, plan.seed))
        result = self.simulator.run(plan, machine, scheduler, trace=trace)
        end = self.ends.get((scheduler.name, plan.seed)) or self.ends.get((scheduler.name, 0))
        return result if end is None else replace(result, end=end)


@pytest.fixture
def run(monkeypatch, capsys, sim_modules):
    def run(words, *, ends=None):
        simulator = Ending(WasmSimulator(sim_modules), ends or {})
        monkeypatch.setattr("schedops.wiring.simulator", lambda: simulator)
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as done:
            main(words.split())
        captured = capsys.readouterr()
        run.runs = simulator.runs
        return done.value.code, captured.out, captured.err

    return run


def data_of(out):
    envelope = json.loads(out)
    assert list(envelope) == ["version", "command", "status", "exit_code", "data", "errors"]
    assert envelope["command"] == "simulate"
    return envelope["data"]


def test_the_table_says_that_nothing_was_measured_and_where(run):
    code, out, _ = run(f"simulate build-order {SMALL} --seeds 6")
    assert code == 0
    first, second, *_, last = out.strip().splitlines()
    assert first == "build-order against eevdf on ci-builds"
    assert second == "simulated, not measured; machine flat-2, 2 CPUs, 6 seeds (1 to 6)"
    assert last.startswith("SIMULATED: build-order on ci-builds: mean build time per floor ")
    for name in ("all_done_per_floor", "floor_ms", "wakeup_p99_us", "fairness", "idle_while_waiting", "migrations"):
        assert f"\n{name} " in out
    assert "PER CLASS OF TASK" in out
    assert "  compile  " in out


def test_the_envelope_holds_objectives_guards_intervals_and_classes(run):
    code, out, _ = run(f"simulate build-order {SMALL} --seeds 6 --machine odd-3 --output json")
    data = data_of(out)
    assert code == 0
    assert (data["rung"], data["machine"], data["cpus"], data["seeds"]) == ("simulated", "odd-3", 3, [1, 2, 3, 4, 5, 6])
    assert data["machine_sha256"].startswith("sha256:")
    roles = {figure["name"]: figure["role"] for figure in data["figures"]}
    assert roles["mean_build_time_per_floor"] == "objective"
    assert roles["worst_slowdown"] == "guard"
    assert roles["floor_ms"] == "floor"
    objective = data["figures"][0]
    assert objective["low"] <= objective["estimate"] <= objective["high"]
    assert objective["pairs"] == 6
    assert [one["label"] for one in data["classes"]] == ["make", "compile", "link", "test"]
    assert (data["policy_end"]["verdict"], data["failed_seed"]) == ("done", -1)


def test_equal_questions_have_equal_answers(run):
    assert run(f"simulate long-first {SMALL} --output json")[1] == run(f"simulate long-first {SMALL} --output json")[1]


def test_one_seed_has_no_interval(run):
    _, out, _ = run(f"simulate build-order {SMALL} --seed 3 --output json")
    data = data_of(out)
    assert data["seeds"] == [3]
    assert {figure["low"] for figure in data["figures"]} == {None}


@pytest.mark.parametrize(
    ("words", "seeds"),
    [("--seed 4 --seed 9 --seed 4", [4, 9]), ("--seed 7 --seeds 3", [7, 8, 9]), ("--seeds 2", [1, 2])],
)
def test_seeds(run, words, seeds):
    assert data_of(run(f"simulate random {SMALL} {words} --output json")[1])["seeds"] == seeds


@pytest.mark.parametrize("baseline", ["eevdf", "informed", "fifo", "random", "weighted-vtime"])
def test_baselines(run, baseline):
    code, out, _ = run(f"simulate build-order {SMALL} --seeds 2 --baseline {baseline} --output json")
    assert code == 0
    assert data_of(out)["baseline"] == baseline


def test_parameters_change_what_comes_out_and_are_said(run):
    _, plain, _ = run(f"simulate build-order {SMALL} --seed 1")
    _, other, _ = run(f"simulate build-order {SMALL} --seed 1 --param slice_us=500")
    assert "seed 1, slice_us=500\n" in other
    assert plain.splitlines()[2:] != other.splitlines()[2:]


def test_the_picture_is_well_formed_and_says_what_it_shows(run, tmp_path):
    code, out, _ = run(f"simulate build-order {SMALL} --seeds 6 --cpus 8 --plot {tmp_path}/out.svg")
    assert code == 0
    assert out.endswith(f"written: {tmp_path}/out.svg\n")
    words = [element.text for element in ET.parse(tmp_path / "out.svg").iter("{http://www.w3.org/2000/svg}text")]
    assert words[0].startswith("build-order on ci-builds: mean build time per floor ")
    assert words[1] == ("Simulated, not measured: machine flat-8, 8 CPUs; drawn: seed 1; the change is over 6 seeds")
    assert [word for word in words if word.startswith("build ")] == ["build 1", "build 2"] * 2
    assert sum(word == "CPU 7" for word in words) == 2


@pytest.mark.parametrize("suffix", ["pftrace", "perfetto-trace"])
def test_a_trace_for_perfetto(run, tmp_path, suffix):
    run(f"simulate build-order {SMALL} --seed 1 --trace {tmp_path}/out.{suffix}")
    trace = pb.Trace.FromString((tmp_path / f"out.{suffix}").read_bytes())
    names = [p.track_descriptor.process.process_name for p in trace.packet if p.track_descriptor.HasField("process")]
    where = "on ci-builds, simulated, flat-2, seed 1"
    assert names == [f"eevdf (baseline) {where}", f"build-order {where}"]
    counters = {p.track_descriptor.name for p in trace.packet if p.track_descriptor.HasField("counter")}
    assert "DSQ 2" in counters  # the policy's queue of builds


def test_a_trace_in_json(run, tmp_path):
    run(f"simulate build-order {SMALL} --seed 1 --trace {tmp_path}/out.json")
    events = json.loads((tmp_path / "out.json").read_text())["traceEvents"]
    assert {event["ph"] for event in events} >= {"M", "X", "C", "s", "f"}


@pytest.mark.parametrize(
    ("verdict", "code", "words"),
    [
        ("ejected", 1, "b.bpf.c:7: EJECTED, the kernel would have thrown it out: runnable task stall"),
        ("fault", 1, "b.bpf.c:7: FAULT, the policy broke in the sandbox: runnable task stall"),
        ("stuck", 1, "STUCK"),
        ("unsupported", 3, "INCONCLUSIVE: runnable task stall"),
    ],
)
def test_how_a_policy_can_end(run, verdict, code, words):
    end = SimEnd(verdict=verdict, message="runnable task stall", place="b.bpf.c:7")
    found = run(f"simulate build-order {SMALL}", ends={("build-order", 0): end})
    assert found[0] == code
    assert words in " ".join(found[1].split())
    assert "SIMULATED:" not in found[1]
    assert len(run.runs) == 2  # the other seeds would end the same way


def test_a_policy_that_ends_badly_on_a_later_seed(run):
    end = SimEnd(verdict="ejected", kind=1026, message="stall")
    code, out, _ = run(f"simulate build-order {SMALL} --seeds 3 --output json", ends={("build-order", 2): end})
    data = data_of(out)
    assert code == 1
    assert (data["failed_seed"], data["policy_end"]["kind"], data["figures"][0]["pairs"]) == (2, 1026, 2)


@pytest.mark.parametrize(
    ("verdict", "code", "name"), [("ejected", 3, "baseline-not-done"), ("plan-error", 2, "bad-workload")]
)
def test_a_baseline_that_does_not_get_through(run, verdict, code, name):
    ends = {("random", 0): SimEnd(verdict=verdict, message="no")}
    found = run(f"simulate build-order {SMALL} --baseline random --output json", ends=ends)
    assert found[0] == code
    assert json.loads(found[1])["errors"][0]["code"] == name


def test_what_the_simulator_does_not_have_is_inconclusive_with_its_name(run, tmp_path):
    (tmp_path / "none.bpf.c").write_text(UNSUPPORTED)
    code, out, _ = run(f"simulate {tmp_path}/none.bpf.c {SMALL} --plot {tmp_path}/out.svg")
    assert code == 3
    assert "INCONCLUSIVE" in out
    assert "bpf_no_such_helper" in out


GIVES_UP = """\
#include "schedops.h"
char _license[] SEC("license") = "GPL";
static u32 count;
void OP(gives_enqueue, struct task_struct *p, u64 flags)
{
	if (++count == 50)
		scx_bpf_kick_cpu(-1, 0);
	scx_bpf_dsq_insert(p, 7, SCX_SLICE_DFL, flags);
}
void OP(gives_dispatch, s32 cpu, struct task_struct *prev) { scx_bpf_dsq_move_to_local(7); }
void OP(gives_dequeue, struct task_struct *p, u64 flags) { scx_bpf_kick_cpu(7101, 0); }
s32 OP_SLEEPABLE(gives_init) { return scx_bpf_create_dsq(7, -1); }
SEC(".struct_ops.link")
struct sched_ext_ops gives_ops = {
	.enqueue = (void *)gives_enqueue, .dispatch = (void *)gives_dispatch, .dequeue = (void *)gives_dequeue,
	.init = (void *)gives_init, .name = "gives_up" };
"""


def test_what_comes_after_an_ejection_is_said(run, tmp_path):
    (tmp_path / "gives.bpf.c").write_text(GIVES_UP)
    code, out, _ = run(f"simulate {tmp_path}/gives.bpf.c {SMALL} --kernel 6.18 --plot {tmp_path}/out.svg")
    assert code == 1
    assert "invalid CPU -1. Ejected after 0." in " ".join(out.split())
    assert "the rest ran on EEVDF: makespan" in " ".join(out.split())
    assert "<svg" in (tmp_path / "out.svg").read_text()


def test_whose_rules_are_followed_is_chosen(run, tmp_path):
    """From 7.1 on ops.dequeue() hears of every task that leaves a queue of the policy's for a CPU."""
    (tmp_path / "gives.bpf.c").write_text(GIVES_UP.replace("== 50", "== 0"))
    case = f"simulate {tmp_path}/gives.bpf.c --case mix/flat-2/1100ms/1"
    assert "invalid CPU 7101" in run(case)[1]
    assert run(f"{case} --kernel 6.18")[0] == 0


def test_headers_come_along(run, tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "name.h").write_text('#define NAME "included"\n')
    text = UNSUPPORTED.replace("bpf_no_such_helper(1); ", "").replace('"none" }', "NAME }")
    (tmp_path / "none.bpf.c").write_text('#include "name.h"\n' + text)
    assert run(f"simulate {tmp_path}/none.bpf.c {SMALL}")[0] != 0
    code, out, _ = run(f"simulate {tmp_path}/none.bpf.c {SMALL} --include {tmp_path}/inc")
    assert code == 0, out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("simulate", "POLICY and --workload are needed"),
        ("simulate build-order", "POLICY and --workload are needed"),
        (f"simulate build-order {SMALL} --cpus 2 --machine odd-3", "exclude each other"),
        (f"simulate build-order {SMALL} --trace out.txt", ".pftrace"),
        (f"simulate build-order {SMALL} --plot out.png", ".svg"),
        (f"simulate build-order {SMALL} --seed 1 --seed 2 --seeds 3", "--seeds counts"),
        (f"simulate eevdf {SMALL} --param a=1", "no parameters"),
        (f"simulate no-such {SMALL}", "no-such"),
        (f"simulate build-order {SMALL} --baseline no-such", "no-such"),
        (f"simulate build-order {SMALL} --machine no-such", "there is no machine 'no-such'"),
        ("simulate build-order --workload no-such", "no-such"),
    ],
)
def test_bad_input(run, words, message):
    code, out, err = run(words)
    assert code == 2
    assert message in err
    assert out == ""


def test_problems_of_a_machine_file_are_said_with_their_place(run, tmp_path):
    (tmp_path / "m.yaml").write_text("apiVersion: schedops/v1\nkind: Machine\nname: m\ncpus: []\nticks: 3\n")
    code, _, err = run(f"simulate build-order {SMALL} --machine {tmp_path}/m.yaml")
    assert code == 2
    assert "m.yaml::$.cpus: [] has fewer than 1 entries" in err
    assert "m.yaml::$.ticks: unknown property" in err


def test_this_host_as_a_machine_file(run, tmp_path):
    code, out, _ = run(f"simulate --describe-host {tmp_path}/host.yaml")
    assert code == 0
    machine = load(tmp_path / "host.yaml", Machine)
    assert f"{len(machine.cpus)} CPUs" in out
    assert run("simulate --describe-host")[1] == (tmp_path / "host.yaml").read_text()
    code, out, _ = run(f"simulate build-order {SMALL} --seed 1 --machine {tmp_path}/host.yaml")
    assert code == 0
    assert "machine host, " in out


def test_bench_on_the_simulator_has_both_baselines_and_no_verdict(run):
    code, out, _ = run(f"bench build-order {SMALL} --on sim --rounds 6 --seed 5 --output json")
    data = json.loads(out)["data"]
    assert code == 0
    assert data["rung"] == "simulated"
    assert "verdict" not in data
    assert list(data["against"]) == ["eevdf", "informed"]
    assert [one["seeds"] for one in data["against"].values()] == [[5, 6, 7, 8, 9, 10]] * 2
    text = run(f"bench build-order {SMALL} --on sim --rounds 6")[1]
    assert text.count("simulated, not measured; machine flat-2, 2 CPUs, 6 seeds (1 to 6)") == 2
    assert "PASS" not in text
    assert run(f"bench build-order {SMALL} --on sim --kernel 6.16")[0] == 2


def test_two_schedulers_of_one_name_are_told_apart(run):
    assert (
        data_of(run(f"simulate fifo {SMALL} --seed 1 --baseline fifo --output json")[1])["baseline"] == "built-in fifo"
    )


def test_help_imports_neither_wasmtime_nor_the_schemas():
    script = (
        "import sys\nfrom schedops.cli.main import main\n"
        "try: main(['simulate', '--help'])\n"
        "finally: print(sorted({'wasmtime', 'jsonschema', 'yaml', 'rich', 'elftools'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


BAD = Path(__file__).parents[1] / "data/corpus/bad"


def test_a_case_of_the_verifier_is_shown_as_its_finding_names_it(run, tmp_path):
    plot = tmp_path / "out.svg"
    code, out, _ = run(f"simulate {BAD}/s_ignores_affinity.bpf.c --case mix/flat-2/1100ms/1 --plot {plot}")
    assert code == 1
    assert "the mix on 2 CPUs (flat-2, seed 1), simulated, not measured" in out
    assert "NEVER-RAN: 1 of 1 hogs on the first CPU never ran" in out
    assert plot.read_bytes().startswith(b"<svg ")
    code, out, _ = run("simulate fifo --case mix/odd-3/2000ms/1 --output json")
    data = data_of(out)
    assert (code, data["rung"], data["rule"], data["end"]["verdict"]) == (0, "simulated", "", "done")
    waits = {group["name"]: group["longest_wait_ms"] for group in data["groups"]}
    assert 0 < waits["hogs"] < 200


def test_a_case_that_cannot_be_simulated_or_is_none(run):
    code, out, _ = run(f"simulate {BAD}/x_partial.bpf.c --case mix/flat-2/1100ms/1")
    assert (code, "no task asks for SCHED_EXT" in out) == (3, True)
    assert run("simulate fifo --case mix/flat-9/1ms/1")[0] == 2
    assert run("simulate fifo --case mix/flat-2/1100ms/1 --cpus 4")[0] == 2
