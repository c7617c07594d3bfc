"""rt-app's own examples of doc/tutorial.txt in spirit, and what it has and the simulator has not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedops.errors import InputError
from schedops.model.machine import Machine, SimCpu, flat_machine
from schedops.model.simulation import Op, SimVerdict
from schedops.sim.programs.lenient_json import parse
from schedops.sim.programs.plan import planned
from schedops.sim.programs.rt_app import use_case
from schedops.sim.programs.situation import Situation
from tests.fakes.programs import play
from tests.sim.programs.kinds import ran, rt_app

TWO = flat_machine(2)
BIG_LITTLE = Machine(name="bl", cpus=(SimCpu(core=0, capacity=512), SimCpu(core=1)))
AS_WRITTEN = """{
    /* two threads that take turns */
    "tasks" : {
        "first" : {
            "priority" : -6, "loop" : 3,
            "suspend",          // its own name
            "run" : 1000,
            "run" : 500,
        },
        "second" : {
            "loop" : 3,
            "sleep0" : 2000, "resume" : "first", "run_a" : 1000
        },
    },
    "global" : { "duration" : 2, "calibration" : "CPU0", "lock_pages" : true, "ftrace" : "none", }
}"""


def threads(**tasks: object) -> str:
    return json.dumps({"tasks": tasks})


def model(text: str, machine: Machine = TWO):
    return use_case(text, machine, name="w")


def refusal(text: str, machine: Machine = TWO) -> InputError:
    with pytest.raises(InputError) as caught:
        model(text, machine)
    return caught.value


def flow(text: str) -> list[tuple[str, float, str]]:
    return [(step.do, step.us, step.name) for phase in model(text).classes[0].phases for step in phase.steps]


def test_a_file_as_people_write_it():
    found = model(AS_WRITTEN)
    assert [(one.name, one.nice, one.loop) for one in found.classes] == [("first", -6, 1), ("second", 0, 1)]
    assert [phase.loop for one in found.classes for phase in one.phases] == [3, 3]
    assert flow(AS_WRITTEN) == [("suspend", 0, "first"), ("run", 1000, ""), ("run", 500, "")]
    assert found.duration_ms == 2000
    _run, result = ran(rt_app(AS_WRITTEN))
    assert [one.cpu_ns for one in result.tasks] == [4_500_000, 3_000_000]


def test_phases_and_loops():
    text = threads(
        a={"loop": 2, "phases": {"p": {"loop": 3, "run": 10}, "q": {"sleep": 5, "cpus": [1], "priority": 4}}}
    )
    (one,) = model(text).classes
    assert (one.loop, [phase.loop for phase in one.phases]) == (2, [3, 1])
    assert (one.phases[1].cpus, one.phases[1].nice) == ((1,), 4)
    assert ran(rt_app(text))[1].tasks[0].cpu_ns == 60_000


@pytest.mark.parametrize(
    ("thread", "loops"),
    [({"run": 1}, (0, 1)), ({"run": 1, "loop": 5}, (1, 5)), ({"run": 1, "loop": -1}, (1, 0)),
     ({"phases": {"p": {"run": 1}}}, (0, 1)), ({"loop": 4, "phases": {"p": {"run": 1}}}, (4, 1))],
)  # fmt: skip
def test_what_a_loop_is_when_it_is_not_said(thread, loops):
    (one,) = model(json.dumps({"tasks": {"a": thread}, "global": {"duration": 1}})).classes
    assert (one.loop, one.phases[0].loop) == loops


def test_a_thread_that_loops_zero_times_does_nothing():
    _run, result = ran(rt_app(threads(a={"loop": 0, "phases": {"p": {"run": 1000}}}, b={"run": 10, "loop": 1})))
    assert [one.cpu_ns for one in result.tasks] == [0, 10_000]


def test_instances_delay_and_taskgroups():
    text = threads(a={"instance": 3, "delay": 500, "taskgroup": "/tg1/tg2", "run": 10, "loop": 1})
    run, _result = ran(rt_app(text))
    assert [one.arrival_ns for one in run.plan.tasks] == [500_000] * 3
    assert [one.name for one in run.plan.cgroups] == ["/", "tg1", "tg2"]


def test_relative_and_absolute_timers_as_in_the_tutorial():
    # The third activation takes 40 ms of a period of 20 ms: the pictures of doc/tutorial.txt.
    def ends(mode: str) -> list[int]:
        timer = {"ref": "unique", "period": 20000, "mode": mode}
        phases = {f"p{at}": {"run": run, "timer": timer} for at, run in enumerate((10000, 10000, 40000, 10000, 10000))}
        _run, result = ran(rt_app(threads(a={"loop": 1, "phases": phases})))
        return [round(one.completion_ns / 1e6) for one in result.tasks]

    assert ends("relative") == [120]
    assert ends("absolute") == [100]


def test_wait_signal_sync_and_broad():
    lock, unlock = {"lock": "m"}, {"unlock": "m"}
    waiter = {"loop": 1, **lock, "wait": {"ref": "c", "mutex": "m"}, **unlock, "run": 100}
    text = threads(a=waiter, b={"loop": 1, "sleep": 10, "lock": "m", "signal": "c", "unlock": "m"})
    assert ran(rt_app(text))[1].end.verdict == SimVerdict.DONE
    everyone = threads(a={"instance": 3, **waiter}, b={"loop": 1, "sleep": 10, "broad": "c"})
    assert ran(rt_app(everyone))[1].end.verdict == SimVerdict.DONE
    one = threads(a={"instance": 3, **waiter}, b={"loop": 1, "sleep": 10, "signal": "c"})
    assert ran(rt_app(one))[1].end.verdict == SimVerdict.STUCK


def test_sync_takes_the_mutex_unless_it_is_taken():
    inner = [("signal", 0, "c"), ("suspend", 0, "c")]
    sync = {"ref": "c", "mutex": "m"}
    assert flow(threads(a={"loop": 1, "sync": sync})) == [("lock", 0, "m"), *inner, ("unlock", 0, "m")]
    assert flow(threads(a={"loop": 1, "lock": "m", "sync": sync, "unlock": "m"})) == [
        ("lock", 0, "m"), *inner, ("unlock", 0, "m")]  # fmt: skip


def test_a_barrier_waits_for_every_reference_and_instance():
    text = threads(a={"instance": 2, "loop": 1, "run": 10, "barrier": "x"}, b={"loop": 1, "run": 5000, "barrier1": "x"})
    run, result = ran(rt_app(text), cpus=3)
    assert [one.value for one in run.plan.syncs] == [3]
    assert {round(one.completion_ns / 1e6) for one in result.tasks} == {5}


def test_fork_makes_threads():
    text = threads(
        a={"loop": 3, "phases": {"p": {"loop": 2, "fork": "b", "run": 1}}}, b={"instance": 0, "loop": 1, "run": 7}
    )
    run, result = ran(rt_app(text))
    assert [run.plan.tasks[at].name for at, one in enumerate(result.tasks) if one.cpu_ns == 7000] == [
        f"b-{number}" for number in range(1, 7)]  # fmt: skip


def test_yield_and_priorities():
    run, _ = ran(rt_app(threads(a={"loop": 1, "priority": 7, "run": 5, "yield": "", "run1": 5})))
    assert run.plan.tasks[0].nice == 7
    assert [step.op for step in run.plan.programs[0]] == [Op.RUN, Op.YIELD, Op.RUN]


def test_a_run_is_counted_in_the_speed_of_the_cpu_it_was_calibrated_on():
    def work(calibration: object) -> float:
        text = json.dumps({"tasks": {"a": {"loop": 1, "run": 1000}}, "global": {"calibration": calibration}})
        return model(text, BIG_LITTLE).classes[0].phases[0].steps[0].us

    assert (work("CPU0"), work("CPU1"), work(120)) == (500, 1000, 1000)


@pytest.mark.parametrize(
    ("thread", "what"),
    [
        ({"mem": 1000}, "'mem'"),
        ({"iorun": 1000}, "'iorun'"),
        ({"iorun7": 1000}, "'iorun7'"),
        ({"run": 1, "policy": "SCHED_FIFO"}, "policy SCHED_FIFO"),
        ({"run": 1, "policy": "SCHED_IDLE"}, "policy SCHED_IDLE"),
        ({"run": 1, "dl-runtime": 5}, "dl-runtime"),
        ({"run": 1, "util_min": 5}, "util_min"),
        ({"run": 1, "nodes_membind": [0, 1]}, "nodes_membind"),
        ({"run": 1, "colour": 5}, "'colour'"),
        ({"run": 1, "phases": {"p": {"run": 1}}}, "'run' beside phases"),
        ({"phases": {"p": {"run": 1, "colour": 1}}}, "'colour'"),
        ({"phases": {"p": {"run": 1, "taskgroup": "/a"}}}, "taskgroup of its own"),
        ({"instance": 2, "run": 1, "timer": {"ref": "shared", "period": 5}}, "timer 'shared' shared by threads"),
        ({"run": 1, "timer": {"ref": "unique", "period": 5, "slack": 1}}, "'slack' of a timer"),
    ],
)
def test_what_the_simulator_does_not_have_is_named(thread, what):
    error = refusal(threads(a=thread))
    assert (error.code, what in error.message) == ("not-simulated", True), error.message


@pytest.mark.parametrize("key", ["nodes_membind", "membind_nodes"])
def test_binding_memory_to_the_only_node_is_nothing(key):
    assert flow(threads(a={"run": 1, "loop": 1, key: [0]})) == [("run", 1, "")]


@pytest.mark.parametrize("key", ["pi_enabled", "default_policy", "speed"])
def test_globals_that_matter_are_named(key):
    value = {"pi_enabled": True, "default_policy": "SCHED_RR", "speed": 3}[key]
    error = refusal(json.dumps({"tasks": {"a": {"run": 1}}, "global": {key: value}}))
    assert error.code == "not-simulated"
    assert key in error.message


def test_runtime_needs_cpus_of_one_speed():
    assert flow(threads(a={"runtime": 50, "loop": 1})) == [("run", 50, "")]
    assert refusal(threads(a={"runtime": 50, "loop": 1}), BIG_LITTLE).code == "not-simulated"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[]", 1), ("{", 1), ('{"tasks": {"a": {"run": 1}}} x', 1), ('{\n"tasks": {"a": {"run": }}}', 2),
        ('{"tasks": {}}', 1), ('{"global": {}}', 1), ('{"tasks": {"a": {\n"run": "x"}}}', 2),
        ('{"tasks": {"a": {"run": -5}}}', 1), ('{"tasks": {"a": {"run": 1, "cpus": [9]}}}', 1),
        ('{"tasks": {"a": {"run": 1, "instance": -1}}}', 1), ('{"tasks": {"a": {"loop": 1}}}', 1),
        ('{"tasks": {"a": {"run": 1, "priority": 20}}}', 1), ('{"tasks": {"a": {"run": 99999999999}}}', 1),
        ('{"tasks": {"a": {"wait": {"ref": "c", "mutex": "m"}}}}', 1),
        ('{"tasks": {"a": {"run": 1, "policy": "X"}}}', 1),
        ('{"tasks": {"a": {"run": 1, "taskgroup": "tg"}}}', 1), ('{"tasks": {"a": 5}}', 1),
        ('{"tasks": {"a": {"lock": ""}}}', 1),
    ],
)  # fmt: skip
def test_what_is_wrong_has_a_line(text, line):
    error = refusal(text)
    assert error.code in ("bad-json", "bad-rt-app")
    assert error.where.endswith((f":{line}", f"line {line} of the rt-app file"))


def test_a_file_that_never_ends_is_refused():
    with pytest.raises(InputError, match="runs for ever"):
        ran(rt_app(threads(a={"run": 5})))


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=9),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
                    max_leaves=12))  # fmt: skip
def test_strict_json_means_the_same(value):
    def plain(found: object) -> object:
        if isinstance(found, tuple):
            return [plain(one) for one in found]
        return {pair.key: plain(pair.value) for pair in found.pairs} if hasattr(found, "pairs") else found

    assert plain(parse(json.dumps({"x": value}), where="w")) == {"x": value}


@given(st.text(alphabet='{}[]",:/*\\0123456789.eE- \ntrunsleeptasks', max_size=120))
def test_no_text_is_a_bug(text):
    for tried in (text, f'{{"tasks": {{"a": {{{text}}}}}}}'):
        try:
            found = model(tried)
        except InputError:
            continue
        assert found.classes


def test_names_do_nothing_to_a_terminal():
    run, _ = ran(rt_app('{"tasks": {"a\\u001b[2J\\ud800b": {"run": 1, "loop": 1}}}'))
    assert run.plan.tasks[0].name.startswith("a?[2J")
    assert run.plan.tasks[0].name.encode("utf-8")
    assert run.plan.labels[0].isprintable()


def test_hostile_files_are_not_slow():
    deep = '{"tasks": ' + "[" * 100_000
    assert refusal(deep).code == "bad-json"
    assert refusal('{"tasks": {"a": {' + "/*" * 400_000).code == "bad-json"
    assert refusal("{" + '"' * 900_000).code == "bad-json"
    assert refusal('{"tasks": {' + '"a": 1, ' * 100_000 + "}}").code == "bad-rt-app"


def test_a_plan_is_the_same_each_time():
    asked = Situation(name="w", machine=TWO, seed=1)
    assert asked.cpus == 2
    plans = [planned(rt_app(AS_WRITTEN), machine=TWO, seed=1).plan for _ in range(2)]
    assert plans[0] == plans[1]
    assert play(plans[0], TWO) == play(plans[1], TWO)
