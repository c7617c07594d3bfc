"""Real programs of a workload: what its model stands for, run in a guest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """:param command: words; *tcp_port*: the jobs begin when it takes connections there, 0: at once."""

    command: tuple[str, ...]
    tcp_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealJob:
    """Jobs of one kind. In *command* ``{i}`` is the number of the job among its kind, ``{cpus}`` the number of CPUs.

    :param count: how many, and *per_cpu* so many more for each CPU; both are multiplied by the scale.
    :param fixed: not multiplied: a load generator is there once.
    :param group: jobs of equal group share a cgroup.
    :param expect: regular expression that the end of its output must hold, or it has not done its work.
    """

    name: str
    command: tuple[str, ...]
    count: int = 1
    per_cpu: float = 0.0
    fixed: bool = False
    group: int = 0
    arrival_ms: float = 0.0
    expect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRead:
    """A metric that a program says itself: the first group of *pattern* in the output of *job*, times *factor*."""

    metric: str
    job: str
    pattern: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPrograms:
    """:param packages: of Debian; they bring all that is run.

    :param prepare: lines of shell, once for each guest, in ``/work``: data is made, nothing is fetched.
    :param before: lines of shell before each run, unmeasured.
    :param after: lines of shell after each run that fail when its work was not done.
    """

    packages: tuple[str, ...]
    jobs: tuple[RealJob, ...]
    prepare: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    servers: tuple[RealServer, ...] = ()
    reads: tuple[RealRead, ...] = ()
    after: tuple[str, ...] = ()
