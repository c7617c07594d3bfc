"""Real programs of a workload: what its model stands for, run in a guest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """Runs beside the jobs. One that ends before them makes the run invalid.

    :param tcp_port: the jobs begin when it takes connections there; 0: at once.
    :param group: shares the cgroup of the jobs of this group.
    """

    command: tuple[str, ...]
    tcp_port: int = 0
    group: int = 0
    nice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealJob:
    """Jobs of one kind. In *command* and *output* ``{i}`` is the number of the job among its kind.

    ``{launcher}`` in *command* is empty, or what compilers are to be started by so that each has its hint.

    :param count: how many, and *per_cpu* so many more for each CPU; both are multiplied by the scale.
    :param fixed: not multiplied: a load generator is there once.
    :param long: one of the long jobs of a batch, whose other jobs are the short ones.
    :param parallel: it works on several CPUs at once: its CPU time is no lower bound of its time.
    :param group: jobs of equal group share a cgroup.
    :param output: file that takes its standard output; what is reported is the rest.
    :param expect: regular expression that the end of its output must hold, or it has not done its work.
    """

    name: str
    command: tuple[str, ...]
    count: int = 1
    per_cpu: float = 0.0
    fixed: bool = False
    long: bool = False
    parallel: bool = False
    group: int = 0
    nice: int = 0
    arrival_ms: float = 0.0
    output: str = ""
    expect: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealRead:
    """A metric that a program says itself: the first group of *pattern* in the output of *job*, times *factor*.

    A second group is the number's unit (ns, us, ms, s), of which the metric's own is made.
    """

    metric: str
    job: str
    pattern: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RealPrograms:
    """Programs, and how to see that they did their work.

    In all commands and lines of shell ``{cpus}`` is the number of CPUs, ``{jobs}`` that of jobs.

    :param packages: of Debian; they bring all that is run.
    :param source: it builds a source tree that the user names, ``/job/source`` in the guest.
    :param prepare: lines of shell, once for each guest, in ``/job``: data is made, nothing is fetched.
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
    source: bool = False
