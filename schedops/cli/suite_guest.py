"""``schedops suite run --on vm``: the cells on a real kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from schedops.cli.suite_files import Kept

if TYPE_CHECKING:
    from schedops.model.suite import SuiteResults
    from schedops.pipeline.suite import Site, SuiteSpec
    from schedops.ports import Progress
    from schedops.suite.cells import Shard


def run_in_guests(
    spec: SuiteSpec, kernel: str | None, kept: Kept, *, progress: Progress, shard: Shard | None
) -> SuiteResults:
    """The suite, in micro-VMs of this machine.

    :param kernel: None: the newest that the fleet file names.
    :raises Unavailable: no kernel, or no emulator. :raises Refused: a policy does not compile.
    """
    from dataclasses import replace

    from schedops.bench.run import InCharge
    from schedops.cli.installed import installed_programs
    from schedops.cli.places import VM, at
    from schedops.pipeline.compare import build
    from schedops.pipeline.prepared import expected_s
    from schedops.pipeline.suite import run_suite
    from schedops.pipeline.suite_guest import GuestHands, of_this_environment
    from schedops.repository import open_tree

    cpus, root = len(spec.machine.cpus), open_tree(Path.cwd()).root
    with at(VM, root=root, kernel=kernel, cpus=cpus, quiet=False, progress=progress) as there:
        joined, image = there.world, there.image()
        if joined.host is None:
            raise AssertionError("measured cells name their environment")
        sources = [(one.label, one.scheduler) for one in spec.entrants]
        hands = GuestHands(
            image=image,
            world=joined,
            host=joined.host,
            policies={
                label: InCharge(one.source.policy, build(one.source, one.params, image, world=joined))
                for label, one in sources
                if one.source is not None
            },
            install=lambda workload: installed_programs(workload, progress),
            grounds=kept.grounds,
        )
        known = of_this_environment(kept.cells, kept.grounds, hands.environment(cpus=cpus), joined)
        accelerator = joined.machines.accelerator()
        took = {one.name: expected_s(one, accelerator, scale=spec.scale) for one in spec.workloads}
        return run_suite(
            replace(spec, site=site_of(accelerator.rung, image.kernel.name, image.kernel.vmlinux_sha256, cpus=cpus)),
            hands=hands,
            clock=joined.clock,
            progress=progress,
            shard=shard,
            known=known,
            grounds=kept.grounds,
            keep=kept.keep,
            expected_s={name: seconds for name, seconds in took.items() if seconds is not None},
        )


def site_of(rung: str, kernel: str, vmlinux_sha256: str, *, cpus: int) -> Site:
    """A kernel with so many CPUs."""
    from schedops.pipeline.suite import GuestSize, Site
    from schedops.schema.canonical import digest_of

    return Site(rung=rung, name=kernel, sha256=digest_of(GuestSize(vmlinux_sha256=vmlinux_sha256, cpus=cpus)))
