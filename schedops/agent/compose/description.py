"""A recipe to the description of its policy: name, parameters with ranges, what it declares, when it loses. Pure."""

from __future__ import annotations

from schedops.agent.compose import callbacks
from schedops.agent.compose.recipe import Recipe, words
from schedops.model.policy import Capabilities, Param, Policy, Provenance


def described(recipe: Recipe, classes: tuple[str, ...]) -> Policy:
    """The policy's description.

    :param classes: of workloads, what it is made for.
    """
    name = recipe.name
    said = words(recipe)
    return Policy(
        name=name,
        description=f"{said[0].upper()}{said[1:]}.",
        tags=_tags(recipe),
        classes=classes,
        source=f"{name}.bpf.c",
        ops_name=name.replace("-", "_"),
        params=_params(recipe),
        capabilities=Capabilities(
            weights=recipe.plain == "fair" and not recipe.groups,
            hints=recipe.hints,
            group_hints=recipe.order == "groups-by-remaining",
            cgroups=recipe.groups,
        ),
        requires=_requires(recipe),
        loses_when=_loses_when(recipe),
        provenance=Provenance(author="agent", pathway="create"),
    )


def _tags(recipe: Recipe) -> tuple[str, ...]:
    found = {"composed"}
    found |= {"cgroup", "builds"} if recipe.groups else set()
    found |= {"hints"} if recipe.hints else set()
    found |= {"fair", "vtime"} if recipe.plain == "fair" and not recipe.jobs else set()
    return tuple(sorted({*found, recipe.order} - {"none"}))


def _requires(recipe: Recipe) -> tuple[str, ...]:
    found = {"bpf_iter_scx_dsq_new", "scx_bpf_dsq_insert_vtime", "scx_bpf_dsq_move_to_local"}
    found |= {"bpf_cgroup_ancestor", "bpf_cgrp_storage_get"} if recipe.groups else set()
    return tuple(sorted(found))


def _loses_when(recipe: Recipe) -> str:
    found = []
    if recipe.groups:
        found.append("the end of the last group is what counts, or groups are services that should share")
    if recipe.hints:
        found.append("no hints are at hand")
    if recipe.plain != "fair":
        found.append("weights matter, since nice values of tasks that are no jobs are ignored")
    said = "; ".join([*found, "the machine has many CPUs, since all of them take from one queue"])
    return f"{said[0].upper()}{said[1:]}."


def _params(recipe: Recipe) -> tuple[Param, ...]:
    wanted = {
        "slice_us": True,
        "first_turn_us": callbacks.takes_first_turn(recipe),
        "max_wait_ms": recipe.jobs and (recipe.order, recipe.inside) != ("long-first", "turns"),
        "head_start_ms": recipe.order == "long-first",
        "long_percent": recipe.order == "long-first",
        "group_level": recipe.groups,
        "burst_wait_ms": recipe.plain == "short-bursts",
        "latency_us": recipe.kick == "latency",
    }
    return tuple(one for one in _ALL_PARAMS if wanted[one.name])


def _param(name: str, default: int, low: int, high: int, unit: str, meaning: str) -> Param:
    return Param(name=name, type="u64", default=default, min=low, max=high, unit=unit, meaning=meaning)


_ALL_PARAMS = (
    _param(
        "slice_us", 3000, 500, 20000, "us", "How long a task runs before its place in the queue is looked at again."
    ),
    _param("first_turn_us", 1000, 0, 20000, "us", "Length of a first turn, which comes before a job has to wait."),
    _param("max_wait_ms", 1200, 50, 1500, "ms", "How long a job is passed over at most before it gets a slice."),
    _param("head_start_ms", 300, 0, 1000, "ms", "How long a short job is passed over for long ones at most."),
    _param("long_percent", 250, 110, 10000, "percent", "A job is long when its hint is above this share of the mean."),
    _param("group_level", 1, 1, 16, "levels", "Depth in the cgroup tree at which every cgroup is a group."),
    _param("burst_wait_ms", 100, 10, 500, "ms", "How long a task with long bursts is passed over at most."),
    _param("latency_us", 500, 10, 5000, "us", "A task whose bursts are shorter on average interrupts others."),
)
