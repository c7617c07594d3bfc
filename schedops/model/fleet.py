"""The kernels and hosts a repository is for, and which policy they are meant to run."""

from __future__ import annotations

from dataclasses import dataclass

from schedops.model.policy import ParamValue


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetKernel:
    """A kernel of the fleet. *btf_sha256* settles which build is meant; a release alone may have several."""

    release: str  # what uname -r says, or a prefix of it ("6.16")
    btf_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostGroup:
    """A group of the Ansible inventory and the workload its hosts run."""

    name: str
    workloads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """``policies/fleet.yaml``."""

    kernels: tuple[FleetKernel, ...]
    groups: tuple[HostGroup, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Desired state: what a host group runs for a workload (``policies/desired/<group>.<workload>.yaml``).

    One file per pair, so that two proposals never touch the same lines. *policy* None with *settings*
    ``informed-default`` means: stay on the kernel's scheduler, set nice values from the hints.
    """

    group: str
    workload: str
    policy: str | None
    params: tuple[ParamValue, ...] = ()
    settings: str | None = None
    evidence_sha256: str
