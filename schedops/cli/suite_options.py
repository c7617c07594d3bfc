"""What a suite is asked, as it is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schedops.cli.common import FiniteRange
from schedops.cli.contestants import baseline_of, machine_of, scheduler_of

if TYPE_CHECKING:
    from schedops.model.workload import Workload
    from schedops.pipeline.suite import Entrant, SuiteSpec
    from schedops.repository import Tree
    from schedops.suite.score import Terms

F = TypeVar("F", bound=Callable[..., Any])
SIM, VM = "sim", "vm"
DEFAULT_CPUS = 4  # on two the servers leave nothing to decide, on eight much of the rest
_GUEST_CPUS = 2  # as bench has it
_DEFAULT_SEEDS = {SIM: 10, VM: 3}
_OPTIONS = (
    click.option(
        "--on",
        "place",
        type=click.Choice([SIM, VM]),
        default=SIM,
        show_default=True,
        help="the simulator, or a real kernel in micro-VMs of this machine",
    ),
    click.option(
        "-p",
        "--policy",
        "policies",
        multiple=True,
        metavar="POLICY[:NAME=VALUE,...]",
        help="a library name, a directory or a .bpf.c, with parameters; repeatable; with --on vm none is needed",
    ),
    click.option("--baseline", default="eevdf", show_default=True, metavar="eevdf|informed|fifo|random|POLICY"),
    click.option(
        "-w", "--workload", "workloads", multiple=True, metavar="NAME", help="only this one; repeatable [default: all]"
    ),
    click.option(
        "--hidden",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        metavar="DIR",
        help="more workloads, with objectives and SLOs of their own",
    ),
    click.option(
        "--seeds",
        "--runs",
        "seeds",
        type=click.IntRange(1, 1000),
        help=f"1 to this: runs of each scheduler [default: {_DEFAULT_SEEDS[SIM]}, with --on vm {_DEFAULT_SEEDS[VM]}]",
    ),
    click.option(
        "--cpus",
        type=click.IntRange(1, 512),
        help=f"so many equal CPUs [default: {DEFAULT_CPUS}, with --on vm {_GUEST_CPUS}]",
    ),
    click.option("--machine", metavar="NAME|FILE", help="a machine file, or one that comes along, for the simulator"),
    click.option("--kernel", metavar="K", help="with --on vm [default: the newest that the fleet file names]"),
    click.option("--scale", type=FiniteRange(0.01, 1000), default=1.0, show_default=True, help="factor on the work"),
    click.option("--cold", is_flag=True, help="without hints, as on the first run of a workload"),
)


def suite_options(function: F) -> F:
    """Add the options that say which cells there are."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def asked_of(
    *,
    place: str,
    policies: tuple[str, ...],
    baseline: str,
    workloads: tuple[str, ...],
    hidden: Path | None,
    seeds: int | None,
    cpus: int | None,
    machine: str | None,
    kernel: str | None,
    scale: float,
    cold: bool,
) -> SuiteSpec:
    """The suite that these options mean, without the site of measured cells.

    :raises InputError: there is no such policy, workload or machine, or it does not run there.
    """
    from schedops.adapters.package import package_digest
    from schedops.pipeline.suite import Entrant, SuiteSpec
    from schedops.repository import load_policies, load_workload_files, open_tree
    from schedops.schema.files import data_dir

    _check(place, policies=policies, machine=machine, kernel=kernel)
    tree = open_tree(Path.cwd())
    rival, arm = baseline_of(tree, baseline)
    first = "informed" if arm == "informed" else _label(rival.name, arm)
    extra = () if hidden is None else load_workload_files(hidden)
    entrants = (Entrant(label=first, scheduler=rival, arm=arm), *(_entrant(tree, word) for word in policies))
    if place == VM:
        _check_schedulers(entrants)
    found = (*_workloads(tree, workloads), *extra)
    wanted = tuple(_that_run(place, found, named=workloads))
    return SuiteSpec(
        tool_sha256=package_digest(),
        machine=machine_of(cpus, machine, default=_GUEST_CPUS if place == VM else DEFAULT_CPUS),
        entrants=entrants,
        workloads=wanted,
        left_out=tuple(one.name for one in found if one not in wanted),
        seeds=tuple(range(1, (seeds or _DEFAULT_SEEDS[place]) + 1)),
        hidden=frozenset(one.name for one in extra),
        shipped=load_policies(data_dir("policies").parent),
        scale=scale,
        cold=cold,
    )


def _check(place: str, *, policies: tuple[str, ...], machine: str | None, kernel: str | None) -> None:
    if place == VM and machine is not None:
        raise click.UsageError("--machine is for the simulator; --cpus says how many a guest has")
    if place == SIM and kernel is not None:
        raise click.UsageError("--kernel: the simulator has none")
    if place == SIM and not policies:
        raise click.UsageError("--policy is missing")


def _check_schedulers(entrants: tuple[Entrant, ...]) -> None:
    for one in entrants:
        if one.scheduler.source is None and one.scheduler.name != "eevdf":
            raise click.UsageError(f"{one.label} is the simulator's own; a kernel has eevdf, informed and policies")


def _that_run(place: str, workloads: tuple[Workload, ...], *, named: tuple[str, ...]) -> Iterator[Workload]:
    # What nobody asked for by name is left out where it does not run.
    from schedops.pipeline.suite_guest import runs_in_a_guest
    from schedops.workloads.expand import require_jobs
    from schedops.workloads.real_setup import require_programs

    for one in workloads:
        if place == SIM or runs_in_a_guest(one):
            yield one
        elif one.name in named and one.real is not None:
            require_programs(one)
        elif one.name in named:
            require_jobs(one)


def terms_of(alphas: tuple[str, ...], budget: float | None, spent: tuple[str, ...], price: float | None) -> Terms:
    """Weights and budgets, as they are typed."""
    from schedops.suite.score import Terms

    if (budget is None) != (price is None) or (spent and budget is None):
        raise click.UsageError("--budget, --spent and --lambda go together")
    weights = {}
    for word in alphas:
        name, weight = _number("--alpha", word)
        workload, dot, metric = name.partition(".")
        if not dot or not weight > 0:
            raise click.UsageError(f"--alpha {word}: WORKLOAD.METRIC=WEIGHT with a weight above 0 is needed")
        weights[workload, metric] = weight
    costs = dict(_number("--spent", word) for word in spent)
    return Terms(alphas=weights, budget=budget, price=price or 0.0, spent=costs)


def _number(option: str, word: str) -> tuple[str, float]:
    name, _, text = word.rpartition("=")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not name or not 0 <= value < 1e12:
        raise click.UsageError(f"{option} {word}: NAME=NUMBER is needed")
    return name, value


def _workloads(tree: Tree, names: tuple[str, ...]) -> tuple[Workload, ...]:
    from schedops.repository import load_workload, load_workloads

    if not names:
        return load_workloads(tree.root)
    return tuple(load_workload(tree.root, name) for name in sorted(set(names)))


def _entrant(tree: Tree, word: str) -> Entrant:
    from schedops.pipeline.simulation import arm_of
    from schedops.pipeline.suite import Entrant

    name, colon, last = word.rpartition(":")
    if not colon or "=" not in last:
        name, last = word, ""
    scheduler = scheduler_of(tree, name, tuple(filter(None, last.split(","))))
    params = ",".join(f"{one.name}={one.value}" for one in scheduler.params)
    label = f"{scheduler.name}:{params}" if params else scheduler.name
    return Entrant(label=label, scheduler=scheduler, arm=arm_of(scheduler))


def _label(name: str, arm: str) -> str:
    # The library has a fifo, too.
    return f"built-in {name}" if arm == "eevdf" and name == "fifo" else name
