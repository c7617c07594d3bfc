"""``schedops verify``: does a policy compile, load, take charge, keep tasks running and go away cleanly?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from schedops.cli.common import answers, output_option
from schedops.report.envelope import Answer

if TYPE_CHECKING:
    from schedops.ports import KernelImage, Kernels


@click.command()
@click.argument("policy")
@click.option("--kernel", "kernels", multiple=True, metavar="K", help="a kernel of the store [default: the fleet's]")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="a parameter other than its default")
@click.option("--cpus", type=click.IntRange(2, 64), default=2, show_default=True, help="CPUs of the guest")
@output_option
@answers("verify")
def verify(*, policy: str, kernels: tuple[str, ...], params: tuple[str, ...], cpus: int) -> Answer:
    r"""Compile a policy for each kernel's own types, load it in a micro-VM, and see that it does its work.

    POLICY is a name of the library, a directory with policy.yaml, or a bare .bpf.c file. Nothing is ever loaded on
    this machine.

    \b
    Examples:
      schedops verify build-order
      schedops verify build-order --kernel 6.16 --param max_wait_ms=800
      schedops verify ./my-policy.bpf.c --output json

    Exit codes: 0 PASS, 1 FAIL, 2 bad input, 3 INCONCLUSIVE, 69 could not be verified.
    """
    from schedops.adapters.console import console_progress
    from schedops.pipeline.compare import parameters
    from schedops.report.verification import render
    from schedops.repository import open_tree, resolve_policy
    from schedops.schema.decode import encode
    from schedops.verify import stage
    from schedops.wiring import world

    here = Path.cwd()
    root = open_tree(here).root
    source = resolve_policy(root, policy, cwd=here)
    values = parameters(source.policy, params)
    with console_progress() as progress:
        joined = world(progress)
        images, missing = _kernels(kernels, joined.kernels, root)
        report = stage.run(
            source,
            values,
            images,
            cpus=cpus,
            missing=missing,
            toolchain=joined.toolchain,
            machines=joined.machines,
            clock=joined.clock,
            progress=joined.progress,
        )
    return Answer(encode(report), render(report, source), report.verdict.exit_code)


def _kernels(wanted: tuple[str, ...], store: Kernels, root: Path) -> tuple[tuple[KernelImage, ...], tuple[str, ...]]:
    """Those asked for; else those of the fleet that are at hand, and the names of those that are not; else all."""
    from schedops.pipeline.kernels import bench_kernel, fleet_kernels
    from schedops.repository import load_fleet

    if wanted:
        images = tuple(bench_kernel(one, (), store) for one in wanted)
        return tuple(dict.fromkeys(images)), ()
    images, missing = fleet_kernels(load_fleet(root), store)
    return images or store.list(), missing
