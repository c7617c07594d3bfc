"""How far a policy may be trusted by what came of it: all rules of its states, in one place.

====================  ==================================================================================================
state                 asks for
====================  ==================================================================================================
``experimental``      nothing
``verified``          a PASS on a workload and machine, and more of these places where it passes than where it got worse
``proven``            PASSES places where it passes, on MACHINES machines or more, and none where it got worse
``retired``           somebody said so; no outcome brings it back, only a promotion
====================  ==================================================================================================

A *place* is a workload on a machine. Its newest PASS or FAIL counts; a FAIL after a PASS is a regression. Only outcomes
that were measured count, and only those of the very source that the library has now. A state is given by a line of the
history (``schedops library promote``), it holds no longer than the outcomes support it, and a regression after it was
given takes one step back.
"""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.outcome import EXPERIMENTAL, PROVEN, RETIRED, STATES, VERIFIED, History, Outcome, Standing
from schedops.model.rung import MEASURED
from schedops.model.verdict import Verdict
from schedops.repository.history import is_retired

PASSES = 3
MACHINES = 2


@dataclass(frozen=True, slots=True)
class Place:
    """A workload on a machine. *newest*: the last PASS or FAIL there; *regressed*: a FAIL after a PASS."""

    workload: str
    fingerprint: str
    newest: Outcome
    regressed: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """:param state: what to go by.

    :param given: by the newest line that says so, for this source.
    :param supported: the highest state that the outcomes support.
    :param because: of *state*, in words.
    """

    state: str
    given: str
    supported: str
    because: str


def judged(history: History, policy_sha256: str) -> Judged:
    """The state of the policy with this digest.

    :param policy_sha256: of the source that the library has now, as in Evidence.
    """
    places = places_of(history, policy_sha256)
    supported, words = _supported(places)
    if is_retired(history):
        newest = history.standings[-1]
        return Judged(RETIRED, RETIRED, supported, f"retired {newest.created[:10]}: {newest.because}")
    given = _given(history, policy_sha256)
    if given is None:
        return Judged(EXPERIMENTAL, EXPERIMENTAL, supported, f"nobody has promoted this source; {words}")
    held = STATES.index(given.state)
    worse = [one.newest.workload for one in places if one.regressed and one.newest.created > given.created]
    if worse and held:
        held -= 1
        words = f"{words}; one step back for {', '.join(sorted(set(worse)))}, which got worse since"
    return Judged(STATES[min(held, STATES.index(supported))], given.state, supported, words)


def next_state(found: Judged) -> str | None:
    """What it may be promoted to now; None: it has to earn more first, or there is nothing above."""
    if found.state == RETIRED:
        return EXPERIMENTAL
    above = STATES[STATES.index(found.state) + 1 :]
    return above[0] if above and STATES.index(above[0]) <= STATES.index(found.supported) else None


def asked_for(found: Judged) -> str:
    """What the state after the one it has asks for, in words."""
    if found.state == EXPERIMENTAL:
        return f"{VERIFIED} asks for a measured PASS of this source, and more places where it passes than got worse"
    return f"{PROVEN} asks for {PASSES} places on {MACHINES} machines where it passes, and none where it got worse"


def places_of(history: History, policy_sha256: str) -> tuple[Place, ...]:
    """Where this source has passed or failed, by workload and machine."""
    by_place: dict[tuple[str, str], list[Outcome]] = {}
    for one in history.outcomes:
        clear = one.verdict in {Verdict.PASS, Verdict.FAIL}
        if clear and one.rung in MEASURED and one.policy_sha256 == policy_sha256:
            by_place.setdefault((one.workload, one.machine.fingerprint), []).append(one)
    return tuple(Place(*key, outcomes[-1], _regressed(outcomes)) for key, outcomes in sorted(by_place.items()))


def _regressed(outcomes: list[Outcome]) -> bool:
    return outcomes[-1].verdict is Verdict.FAIL and any(one.verdict is Verdict.PASS for one in outcomes)


def _given(history: History, policy_sha256: str) -> Standing | None:
    """The newest state that was given to this source; an older source's is not this one's."""
    own = [one for one in history.standings if one.policy_sha256 == policy_sha256 and one.state != RETIRED]
    return own[-1] if own else None


def _supported(places: tuple[Place, ...]) -> tuple[str, str]:
    passing = [place for place in places if place.newest.verdict is Verdict.PASS]
    machines = len({place.fingerprint for place in passing})
    worse = sum(place.regressed for place in places)
    words = (
        f"passes on {_count(len({place.workload for place in passing}), 'workload')} and {_count(machines, 'machine')} "
        f"({_count(len(passing), 'place')}), worse than before in {worse}"
    )
    if len(passing) >= PASSES and machines >= MACHINES and not worse:
        return PROVEN, words
    if len(passing) > worse:
        return VERIFIED, words
    return EXPERIMENTAL, words if places else "no outcome of this source was measured"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
