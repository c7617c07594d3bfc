"""Real programs to run in a guest, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramJob:
    """One process, with all that it starts.

    :param argv: the words of its command; the first one is looked up in the guest's PATH.
    :param group: jobs and servers of equal *group* share a cgroup when each group has one.
    :param hint_ns: CPU time that history expects; 0: nobody knows.
    :param output: file that takes its standard output, relative to ``/job``; empty: it is reported.
    """

    argv: tuple[str, ...]
    arrival_us: int = 0
    group: int = 0
    nice: int = 0
    hint_ns: int = 0
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramServer:
    """Runs beside the jobs and is ended after them.

    :param tcp_port: the jobs begin when it takes connections there; 0: at once.
    """

    argv: tuple[str, ...]
    tcp_port: int = 0
    group: int = 0
    nice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramPlan:
    """:param shell: lines that prepare, one after the other, in ``/job``, before anything is measured.

    :param random_names: the processes' names say nothing about what they are.
    """

    shell: tuple[str, ...] = ()
    servers: tuple[ProgramServer, ...] = ()
    jobs: tuple[ProgramJob, ...] = ()
    cgroup_per_group: bool = False
    random_names: bool = True
    name_seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramReading:
    """Of each job, in their order; times since the first could begin. One that never ended counts as killed (137).

    :param cpu_us: user and system time of the job and of the children that it waited for (rusage).
    :param outputs: the end of what each job wrote, 2048 bytes at most; control characters are gone.
    :param server_codes: exit codes of servers that ended by themselves meanwhile; None: it was there to the end.
    :param server_outputs: as *outputs*.
    :param cgroup_us: CPU time of jobs and servers as the kernel accounts it for their cgroups.
    :param machine_cpu_us: CPU time that the host gave the whole guest meanwhile; None: not known.
    :param clean: nothing of it was left afterwards.
    """

    start_us: tuple[int, ...]
    end_us: tuple[int, ...]
    cpu_us: tuple[int, ...]
    voluntary_switches: tuple[int, ...]
    involuntary_switches: tuple[int, ...]
    exit_codes: tuple[int, ...]
    outputs: tuple[str, ...]
    wall_us: int
    context_switches: int
    cgroup_us: int
    clean: bool
    server_codes: tuple[int | None, ...] = ()
    server_outputs: tuple[str, ...] = ()
    machine_cpu_us: int | None = None
