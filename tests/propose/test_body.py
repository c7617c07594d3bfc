"""The body: verdict first, all that the issue asks for, nothing that others can smuggle in, never too long."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedops.model.plan import Alternative
from schedops.model.verdict import Verdict
from schedops.model.verification import Finding
from schedops.propose.body import MAX_CHARACTERS, body
from tests.fakes.dossier import PLAN, POLICY, dossier, verification
from tests.fakes.searches import searched


def first_heading(text):
    return text.splitlines()[1]


def test_pass_says_so_first():
    text = body(dossier())

    assert text.startswith('<!-- schedops:v1 {"evidence":"sha256:')
    assert first_heading(text) == "# PASS: makespan -20.0 % against EEVDF"


def test_inconclusive_and_settings_say_so_first():
    assert first_heading(body(dossier(rounds=4))) == "# INCONCLUSIVE: measured, no answer yet (draft)"
    settled = body(dossier(informed=0.8, candidate=1.2))
    assert first_heading(settled) == "# PASS for settings, FAIL for the policy: no policy is needed"


def test_table_has_medians_changes_intervals_verdict_and_n():
    lines = body(dossier()).splitlines()

    assert (
        "| makespan, ms | 100 | 97.0 | 80.0 | -20.0 % [-20.8 %, -19.2 %] | -17.5 % [-18.8 %, -16.3 %] | PASS | 10 |"
        in lines
    )
    assert any(line.startswith("| worst, ms (guard, reported only) |") for line in lines)


def test_too_few_pairs_show_no_interval():
    assert "-19.5 % (no interval)" in body(dossier(rounds=4))


def test_every_section_is_there():
    headings = re.findall(r"^(?:## |<summary>)(.+?)(?:</summary>)?$", body(dossier()), flags=re.MULTILINE)

    assert headings == [
        "Figures",
        "Verification: PASS",
        "Hypothesis and outcome",
        "How to reproduce",
        "What it cost",
        "What is not known",
        "Considered and not chosen",
        "Evidence: the documents are attached, these are their digests",
    ]


def test_missing_kernel_emulation_and_commands_are_told():
    text = body(dossier())

    assert "**Not verified** (wanted by the fleet file, not at hand): `7.3`." in text
    assert "The CPUs were emulated (TCG)" in text
    assert "schedops propose --workload w --seed 1" in text
    assert "- predicted: makespan -15.0 % against EEVDF" in text
    assert "- measured: -20.0 % [-20.8 %, -19.2 %]" in text


def test_failed_check_is_told_with_its_place():
    report = verification(Verdict.INCONCLUSIVE, text="stalled @once #1 <b>")

    text = body(dossier(verification=report))

    assert "- INCONCLUSIVE enable at `p.bpf.c:1:1`: stalled @\u200bonce \\#\u200b1 &lt;b&gt;" in text


def test_the_stages_that_were_asked_for_are_told_and_what_held_for_every_kernel():
    report = verification()
    source = replace(report.checks[0], stage="source", kernel="")

    text = body(dossier(verification=replace(report, stages=("source", "load"), checks=(source, *report.checks))))

    assert "Asked for: source, load. In full: `schedops verify p --full`." in text
    assert "| for all | PASS | source PASS |" in text


def test_equal_dossiers_give_equal_text():
    assert body(dossier()) == body(dossier())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
def test_no_text_of_others_becomes_markup(text):
    nasty = f"{text} @everyone fixes #1 <script>alert(1)</script> [x](https://t.example/) --> | ``` \n# heading"
    plan = replace(
        PLAN, hypothesis=nasty, reasons=(nasty,), alternatives=(Alternative(policy="f", score=0, why=nasty),)
    )
    policy = replace(POLICY, loses_when=nasty)

    result = body(dossier(plan=plan, policy=policy, verification=verification(text=nasty)))

    assert "@everyone" not in result
    assert "#1" not in result
    assert "<script" not in result
    assert "https://" not in result
    assert "\n# heading" not in result
    assert result.count("-->") == 1
    assert result.count("```") == 2


def test_too_long_leaves_out_the_longest_and_says_so():
    many = tuple(Alternative(policy=f"p{n}", score=0.0, why="w" * 400) for n in range(60))
    check = verification().checks[0]
    finding = Finding(rule="A-RULE", level="note", text="t" * 900, advice="a" * 900)
    checks = (replace(check, verdict=Verdict.INCONCLUSIVE, text="t" * 900, findings=(finding,)),) * 200
    report = replace(verification(), checks=checks)

    text = body(dossier(plan=replace(PLAN, alternatives=many), verification=report))

    assert len(text) <= MAX_CHARACTERS
    assert "_Left out here for length, see the attachments: verification._" in text
    assert first_heading(text).startswith("# ")


def test_everything_that_was_tried_is_listed_losers_too():
    text = body(dossier(search=searched()))
    assert "What was tried: 2 candidates in the simulator, losers too" in text
    assert "| 0 | `p` slice_us=3000 | sampler | pruned, breaks what must hold | 2 | -12.3 % |" in text
    assert "| 1 | `q` slice_us=3000 | sampler | failed, breaks what must hold | 2 | - |" in text
    assert "10 fresh seeds: all objectives -10.0 % against what the rules chose" in text
    assert "simulated, not measured" in text
    assert "<script" not in text


def test_a_long_search_is_cut_to_the_document():
    found = searched()
    many = replace(found, trials=tuple(replace(found.trials[0], number=n) for n in range(130)))
    assert "30 more are in the attached document." in body(dossier(search=many))
