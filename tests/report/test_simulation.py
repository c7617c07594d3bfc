"""A simulated comparison in words: it says what it is, and what the intervals say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schedops.model.policy import ParamValue
from schedops.model.simulated import AfterEjection, SimClass, SimComparison, SimFigure
from schedops.model.simulation import SimEnd
from schedops.report.simulation import change, headline, reads, simulation_page

FIGURE = SimFigure(
    name="makespan_ms", unit="ms", role="figure", better="lower", baseline=100, policy=80, estimate=-0.2, low=-0.25,
    high=-0.1, pairs=8,
)  # fmt: skip
OBJECTIVE = replace(FIGURE, name="mean_build_time_per_floor", role="objective", wanted="lower, 5% or more")
FOUND = SimComparison(
    workload="ci-builds",
    policy="build-order",
    baseline="eevdf",
    machine="laptop-4-4",
    machine_sha256="sha256:0",
    cpus=8,
    seeds=(1, 2, 3),
    confidence=0.95,
    figures=(FIGURE, OBJECTIVE),
    classes=(SimClass(label="link\x1b[2J", tasks=4, figures=(FIGURE, replace(FIGURE, name="mean_completion_ms"))),),
    baseline_end=SimEnd(verdict="done"),
    policy_end=SimEnd(verdict="done"),
    events=12_345,
)


def page(**changes):
    return simulation_page(replace(FOUND, **changes))


@pytest.mark.parametrize(
    "end",
    [SimEnd(verdict=verdict, message="m") for verdict in ("done", "ejected", "fault", "stuck", "unsupported")],
    ids=lambda end: end.verdict,
)
@pytest.mark.parametrize("figures", [FOUND.figures, ()], ids=["figures", "none"])
def test_every_page_says_simulated_and_the_machine(end, figures):
    text = page(policy_end=end, figures=figures)
    assert "simulated, not measured; machine laptop-4-4, 8 CPUs" in text
    assert ("SIMULATED:" in text) == (end.verdict == "done")


def test_the_seeds_and_parameters_are_said():
    assert "3 seeds (1 to 3)" in page()
    assert "3 seeds (4, 7, 9)" in page(seeds=(4, 7, 9))
    assert ", seed 5, slice_us=3" in " ".join(page(seeds=(5,), params=(ParamValue(name="slice_us", value=3),)).split())


def test_a_row_has_both_values_the_change_and_what_it_says():
    row = next(line for line in page().splitlines() if line.startswith("makespan_ms"))
    assert row.split() == ["makespan_ms", "ms", "-", "100", "80", "-20.0", "%", "[-25.0,", "-10.0]", "better"]


def test_many_classes_are_counted():
    text = page(classes=tuple(replace(FOUND.classes[0], label=f"class-{at}") for at in range(20)))
    assert "class-11" in text
    assert "class-12" not in text
    assert "and 8 classes more, in --output json" in text


def test_nothing_from_outside_reaches_the_terminal_raw():
    assert "\x1b" not in page(policy_end=SimEnd(verdict="fault", message="\x1b[2J", place="\x1b:1"))


def test_the_objective_is_the_headline():
    assert headline(FOUND) == (
        "build-order on ci-builds: mean build time per floor -20.0 % [-25.0, -10.0] against eevdf"
    )
    assert headline(replace(FOUND, figures=(FIGURE,))).startswith("build-order on ci-builds: makespan ms -20.0 %")
    assert headline(replace(FOUND, figures=())) == "build-order on ci-builds against eevdf"


@pytest.mark.parametrize(
    ("better", "low", "high", "words"),
    [
        ("lower", -0.2, -0.1, "better"),
        ("lower", 0.1, 0.2, "worse"),
        ("higher", -0.2, -0.1, "worse"),
        ("higher", 0.1, 0.2, "better"),
        ("lower", -0.1, 0.1, "unclear"),
        ("higher", -0.1, 0.1, "unclear"),
        ("lower", -0.0001, -0.00001, "same"),
        ("lower", None, None, ""),
        ("", -0.2, -0.1, ""),
    ],
)
def test_what_an_interval_says(better, low, high, words):
    middle = None if low is None else (low + high) / 2
    assert reads(replace(FIGURE, better=better, estimate=middle, low=low, high=high)) == words


@pytest.mark.parametrize(
    ("role", "estimate", "low", "high", "words"),
    [
        ("objective", -0.04, -0.05, -0.03, "little better"),
        ("objective", -0.06, -0.07, -0.03, "better"),
        ("objective", 0.01, -0.01, 0.02, "unclear"),
        ("guard", 0.01, -0.01, 0.02, "kept"),
        ("guard", 0.06, 0.02, 0.07, "broken"),
        ("guard", 0.04, 0.02, 0.07, "unclear"),
        ("guard", -0.5, -0.6, -0.4, "kept"),
    ],
)
def test_what_an_interval_says_of_what_is_wanted(role, estimate, low, high, words):
    assert reads(replace(FIGURE, role=role, limit=0.05, estimate=estimate, low=low, high=high)) == words
    turned = replace(FIGURE, role=role, limit=0.05, better="higher", estimate=-estimate, low=-high, high=-low)
    assert reads(turned) == words


def test_changes_in_words():
    assert change(FIGURE) == "-20.0 % [-25.0, -10.0]"
    assert change(replace(FIGURE, low=None, high=None)) == "-20.0 %"
    assert change(replace(FIGURE, estimate=-0.00001, low=-0.0001, high=0.0002)) == "0.0 % [0.0, 0.0]"
    assert change(replace(FIGURE, estimate=None)) == "-"


def test_a_failed_seed_is_named_with_its_place():
    end = SimEnd(verdict="ejected", kind=1026, message="runnable task stall", place="b.bpf.c:9")
    text = page(policy_end=end, failed_seed=7)
    assert "build-order, seed 7: b.bpf.c:9: EJECTED, the kernel would have thrown it out: runnable task stall" in text


def test_what_an_ejection_costs():
    end = SimEnd(verdict="ejected", kind=1025, message="scx_bpf_error: enough")
    after = AfterEjection(ejected_ms=1234.5, makespan_ms=5000.25, baseline_ms=4000)
    words = " ".join(page(policy_end=end, failed_seed=1, after_ejection=after).split())
    assert "Ejected after 1.23 s; the rest ran on EEVDF: makespan 5000.2 ms, 4000.0 ms under eevdf" in words
    unended = replace(after, makespan_ms=None)
    words = " ".join(page(policy_end=end, failed_seed=1, after_ejection=unended).split())
    assert words.endswith("Ejected after 1.23 s; the rest ran on EEVDF")


def test_a_policy_without_tasks_is_said():
    words = page(policy_end=SimEnd(verdict="done", message="nobody asks")).split()
    assert words[-3:] == ["eevdf;", "nobody", "asks"]
