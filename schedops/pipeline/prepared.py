"""A guest that is ready for a workload, and what one run in it teaches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from schedops.bench.load import Load
from schedops.bench.run import run_once
from schedops.errors import Unavailable
from schedops.model.guest import Accelerator
from schedops.model.jobs import Hints
from schedops.model.policy import Capabilities
from schedops.model.workload import Workload
from schedops.ports import Guest, KernelImage, World


@contextmanager
def prepared(load: Load, image: KernelImage, *, cpus: int, world: World) -> Iterator[Guest]:
    """A guest with all that the load's runs need.

    :raises Unavailable: it does not come up, or preparing failed. :raises GuestLost: it is gone.
    """
    with world.machines.boot(image, cpus=cpus, programs=load.archive) as guest:
        load.prepare(guest)
        yield guest


def taught(load: Load, guest: Guest, *, seed: int, world: World) -> Hints:
    """What one run under the default scheduler teaches about the jobs.

    :raises Unavailable: ``never-done``: the run did not do its work. :raises GuestLost: the guest is gone.
    """
    setup = load.setup("eevdf", seed, hints=None, capabilities=Capabilities(), name_seed=seed)
    run = run_once(guest, load, seed, setup, charge=None, deadline_s=load.first_run_s)
    if run.trouble:
        text = f"{load.workload.name} did not do its work under the default scheduler: {run.trouble}"
        raise Unavailable("never-done", text)
    return load.hints(seed, run.ran, world.clock.now_utc()[:10])


def expected_s(workload: Workload, accelerator: Accelerator, *, scale: float) -> float | None:
    """How long one run takes with its preparation; None where nobody has measured it on such a machine."""
    known = workload.expected_seconds.emulated_2 if workload.expected_seconds is not None else None
    return known * scale if known is not None and accelerator.name.startswith("tcg") else None
