import pytest

from schedops.analyze.classes import classify
from schedops.model.profile import Figure

BUILDS = {
    "jobs": 92,
    "groups": 4,
    "saturating_groups": 1.0,
    "runnable_share": 0.6,
    "blocked_share": 0.02,
    "parallelism": 0.95,
    "longest_to_median": 6.0,
    "wakeups_per_s": 30,
    "cpu_ms_per_wakeup": 60,
}
BATCH = BUILDS | {"jobs": 11, "groups": 1, "saturating_groups": 1.0, "longest_to_median": 7.4}


def classes(figures):
    return [
        finding.name for finding in classify([Figure(name=n, value=v, unit="", how="") for n, v in figures.items()])
    ]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (BUILDS, ["saturating-groups", "cpu-bound"]),
        (BUILDS | {"saturating_groups": 0.25}, ["cpu-bound"]),
        (BATCH, ["uneven-batch", "cpu-bound"]),
        (BATCH | {"longest_to_median": 2.9}, ["even-batch", "cpu-bound"]),
        (BATCH | {"jobs": 1, "longest_to_median": 1}, ["cpu-bound"]),
        (BATCH | {"blocked_share": 0.8, "cpu_ms_per_wakeup": 0.3}, ["wakeup-heavy"]),
        (BATCH | {"blocked_share": 0.8}, ["mixed"]),
        (BUILDS | {"parallelism": 0.05}, ["idle"]),
    ],
)
def test_classes_by_figures(figures, expected):
    assert classes(figures) == expected


def test_finding_names_the_figures_that_decided_it():
    found = classify([Figure(name=n, value=v, unit="", how="") for n, v in BATCH.items()])
    assert found[0].because == "one group of 11 CPU-bound jobs, the longest takes 7.4 times the median one"


def test_missing_figure_is_an_error_and_no_class():
    with pytest.raises(KeyError):
        classes({"jobs": 1})
