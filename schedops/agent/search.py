"""The search: policies race, the values of the best are searched, the winner is confirmed on fresh seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from schedops.agent.confirm import Confirmed, confirmed, confirmed_alone
from schedops.agent.lab import SETTINGS_ALONE, Candidate, Lab
from schedops.agent.sampler import OptunaSampler
from schedops.agent.space import PolicySpace, Space
from schedops.agent.trials import Bench, Terms, Told, Tried
from schedops.model.search import Search

AT_ONCE = 4  # drawn together; the same on every machine, or another machine would try others
FINALISTS = 2  # policies whose parameters are searched
SIMPLER = "simpler"
_REPEATS = 8  # draws in a row that were all tried before: there is nothing left


def search(terms: Terms, begins: Sequence[tuple[Candidate, str]], *, lab: Lab, told: Told) -> Search:
    """Race the policies with the values they come with, then search the values of the best.

    :param begins: (candidate, origin), best guess first: it stands unless something is clearly better on fresh seeds.
    """
    bench = Bench(terms, lab, told)
    why = bench.start()
    if why:
        return _nothing(bench, f"the default scheduler did not get through in the simulator: {why}")
    bench.try_all(((SETTINGS_ALONE, "settings"), begins[0]))
    for at in range(1, len(begins), AT_ONCE):
        bench.try_all(begins[at : at + AT_ONCE])
    best = bench.best()
    if best is None:
        first = bench.known.get(begins[0][0].label)
        note = first.trial.note if first is not None else "there was no time"
        return _nothing(bench, f"the simulator cannot say: {note}")
    ended, best = _explored(bench, PolicySpace(_finalists(bench, [one for one, _ in begins])))
    assert best is not None
    stands = bench.known[begins[0][0].label]
    return _document(bench, ended, (stands.trial.number, best.trial.number), confirmed(bench, best, stands))


def create(terms: Terms, space: Space, *, lab: Lab, told: Told) -> Search:
    """Search policies that do not exist yet. What is found has to be clearly better than the default scheduler.

    :param space: of policies and their values.
    """
    bench = Bench(terms, lab, told)
    why = bench.start()
    if why:
        return _nothing(bench, f"the default scheduler did not get through in the simulator: {why}")
    bench.try_all(((SETTINGS_ALONE, "settings"),))
    ended, best = _explored(bench, space)
    if best is None:
        return _nothing(bench, "no composed policy got through in the simulator")
    return _document(bench, ended, (best.trial.number,) * 2, confirmed_alone(bench, best))


def roam(terms: Terms, policies: Sequence[Candidate], *, kind: str, lab: Lab, told: Told) -> Search:
    """Search all policies and values at once, without a guess which are better. The winner must beat the default.

    :param kind: ``tpe``, which begins with the policies as they are, or ``random``.
    """
    bench = Bench(replace(terms, sampler=kind), lab, told)
    why = bench.start()
    if why:
        return _nothing(bench, f"the default scheduler did not get through in the simulator: {why}")
    bench.try_all(((SETTINGS_ALONE, "settings"),))
    ended = explore(bench, PolicySpace(tuple(policies)), begins=kind != "random")
    best = bench.best()
    if best is None:
        return _nothing(bench, "no policy got through in the simulator")
    return _document(bench, ended, (best.trial.number,) * 2, confirmed_alone(bench, best))


def both(first: Search, second: Search) -> Search:
    """Two searches for the same as one document; what the second one chose counts."""
    shift = len(first.trials)
    return replace(
        second,
        budget_trials=first.budget_trials + second.budget_trials,
        trials=(*first.trials, *(replace(one, number=one.number + shift) for one in second.trials)),
        planned=second.planned + shift,
        winner=second.winner + shift,
        chosen=second.chosen + shift,
        confirmed=(*first.confirmed, *(replace(one, trial=one.trial + shift) for one in second.confirmed)),
    )


def _explored(bench: Bench, space: Space) -> tuple[str, Tried | None]:
    bench.reserve = bench.terms.trials // 4
    ended = explore(bench, space)
    bench.reserve = 0
    return ended, simplified(bench, space) if bench.best() is not None else None


def explore(bench: Bench, space: Space, *, begins: bool = True) -> str:
    """Draw candidates and try them until nothing is left of the budget or of the space; which of these it was.

    :param begins: with what the space begins with first.
    """
    sampler = OptunaSampler(space, kind=bench.terms.sampler, seed=bench.terms.seed, begins=begins)
    repeats = 0
    while bench.left() > 0 and repeats < _REPEATS:
        drawn = [sampler.ask() for _ in range(AT_ONCE)]
        before = len(bench.tried)
        bench.try_all([(candidate, "sampler") for _, candidate in drawn])
        for ticket, candidate in drawn:
            one = bench.known.get(candidate.label)
            values = one.values if one is not None else []
            sampler.tell(ticket, values, pruned=one is not None and one.trial.state == "pruned")
        repeats = repeats + 1 if len(bench.tried) == before else 0
    if repeats:
        return "space"
    return "time" if bench.late() else "trials"


def simplified(bench: Bench, space: Space) -> Tried:
    """The best one, with everything put back that brings nothing, one thing after the other."""
    best = bench.best()
    assert best is not None
    simplest = best
    for aspect in space.aspects(best.candidate):
        candidate = space.reset(simplest.candidate, aspect)
        bench.try_all([(candidate, SIMPLER)])
        if bench.as_good(candidate, best):
            simplest = bench.known[candidate.label]
    return simplest


def _finalists(bench: Bench, begins: Sequence[Candidate]) -> tuple[Candidate, ...]:
    done = [one for one in (bench.known.get(begin.label) for begin in begins) if one is not None and one.values]
    ranked = sorted(done, key=lambda one: (one.trial.state != "complete", one.values[-1], one.trial.number))
    by_name = {one.candidate.name: one.candidate for one in reversed(ranked)}  # of one policy the best values
    names = dict.fromkeys(one.candidate.name for one in ranked)
    return tuple(by_name[name] for name in list(names)[:FINALISTS])


def _nothing(bench: Bench, because: str) -> Search:
    return _document(bench, "failed", (-1, -1), Confirmed(-1, (), because[:2000]))


def _document(bench: Bench, ended: str, numbers: tuple[int, int], found: Confirmed) -> Search:
    terms = bench.terms
    return Search(
        workload=terms.workload.name,
        workload_sha256=terms.workload_sha256,
        machine=terms.machine,
        machine_sha256=terms.machine_sha256,
        cpus=terms.cpus,
        scale=terms.scale,
        seed=terms.seed,
        sampler=terms.sampler,
        budget_trials=terms.trials,
        budget_s=terms.seconds,
        training_seeds=terms.training_seeds,
        fresh_seeds=terms.fresh_seeds,
        ended=ended,
        trials=tuple(one.trial for one in bench.tried),
        planned=numbers[0],
        winner=numbers[1],
        chosen=found.chosen,
        confirmed=found.confirmations,
        because=found.because,
        runs=bench.lab.runs(),
    )
