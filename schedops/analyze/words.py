"""A profile as a paragraph, by template. Pure."""

from __future__ import annotations

from schedops.analyze.played import ROLE_SHARE
from schedops.model.profile import ClassFinding, Profile, TaskClassFigures

_MEANING = {
    "saturating-groups": "several groups of jobs, each with more work than the CPUs can do at once",
    "uneven-batch": "a batch of jobs that compute, one or a few of them much longer than the rest",
    "even-batch": "a batch of jobs that compute and are of about equal length",
    "build-graph": "a tree of processes that start each other and wait for each other",
    "message-passing": "tasks that wake each other all the time and do little in between",
    "pipeline": "stages that hand work on to each other until all is done",
    "request-response": "a service: requests come, tasks answer them, and it goes on",
    "latency-critical": "tasks that timers wake for a little work, which should be done at once",
    "io-bound": "tasks that mostly wait for input or output",
    "cpu-bound": "tasks that compute and hardly ever sleep",
    "memory-bound": "tasks whose instructions wait for memory",
    "wakeup-heavy": "tasks that wake often for little work",
    "mixed": "tasks of several kinds that have little to do with each other",
    "idle": "next to nothing",
}
_MATTERS = {
    "saturating-groups": "Which group is served first decides how long the others wait.",
    "uneven-batch": "When the long jobs begin decides when all is done.",
    "even-batch": "Order changes little; every switch less is a gain.",
    "build-graph": "The longest chain of jobs that wait for each other should never wait for a CPU.",
    "message-passing": "What a wake-up and a switch cost, and on which CPU the woken task runs, decides.",
    "pipeline": "The slowest stage should never wait, and stages that meet often should run close to each other.",
    "request-response": "How long a woken task waits for a CPU is what a user feels.",
    "latency-critical": "How late a woken task runs is all that counts.",
    "io-bound": "The scheduler can do little; a task that is done waiting should run at once.",
}
_BOTTLENECK = {
    "cpu-saturated": "The CPUs are the bottleneck",
    "queueing": "Queues are the bottleneck",
    "serial": "One thing after the other is the bottleneck",
    "dependency-chain": "Waiting for each other is the bottleneck",
    "waiting": "Nothing is short: it mostly waits for something outside",
}
_HOW = {
    "summary": "by what is known without a run",
    "profile": "by one run",
    "probe": "by a run and a probed run",
}


def words(profile: Profile) -> str:
    """Class, what it means, who takes the time, bottleneck, what matters; only what the figures say."""
    if not profile.classes:
        return ""
    first, *others = profile.classes
    parts = [
        _class(profile, first),
        _tasks(profile),
        _longest_wait(profile),
        f"{_BOTTLENECK[profile.bottleneck.name]}: {profile.bottleneck.because}." if profile.bottleneck else "",
        _MATTERS.get(first.name, ""),
        f"It is also {' and '.join(one.name for one in others)}." if others else "",
    ]
    return " ".join(part for part in parts if part)


def _class(profile: Profile, first: ClassFinding) -> str:
    how = _HOW[profile.tier] if profile.source == "run" else "by what was recorded"
    sure = "" if first.confidence is None else f" (confidence {first.confidence:.2f}, {how})"
    return f"{profile.workload} is {first.name}{sure}: {_MEANING.get(first.name, 'of a class of its own')}."


def _tasks(profile: Profile) -> str:
    total = sum(one.cpu_ms for one in profile.tasks)
    if not total:
        return ""
    said = [f"{one.name} ({_role(one)}, {one.cpu_ms / total:.0%})" for one in profile.tasks[:3]]
    return f"Most CPU time goes to {', '.join(said)}."


def _role(one: TaskClassFigures) -> str:
    count = f"{one.tasks} task{'s' * (one.tasks != 1)}"
    doing = {
        "job": "compute and end",
        "starter": "start others",
        "hog": "never sleep",
        "timed": "woken by timers",
        "served": "woken by other tasks",
        "sleeper": "sleep and wake",
    }
    return f"{count}, {doing[one.role]}"


def _longest_wait(profile: Profile) -> str:
    least_ms = ROLE_SHARE * sum(one.cpu_ms for one in profile.tasks)
    waits = [
        (one.wait_p99_us, one.name)
        for one in profile.tasks
        if one.wait_p99_us is not None and one.role in {"served", "timed"} and one.cpu_ms >= least_ms
    ]
    if not waits:
        return ""
    us, name = max(waits)
    return f"Of what sleeps, {name} waits longest for a CPU: 1 in 100 times {us / 1000:.3g} ms or more."
