"""A host as Prometheus has seen it, to a profile: only the figures that there are, no class that they do not tell."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from schedops.analyze.judge import told, weigh
from schedops.analyze.observed import (
    INSTANCES,
    STALE_S,
    STEPS,
    busy_over_time,
    not_observed,
    observed_bottleneck,
    observed_figures,
    observed_words,
    queries,
    value,
)
from schedops.errors import InputError, Unavailable
from schedops.model.profile import Profile, TierCost
from schedops.pipeline.profiled import Looked
from schedops.ports import Metrics

_SHOWN = 10  # instances, in a message
_MOST_CPUS = 4096


def observed(server: Metrics, address: str, *, instance: str | None, minutes: int) -> Looked:
    """The profile of one host over the last *minutes*, up to its newest sample.

    :param address: for the record. *instance*: the label of its exporter; None: there is only one.
    :raises InputError: ``several-instances``, ``no-instance``.
    :raises Unavailable: ``no-data``: nothing of node_exporter is there; ``stale``; or the server does not answer.
    """
    chosen = _chosen(server, address, instance)
    asked = queries(chosen, minutes)
    answers = {name: server.instant(query) for name, query in asked.items()}
    age_s, cpus = value(answers["age"]), value(answers["cpus"])
    if age_s is None or cpus is None or not 1 <= cpus <= _MOST_CPUS:
        raise _no_data(address, f"nothing is known of the CPUs of {chosen}")
    if age_s > STALE_S:
        message = f"the newest sample of {chosen} is {age_s:.0f} s old: the host or its exporter does not answer"
        raise Unavailable("stale", message, where=address)
    now_s = answers["age"][0].points[-1][0]
    step_s = minutes * 60 / STEPS
    busy = server.over(busy_over_time(chosen, step_s), start_s=now_s - minutes * 60, end_s=now_s, step_s=step_s)
    figures = observed_figures(answers, busy, minutes)
    classes = told(figures)
    until = datetime.fromtimestamp(now_s - max(0.0, age_s), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    profile = Profile(
        workload=_name(chosen),
        kernel="recorded",
        cpus=round(cpus),
        seed=0,
        accelerator="none",
        figures=figures,
        classes=classes,
        cpu_ms_quantiles=(),
        source=f"Prometheus {address}, instance {chosen}, {minutes} min until {until}"[:400],
        bottleneck=observed_bottleneck(figures),
        missing=not_observed(figures, busy),
        costs=(TierCost(tier="profile", seconds=0.0, how="nothing is run: it was measured elsewhere"),),
        words=observed_words(chosen, figures, told=bool(classes)),
    )
    return Looked(profile=profile, weighed=weigh(figures))


def _chosen(server: Metrics, address: str, instance: str | None) -> str:
    there = sorted({dict(one.labels).get("instance", "") for one in server.instant(INSTANCES)} - {""})
    if not there:
        raise _no_data(address, "it has no node_cpu_seconds_total")
    if instance is None and len(there) == 1:
        return there[0]
    shown = ", ".join(there[:_SHOWN]) + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
    if instance is None:
        raise InputError(
            "several-instances", f"it knows {len(there)} hosts: {shown}", hint="--instance with one of them"
        )
    if instance not in there:
        raise InputError("no-instance", f"it knows no {instance[:200]!r}, but {shown}", where=address)
    return instance


def _no_data(address: str, why: str) -> Unavailable:
    return Unavailable("no-data", why, where=address, hint="node_exporter on the host, scraped by this Prometheus")


def _name(instance: str) -> str:
    """Of a document: what a workload may be called."""
    return re.sub(r"[^a-z0-9]+", "-", instance.lower()).strip("-")[:63].strip("-") or "host"
