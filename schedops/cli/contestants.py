"""What is simulated, as it is typed: machines, policies with their parameters, baselines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from schedops.model.machine import Machine
    from schedops.ports import SimScheduler
    from schedops.repository import Tree

DEFAULT_CPUS = 2  # as bench has it
_BUILT_IN = ("eevdf", "fifo", "random")


def machine_of(cpus: int | None, machine: str | None, *, default: int = DEFAULT_CPUS) -> Machine:
    """So many equal CPUs, or a machine file or a ready one. :raises InputError: there is no such machine."""
    from schedops.model.machine import flat_machine
    from schedops.repository import load_machine

    if cpus is not None and machine is not None:
        raise click.UsageError("--cpus and --machine exclude each other")
    return load_machine(machine, cwd=Path.cwd()) if machine is not None else flat_machine(cpus or default)


def scheduler_of(tree: Tree, name: str, params: tuple[str, ...], includes: tuple[Path, ...] = ()) -> SimScheduler:
    """A built-in scheduler, or a policy with its parameters. :raises InputError: there is none, or a bad parameter."""
    from schedops.pipeline.parameters import parameters
    from schedops.ports import SimScheduler
    from schedops.repository import read_includes, resolve_policy, with_includes

    if name in {"eevdf", "random"}:  # fifo is a policy of the library, too
        if params:
            raise click.UsageError(f"{name} is built in and has no parameters")
        return SimScheduler(name)
    source = resolve_policy(tree.root, name, cwd=Path.cwd())
    if includes:
        source = with_includes(source, read_includes(includes))
    return SimScheduler(source.policy.name, source, parameters(source.policy, params))


def baseline_of(tree: Tree, name: str) -> tuple[SimScheduler, str]:
    """Who schedules, and how the jobs are launched. :raises InputError: there is no such policy."""
    from schedops.ports import SimScheduler

    if name == "informed":
        return SimScheduler("eevdf"), "informed"
    if name in _BUILT_IN:
        return SimScheduler(name), "eevdf"
    return scheduler_of(tree, name, ()), "candidate"
