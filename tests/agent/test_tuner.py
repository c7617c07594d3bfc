import pytest

from schedops.agent.planner import Brief, Workbench
from schedops.agent.tuner import BlindPlanner
from schedops.errors import InputError, Undecided
from tests.agent.test_search import WORKLOAD, bowl, source
from tests.fakes.dossier import PROFILE
from tests.fakes.lab import Lab, terms

BRIEF = Brief(workload=WORKLOAD, profile=PROFILE, hints=None, library=(source("ours"), source("theirs")))


def bench(formula, trials=60):
    return Workbench(lab=Lab(formula), terms=terms(WORKLOAD, trials=trials), told=lambda tried, words: None)


@pytest.mark.parametrize("kind", ["tuner", "random"])
def test_it_finds_something_within_the_budget_and_says_that_it_knows_nothing(kind):
    found = BlindPlanner(kind).propose(BRIEF, bench(bowl(1250)))
    assert found.plan.planner == kind
    assert found.plan.predicted_change < -0.3
    assert "Nobody knows why" in found.plan.hypothesis
    assert found.candidate.params == found.plan.params
    assert len(found.search.trials) <= 60
    assert found.search.sampler == {"tuner": "tpe", "random": "random"}[kind]


def test_the_tuner_begins_with_the_policies_as_they_are_and_chance_does_not():
    begun = BlindPlanner("tuner").propose(BRIEF, bench(bowl(1250))).search.trials[1:3]
    assert [(one.candidate, one.params) for one in begun] == [("ours", ()), ("theirs", ())]
    drawn = BlindPlanner("random").propose(BRIEF, bench(bowl(1250))).search.trials[1:3]
    assert all(one.params for one in drawn)


def test_without_trying_it_knows_nothing():
    with pytest.raises(Undecided, match="knows only what it tries"):
        BlindPlanner("tuner").propose(BRIEF, None)


def test_it_creates_nothing():
    brief = Brief(workload=WORKLOAD, profile=PROFILE, hints=None, library=BRIEF.library, pathway="create")
    with pytest.raises(InputError, match="cannot create"):
        BlindPlanner("random").propose(brief, bench(bowl(1250)))
