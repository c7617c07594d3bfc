"""What changed for the kernel's verifier against another object, program by program (what veristat compares). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.guest import AttachReading, ProgramReading
from schedops.model.verdict import Verdict
from schedops.model.verification import Finding
from schedops.verify import stages
from schedops.verify.rule import Rule
from schedops.verify.verifier_log import read_refusal

_GROWN_BY = 1.2
_REFUSED = ("open-failed", "load-failed")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the verifier's. :param least: growth by fewer than this is none, whatever the share."""

    field: str
    words: str
    least: int


FIGURES = (
    Figure("verified_instructions", "verified instructions", 200),
    Figure("total_states", "states", 20),
    Figure("peak_states", "states at once", 20),
    Figure("stack_bytes", "bytes of stack", 64),
    Figure("xlated_bytes", "bytes of code", 512),
)

NEW_REFUSAL = Rule(
    id="BASE-REFUSAL",
    level="error",
    stage=stages.LOAD,
    title="Refused by a kernel that accepts the base",
    why="`--base` names an object that is known to load. This kernel's verifier accepts it and refuses the policy, so "
    "what changed between the two is what it refuses.",
    fix="Look at the refusal, and at the difference between the two sources only.",
    source="tools/testing/selftests/bpf/veristat.c compares objects in this way, Linux 6.16",
)
GROWTH = Rule(
    id="BASE-GROWTH",
    level="warning",
    stage=stages.LOAD,
    title="Much more work for the verifier than the base",
    why="The kernel gives up on a program after a million verified instructions, and on a function that needs more "
    "than 512 bytes of stack. What grows by a fifth in one change is on its way there, and a newer kernel, which "
    "prunes states differently, may refuse it first.",
    fix="Put a loop's body into a function with `bpf_loop()` or `bpf_for()`, keep fewer values alive across branches, "
    "and large ones in a map.",
    source="BPF_COMPLEXITY_LIMIT_INSNS in include/linux/bpf.h and MAX_BPF_STACK in include/linux/filter.h, Linux 6.16",
)
RULES: tuple[Rule, ...] = (NEW_REFUSAL, GROWTH)


@dataclass(frozen=True, slots=True)
class Compared:
    """What came out of a comparison."""

    verdict: Verdict
    text: str
    findings: tuple[Finding, ...] = ()


def compared(policy: AttachReading, base: AttachReading, *, name: str) -> Compared:
    """The policy beside the base on one kernel.

    :param name: of the base, for messages.
    """
    if base.outcome in _REFUSED:
        return Compared(Verdict.PASS, f"{name} is refused by this kernel, so there is nothing to compare with")
    if policy.outcome in _REFUSED:
        text = f"{name} is accepted by this kernel, and this is not: {read_refusal(policy.log).text}"
        return Compared(Verdict.FAIL, text, (Finding(rule=NEW_REFUSAL.id, level=NEW_REFUSAL.level, text=text),))
    before = {program.name: program for program in base.programs}
    pairs = [(before[program.name], program) for program in policy.programs if program.name in before]
    if not pairs:
        return Compared(Verdict.PASS, f"no program has the name of one of {name}")
    findings = [_grown(old, new, name) for old, new in pairs]
    total = _total(pairs)
    return Compared(Verdict.PASS, f"against {name}: {total}", tuple(one for one in findings if one))


def _grown(old: ProgramReading, new: ProgramReading, name: str) -> Finding | None:
    said = []
    for figure in FIGURES:
        was, now = getattr(old, figure.field), getattr(new, figure.field)
        if was and now - was >= figure.least and now > was * _GROWN_BY:
            said.append(f"{now} {figure.words} instead of {was} ({now / was - 1:+.0%})")
    if not said:
        return None
    return Finding(rule=GROWTH.id, level=GROWTH.level, text=f"{new.name} needs {', '.join(said)} against {name}")


def _total(pairs: list[tuple[ProgramReading, ProgramReading]]) -> str:
    was = sum(old.verified_instructions for old, _ in pairs)
    now = sum(new.verified_instructions for _, new in pairs)
    change = f" ({now / was - 1:+.0%})" if was else ""
    return f"{len(pairs)} programs, {now} verified instructions instead of {was}{change}"
