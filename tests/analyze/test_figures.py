from schedops.analyze.figures import figures_of
from schedops.model.jobs import Group, Job, JobPlan, RunReading

PLAN = JobPlan(
    seed=1,
    cpus=2,
    groups=(Group(arrival_us=0, parallel=(2,)), Group(arrival_us=10_000, parallel=(2,))),
    jobs=(
        Job(key="a", group=0, phase=0, work=10),
        Job(key="b", group=0, phase=0, work=20),
        Job(key="c", group=1, phase=0, work=30),
    ),
)
READING = RunReading(
    start_us=(0, 0, 10_000),
    end_us=(20_000, 40_000, 100_000),
    cpu_us=(10_000, 20_000, 60_000),
    run_delay_us=(10_000, 20_000, 0),
    voluntary_switches=(1, 1, 1),
    involuntary_switches=(1, 1, 1),
    exit_codes=(0, 0, 0),
    hints_accepted=0,
    wall_us=100_000,
    context_switches=50,
    wakeups=9,
)


def test_every_figure_of_a_small_run():
    assert {figure.name: figure.value for figure in figures_of(PLAN, READING)} == {
        "jobs": 3,
        "groups": 2,
        "cpu_time_mean_ms": 30,
        "cpu_time_total_ms": 90,
        "longest_to_median": 3,
        "us_per_work": 1500,
        "wakeups_per_s": 90,
        "context_switches_per_s": 500,
        "cpu_ms_per_wakeup": 10,
        "runnable_share": 0.2,
        "blocked_share": 0.2,
        "parallelism": 0.45,
        "saturating_groups": 0.5,
        "mean_group_time_ms": 65,
        "mean_group_time_per_floor": round(65 / 60, 5),
        "all_done_ms": 100,
        "all_done_per_floor": round(100 / 60, 5),
    }


def test_every_figure_says_its_unit_and_how_it_was_measured():
    assert all(figure.unit and figure.how for figure in figures_of(PLAN, READING))
