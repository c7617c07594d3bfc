from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from benchmarks.fidelity.cells import Measure
from benchmarks.fidelity.costs import lab
from benchmarks.fidelity.judging import cells_of, noise_of
from benchmarks.fidelity.page import Facts, page_of
from benchmarks.fidelity.picture import picture_of
from benchmarks.fidelity.reasons import Reason, read_reasons
from benchmarks.fidelity.samples import Hops, Host
from schedops.errors import InputError
from schedops.model.machine import IdleState
from tests.fakes.fidelity import FIGURE, WORKLOAD, runs, simulated

POLICIES = ("fifo", "interactive", "long-first", "warm-cores")
OURS = {"fifo": 0.7, "interactive": 1.0, "long-first": 1.3, "warm-cores": 1.1}
THEIRS = {"fifo": 0.8, "interactive": 1.0, "long-first": 0.8, "warm-cores": 1.2}
IDLE = (IdleState(after_ns=0, exit_ns=5_000), IdleState(after_ns=50_000, exit_ns=9_000))
HOPS = Hops(same_ns=30_000.0, other_ns=45_000.0, asleep_ns=70_000.0, work=1.02, both=1.4)


def facts(**more) -> Facts:
    ours, theirs = simulated(**OURS), runs(**THEIRS)
    for number, arms in theirs[WORKLOAD].items():
        arms["fifo"][FIGURE] *= 1.4 if number % 2 else 0.7  # too noisy
    known = Facts(
        date="2026-01-02",
        host=Host("7.3.4", "tcg-multi", "10.0"),
        machine=replace(lab(), idle_states=IDLE),
        hops={"eevdf": HOPS, "fifo": replace(HOPS, same_ns=50_000.0)},
        simulated_hops={"eevdf": HOPS},
        rounds=8,
        cells=cells_of(ours, theirs, POLICIES),
        noise=noise_of(theirs),
        simulated=ours,
        measured=theirs,
        reasons=(),
        left_out=(),
        picture="fidelity.svg",
    )
    return replace(known, **more)


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_it_says_where_it_was_measured():
    page = page_of(facts())
    assert "micro-VM of two CPUs (tcg-multi, QEMU 10.0, Linux 7.3.4)" in page.replace("\n", " ")
    assert "samples of 2026-01-02: 1 workloads, 4 policies" in page.replace("\n", " ")
    assert max(len(line) for line in page.splitlines() if not line.startswith(("|", "-", "!"))) <= 120


def test_in_short():
    shown = section(page_of(facts()), "In short")
    # Cells: one too noisy, one without an effect, one of the wrong sign, one right and 8.5 points off.
    row = next(line for line in shown.splitlines() if line.startswith("| all |"))
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[1:8] == ["4", "1", "1", "1", "0", "0", "1"]
    assert cells[8] == "67 %"
    assert cells[12].endswith("(nice-hogs, long-first, share@heavy)")


def test_what_is_wrong_is_said_with_its_reason():
    reasons = (
        Reason(("nice-*", "long-first", "*"), "hints | never come"),
        Reason(("few-builds", "*", "*"), "of another day"),
    )
    shown = section(page_of(facts(reasons=reasons)), "Where it is wrong")
    assert "Of the wrong sign, missed or invented: 1 of 3 cells that the VM can tell." in shown
    wrong = next(line for line in shown.splitlines() if "wrong sign |" in line)
    assert "hints \\| never come" in wrong
    assert "-20.4 %" in wrong
    assert "| warm-cores |" in shown
    assert "not known" in shown
    assert "Reasons that fit no cell any more:\n\n- few-builds / * / *: of another day" in shown


def test_where_the_vm_is_too_noisy():
    hostile = "nice-hogs, round 1, fifo: <b>\x1b[31m|it ended as ejected"
    shown = section(page_of(facts(left_out=(hostile,))), "Where the VM is too noisy to tell")
    assert re.search(r"^- nice-hogs, share@heavy: fifo ", shown, re.MULTILINE)
    assert "\x1b" not in shown
    assert "<b>" not in shown
    assert "| nice-hogs | `share@heavy` | +1.0 % [+1.0, +1.0] |" in shown


def test_no_interval_is_no_verdict():
    few = {WORKLOAD: {n: arms for n, arms in runs(**THEIRS)[WORKLOAD].items() if n < 3}}
    page = page_of(facts(cells=cells_of(simulated(**OURS), few, POLICIES), measured=few))
    assert "(3 rounds)" in page
    assert "- nice-hogs, fifo, share@heavy" in section(page, "Where the VM is too noisy to tell")
    assert "same sign |\n" not in section(page, "Every cell")


def test_both_sides_of_eevdf_and_of_the_costs():
    page = page_of(facts())
    assert "| nice-hogs | 0.900 | 0.900 |" in section(page, "EEVDF by itself")
    costs = section(page, "What a switch costs")
    assert "| fifo, measured | 50.0 | 45.0 | 70.0 | 1.02 | 1.40 |" in costs
    assert "| eevdf, simulated |" in costs
    assert "5.00, 5.00, 5.00 ns" in costs.replace("\n", " ")


def test_the_picture_has_a_dot_for_each_cell_and_an_end_for_what_is_beyond():
    cells = facts().cells
    beyond = tuple(replace(c, simulated=replace(c.simulated, estimate=900.0)) for c in cells[:1])
    nothing = replace(cells[0], measured=replace(cells[0].measured, estimate=-1.0))
    root = ET.fromstring(picture_of((*cells, *beyond, nothing)))
    dots = [one for one in root.iter("{http://www.w3.org/2000/svg}circle") if one.get("r") == "3.5"]
    legend = 2  # share, and too noisy
    assert len(dots) == len(cells) + len(beyond) + legend
    assert all(90 <= float(one.get("cx")) <= 610 for one in dots)
    assert ET.fromstring(picture_of(())) is not None


def test_reasons(tmp_path):
    path = tmp_path / "fidelity.txt"
    assert read_reasons(path) == ()
    path.write_text("# by hand\n\nnice-* / fifo / share@*: it has: no weights\n", encoding="utf-8")
    (found,) = read_reasons(path)
    assert found.text == "it has: no weights"
    cell = next(one for one in facts().cells if one.arm == "fifo")
    assert found.fits(cell)
    assert not found.fits(replace(cell, workload="few-builds"))
    assert not found.fits(replace(cell, measure=Measure("share", "utilisation")))
    path.write_text("nice-hogs / fifo: no figure\n", encoding="utf-8")
    with pytest.raises(InputError, match="workload / policy / figure"):
        read_reasons(path)
