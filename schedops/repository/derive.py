"""What the source of a policy says of itself, where nobody has described it: callbacks, kfuncs, constants, licence."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from schedops.errors import InputError
from schedops.model.policy import Capabilities, Param, PolicySource
from schedops.repository.library import constants_of, literal, without_comments

UNDESCRIBED = "Not described by its author."
_LOSES = "Nobody has measured yet what it loses on."
_KFUNC = re.compile(
    r"\b(scx_bpf_\w{1,60}|bpf_(?:cpumask|cgroup_ancestor|cgroup_from_id|cgrp_storage_get|iter_scx_dsq)\w{0,40})\s*\("
)
_CALLBACKS = ("set_weight", "cgroup_set_weight", "cgroup_init", "cgroup_move", "cgroup_prep_move", "cpu_online",
              "cpu_offline")  # fmt: skip
_OTHER_CONSTANT = re.compile(r"\bconst\s+volatile\s+([^;={]{1,120})[;=]")
_SPDX = re.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+() -]{1,100})")
_COMPAT = re.compile(r"\b__COMPAT_(scx_bpf_\w{1,60})")
_TYPES = ("u8", "u16", "u32", "u64", "s32", "s64", "bool")
_UNITS = {"_ns": "ns", "_us": "us", "_ms": "ms", "_s": "s", "_pct": "percent", "_percent": "percent"}
_MOST_PARAMS = 64


@dataclass(frozen=True, slots=True)
class Derived:
    """:param notes: what could not be derived, and why; for whoever reviews the description."""

    source: PolicySource
    notes: tuple[str, ...]


def derived(bare: PolicySource, *, name: str, description: str, licence: str) -> Derived:
    """The policy with a description made from its source.

    :param bare: as a file without a ``policy.yaml`` is read.
    :param description: by whoever imports it; empty: what the source's first comment says.
    :param licence: likewise; empty: the SPDX line of the source.
    :raises InputError: ``no-licence``, ``no-ops-name``.
    """
    text = bare.text
    code = without_comments(text)
    policy = bare.policy
    if not policy.ops_name:
        raise InputError("no-ops-name", f"{bare.path} does not say the .name of its struct sched_ext_ops")
    params, notes = _params(code)
    found = replace(
        policy,
        name=name,
        description=description or _first_comment(text) or f"{UNDESCRIBED} The scheduler {policy.ops_name}.",
        params=params,
        capabilities=_capabilities(code),
        requires=tuple(sorted(set(_KFUNC.findall(code)) - set(_COMPAT.findall(code))))[:_MOST_PARAMS],
        licence=licence or _licence(text, bare.path),
        loses_when=_LOSES,
    )
    return Derived(replace(bare, policy=found), notes)


def _capabilities(code: str) -> Capabilities:
    has = {name for name in _CALLBACKS if re.search(rf"\.{name}\s*=|BPF_STRUCT_OPS\w*\s*\(\s*\w+_{name}\b", code)}
    return Capabilities(
        weights="set_weight" in has or "->scx.weight" in code,
        hotplug={"cpu_online", "cpu_offline"} <= has,
        partial="SCX_OPS_SWITCH_PARTIAL" in code,
        cgroups=bool(has & {"cgroup_set_weight", "cgroup_init", "cgroup_move", "cgroup_prep_move"}),
    )


def _params(code: str) -> tuple[tuple[Param, ...], tuple[str, ...]]:
    """Constants with a type and a value of their own; the range is that value until somebody says how far it goes."""
    params: dict[str, Param] = {}
    for name, (type_, value) in constants_of(code).items():
        number = literal(value)
        if type_ in _TYPES and number is not None and len(params) < _MOST_PARAMS:
            low, high = (0, 1) if type_ == "bool" else (number, number)
            params[name] = Param(
                name=name, type=type_, default=number, min=low, max=high, unit=_unit(type_, name), meaning=UNDESCRIBED
            )
    declared = [re.split(r"\s+", found.strip()) for found in _OTHER_CONSTANT.findall(code)]
    left = sorted({words[-1].partition("[")[0].lstrip("*") for words in declared} - params.keys())
    notes = [f"`const volatile` {one} is left out: its type or value is no plain number" for one in left[:10]]
    if params:
        notes.append("ranges of parameters are their defaults: give min, max and meaning where they may be tuned")
    return tuple(params.values()), tuple(notes)


def _unit(type_: str, name: str) -> str:
    if type_ == "bool":
        return "switch"
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "1")


def _licence(text: str, path: str) -> str:
    found = _SPDX.search(text)
    if found is None:
        raise InputError(
            "no-licence",
            f"{path} has no SPDX-License-Identifier",
            where=path,
            hint="--licence and what its author says",
        )
    return found.group(1).strip()


def _first_comment(text: str) -> str:
    """What the comment at the top says beyond licence and copyright, on one line; the first 600 characters."""
    for comment in re.findall(r"/\*(.{1,8000}?)\*/", text[:16_000], re.DOTALL)[:3]:
        lines = [line.strip(" \t*") for line in comment.splitlines()]
        kept = [line for line in lines if not re.search(r"SPDX-|Copyright", line)]
        words = " ".join(" ".join(kept).split())
        if len(words) >= 20:
            return words[:600].strip()
    return ""
