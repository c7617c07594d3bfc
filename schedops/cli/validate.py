"""``schedops validate``: every problem of every file below policies/ at once."""

from __future__ import annotations

from pathlib import Path

import click

from schedops.cli.common import answers, output_option
from schedops.errors import InputError
from schedops.report.envelope import Answer
from schedops.repository import check_tree, load_workloads, open_tree
from schedops.schema.problem import invalid


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@output_option
@answers("validate")
def validate(directory: Path) -> Answer:
    """Check policies, workloads, fleet, hints and desired state of a repository; exit 2 when something is wrong.

    DIRECTORY is any directory of the repository; by default the one you are in.

    \b
    Example:
      schedops validate
    """
    tree = open_tree(directory)
    if tree.starter:
        raise InputError("no-policies", f"there is no policies/ at or above {directory.resolve()}")
    problems = check_tree(tree.root) or _plan_problems(tree.root)
    if problems:
        raise invalid(problems, where=str(tree.root))
    return Answer({"root": str(tree.root), "problems": []}, f"{tree.root}/policies: no problems")


def _plan_problems(root: Path) -> tuple[str, ...]:
    # What the files mean, once they are sound.
    from schedops.sim.programs.check import plan_problem

    found = ((one.name, plan_problem(one)) for one in load_workloads(root))
    return tuple(f"policies/workloads/{name}.yaml::{problem}" for name, problem in found if problem)
