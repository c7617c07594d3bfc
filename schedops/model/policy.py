"""A scheduler policy as the library describes it (``policies/library/<name>/policy.yaml``)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A build-time constant of the policy: ``const volatile <type> <name>`` in its source."""

    name: str
    type: str  # one of u8 u16 u32 u64 s32 s64 bool
    default: int
    min: int
    max: int
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the policy declares it honours; the verifier holds it to this, and no further."""

    weights: bool = False  # nice values and cpu.weight
    hotplug: bool = False  # stays through CPU offline and online
    partial: bool = False  # SCX_OPS_SWITCH_PARTIAL: schedules SCHED_EXT tasks only
    hints: bool = False  # reads expected CPU time from its ``hints`` map
    group_hints: bool = False  # takes the hint of a group's first process for what the whole group will use
    cgroups: bool = False  # tells groups of tasks apart by their cgroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Who wrote the policy, and from what."""

    author: str  # human | agent
    pathway: str  # configure | modify | create
    base: str | None = None
    base_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy of the library."""

    name: str
    description: str
    tags: tuple[str, ...]
    classes: tuple[str, ...]  # workload classes it is meant for
    source: str  # file name beside policy.yaml
    ops_name: str  # sched_ext_ops.name, what /sys/kernel/sched_ext/root/ops says
    params: tuple[Param, ...] = ()
    capabilities: Capabilities = field(default_factory=Capabilities)
    requires: tuple[str, ...] = ()  # kernel features: kfunc or ops member names
    licence: str = "GPL-2.0-only"
    loses_when: str
    provenance: Provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamValue:
    """A parameter with the value chosen for it."""

    name: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySource:
    """A policy together with the text that would be compiled.

    :param path: where it was read, relative to the repository, for messages.
    :param headers: (name, text) of the library's own headers that the source may include, sorted by name.
    """

    policy: Policy
    path: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrebuiltPolicy:
    """A policy of which only the object is at hand.

    :param policy: what is known of it; a bare object promises what was declared on the command line.
    :param path: where it was read, for messages.
    """

    policy: Policy
    path: str
    elf: bytes
