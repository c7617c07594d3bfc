"""``schedops profile``: run a workload once under the default scheduler and say what kind of workload it is."""

from __future__ import annotations

from pathlib import Path

import click

from schedops.cli.common import answers, output_option
from schedops.cli.sizes import size_options
from schedops.report.envelope import Answer


@click.command()
@click.option("-w", "--workload", required=True, metavar="NAME", help="`schedops workload list` names them")
@size_options
@output_option
@answers("profile")
def profile(*, workload: str, kernel: str | None, cpus: int, scale: float, seed: int) -> Answer:
    """Run a workload once under the default scheduler in a micro-VM, and classify it.

    Prints how its jobs use CPUs, the class that follows with the figures that decided it, and how much CPU time each
    job took; nothing is written.

    \b
    Example:
      schedops profile --workload ci-builds
      schedops profile --workload uneven-batch --cpus 4 --output json
    """
    from schedops.adapters.console import console_progress
    from schedops.cli.sizes import bench_image
    from schedops.pipeline.compare import Size
    from schedops.pipeline.compare import profile as profile_once
    from schedops.report.profile_page import profile_page
    from schedops.repository import load_workload, open_tree
    from schedops.schema.decode import encode
    from schedops.wiring import world
    from schedops.workloads.expand import require_jobs

    tree = open_tree(Path.cwd())
    wanted = load_workload(tree.root, workload)
    require_jobs(wanted)
    with console_progress() as progress:
        joined = world(progress)
        image = bench_image(tree.root, kernel, joined.kernels)
        found, hints = profile_once(wanted, image, Size(cpus=cpus, scale=scale, seed=seed), world=joined)
    return Answer({"profile": encode(found), "hints": encode(hints)}, profile_page(found, hints))
