"""What a suite is asked, as it is typed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from schedops.cli.contestants import baseline_of, machine_of, scheduler_of

if TYPE_CHECKING:
    from schedops.model.workload import Workload
    from schedops.pipeline.suite import Entrant, SuiteSpec
    from schedops.repository import Tree
    from schedops.suite.score import Terms

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_CPUS = 4  # on two the servers leave nothing to decide, on eight much of the rest
_DEFAULT_SEEDS = 10
_OPTIONS = (
    click.option(
        "--on",
        type=click.Choice(["sim"]),
        default="sim",
        show_default=True,
        expose_value=False,
        help="where the cells run",
    ),
    click.option(
        "-p",
        "--policy",
        "policies",
        multiple=True,
        required=True,
        metavar="POLICY[:NAME=VALUE,...]",
        help="a library name, a directory or a .bpf.c, with parameters; repeatable",
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
    click.option("--seeds", type=click.IntRange(1, 1000), default=_DEFAULT_SEEDS, show_default=True, help="1 to this"),
    click.option("--cpus", type=click.IntRange(1, 512), help=f"so many equal CPUs [default: {DEFAULT_CPUS}]"),
    click.option("--machine", metavar="NAME|FILE", help="a machine file, or one that comes along"),
    click.option(
        "--scale", type=click.FloatRange(0.01, 1000), default=1.0, show_default=True, help="factor on the work"
    ),
    click.option("--cold", is_flag=True, help="without hints, as on the first run of a workload"),
)


def suite_options(function: F) -> F:
    """Add the options that say which cells there are."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def asked_of(
    *,
    policies: tuple[str, ...],
    baseline: str,
    workloads: tuple[str, ...],
    hidden: Path | None,
    seeds: int,
    cpus: int | None,
    machine: str | None,
    scale: float,
    cold: bool,
) -> SuiteSpec:
    """The suite that these options mean. :raises InputError: there is no such policy, workload or machine."""
    from schedops.adapters.package import package_digest
    from schedops.pipeline.suite import Entrant, SuiteSpec
    from schedops.repository import load_policies, load_workload_files, open_tree
    from schedops.schema.files import data_dir

    tree = open_tree(Path.cwd())
    rival, arm = baseline_of(tree, baseline)
    first = "informed" if arm == "informed" else _label(rival.name, arm)
    extra = () if hidden is None else load_workload_files(hidden)
    return SuiteSpec(
        tool_sha256=package_digest(),
        machine=machine_of(cpus, machine, default=DEFAULT_CPUS),
        entrants=(Entrant(label=first, scheduler=rival, arm=arm), *(_entrant(tree, word) for word in policies)),
        workloads=(*_workloads(tree, workloads), *extra),
        seeds=tuple(range(1, seeds + 1)),
        hidden=frozenset(one.name for one in extra),
        shipped=load_policies(data_dir("policies").parent),
        scale=scale,
        cold=cold,
    )


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
